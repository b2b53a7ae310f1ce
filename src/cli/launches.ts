import { isAbsolute, relative, sep } from 'node:path'
import type { Config } from '../config/config.ts'
import type { ServerConfig } from '../config/servers.ts'
import type { Launch } from '../mcp/lock-file.ts'

/** How each server of a configuration is started or reached, as a lock says it. */
export function launchesOf({
  servers,
  folder,
}: Pick<Config, 'servers' | 'folder'>): ReadonlyMap<string, Launch> {
  return new Map(servers.map((server) => [server.name, launchOf(server, folder)]))
}

function launchOf({ upstream }: ServerConfig, folder: string): Launch {
  if (upstream.kind === 'http') {
    const headers = [...upstream.headers.keys()].map((name) => name.toLowerCase()).toSorted()
    return { kind: 'http', url: upstream.url, headers }
  }
  const { command, args, cwd, env } = upstream
  return {
    kind: 'stdio',
    command: beside(folder, command),
    args,
    cwd: cwd === undefined ? null : beside(folder, cwd),
    env: [...env.keys()].toSorted(),
  }
}

/** A path inside the folder of the configuration counts from there, so that both can be moved, and kept in a repository. */
function beside(folder: string, path: string): string {
  if (!isAbsolute(path)) return path
  const inside = relative(folder, path)
  if (inside === '') return '.'
  if (isAbsolute(inside) || inside === '..' || inside.startsWith(`..${sep}`)) return path
  return `./${inside.replaceAll(sep, '/')}`
}
