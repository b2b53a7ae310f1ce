import type { Command } from 'commander'
import { existsSync } from 'node:fs'
import { defaultConfigPath } from '../config/file.ts'
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

/**
 * The configuration that `capfence init` made takes the place of one in the current folder where there is none: what a
 * blocked call says to type then works in any folder. A gate never takes it by itself.
 *
 * @param own its path; undefined where this user has no home
 */
export function useOwnConfig(command: Command, own: string | undefined): void {
  const named: Readonly<Record<string, unknown>> = command.opts()
  const takesPlace = command.options.some(({ long }) => long === '--storage')
  // `audit verify LOG` names it as an argument.
  const [first] = command.registeredArguments
  const isArgument = first?.name() === 'log' && command.args.length > 0
  const isNamed = named['config'] !== undefined || named['storage'] !== undefined || isArgument
  if (!takesPlace || isNamed) return
  if (own === undefined || existsSync(defaultConfigPath) || !existsSync(own)) return
  command.setOptionValue('config', own)
}

/** How a command is told where the log is. */
export function withPlace(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration that names the log')
    .option('--storage <place>', 'the log itself: a path, `sqlite:` and a path, or `postgres://…`')
}
