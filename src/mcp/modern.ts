import { canonicalizeExact } from '../json/canonical.ts'
import { isJsonObject } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { objectMembers } from './list-items.ts'
import type { ClientNotification, ClientRequest, ServerResponse, Span } from './message.ts'
import { isListMethod } from './methods.ts'
import type { RpcError } from './rpc.ts'
import { rpcCodes } from './rpc.ts'
import { textAt } from './rpc-id.ts'
import type { Edit } from './splice.ts'

/*
 * The revision without sessions: every request says by itself who sends it and what it can do, in its `_meta`.
 */

/** The revision without sessions. */
export const modernRevision = '2026-07-28'

/** What a request, a result or a notification of this revision holds in its `_meta`. */
export const metaKeys = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  logLevel: 'io.modelcontextprotocol/logLevel',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
} as const

/** Error codes that this revision has given a meaning; no other may be sent for it. */
export const modernCodes = {
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedRevision: -32022,
} as const

/** Who sends a request and what it can do, as it says itself. */
export interface Envelope {
  readonly clientInfo: JsonObject | undefined
  readonly clientCapabilities: JsonObject
  /** The least level of log messages that it wants while it is worked on; undefined for none. */
  readonly logLevel: string | undefined
}

/** Whether a message says by itself that it is of a revision without sessions, whichever. */
export function hasEnvelope({ params }: ClientRequest | ClientNotification): boolean {
  const meta = params['_meta']
  return isJsonObject(meta) && Object.hasOwn(meta, metaKeys.protocolVersion)
}

/** The revision that a message names in its `_meta`. */
export function namedRevision({
  params,
}: ClientRequest | ClientNotification): JsonValue | undefined {
  const meta = params['_meta']
  return isJsonObject(meta) ? meta[metaKeys.protocolVersion] : undefined
}

/** Reads what a request says of its client, or says what is wrong with it. */
export function readEnvelope({ params }: ClientRequest): Envelope | RpcError {
  const meta = params['_meta']
  if (!isJsonObject(meta)) return missing('_meta')
  const capabilities = meta[metaKeys.clientCapabilities]
  const info = meta[metaKeys.clientInfo]
  const level = meta[metaKeys.logLevel]
  if (typeof meta[metaKeys.protocolVersion] !== 'string') return missing(metaKeys.protocolVersion)
  if (!isJsonObject(capabilities)) return missing(metaKeys.clientCapabilities)
  if (info !== undefined && !isImplementation(info)) return wrong(metaKeys.clientInfo)
  if (level !== undefined && (typeof level !== 'string' || levelOf(level) < 0)) {
    return wrong(metaKeys.logLevel)
  }
  return { clientInfo: info, clientCapabilities: capabilities, logLevel: level }
}

/** A text that is the same for requests of clients that say the same of themselves. */
export function clientKey({ clientInfo, clientCapabilities }: Envelope): string {
  return canonicalizeExact([clientInfo ?? null, clientCapabilities])
}

/** The params of the `initialize` that such a client would send to a server of a revision with sessions, as JSON. */
export function handshakeParams({ clientInfo, clientCapabilities }: Envelope): string {
  const info = clientInfo ?? { name: 'unnamed', version: '0' }
  const capabilities = canonicalizeExact(clientCapabilities)
  return `{"protocolVersion":"2025-11-25","capabilities":${capabilities},"clientInfo":${canonicalizeExact(info)}}`
}

/** A text that is the same for two requests that ask for the same, whoever asks and however often. */
export function requestKey({ method, params }: ClientRequest): string {
  const { _meta: _, requestState: _state, inputResponses: _responses, ...rest } = params
  return canonicalizeExact([method, rest])
}

function isImplementation(value: JsonValue): value is JsonObject {
  return (
    isJsonObject(value) && typeof value['name'] === 'string' && typeof value['version'] === 'string'
  )
}

function missing(key: string): RpcError {
  const message = `Invalid params: \`${key}\` is missing or of the wrong kind; revision ${modernRevision} needs it in every request`
  return { code: rpcCodes.invalidParams, message, data: { envelope: { missing: [key] } } }
}

function wrong(key: string): RpcError {
  const message = `Invalid params: \`${key}\` is of the wrong kind`
  return { code: rpcCodes.invalidParams, message, data: { envelope: { key } } }
}

