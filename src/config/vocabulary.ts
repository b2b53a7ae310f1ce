/**
 * The words, patterns and bounds of capfence.mcp.json, which its reader and its JSON Schema share.
 */

export type Mode = 'enforce' | 'observe'
/** What happens to methods that CapFence does not know (THREATS B8). */
export type UnknownMethods = 'deny' | 'forward'
/** What becomes of definitions that nobody has accepted, where the policy is only observed. */
export type HeldChoice = 'hold' | 'report'
/** What a decision survives before its call is forwarded: a power cut, or only the end of the process. */
export type AuditDurability = 'power' | 'process'
/** What the log can disclose of arguments and results (AUDIT.md "Secrets"). */
export type DisclosureMode = 'full' | 'args' | 'digest-only' | 'none'

/** What may stand at `mode`. */
export const modes: readonly Mode[] = ['enforce', 'observe']
/** What may stand at `unknownMethods`. */
export const unknownMethodChoices: readonly UnknownMethods[] = ['deny', 'forward']
/** What may stand at `lock.inObserve`. */
export const heldChoices: readonly HeldChoice[] = ['hold', 'report']
/** What may stand at `audit.durability`. */
export const durabilities: readonly AuditDurability[] = ['power', 'process']
/** What may stand at `audit.mode`. */
export const disclosureModes: readonly DisclosureMode[] = ['full', 'args', 'digest-only', 'none']
/** What may stand at a server's `type`; clients write all of these. */
export const transports = ['stdio', 'http', 'streamable-http', 'streamableHttp', 'sse'] as const
/** Bounds of limits.ts that a configuration may tighten. */
export const limitKeys = [
  'maxClientMessageBytes',
  'maxUpstreamMessageBytes',
  'maxRequestsInFlight',
] as const

/** Bounds of single values; characters unless the name says otherwise. */
export const bounds = {
  /** Longer names are of no use: clients put them before each tool's name, and cut at 64 characters. */
  maxServerName: 64,
  maxActor: 256,
  maxPathCharacters: 4096,
  /** A week: a request that nobody answered by then is not the question any more. */
  maxApprovalSeconds: 604_800,
  /** A year: an epoch of keys that lasts longer protects nothing. */
  maxRotateHours: 8784,
  /** A month. */
  maxVerifyMinutes: 44_640,
  /** A day: what is looked at less often is not looked at. */
  maxRelistMinutes: 1440,
  maxAnchorName: 64,
  /** A week: an anchor that is older says little. */
  maxAnchorMinutes: 10_080,
  /** A day: a session that nobody used for longer is forgotten by its client, too. */
  maxIdleMinutes: 1440,
  /** A message bound below this would refuse the protocol's own handshake, bytes. */
  minMessageBytes: 65_536,
} as const

/** A word in upper or lower case, for patterns without flags. */
const anyCase = (word: string): string =>
  word.replaceAll(/[a-z]/g, (letter) => `[${letter.toUpperCase()}${letter}]`)

/** Headers that say how a message is carried, and to which session it belongs; these are the gate's own. */
const ownHeaders = [
  ...['accept', 'accept-encoding', 'connection', 'content-encoding', 'content-length'],
  ...['content-type', 'expect', 'host', 'keep-alive', 'last-event-id', 'origin', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade'],
]
const ownHeader = `(?:${[...ownHeaders.map(anyCase), `${anyCase('mcp')}-.*`].join('|')})$`

/** What texts must match; plain enough to stand in a JSON Schema too. */
export const patterns: Readonly<Record<PatternName, RegExp>> = {
  /** No control, format or other character that a person cannot see, and no line separator (THREATS B30). */
  shown: /^[^\p{C}\p{Zl}\p{Zp}]*$/u,
  /** Names of a capability with dots between them (POLICY.md 5). */
  dottedName: /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/,
  /** `mcp` stands for the protocol's own methods. */
  notReserved: /^(?![Mm][Cc][Pp](?:\.|$))/,
  /** A JSON Pointer to something inside (RFC 6901); `*` stands for any element. */
  pointer: /^(?:\/(?:[^~/]|~[01])*)+$/,
  /** Models refuse tool names with other characters. */
  prefix: /^[A-Za-z0-9_-]{1,32}$/,
  /** What a process can be given, with no `${` that is not written `$${`. */
  literal: /^(?:\$\$\{|(?!\$\{)[^\0])*$/,
  /** As `literal`, and `${NAME}` stands for an environment variable. */
  template: /^(?:\$\$\{|\$\{[A-Za-z_][A-Za-z0-9_]*\}|(?!\$\{)[^\0])*$/,
  /** The gate's own variables never reach a server (THREATS B33). */
  variableName: /^(?![Cc][Aa][Pp][Ff][Ee][Nn][Cc][Ee]_)[^=\0]+$/,
  headerName: new RegExp(`^(?!${ownHeader})[!#$%&'*+.^_\`|~0-9A-Za-z-]+$`),
  oneLine: /^[^\r\n]*$/,
  /** What a process can be given. */
  word: /^[^\0]*$/,
  witnessUrl: /^https?:\/\/[^\s/?#@\\]+(?:\/[^\s?#\\]*)?$/,
  /** A key as c2sp.org/signed-note writes it; whether its id is right is looked at where it is used. */
  vkey: /^[^\s+\p{C}]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/u,
  /** What is not encrypted stays on this machine. */
  url: /^(?:https:\/\/[^\s/?#@\\]+|http:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?)(?:[/?#]\S*)?$/,
  sha256: /^[0-9a-f]{64}$/,
  /** An address to listen on: an IP address, or `localhost`. */
  listenHost: /^(?:localhost|\d{1,3}(?:\.\d{1,3}){3}|(?=[^:]*:)[0-9a-fA-F:.]{2,45})$/,
  /** A name with or without a port, as it stands in `Host`. */
  hostName: /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/,
  /** An origin as browsers write it. */
  origin:
    /^https?:\/\/(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/,
  /**
   * A path, or `postgres://USER@HOST:PORT/DATABASE?NAME=VALUE`: without a password, and with nothing that is unknown.
   */
  storage:
    /^(?:sqlite:(?!\/\/|:memory:$)[^\p{C}\p{Zl}\p{Zp}]+|postgres(?:ql)?:\/\/[\w.~%-]+@(?:[\w.-]+|\[[0-9a-fA-F:.]+\])?(?::\d{1,5})?\/[\w.~%-]+(?:\?(?:schema=[a-z_][a-z0-9_]{0,62}|sslmode=(?:disable|verify-full)|(?:sslrootcert|passwordfile)=[^\s&#\p{C}]+|host=(?:\/|%2[Ff])[^\s&#\p{C}]*)(?:&(?:schema=[a-z_][a-z0-9_]{0,62}|sslmode=(?:disable|verify-full)|(?:sslrootcert|passwordfile)=[^\s&#\p{C}]+|host=(?:\/|%2[Ff])[^\s&#\p{C}]*))*)?)$/u,
}

type PatternName =
  | 'shown'
  | 'dottedName'
  | 'notReserved'
  | 'pointer'
  | 'prefix'
  | 'literal'
  | 'template'
  | 'variableName'
  | 'headerName'
  | 'oneLine'
  | 'sha256'
  | 'listenHost'
  | 'hostName'
  | 'origin'
  | 'word'
  | 'witnessUrl'
  | 'vkey'
  | 'url'
  | 'storage'
