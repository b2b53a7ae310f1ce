import type { Command } from 'commander'
import type { CommandKit } from './command-kit.ts'
import { examples } from './command-kit.ts'
import type { WitnessFlags } from './witness.ts'

/** `capfence witness`. */
export function witnessCommand(kit: CommandKit): Command {
  const command = kit
    .command('witness')
    .description('cosign checkpoints of logs that only grow, for as long as it runs')
    .requiredOption('--listen <place>', 'the address and port; port 0 takes any that is free')
    .requiredOption('--state <file>', 'what it has seen; made at the first start')
    .requiredOption('--key <file>', 'its private key; made at the first start')
    .requiredOption('--log <keys...>', 'the stable key of each log, as `NAME+ID+KEY`')
    .option('--name <name>', 'the name of a new key')
    .option('--host <hosts...>', 'further values of `Host`, for a proxy in front of it')
    .option('--json', 'one line of JSON at the start, for programs')
  examples(command, [
    [
      'capfence witness --listen 127.0.0.1:7811 --state w.state --key w.key --log "$(head -n1 log.pin)"',
      'for one log, on the same machine',
    ],
  ])
  return command.action((flags: WitnessFlags) =>
    kit.run(async () => {
      const { witness } = await import('./witness.ts')
      return witness(flags, kit.io)
    }),
  )
}