const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']

/** How grave a log level is, from 0; -1 for none that is known. */
export function levelOf(level: string): number {
  return levels.indexOf(level)
}

const ownKeys: ReadonlySet<string> = new Set([
  metaKeys.protocolVersion,
  metaKeys.clientInfo,
  metaKeys.clientCapabilities,
  metaKeys.logLevel,
])

/** Takes out of a request's `_meta` what only this revision has; every other byte stays. */
export function withoutEnvelope({ bytes, spans }: ClientRequest): readonly Edit[] {
  return spans.meta === undefined ? [] : withoutMembers(bytes, spans.meta, ownKeys)
}

/**
 * Takes members out of an object.
 *
 * @internal exported for its test
 */
export function withoutMembers(
  bytes: Uint8Array,
  object: Span,
  names: ReadonlySet<string>,
): readonly Edit[] {
  const members = objectMembers(bytes, object)
  const firstKept = members.findIndex(({ name }) => !names.has(name))
  if (firstKept === -1)
    return [{ span: { start: object.start + 1, end: object.end - 1 }, text: '' }]
  const edits: Edit[] = []
  // What stands before the first that stays goes with the comma behind it, all others with the comma before them.
  const before = members[firstKept - 1]
  if (before !== undefined) {
    const end = bytes.indexOf(comma, before.value.end) + 1
    edits.push({ span: { start: object.start + 1, end }, text: '' })
  }
  members.forEach(({ name, value }, index) => {
    const previous = members[index - 1]
    if (index <= firstKept || previous === undefined || !names.has(name)) return
    edits.push({ span: { start: previous.value.end, end: value.end }, text: '' })
  })
  return edits
}

const comma = 0x2c
const closeBrace = 0x7d

/** Methods whose results say how long they may be kept. */
function isKept(method: string): boolean {
  return isListMethod(method) || method === 'resources/read' || method === 'server/discover'
}

/** What this revision wants in a result: that it is one, and that nobody keeps it, since rules may change. */
function resultMembers(method: string): string {
  const kept = isKept(method) ? ',"ttlMs":0,"cacheScope":"private"' : ''
  return `"resultType":"complete"${kept}`
}

/** A result of the gate's own as this revision wants it; takes and gives JSON of an object. */
export function modernResult(method: string, resultText: string): string {
  const rest = resultText.slice(1)
  return `{${resultMembers(method)}${rest === '}' ? '' : ','}${rest}`
}

/** What has to be changed in a reply of a server of a revision with sessions. */
export function modernReplyEdits(
  method: string,
  { bytes, spans }: ServerResponse,
  isAlone: boolean,
): readonly Edit[] {
  const { result, error } = spans
  if (error !== undefined) {
    const given: unknown = JSON.parse(textAt(bytes, error))
    const changed = modernError(given)
    return changed === undefined ? [] : [{ span: error, text: JSON.stringify(changed) }]
  }
  if (result === undefined || bytes[result.start] !== 0x7b) return []
  // A result that says itself what it is stays so: a name that stands twice would be read in two ways.
  if (isSaid(bytes, result)) return []
  let next = result.start + 1
  while ((bytes[next] ?? closeBrace) <= 0x20) next += 1
  const end = bytes[next] === closeBrace && isAlone ? '' : ','
  const at = { start: result.start + 1, end: result.start + 1 }
  return [{ span: at, text: resultMembers(method) + end }]
}

/** Whether a result has one of the members that would be added, under whatever spelling. */
function isSaid(bytes: Uint8Array, result: Span): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + result.start, result.end - result.start)
  const mayBe = ['resultType', 'ttlMs', 'cacheScope', String.raw`\u00`].some((word) =>
    text.includes(word),
  )
  if (!mayBe) return false
  const names = new Set(objectMembers(bytes, result).map(({ name }) => name))
  return ['resultType', 'ttlMs', 'cacheScope'].some((name) => names.has(name))
}

/** Codes that this revision must not see, as it says the same; undefined when the error stays as it is. */
function modernError(error: unknown): object | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  if (error.code === -32002) return { ...error, code: rpcCodes.invalidParams }
  return error.code === -32042 ? { ...error, code: rpcCodes.internalError } : undefined
}
