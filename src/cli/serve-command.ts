import type { Command } from 'commander'
import type { CommandKit } from './command-kit.ts'
import { examples } from './command-kit.ts'
import type { ServeFlags } from './serve.ts'

/** `capfence serve`, as the program lists it. */
export function serveCommand(kit: CommandKit): Command {
  const command = kit
    .command('serve')
    .description('serve the gate over Streamable HTTP: all servers at /mcp, each at /mcp/<name>')
    .option('--config <file>', 'the configuration (default: capfence.mcp.json)')
    .option('--host <address>', 'listen on this address; 127.0.0.1 when left out')
    .option('--port <number>', 'on this port; 8931 when left out, 0 for any that is free')
    .option('--no-token', 'ask for no token; on this machine only')
    .option('--ui', "the operator's page too, on a port of its own; needs a terminal")
    .option('--no-open', 'with `--ui`: open no browser, only print the link')
    .option('--json', 'the addresses as one JSON object, for programs')
  examples(command, [
    ['capfence serve', 'the servers of capfence.mcp.json at http://127.0.0.1:8931/mcp'],
    ['capfence serve --ui', 'and what happens there, as a page in your browser'],
    ['capfence serve token', 'a token for one client, and what to write into the configuration'],
  ])
  command.action((flags: ServeFlags) =>
    kit.run(async () => (await import('./serve.ts')).serve(flags, kit.io, kit)),
  )
  const token = kit
    .command('token')
    .description('make a token; only its digest belongs into the configuration')
    .option('--json', 'one JSON object, for programs')
  examples(token, [['capfence serve token', 'the token on standard output, once']])
  // An option that `serve` has too is taken for its own, wherever it stands.
  token.action(() =>
    kit.run(async () => (await import('./serve.ts')).serveToken(token.optsWithGlobals(), kit.io)),
  )
  return command.addCommand(token)
}
