import type { Command } from 'commander'
import type { CommandKit } from './command-kit.ts'
import { examples } from './command-kit.ts'
import type { ApproverFlags } from './keys.ts'
import type { PasskeyFlags } from './keys-passkey.ts'

/** `capfence keys`: the keys of those who approve. */
export function keysCommand(kit: CommandKit): Command {
  const approver = kit
    .command('approver')
    .description('who may approve, each with a key behind a passphrase')
    .addCommand(changing(kit, 'add', 'make a key and enter it in the list'))
    .addCommand(changing(kit, 'remove', 'take somebody off the list'))
    .addCommand(listing(kit))
    .addCommand(passkeys(kit))
  examples(approver, [
    ['capfence keys approver add alice', 'the first approver'],
    ['capfence keys approver add bob --by alice', 'every further one is signed by one before'],
  ])
  return kit.command('keys').description('the keys of those who approve').addCommand(approver)
}

function passkeys(kit: CommandKit): Command {
  const add = withSigner(withConfig(kit.command('add')))
    .description('make a passkey in a browser, which signs calls on the page of `capfence ui`')
    .argument('<name>', 'whose it is; their own key signs it')
    .option('--key <file>', 'the key of the approver, if it is not at its usual place')
    .option('--port <number>', 'the page that may ask for it, from now on; 22737 when left out')
    .option('--no-open', 'open no browser, only print the link')
    .action((who: string, flags: PasskeyFlags) =>
      kit.run(async () => {
        const { passkeyAdd } = await import('./keys-passkey.ts')
        return passkeyAdd(who, flags, kit.io)
      }),
    )
  const remove = withSigner(withConfig(kit.command('remove')))
    .description('take a passkey away')
    .argument('<name>', 'whose it is')
    .argument('<key>', 'the first digits of its id, 8 at least')
    .option('--by <approver>', 'who signs the change; whose it is when left out')
    .option('--by-key <file>', 'the key of that approver, if it is not at its usual place')
    .action((who: string, key: string, flags: ApproverFlags) =>
      kit.run(async () => {
        const { passkeyRemove } = await import('./keys-passkey.ts')
        return passkeyRemove(who, key, flags, kit.io)
      }),
    )
  const command = kit.command('passkey').description('the passkeys of those who approve')
  examples(command, [
    ['capfence keys approver passkey add alice', 'opens a page that makes it'],
    ['capfence keys approver passkey remove alice 0f3a81c2', 'the device was lost'],
  ])
  return command.addCommand(add).addCommand(remove)
}

function withSigner(command: Command): Command {
  return command.option('--passphrase-stdin', 'the passphrase from standard input, a line')
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
