import { CapFenceError } from '../errors.ts'
import type { ServerBinding } from '../event/binding.ts'
import type { Config } from './config.ts'
import type { Problem } from './problems.ts'
import { ConfigInvalid, didYouMean } from './problems.ts'
import type { ServerConfig } from './servers.ts'
import type { Template, Variables } from './variables.ts'
import { expand } from './variables.ts'

/** A server with everything that is needed to start it, secrets included; not for logs. */
export interface StartableServer {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** What the file adds to the environment of the process. */
  readonly env: Readonly<Record<string, string>>
  /** Absolute; the gate's own folder when undefined. */
  readonly cwd: string | undefined
  /** Put before each of its names; empty when it is the only one, so that names stay as they are. */
  readonly prefix: string
  readonly binding: ServerBinding
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
 * @throws CapFenceError `CONFIG_INVALID` when there is none, when one cannot be started by this version, or when a
 * variable is missing
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
  if (upstream.kind === 'http') {
    throw new CapFenceError(
      'CONFIG_INVALID',
      `the server \`${name}\` is reached at a url, which this version cannot do`,
      { hint: 'start the others one by one with `--server`, or set `"disabled": true` for it' },
    )
  }
  const { command, args, cwd } = upstream
  return {
    name,
    command,
    args,
    cwd,
    prefix,
    binding,
    env: expandAll(upstream.env, variables, missing),
  }
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
