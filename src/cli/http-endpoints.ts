import { createHash, randomBytes } from 'node:crypto'
import type { Config } from '../config/config.ts'
import { serversToStart } from '../config/start.ts'
import type { StartableServer } from '../config/start.ts'
import { CapFenceError } from '../errors.ts'
import { definitionHash } from '../mcp/definition.ts'
import type { OpenChannel } from '../mcp/connection.ts'
import type { Pins } from '../mcp/pins.ts'
import type { HttpEndpoint } from '../proxy/http-front.ts'
import { Session } from '../proxy/session.ts'
import { RestartPolicy } from '../transport/restart.ts'
import type { ProcessTree } from '../transport/tree.ts'
import type { Io } from './io.ts'
import type { OpenGate } from './open-gate.ts'
import { localOpener, remoteOpener } from './openers.ts'
import { version } from './version.ts'

/** What the endpoints are made of. */
export interface EndpointParts {
  readonly variables: Io['variables']
  readonly tree: ProcessTree
  readonly gateFor: OpenGate['gateFor']
  /** Which definitions somebody has accepted. */
  readonly pins: Pins
  log(text: string): void
}

/** The key under which clients usually have this gate; it counts towards their limits on tool names. */
const endpointKey = 'capfence'

interface OpenableServer extends Pick<StartableServer, 'name' | 'prefix'> {
  readonly isProcess: boolean
  readonly open: OpenChannel
}

/**
 * What is served where: all servers at `/mcp`, with a prefix each where there are several, and each at `/mcp/<name>` with
 * its names unchanged.
 *
 * @throws CapFenceError `CONFIG_INVALID` when a server cannot be started or reached
 */
export async function httpEndpoints(
  config: Config,
  parts: EndpointParts,
): Promise<ReadonlyMap<string, HttpEndpoint>> {
  const startable = serversToStart(config, { only: undefined, variables: parts.variables })
  const servers = await Promise.all(
    startable.map((server) => openable(server, startable.length, config, parts)),
  )
  const cursorKey = randomBytes(32)
  const endpoints = new Map([['/mcp', endpointOf(servers, config, parts, cursorKey)]])
  for (const server of servers) {
    const path = `/mcp/${encodeURIComponent(server.name)}`
    endpoints.set(path, endpointOf([{ ...server, prefix: '' }], config, parts, cursorKey))
  }
  return endpoints
}

async function openable(
  server: StartableServer,
  count: number,
  config: Config,
  { variables, tree }: EndpointParts,
): Promise<OpenableServer> {
  const { name, prefix } = server
  const maxMessageBytes = config.limits.maxUpstreamMessageBytes
  if (server.kind === 'http') {
    return { name, prefix, isProcess: false, open: await remoteOpener(server, maxMessageBytes) }
  }
  const scope = count === 1 ? 'whole' : 'base'
  const open = localOpener(server, { scope, variables: { ...variables }, maxMessageBytes, tree })
  return { name, prefix, isProcess: true, open }
}

function endpointOf(
  servers: readonly OpenableServer[],
  config: Config,
  parts: EndpointParts,
  cursorKey: Uint8Array,
): HttpEndpoint {
  const processes = servers.filter(({ isProcess }) => isProcess).length
  if (processes > config.serve.maxProcesses) {
    throw new CapFenceError(
      'CONFIG_INVALID',
      `one session takes ${String(processes)} processes, and \`serve.maxProcesses\` is ${String(config.serve.maxProcesses)}`,
      { hint: 'raise it, or no client could be served' },
    )
  }
  return {
    processes,
    open: (caller, downstream, onCongestion) =>
      new Session({
        downstream,
        servers: servers.map(({ name, prefix, open }) => ({
          name,
          prefix,
          open,
          backoff: new RestartPolicy({ now: () => performance.now() }),
        })),
        gate: parts.gateFor(caller.actor),
        unknownMethods: config.unknownMethods,
        endpointKey,
        software: { name: 'capfence', version },
        hash: (text) => createHash('sha256').update(text).digest('hex'),
        hashDefinition: definitionHash,
        pins: parts.pins,
        cursorKey,
        onCongestion,
        log: (text) => parts.log(text),
      }),
  }
}
