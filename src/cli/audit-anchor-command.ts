import type { Command } from 'commander'
import type { AuditAnchorFlags } from './audit-anchor.ts'
import type { CommandKit } from './command-kit.ts'
import { examples } from './command-kit.ts'

/** `capfence audit anchor`. */
export function anchorCommand(kit: CommandKit): Command {
  const command = kit
    .command('anchor')
    .description('hand the newest signed checkpoint to the anchors of the configuration, now')
    .option('--config <file>', 'the configuration that names the log and its anchors')
    .option('--only <name>', 'only this one')
    .option('--json', 'JSON Lines, for programs')
    .addHelpText(
      'after',
      '\nExit codes: 0 all have it, 1 one could not be reached or refused it; the others have been tried.',
    )
  examples(command, [['capfence audit anchor', 'all of them, one after the other']])
  return command.action((flags: AuditAnchorFlags) =>
    kit.run(async () => {
      const { auditAnchor } = await import('./audit-anchor.ts')
      return auditAnchor(flags, kit.io)
    }),
  )
}
