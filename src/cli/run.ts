import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'

import { defaultConfigPath, readConfigFile } from '../config/file.ts'
import type { Config } from '../config/config.ts'
import { serversToStart } from '../config/start.ts'
import type { StartableServer } from '../config/start.ts'
import { CapFenceError } from '../errors.ts'
import { ProcessTree } from '../transport/tree.ts'
import type { GateServer } from './gate.ts'
import { headStart } from './head-start.ts'
import type { LiveLock } from './live-lock.ts'
import { localOpener, remoteOpener } from './openers.ts'
import { say } from './say.ts'

const usage = `capfence run --config capfence.mcp.json --server files   one server, names unchanged
capfence run --config capfence.mcp.json                  all servers, names with a prefix each

Speaks MCP on standard input and output; put it where a client's configuration names a server.

  --config FILE   the configuration (default: ${defaultConfigPath})
  --server NAME   only this server of it
`

/** What `capfence run` was asked to do. */
interface RunOptions {
  readonly config: string
  readonly server: string | undefined
}

/**
 * Runs the gate between the client on standard input and output and its servers, until the client goes.
 *
 * A client waits for the first reply, and a server takes its time to start. So the configuration is read, the only
 * server is started, and everything else is loaded while it starts: this file imports no more than that takes.
 *
 * @returns the exit code: 0 after an orderly end
 * @throws CapFenceError when the gate cannot start; nothing was forwarded then
 */
export async function run(args: readonly string[]): Promise<number> {
  const options = readArguments(args)
  if (options === undefined) {
    process.stdout.write(usage)
    return 0
  }
  const config = readConfigFile(options.config)
  for (const { message } of config.warnings) say(`${config.file}: ${message}`)
  const startable = serversToStart(config, { only: options.server, variables: process.env })
  // Whether a server may be started, the lock says; where there is none, that is looked up while it starts.
  const isFirst = config.lock.required || existsSync(config.lock.file)
  const lock = isFirst ? await openLock(config, options) : undefined
  const tree = new ProcessTree({ onUnguarded: say })
  try {
    const servers = await gateServers(startable, config, tree)
    const { serve } = await import('./gate.ts')
    return await serve(config, servers, tree, lock ?? (await openLock(config, options)))
  } finally {
    await tree.stopAll()
  }
}

/** @throws CapFenceError `LOCK_INVALID`, `LOCK_MISMATCH` */
async function openLock(config: Config, { server }: RunOptions): Promise<LiveLock> {
  const { LiveLock } = await import('./live-lock.ts')
  return new LiveLock(config, server)
}

function readArguments(args: readonly string[]): RunOptions | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        config: { type: 'string', default: defaultConfigPath },
        server: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    return values.help ? undefined : { config: values.config, server: values.server }
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new CapFenceError('USAGE', message, { hint: 'see `capfence run --help`', cause })
  }
}

/** One of several servers is started when it is needed; the only one is what the client asked for. */
async function gateServers(
  servers: readonly StartableServer[],
  config: Config,
  tree: ProcessTree,
): Promise<readonly GateServer[]> {
  const isSole = servers.length === 1
  const maxMessageBytes = config.limits.maxUpstreamMessageBytes
  const made = servers.map(async (server) => {
    const { name, prefix } = server
    if (server.kind === 'http') {
      return { name, prefix, open: await remoteOpener(server, maxMessageBytes) }
    }
    const scope = isSole ? 'whole' : 'base'
    const open = localOpener(server, { scope, variables: process.env, maxMessageBytes, tree })
    return { name, prefix, open: isSole ? headStart(open) : open }
  })
  return Promise.all(made)
}
