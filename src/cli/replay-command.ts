import type { Command } from 'commander'
import type { CommandKit } from './command-kit.ts'
import { examples } from './command-kit.ts'
import type { ReplayFlags } from './replay.ts'

/** How a command is told what a log of MCP messages does not say. */
export function withReading(command: Command): Command {
  return command
    .option('--server <name>', 'of a log of MCP messages: the server that they were for')
    .option('--actor <name>', 'and who asked')
    .option('--environment <name>', 'and where the calls act')
    .option('--config <file>', 'and the configuration that says what its tools mean')
    .option('--from-start', 'and that nothing was charged to limits before it begins')
}

/** `capfence replay`. */
export function replayCommand(kit: CommandKit): Command {
  const command = kit
    .command('replay')
    .description(
      'decide the calls of a trace again, offline: by the policies that decided, or by others',
    )
    .argument(
      '<trace>',
      'what `capfence audit export --trace` wrote, a trace of the original CapFence, or a log of MCP messages; `-` reads standard input',
    )
    .option(
      '--policy <file>',
      'a policy to try in place of those that decided; several are one',
      (file: string, others: readonly string[] | undefined) => [...(others ?? []), file],
    )
    .option('--html <file>', 'also write a page with a picture of it')
    .option('--markdown <file>', 'also write it for a pull request or a ticket')
    .option('--json', 'one JSON object, for programs')
    .addHelpText(
      'after',
      '\nExit codes: 0 no decision differs, 1 some differ, 2 the trace or a policy is wrong,\n3 none differs, but some calls could not be evaluated.',
    )
  examples(command, [
    ['capfence audit export --trace week.jsonl --since 7d', 'a trace of the last week'],
    ['capfence replay week.jsonl', 'does the log say what its policies say'],
    ['capfence replay week.jsonl --policy new.yaml', 'what would a new policy have said'],
    ['capfence replay week.jsonl --html report.html', 'and a page to look at'],
  ])
  return withReading(command).action((trace: string, flags: ReplayFlags) =>
    kit.run(async () => {
      const { replay } = await import('./replay.ts')
      return replay(trace, flags, kit.io)
    }),
  )
}
