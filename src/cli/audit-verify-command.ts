import type { Command } from 'commander'
import type { VerifyFlags } from './audit-verify.ts'
import type { CommandKit } from './command-kit.ts'
import { examples, withPlace } from './command-kit.ts'

/** `capfence audit verify`. */
export function verifyCommand(kit: CommandKit): Command {
  const command = kit
    .command('verify')
    .description('check every record, signature and disclosure of a log, and change nothing')
    .argument('[log]', 'the database file; without it, the one of the configuration')
    .option('--pin <file>', "the log's two keys, as you kept them when it was made")
    .option('--vkey <key>', 'the same as text: give it twice', several)
    .option('--trust-log', 'believe the log about its own keys: proves less')
    .option(
      '--anchor <file>',
      'a checkpoint of an earlier time; may be given several times',
      several,
    )
    .option(
      '--archive <file>',
      'a log that this one goes on from, oldest first; the pin is that of the first',
      several,
    )
    .option('--state <file>', 'go on from where it noted how far it came, and note it again')
    .option('--strict', 'also not to know everything is a fault: exit code 6')
    .option('--json', 'one JSON object, for programs')
    .addHelpText('after', `\n${exitCodeNote}`)
  examples(command, [
    ['capfence audit verify --pin log.pin', 'the log of the configuration'],
    ['capfence audit verify log.db --pin log.pin --anchor yesterday.note', 'whether it only grew'],
    [
      'capfence audit verify --pin log.pin --state verified.json',
      'what is new since the last time',
    ],
  ])
  return withPlace(command).action((log: string | undefined, flags: VerifyFlags) =>
    kit.run(async () => {
      const { auditVerify } = await import('./audit-verify.ts')
      return auditVerify(log, flags, kit.io)
    }),
  )
}

const exitCodeNote =
  'Exit codes: 0 it verifies, 2 used wrongly, 3 tampered with, 4 rolled back or forked, 5 cannot be verified, 6 incomplete.'

function several(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}
