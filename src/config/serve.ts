import { limits } from '../limits.ts'
import type { Node } from './jsonc.ts'
import type { Place, Read } from './read.ts'
import { listOf, readText, Section, shownText, wholeNumber } from './read.ts'
import { bounds, patterns } from './vocabulary.ts'

/** How `capfence serve` stands in front of the servers. */
export interface ServeConfig {
  /** The address that it listens on. */
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  /** Names under which it is reached besides the loopback ones, in small letters, with the port where it is not the usual one. */
  readonly hosts: readonly string[]
  /** Origins of pages that may ask it. */
  readonly origins: readonly string[]
  /** Empty where a token is made and kept in a file. */
  readonly tokens: readonly ServeToken[]
  readonly maxSessions: number
  /** Servers that run as processes for all sessions together, count. */
  readonly maxProcesses: number
  /** After how long without a use a session ends. */
  readonly idleMinutes: number
}

/** A token that clients may bring. */
export interface ServeToken {
  /** Hex SHA-256 of the token. */
  readonly sha256: string
  /** Who brings it; the configuration's `actor` when undefined. */
  readonly actor: string | undefined
}

/** What holds where the configuration says nothing. */
export const defaultServe: ServeConfig = {
  host: '127.0.0.1',
  port: 8931,
  hosts: [],
  origins: [],
  tokens: [],
  maxSessions: 1000,
  maxProcesses: 100,
  idleMinutes: 30,
}

const keys = [
  'host',
  'port',
  'hosts',
  'origins',
  'tokens',
  'maxSessions',
  'maxProcesses',
  'idleMinutes',
] as const
const hints: ReadonlyMap<string, string> = new Map([
  [
    'token',
    'only digests stand here: `capfence serve token` makes a token and prints what to write',
  ],
  ['address', 'it is called `host`'],
])

/** Reads `serve`. */
export const readServe: Read<ServeConfig> = (node, place) => {
  const section = Section.read(node, place, keys, hints)
  if (section === undefined) return undefined
  const number = (key: 'maxSessions' | 'maxProcesses' | 'idleMinutes', max: number): number =>
    section.optional(key, wholeNumber({ min: 1, max }), defaultServe[key])
  return {
    host: section.optional('host', readHost, defaultServe.host),
    port: section.optional('port', wholeNumber({ min: 0, max: 65_535 }), defaultServe.port),
    hosts: section.optional('hosts', listOf(readHostName), defaultServe.hosts),
    origins: section.optional('origins', listOf(readOrigin), defaultServe.origins),
    tokens: section.optional('tokens', readTokens, defaultServe.tokens),
    maxSessions: number('maxSessions', limits.maxHttpSessions),
    maxProcesses: number('maxProcesses', limits.maxHttpProcesses),
    idleMinutes: number('idleMinutes', bounds.maxIdleMinutes),
  }
}

const readTokens: Read<readonly ServeToken[]> = (node, place) => {
  const tokens = listOf(readServeToken)(node, place)
  if (tokens === undefined || tokens.length <= limits.maxTokens) return tokens
  place.report.problem(node.start, `\`${place.path}\` names more than ${limits.maxTokens} tokens`)
  return undefined
}

function readServeToken(node: Node, place: Place): ServeToken | undefined {
  const section = Section.read(node, place, ['sha256', 'actor'], hints)
  if (section === undefined) return undefined
  const actor = section.optional('actor', shownText(bounds.maxActor), undefined)
  const sha256 = section.required('sha256', readDigest, digestHint)
  return sha256 === undefined ? undefined : { sha256, actor }
}

const digestHint = '`capfence serve token` makes a token and prints what to write'

/** A text that matches a pattern. */
function matching(pattern: RegExp, expected: string, hint: string): Read<string> {
  return (node, place) => {
    const text = readText(node, place)
    if (text === undefined || pattern.test(text.value)) return text?.value
    place.report.problem(node.start, `\`${place.path}\` must be ${expected}`, hint)
    return undefined
  }
}

const readDigest = matching(patterns.sha256, '64 lower-case hex digits', digestHint)
const readHost = matching(
  patterns.listenHost,
  'an address of this machine',
  'such as `127.0.0.1`, `::1` or `0.0.0.0`',
)
const readHostName = matching(
  patterns.hostName,
  'a name as clients write it, in small letters, with the port where it is not the usual one',
  'such as `gate.example.com` or `gate.example.com:8931`',
)
const readOrigin = matching(
  patterns.origin,
  'the origin of a page: scheme, name and port, and nothing after it',
  'such as `http://localhost:6274`',
)
