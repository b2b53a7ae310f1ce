import { clients } from '../clients/table.ts'
import type { Config } from '../config/config.ts'
import type { LocalServer, StartableServer } from '../config/start.ts'
import { serversToStart } from '../config/start.ts'
import { CapFenceError } from '../errors.ts'
import { findProgram, type Launch } from '../transport/command.ts'
import type { Finding } from './doctor-finding.ts'
import type { Io } from './io.ts'
import { toolsOfServer } from './listed-tools.ts'
import { loadGoverningPolicy } from './policy-files.ts'
import { counted } from './shown.ts'

/** Whether there is a policy that can govern. */
export async function checkPolicies(config: Config): Promise<readonly Finding[]> {
  const area = 'policy'
  try {
    const { ruleCount } = await loadGoverningPolicy(config.policies, config.folder)
    const text = `${counted(ruleCount, 'rule')}: ${config.policies.join(', ')}`
    return [
      ruleCount === 0
        ? { area, level: 'doubt', text, mend: 'capfence policy init, or capfence policy learn' }
        : { area, level: 'fine', text },
      ...(config.mode === 'observe'
        ? [
            {
              area,
              level: 'doubt' as const,
              text: 'mode is `observe`: what the policy denies is only noted, and happens',
              mend: '"mode": "enforce"',
            },
          ]
        : []),
    ]
  } catch (error) {
    return [failure(area, error, 'capfence policy check')]
  }
}

/** Whether each server can be started or reached, as far as that is seen without doing it. */
export function checkServers(config: Config, variables: Io['variables']): readonly Finding[] {
  return config.servers.flatMap(({ name }): readonly Finding[] => {
    try {
      const [server] = serversToStart(config, { only: name, variables })
      return server === undefined ? [] : [checkServer(name, server, variables)]
    } catch (error) {
      return [failure('servers', error)]
    }
  })
}

function checkServer(name: string, server: StartableServer, variables: Io['variables']): Finding {
  const area = 'servers'
  if (server.kind === 'http') return { area, level: 'fine', text: `${name}: ${server.url.origin}` }
  try {
    return { area, level: 'fine', text: `${name}: ${findProgram(launchOf(server, variables))}` }
  } catch (error) {
    const text = `${name}: \`${server.command}\` is no program that is found here`
    const detail = error instanceof Error ? error.message : String(error)
    const mend = `install it, or write its whole path (${detail})`
    return { area, level: 'wrong', text, mend }
  }
}

/** How long a server has to list its tools, milliseconds: as long as the most patient client waits for it to start. */
const listingMs = 30_000

/** Starts each server, and compares the names of its tools with what clients take. */
export async function checkTools(config: Config): Promise<readonly Finding[]> {
  const found: Finding[] = []
  for (const { name } of config.servers) {
    // oxlint-disable-next-line no-await-in-loop -- one server at a time, so that each is timed alone
    found.push(...(await checkToolsOf(config, name)))
  }
  return found
}

async function checkToolsOf(config: Config, name: string): Promise<readonly Finding[]> {
  const area = 'tools'
  const started = performance.now()
  try {
    const [server] = serversToStart(config, { only: name, variables: process.env })
    if (server === undefined) return []
    const items = await toolsOfServer(server, {
      variables: process.env,
      timeoutMs: listingMs,
      maxMessageBytes: config.limits.maxUpstreamMessageBytes,
      log: () => undefined,
    })
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    const text = `${name} lists ${counted(items.length, 'tool')} after ${seconds} s`
    const isSlow = performance.now() - started > slowMs
    return [
      isSlow
        ? { area, level: 'doubt', text, mend: 'raise the start-up time-out of the client' }
        : { area, level: 'fine', text },
      ...longNames(name, items.map(toolName)),
    ]
  } catch (error) {
    return [failure(area, error)]
  }
}

/** From here on a client may have given up, milliseconds: the shortest start-up time-out that is known. */
const slowMs = 10_000

/** Clients put the name of the server before that of the tool, and refuse what gets too long. */
function longNames(server: string, names: readonly string[]): readonly Finding[] {
  const limits = clients.flatMap(({ maxToolName }) =>
    maxToolName === undefined ? [] : [maxToolName],
  )
  const most = Math.min(...limits)
  const who = clients.filter(({ maxToolName }) => maxToolName === most).map((one) => one.name)
  const long = names.filter((name) => `mcp__${server}__${name}`.length > most)
  if (long.length === 0) return []
  return [
    {
      area: 'tools',
      level: 'doubt',
      text: `names of ${server} with more than ${String(most)} characters in a client: ${long.join(', ')}`,
      mend: `shorten the key of the server; ${who.join(', ')} leave such tools out`,
    },
  ]
}

function toolName(item: unknown): string {
  const name: unknown = typeof item === 'object' && item !== null ? Reflect.get(item, 'name') : ''
  return typeof name === 'string' ? name : ''
}

function launchOf(server: LocalServer, variables: Io['variables']): Launch {
  const { command, args, env, cwd } = server
  const path = env['PATH'] ?? variables['PATH']
  return {
    command,
    args,
    env: path === undefined ? {} : { PATH: path },
    ...(cwd === undefined ? {} : { cwd }),
  }
}

function failure(area: string, error: unknown, mend?: string): Finding {
  if (!(error instanceof CapFenceError)) throw error
  return { area, level: 'wrong', text: error.message, mend: error.hint ?? mend }
}
