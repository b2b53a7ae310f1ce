import { basename } from 'node:path'
import { clients, genericServers } from '../clients/table.ts'
import type { FileFormat } from '../clients/table.ts'

/** How a file that may name servers is read. */
export interface ConfigShape {
  readonly format: FileFormat
  readonly servers: readonly (readonly string[])[]
  readonly isList: boolean
  /** Whether a client is known to read it: then it must be readable. */
  readonly isKnown: boolean
}

/** The ends of the paths at which clients look, and what they look for there. */
const knownEnds: readonly (readonly [end: string, shape: ConfigShape])[] = clients.flatMap(
  ({ files }) =>
    files.flatMap(({ paths, format, servers, isList = false }) =>
      Object.values(paths)
        .flat()
        .flatMap((path) => {
          const end = /^(?:~|\.|\$APPDATA)?\/(?<rest>.+)$/.exec(path)?.groups?.['rest']
          return end === undefined
            ? []
            : [[end, { format, servers, isList, isKnown: true }] as const]
        }),
    ),
)

/** Files in which clients keep their own switches, and nothing else that matters here. */
const settingsEnds = [
  '.claude/settings.json',
  '.claude/settings.local.json',
  '.vscode/settings.json',
]

/**
 * How a file is read when it may name servers, by its path alone; undefined for every other file.
 *
 * @param path relative, with `/`
 */
export function configShape(path: string): ConfigShape | undefined {
  const isAt = (end: string): boolean => path === end || path.endsWith(`/${end}`)
  const known = knownEnds.filter(([end]) => isAt(end)).map(([, shape]) => shape)
  const [first] = known
  // Several clients may read one file in different ways.
  if (first !== undefined) {
    const ways = new Map(
      known.flatMap(({ servers }) => servers).map((way) => [way.join('\0'), way]),
    )
    return { ...first, servers: [...ways.values()] }
  }
  const name = basename(path)
  if (settingsEnds.some(isAt))
    return {
      format: 'json',
      servers: [['mcp', 'servers'], ['mcpServers']],
      isList: false,
      isKnown: true,
    }
  const looksLikeOne =
    /mcp|^claude_desktop_config/i.test(name) &&
    !/schema|package(?:-lock)?\.json$|tsconfig/i.test(name)
  const format =
    name.endsWith('.code-workspace') || (looksLikeOne && /\.jsonc?$/.test(name))
      ? 'json'
      : undefined
  if (format === undefined) return undefined
  const servers = [...genericServers, ['settings', 'mcp', 'servers']]
  return { format, servers, isList: false, isKnown: false }
}
