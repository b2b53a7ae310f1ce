import type { Command } from 'commander'
import { clients } from '../clients/table.ts'
import type { CommandKit } from './command-kit.ts'
import { examples } from './command-kit.ts'
import type { InitFlags } from './init.ts'
import type { WrapFlags } from './wrap.ts'

/** The commands that put CapFence before the servers that clients start. */
export function clientsCommands(kit: CommandKit): readonly Command[] {
  return [init(kit), wrapCommand(kit), unwrapCommand(kit)]
}

function init(kit: CommandKit): Command {
  const command = kit
    .command('init')
    .description('set CapFence up for the clients on this machine; at first it only watches')
    .option('--environment <name>', 'where the servers act, as rules name it', 'development')
    .option('--actor <name>', 'who asks, as rules and the log name it', 'agent')
    .option('--enforce', 'block from the start what the policy does not allow')
    .option('--wrap', 'also put CapFence before every server that was found')
    .option('--project <folder>', 'where files of a project are looked for; the current folder')
    .option('--json', 'one JSON object, for programs')
  examples(command, [
    ['capfence init', 'makes a configuration and a policy, and lists what it found'],
    ['capfence init --wrap', 'and puts it before the servers'],
  ])
  return command.action((flags: InitFlags) =>
    kit.run(async () => (await import('./init.ts')).init(flags, kit.io)),
  )
}

const named = `a client (${clients.map(({ id }) => id).join(', ')}) or a file; every client that is found when left out`

function withTargets(command: Command): Command {
  return command
    .argument('[clients...]', named)
    .option('--server <name>', 'only this server; may be given several times', several)
    .option('--project <folder>', 'where files of a project are looked for; the current folder')
    .option('--dry-run', 'only show what would change')
    .option('--json', 'one JSON object, for programs')
}

function wrapCommand(kit: CommandKit): Command {
  const command = withTargets(kit.command('wrap'))
    .description('put CapFence before servers that a client starts; their names stay')
    .option('--config <file>', "CapFence's configuration; `~/.capfence/capfence.mcp.json`")
  examples(command, [
    ['capfence wrap --dry-run', 'what would change'],
    ['capfence wrap cursor --server github', 'one server of one client'],
    ['capfence wrap .vscode/mcp.json --config capfence.mcp.json', 'a file, and your configuration'],
  ])
  return command.action((names: readonly string[], flags: WrapFlags) =>
    kit.run(async () => (await import('./wrap.ts')).wrap(names, flags, kit.io)),
  )
}

function unwrapCommand(kit: CommandKit): Command {
  const command = withTargets(kit.command('unwrap')).description(
    'give a client its own servers back, byte for byte; what you changed meanwhile stays',
  )
  examples(command, [
    ['capfence unwrap', 'everything'],
    ['capfence unwrap cursor', 'one client'],
  ])
  return command.action((names: readonly string[], flags: WrapFlags) =>
    kit.run(async () => (await import('./wrap.ts')).unwrap(names, flags, kit.io)),
  )
}

function several(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}
