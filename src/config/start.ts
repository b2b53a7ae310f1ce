import { CapFenceError } from '../errors.ts'
import type { ServerBinding } from '../event/binding.ts'
import type { Config } from './config.ts'
import type { Problem } from './problems.ts'
import { ConfigInvalid, didYouMean } from './problems.ts'
import type { ServerConfig } from './servers.ts'
import type { Template, Variables } from './variables.ts'
import { expand } from './variables.ts'

/** What every server of the gate has. */
interface NamedServer {
  readonly name: string
  /** Put before each of its names; empty when it is the only one, so that names stay as they are. */
  readonly prefix: string
  readonly binding: ServerBinding
}

/** A server with everything that is needed to start it or to reach it, secrets included; not for logs. */
export type StartableServer = LocalServer | RemoteServer

/** A server that is a process of this machine. */
export interface LocalServer extends NamedServer {
  readonly kind: 'stdio'
  readonly command: string
  readonly args: readonly string[]
  /** What the file adds to the environment of the process. */
  readonly env: Readonly<Record<string, string>>
  /** Absolute; the gate's own folder when undefined. */
  readonly cwd: string | undefined
}

/** A server that is reached over Streamable HTTP. */
export interface RemoteServer extends NamedServer {
  readonly kind: 'http'
  readonly url: URL
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

/** Which servers to start, and with what. */
export interface StartOptions {
  /** The one server to start; all of them when undefined. */
  readonly only: string | undefined
  /** Where `${VAR}` is looked up. */
  readonly variables: Variables
}

/**
 * Picks the servers for `capfence run` and fills in their variables; those of other servers need not be set.
 *
 * @throws CapFenceError `CONFIG_INVALID` when there is none, when one cannot be reached by this version, when a variable
 * is missing, or makes a header that cannot be sent
 */
export function serversToStart(config: Config, options: StartOptions): readonly StartableServer[] {
  const chosen = choose(config, options.only)
  const missing: Problem[] = []
  const servers = chosen.map((server) => startable(server, options.variables, missing))
  if (missing.length > 0) throw new ConfigInvalid(missing)
  const [alone, second] = servers
  return alone !== undefined && second === undefined ? [{ ...alone, prefix: '' }] : servers
}

function choose(config: Config, only: string | undefined): readonly ServerConfig[] {
  if (only === undefined) {
    if (config.servers.length > 0) return config.servers
    throw new CapFenceError('CONFIG_INVALID', `${config.file} has no server to start`, {
      hint: 'add one under `mcpServers`, or remove its `disabled`',
    })
  }
  const chosen = config.servers.filter(({ name }) => name === only)
  if (chosen.length > 0) return chosen
  if (config.disabledServers.includes(only)) {
    throw new CapFenceError(
      'CONFIG_INVALID',
      `the server \`${only}\` is switched off in ${config.file}`,
      {
        hint: 'remove its `disabled`',
      },
    )
  }
  const names = config.servers.map(({ name }) => name)
  throw new CapFenceError('CONFIG_INVALID', `there is no server \`${only}\` in ${config.file}`, {
    hint: didYouMean(only, names) ?? `it has: ${names.join(', ')}`,
  })
}

function startable(
  { name, upstream, prefix, binding }: ServerConfig,
  variables: Variables,
  missing: Problem[],
): StartableServer {
  const named = { name, prefix, binding }
  if (upstream.kind === 'http') {
    const headers = expandAll(upstream.headers, variables, missing)
    return { kind: 'http', ...named, ...address(name, upstream), headers: lowered(name, headers) }
  }
  const { command, args, cwd } = upstream
  const env = expandAll(upstream.env, variables, missing)
  return { kind: 'stdio', ...named, command, args, cwd, env }
}

function address(
  name: string,
  { url, isSse }: Extract<ServerConfig['upstream'], { kind: 'http' }>,
): { readonly url: URL } {
  if (!isSse) return { url: new URL(url) }
  throw new CapFenceError(
    'CONFIG_INVALID',
    `the server \`${name}\` is of the type \`sse\`, the transport of 2024, which this version cannot do`,
    { hint: 'most such servers have a Streamable HTTP endpoint too, often `/mcp`: without `type`' },
  )
}

/** Headers as they are sent. Their values may be secrets, which are not repeated (THREATS B27). */
function lowered(
  server: string,
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const sent = new Map<string, string>()
  for (const [name, value] of Object.entries(headers)) {
    const problem = /^[\t\x20-\x7e]*$/.test(value)
      ? sent.has(name.toLowerCase()) && 'stands there twice'
      : 'holds a character that cannot stand in a header'
    if (problem !== false) {
      throw new CapFenceError(
        'CONFIG_INVALID',
        `the header \`${name}\` of the server \`${server}\` ${problem}`,
      )
    }
    sent.set(name.toLowerCase(), value)
  }
  return Object.fromEntries(sent)
}

function expandAll(
  templates: ReadonlyMap<string, Template>,
  variables: Variables,
  missing: Problem[],
): Readonly<Record<string, string>> {
  const texts = [...templates].map(([name, template]) => {
    const expanded = expand(template, variables)
    missing.push(...expanded.missing)
    return [name, expanded.text] as const
  })
  return Object.fromEntries(texts)
}
