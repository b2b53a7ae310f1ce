import { existsSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, extname, join, resolve } from 'node:path'
import { clients, genericServers } from './table.ts'
import type { ClientFile, FileFormat, Scope } from './table.ts'

/** Where files are looked for. */
export interface Surroundings {
  /** The home folder. */
  readonly home: string
  readonly platform: NodeJS.Platform
  readonly variables: Readonly<Record<string, string | undefined>>
  /** The project: where files of projects are looked for. */
  readonly folder: string
}

/** A file of a client that is there. */
export interface FoundFile {
  /** Undefined for a file that somebody named and no client is known by. */
  readonly client: string | undefined
  readonly clientName: string
  readonly scope: Scope
  /** Absolute, as the client looks for it; may be a link. */
  readonly path: string
  readonly format: FileFormat
  readonly servers: readonly (readonly string[])[]
  readonly isList: boolean
}

/** This process's surroundings. */
export function surroundingsOf(variables: Surroundings['variables'], folder: string): Surroundings {
  // What a test or another user's shell says counts before what the system knows.
  const home = variables['HOME'] ?? variables['USERPROFILE'] ?? homedir()
  return { home, platform: process.platform, variables, folder }
}

/** Every file of a known client that is there, in the order of the table. */
export function foundFiles(around: Surroundings): readonly FoundFile[] {
  const seen = new Set<string>()
  return clients.flatMap((client) =>
    client.files.flatMap((file) => {
      const path = firstOf(file, around)
      if (path === undefined) return []
      const real = realpathSync(path)
      if (seen.has(real)) return []
      seen.add(real)
      return [{ ...found(file, path), client: client.id, clientName: client.name }]
    }),
  )
}

/**
 * A file that somebody names, as the client that it belongs to; one that nobody is known to have is looked through for
 * what looks like servers.
 *
 * @returns undefined when nothing says how it is written
 */
export function namedFile(path: string, around: Surroundings): FoundFile | undefined {
  const known = foundFiles(around).find((one) => isSameFile(one.path, path))
  if (known !== undefined) return { ...known, path: resolve(path) }
  const format = formats.get(extname(path).toLowerCase())
  if (format === undefined) return undefined
  return {
    client: undefined,
    clientName: basename(path),
    scope: 'user',
    path: resolve(path),
    format,
    servers: genericServers,
    isList: false,
  }
}

const formats: ReadonlyMap<string, FileFormat> = new Map([
  ['.json', 'json'],
  ['.jsonc', 'json'],
  ['.code-workspace', 'json'],
  ['.toml', 'toml'],
  ['.yaml', 'yaml'],
  ['.yml', 'yaml'],
])

function found(file: ClientFile, path: string): Omit<FoundFile, 'client' | 'clientName'> {
  const { scope, format, servers, isList = false } = file
  return { scope, path, format, servers, isList }
}

function firstOf({ paths }: ClientFile, around: Surroundings): string | undefined {
  const candidates = paths[around.platform] ?? paths.any ?? []
  return candidates.flatMap((path) => expanded(path, around) ?? []).find((path) => existsSync(path))
}

function expanded(path: string, { home, variables, folder }: Surroundings): string | undefined {
  const [first = '', ...rest] = path.split('/')
  if (first === '~') return join(home, ...rest)
  if (first === '.') return join(folder, ...rest)
  if (!first.startsWith('$')) return path
  const value = variables[first.slice(1)]
  return value === undefined || value === '' ? undefined : join(value, ...rest)
}

function isSameFile(one: string, other: string): boolean {
  return existsSync(one) && existsSync(other) && realpathSync(one) === realpathSync(other)
}
