import { foldKey } from '../json/fold.ts'
import { JsonError } from '../json/json-error.ts'
import { scanLax } from '../json/scan-lax.ts'
import { wanted } from '../json/span.ts'
import type { MemberSpan, SpanNode, Wanted } from '../json/span.ts'
import { limits } from '../limits.ts'
import type {
  ServerMessage,
  ServerNotification,
  ServerRequest,
  ServerResponse,
  Span,
} from './message.ts'
import { looseId, shortString, textAt } from './rpc-id.ts'

/**
 * Reads what the hub needs of one message from a server, and leaves the rest alone.
 *
 * Members may stand in any order, unknown ones pass, and inside results anything goes that `JSON.parse` takes. But whom
 * a message is for must be clear: where a member of the envelope or a progress token stands twice, or under a name that
 * only some clients take for its own, two clients would read two messages, and it is none.
 *
 * @returns undefined for what is no JSON-RPC message: stray output, which belongs on standard error
 */
export function inspectServerMessage(bytes: Uint8Array): ServerMessage | undefined {
  if (bytes.length > limits.maxUpstreamMessageBytes) return undefined
  const root = scanned(bytes)
  if (root === undefined || !isClear(root)) return undefined
  const version = place(root, 'jsonrpc')
  if (version === undefined || shortString(bytes, version, 3) !== '2.0') return undefined
  const [result, error] = [place(root, 'result'), place(root, 'error')]
  const method = place(root, 'method')
  if (method === undefined) return readResponse(bytes, { id: place(root, 'id'), result, error })
  return result === undefined && error === undefined ? readCall(bytes, root, method) : undefined
}

const leaf = wanted({})

/** Finds members under every name that some client takes for theirs. */
function underAnyName(names: Readonly<Record<string, Wanted>>): Wanted {
  const exact = new Map(Object.entries(names).map(([name, inner]) => [foldKey(name), inner]))
  return { get: (name) => exact.get(foldKey(name)) }
}

const envelope = underAnyName({
  jsonrpc: leaf,
  id: leaf,
  method: leaf,
  params: underAnyName({
    progressToken: leaf,
    requestId: leaf,
    _meta: underAnyName({ progressToken: leaf }),
  }),
  result: underAnyName({ isError: leaf }),
  error: leaf,
})

function scanned(bytes: Uint8Array): SpanNode | undefined {
  try {
    return scanLax(bytes, envelope)
  } catch (error) {
    if (error instanceof JsonError) return undefined
    throw error
  }
}

/** Whether each member that was found stands there once and under its own name. */
function isClear(node: SpanNode): boolean {
  const names = new Set<string>()
  return node.members.every((member) => {
    const isNew = !names.has(member.name)
    names.add(member.name)
    return isNew && exactNames.has(member.name) && (member.name === 'result' || isClear(member))
  })
}

const exactNames: ReadonlySet<string> = new Set([
  'jsonrpc',
  'id',
  'method',
  'params',
  'progressToken',
  'requestId',
  '_meta',
  'result',
  'error',
])

function readResponse(
  bytes: Uint8Array,
  spans: { id: Span | undefined; result: MemberSpan | undefined; error: Span | undefined },
): ServerResponse | undefined {
  const { id: idSpan } = spans
  if (idSpan === undefined) return undefined
  const id = isNull(bytes, idSpan) ? null : looseId(bytes, idSpan)
  // Old servers write the other of the two as null.
  const result = isNull(bytes, spans.result) && spans.error !== undefined ? undefined : spans.result
  const error = isNull(bytes, spans.error) ? undefined : spans.error
  if (id === undefined) return undefined
  if (result !== undefined && error === undefined) {
    const outcome = isToolError(bytes, result) ? 'tool_error' : 'result'
    return { kind: 'response', bytes, id, outcome, spans: { id: idSpan, result } }
  }
  if (result !== undefined || error === undefined) return undefined
  return { kind: 'response', bytes, id, outcome: 'rpc_error', spans: { id: idSpan, error } }
}

/** Whether any client takes the result for a failure: evidence must not come from such a one. */
function isToolError(bytes: Uint8Array, result: MemberSpan): boolean {
  return result.members.some((isError) => {
    const text = isError.end - isError.start > 5 ? '' : textAt(bytes, isError)
    return text !== 'false' && text !== 'null'
  })
}

function readCall(
  bytes: Uint8Array,
  root: SpanNode,
  methodSpan: Span,
): ServerRequest | ServerNotification | undefined {
  const method = shortString(bytes, methodSpan, limits.maxNameCharacters)
  if (method === undefined) return undefined
  const params = place(root, 'params')
  const idSpan = place(root, 'id')
  if (idSpan === undefined) return readNotification(bytes, { method, methodSpan, params })
  const id = looseId(bytes, idSpan)
  if (id === undefined) return undefined
  const progressToken = place(place(params, '_meta'), 'progressToken')
  const spans = { id: idSpan, method: methodSpan, params, progressToken }
  return { kind: 'request', bytes, id, idText: textAt(bytes, idSpan), method, spans }
}

function readNotification(
  bytes: Uint8Array,
  call: { method: string; methodSpan: Span; params: MemberSpan | undefined },
): ServerNotification {
  const { method, methodSpan, params } = call
  const progressToken = place(params, 'progressToken')
  const requestId = place(params, 'requestId')
  return {
    kind: 'notification',
    bytes,
    method,
    progressToken: progressToken && looseId(bytes, progressToken),
    requestId: requestId && looseId(bytes, requestId),
    spans: { method: methodSpan, params, progressToken, requestId },
  }
}

function place(node: SpanNode | undefined, name: string): MemberSpan | undefined {
  return node?.members.find((member) => member.name === name)
}

function isNull(bytes: Uint8Array, span: Span | undefined): boolean {
  return span !== undefined && bytes[span.start] === 0x6e
}
