import { loadConfig } from '../config/config.ts'
import { CapFenceError } from '../errors.ts'
import { isLaunch } from './edits.ts'
import type { Launch } from './edits.ts'
import { readJson } from './json-tree.ts'
import { lineEnd, memberOf } from './tree.ts'

/** A server that is to stand in CapFence's configuration. */
export interface NewServer {
  /** Its name at the client. */
  readonly name: string
  /** What tells it from another client's of the same name, such as `cursor`. */
  readonly owner: string
  readonly launch: Launch
}

/** CapFence's configuration with servers added to it. */
export interface ServersAdded {
  readonly text: string
  /** The name of each server there, in the order asked for. */
  readonly names: readonly string[]
}

/**
 * Adds servers to the text of a configuration, and leaves everything else in it as it is.
 *
 * A server that starts the same way is not added again, whatever its client.
 *
 * @throws CapFenceError `CONFIG_INVALID` when it is wrong, before or after
 */
export function addServers(
  path: string,
  text: string,
  servers: readonly NewServer[],
): ServersAdded {
  let now = text
  const names: string[] = []
  for (const server of servers) {
    const name = nameFor(path, now, server)
    if (!launchesOf(path, now).has(name)) now = withServer(now, name, server.launch)
    names.push(name)
  }
  loadConfig({ path, text: now })
  return { text: now, names }
}

/** How each server of a configuration is started, those that are switched off too. */
function launchesOf(path: string, text: string): ReadonlyMap<string, Launch | undefined> {
  const { servers, disabledServers } = loadConfig({ path, text })
  return new Map<string, Launch | undefined>([
    ...disabledServers.map((name) => [name, undefined] as const),
    ...servers.map(({ name, upstream }) => [name, plainLaunch(upstream)] as const),
  ])
}

/** Undefined for one that is started in another way than a client's, such as in a folder of its own. */
function plainLaunch(
  upstream: ReturnType<typeof loadConfig>['servers'][number]['upstream'],
): Launch | undefined {
  if (upstream.kind !== 'stdio' || upstream.cwd !== undefined || upstream.env.size > 0)
    return undefined
  return { command: upstream.command, args: upstream.args }
}

function nameFor(path: string, text: string, { name, owner, launch }: NewServer): string {
  const taken = launchesOf(path, text)
  for (let number = 1; ; number += 1) {
    const tried =
      number === 1 ? name : number === 2 ? `${name}-${owner}` : `${name}-${owner}-${number - 1}`
    const there = taken.get(tried)
    if (!taken.has(tried) || (there !== undefined && isLaunch(there, launch))) return tried
  }
}

function withServer(text: string, name: string, { command, args }: Launch): string {
  const eol = lineEnd(text)
  const servers = memberOf(readJson(text), 'mcpServers')
  const slot = servers?.slot
  if (servers?.value.kind !== 'object' || slot === undefined)
    throw new CapFenceError('CONFIG_INVALID', 'the configuration has no `mcpServers`')
  const entry = `${JSON.stringify(name)}: { "command": ${JSON.stringify(command)}, "args": ${JSON.stringify(args)} }`
  const last = servers.value.members.at(-1)
  if (last?.slot === undefined) {
    return `${text.slice(0, slot.start)}{${eol}    ${entry}${eol}  }${text.slice(slot.end)}`
  }
  return `${text.slice(0, last.slot.end)},${eol}    ${entry}${text.slice(last.slot.end)}`
}
