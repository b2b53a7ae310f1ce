import type { Command } from 'commander'
import type { ExitCode, Io } from './io.ts'
import type { OpenLog, OpenStore } from './places.ts'

/** What a command is built with: its input and output, and how what it prints and answers is collected. */
export interface CommandKit {
  readonly io: Io
  readonly openLog: OpenLog
  readonly openStore: OpenStore
  readonly command: (name: string) => Command
  /** Runs a command when it is chosen, so that its module is loaded only then. */
  readonly run: (command: () => Promise<ExitCode>) => Promise<void>
}

/** Examples stand first: they are what most people look for. */
export function examples(
  command: Command,
  lines: readonly (readonly [line: string, what: string])[],
): void {
  const text = lines.map(([line, what]) => `  ${line}\n      ${what}\n`).join('')
  command.addHelpText('before', `Examples:\n${text}`)
}

/** How a command is told where the log is. */
export function withPlace(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration that names the log')
    .option('--storage <place>', 'the log itself: `sqlite:` and a path, or a path')
}
