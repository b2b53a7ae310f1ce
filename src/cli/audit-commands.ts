import type { Command } from 'commander'
import { anchorCommand } from './audit-anchor-command.ts'
import type { AuditArchiveFlags } from './audit-archive.ts'
import type { AuditKeyFlags } from './audit-key.ts'
import type { AuditRecoverFlags } from './audit-recover.ts'
import type { AuditRedactFlags } from './audit-redact.ts'
import type { AuditRotateFlags } from './audit-rotate.ts'
import {
  checkProofCommand,
  exportCommand,
  proveCommand,
  showCommand,
  verifyPageCommand,
} from './audit-proof-commands.ts'
import { verifyCommand } from './audit-verify-command.ts'
import type { CommandKit } from './command-kit.ts'
import { examples, withPlace } from './command-kit.ts'

/** `capfence audit`: what proves the log, and to whom. */
export function auditCommand(kit: CommandKit): Command {
  return kit
    .command('audit')
    .description('the log as evidence: what it proves, and its keys')
    .addCommand(showCommand(kit))
    .addCommand(verifyCommand(kit))
    .addCommand(proveCommand(kit))
    .addCommand(checkProofCommand(kit))
    .addCommand(exportCommand(kit))
    .addCommand(verifyPageCommand(kit))
    .addCommand(key(kit))
    .addCommand(redact(kit))
    .addCommand(rotate(kit))
    .addCommand(recover(kit))
    .addCommand(archive(kit))
    .addCommand(anchorCommand(kit))
}

function key(kit: CommandKit): Command {
  const command = kit
    .command('key')
    .description("print the log's pin: the two public keys that everything in it is checked with")
    .option('--json', 'one JSON object, for programs')
  examples(command, [['capfence audit key > log.pin', 'keep it where the log is not']])
  return withPlace(command).action((flags: AuditKeyFlags) =>
    kit.run(async () => {
      const { auditKey } = await import('./audit-key.ts')
      return auditKey(flags, kit.io, kit.openLog)
    }),
  )
}

function rotate(kit: CommandKit): Command {
  const command = kit
    .command('rotate')
    .description(
      "replace the key that signs the log's heads, and erase it; gates may run meanwhile",
    )
    .option('--json', 'one JSON object, for programs')
  examples(command, [
    ['capfence audit rotate', 'what was signed so far can no longer be signed anew'],
  ])
  return withPlace(command).action((flags: AuditRotateFlags) =>
    kit.run(async () => {
      const { auditRotate } = await import('./audit-rotate.ts')
      return auditRotate(flags, kit.io)
    }),
  )
}

function redact(kit: CommandKit): Command {
  const command = kit
    .command('redact')
    .description('erase arguments and results for good; the log goes on to verify, and says so')
    .argument(
      '[record]',
      "its number, as `capfence logs` shows it, or the id of a call; takes the call's outcome too",
    )
    .option('--older-than <time>', 'of all calls before: `90d`, or `2026-11-25`')
    .requiredOption('--by <name>', 'who wants it; stands in the log')
    .requiredOption('--reason <text>', 'why; stands in the log')
    .option('--dry-run', 'only say what would be erased')
    .option('--json', 'one JSON object, for programs')
  examples(command, [
    ['capfence audit redact 12 --by ann --reason "a customer asked"', 'what was kept of a call'],
    [
      'capfence audit redact --older-than 90d --by cron --reason "kept for 90 days"',
      'everything that is old',
    ],
  ])
  return withPlace(command).action((record: string | undefined, flags: AuditRedactFlags) =>
    kit.run(async () => {
      const { auditRedact } = await import('./audit-redact.ts')
      return auditRedact(record, flags, kit.io)
    }),
  )
}

function archive(kit: CommandKit): Command {
  const command = kit
    .command('archive')
    .description('end the log, move it to a file, and begin another one that goes on from it')
    .argument('<file>', 'where the ended log goes, on the same file system')
    .requiredOption('--by <name>', 'who wants it; stands in the log')
    .requiredOption('--reason <text>', 'why; stands in the log')
    .option('--json', 'one JSON object, for programs')
  examples(command, [
    [
      'capfence audit archive logs/2026-q4.db --by ann --reason "end of the quarter"',
      'while no gate runs',
    ],
    ['capfence audit verify --archive logs/2026-q4.db --pin log.pin', 'both of them, later'],
  ])
  return withPlace(command).action((file: string, flags: AuditArchiveFlags) =>
    kit.run(async () => {
      const { auditArchive } = await import('./audit-archive.ts')
      return auditArchive(file, flags, kit.io)
    }),
  )
}

function recover(kit: CommandKit): Command {
  const command = kit
    .command('recover')
    .description(
      'confirm that a log was rolled back or has lost its high-water file, and let it go on',
    )
    .requiredOption('--by <name>', 'who confirms it; stands in the log')
    .requiredOption('--reason <text>', 'how it came about; stands in the log')
    .option('--json', 'one JSON object, for programs')
  examples(command, [
    [
      'capfence audit recover --by ann --reason "restored from the backup of monday"',
      'goes on from it',
    ],
  ])
  return withPlace(command).action((flags: AuditRecoverFlags) =>
    kit.run(async () => {
      const { auditRecover } = await import('./audit-recover.ts')
      return auditRecover(flags, kit.io)
    }),
  )
}
