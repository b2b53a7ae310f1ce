import type { Command } from 'commander'
import type { CommandKit } from './command-kit.ts'
import { examples } from './command-kit.ts'
import type { ApproverFlags } from './keys.ts'

/** `capfence keys`: the keys of those who approve. */
export function keysCommand(kit: CommandKit): Command {
  const approver = kit
    .command('approver')
    .description('who may approve, each with a key behind a passphrase')
    .addCommand(changing(kit, 'add', 'make a key and enter it in the list'))
    .addCommand(changing(kit, 'remove', 'take somebody off the list'))
    .addCommand(listing(kit))
  examples(approver, [
    ['capfence keys approver add alice', 'the first approver'],
    ['capfence keys approver add bob --by alice', 'every further one is signed by one before'],
  ])
  return kit.command('keys').description('the keys of those who approve').addCommand(approver)
}

function changing(kit: CommandKit, name: 'add' | 'remove', what: string): Command {
  const command = kit.command(name).description(what).argument('<name>', 'who it is')
  if (name === 'add') command.option('--key <file>', 'where the new key goes')
  return withConfig(command)
    .option('--by <approver>', 'who signs the change; only the first approver needs nobody')
    .option('--by-key <file>', 'the key of that approver, if it is not at its usual place')
    .option('--passphrase-stdin', 'passphrases from standard input, a line each: signer, then new')
    .action((who: string, flags: ApproverFlags) =>
      kit.run(async () => {
        const { approverAdd, approverRemove } = await import('./keys.ts')
        return name === 'add' ? approverAdd(who, flags, kit.io) : approverRemove(who, flags, kit.io)
      }),
    )
}

function listing(kit: CommandKit): Command {
  return withConfig(kit.command('list').description('print the approvers'))
    .option('--json', 'JSON Lines, for programs')
    .action((flags: ApproverFlags) =>
      kit.run(async () => {
        const { approverList } = await import('./keys.ts')
        return approverList(flags, kit.io)
      }),
    )
}

function withConfig(command: Command): Command {
  return command.option('--config <file>', 'the configuration that names the list')
}
