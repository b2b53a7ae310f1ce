import type { Command } from 'commander'
import type { CommandKit } from './command-kit.ts'
import { examples } from './command-kit.ts'
import type { LockFlags } from './lock.ts'

/** `capfence lock` and its commands, as the program lists them. */
export function lockCommand(kit: CommandKit): Command {
  const command = withFlags(kit.command('lock'))
    .description(
      'write down what servers are and say, so that a change of it is held until it is accepted',
    )
    .addCommand(diffCommand(kit))
    .addCommand(acceptCommand(kit))
  examples(command, [
    ['capfence lock', 'start the servers, and write `capfence.lock` the first time'],
    ['capfence lock diff', 'what changed since; for CI: answers no when something did'],
    ['capfence lock accept files/read_file', 'take one change in'],
  ])
  return command.action((flags: LockFlags) =>
    kit.run(async () => (await import('./lock.ts')).lockServers(flags, kit.io)),
  )
}

function diffCommand(kit: CommandKit): Command {
  const command = withFlags(kit.command('diff')).description(
    'say what is not as it was accepted, field by field, with hidden characters made visible',
  )
  examples(command, [['capfence lock diff --json | jq .changes', 'for a program']])
  return command.action(() =>
    kit.run(async () => (await import('./lock.ts')).lockDiff(command.optsWithGlobals(), kit.io)),
  )
}

function acceptCommand(kit: CommandKit): Command {
  const command = withFlags(kit.command('accept'))
    .description('take what servers say now into the lock, and print what that changes')
    .argument(
      '[what]',
      'a server, or one of its definitions as `lock diff` names it; everything when left out',
    )
    .option('--sha256 <digest>', 'only if the definition still has this digest of `lock diff`')
  examples(command, [
    ['capfence lock accept files', 'everything of one server'],
    [
      'capfence lock accept files/read_file --sha256 3f2a91c04b77',
      'what was looked at, or nothing',
    ],
    ['capfence lock accept files/launch:', 'only the command that starts it'],
  ])
  return command.action((what: string | undefined) =>
    kit.run(async () =>
      (await import('./lock.ts')).lockAccept(what, command.optsWithGlobals(), kit.io),
    ),
  )
}

function withFlags(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration')
    .option(
      '--timeout <seconds>',
      'how long a server may take to say what it offers; 60 when left out',
    )
    .option('--json', 'one JSON object, for programs')
}
