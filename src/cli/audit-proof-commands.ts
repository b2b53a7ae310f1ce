import type { Command } from 'commander'
import type { CheckProofFlags } from './audit-check-proof.ts'
import type { ExportFlags } from './audit-export.ts'
import type { ProveFlags } from './audit-prove.ts'
import type { ShowFlags } from './audit-show.ts'
import type { VerifyPageFlags } from './audit-verify-page.ts'
import type { CommandKit } from './command-kit.ts'
import { examples, withPlace } from './command-kit.ts'

/** `capfence audit show`. */
export function showCommand(kit: CommandKit): Command {
  const command = kit
    .command('show')
    .description('one record as a person reads it: who, what, why, how it ended')
    .argument('<record>', 'its number, as `capfence logs` shows it, or the id of a call')
    .option('--pin <file>', "the log's two keys: also proves that the record is in the log")
    .option('--vkey <key>', 'the same as text: give it twice', several)
    .option('--show-secrets', 'values that look like secrets too, as far as the log has them')
    .option('--json', 'one JSON object, for programs')
  examples(command, [
    ['capfence audit show 12', 'what was decided, by which rule, on which arguments'],
    ['capfence audit show 12 --pin log.pin', 'and whether it is in the log as it was signed'],
  ])
  return withPlace(command).action((record: string, flags: ShowFlags) =>
    kit.run(async () => {
      const { auditShow } = await import('./audit-show.ts')
      return auditShow(record, flags, kit.io, kit.openLog)
    }),
  )
}

/** `capfence audit prove`. */
export function proveCommand(kit: CommandKit): Command {
  const command = kit
    .command('prove')
    .description('write a file that proves to somebody else that a record is in the log')
    .argument('<seq>', 'the number of the record, as `capfence logs` shows it')
    .option('-o, --output <file>', 'where to write it; otherwise it is printed')
    .option('--json', 'one JSON object, for programs')
  examples(command, [
    ['capfence audit prove 12 -o 12.tlog-proof', 'hand it over together with the pin, or without'],
  ])
  return withPlace(command).action((seq: string, flags: ProveFlags) =>
    kit.run(async () => {
      const { auditProve } = await import('./audit-prove.ts')
      return auditProve(seq, flags, kit.io)
    }),
  )
}

/** `capfence audit verify-page`. */
export function verifyPageCommand(kit: CommandKit): Command {
  const command = kit
    .command('verify-page')
    .description('write a page on which anybody can check a proof or an export, without CapFence')
    .option('-o, --output <file>', 'where to write it; otherwise it is printed')
  examples(command, [
    ['capfence audit verify-page -o verify.html', 'one file: it works offline and sends nothing'],
  ])
  return command.action((flags: VerifyPageFlags) =>
    kit.run(async () => {
      const { auditVerifyPage } = await import('./audit-verify-page.ts')
      return auditVerifyPage(flags, kit.io)
    }),
  )
}

/** `capfence audit check-proof`. */
export function checkProofCommand(kit: CommandKit): Command {
  const command = kit
    .command('check-proof')
    .description('whether a file proves that its record is in a log; needs no log')
    .argument('<file>', 'what `capfence audit prove` has written')
    .option('--pin <file>', "the log's two keys, as you kept them")
    .option('--vkey <key>', 'the same as text: give it twice', several)
    .option('--json', 'one JSON object, for programs')
  examples(command, [['capfence audit check-proof 12.tlog-proof --pin log.pin', 'on any machine']])
  return command.action((file: string, flags: CheckProofFlags) =>
    kit.run(async () => {
      const { auditCheckProof } = await import('./audit-check-proof.ts')
      return auditCheckProof(file, flags, kit.io)
    }),
  )
}

/** `capfence audit export`. */
export function exportCommand(kit: CommandKit): Command {
  const command = kit
    .command('export')
    .description('write the log in a form that others can verify, or that can be replayed')
    .option('--tiles <folder>', 'as c2sp.org/tlog-tiles has it; a later export adds what is new')
    .option('--jsonl <file>', 'as JSON Lines')
    .option('--trace <file>', 'as a trace for `capfence replay`, with arguments and policies')
    .option('--with-disclosures', 'also arguments and results, as far as the log has kept them')
    .option('--since <time>', 'with `--trace`, not before: `7d`, or `2026-11-25T14:00:00Z`')
    .option('--until <time>', 'with `--trace`, before that time')
    .option('--json', 'one JSON object, for programs')
  examples(command, [
    ['capfence audit export --tiles public', 'for a web server or a mirror'],
    ['capfence audit export --jsonl log.jsonl --with-disclosures', 'for an auditor'],
    ['capfence audit export --trace week.jsonl --since 7d', 'to try another policy on'],
  ])
  return withPlace(command).action((flags: ExportFlags) =>
    kit.run(async () => {
      const { auditExport } = await import('./audit-export.ts')
      return auditExport(flags, kit.io)
    }),
  )
}

function several(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}
