import {
  JsonError,
  memberOf,
  scanLax,
  scanLaxPart,
  spanOf,
  wantedUnderAnyName,
} from '../json/scan.ts'
import type { MemberSpan, SpanNode } from '../json/scan.ts'
import { limits } from '../limits.ts'
import { looseEnvelope } from './envelope-finder.ts'
import type { LooseEnvelope } from './envelope-finder.ts'
import type {
  RefusalReason,
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
 * @returns undefined for what is no such message; `serverRefusal` says what is wrong with it
 */
export function inspectServerMessage(bytes: Uint8Array): ServerMessage | undefined {
  if (bytes.length > limits.maxUpstreamMessageBytes) return undefined
  const root = scanned(bytes)
  if (root === undefined || !isClear(root)) return undefined
  const version = spanOf(root, 'jsonrpc')
  if (version === undefined || shortString(bytes, version, 3) !== '2.0') return undefined
  const method = spanOf(root, 'method')
  if (method === undefined) return readResponse(bytes, root)
  const hasOutcome = spanOf(root, 'result') !== undefined || spanOf(root, 'error') !== undefined
  return hasOutcome ? undefined : readCall(bytes, root, method)
}

const envelope = wantedUnderAnyName({
  jsonrpc: {},
  id: {},
  method: {},
  params: { progressToken: {}, requestId: {}, _meta: { progressToken: {} } },
  result: { isError: {} },
  error: {},
})

/** A line of a server that goes no further, and what of it can still be answered. */
export interface ServerRefusal extends LooseEnvelope {
  readonly reason: RefusalReason
  /** Safe to print. */
  readonly message: string
}

/**
 * Says why a line is no message to pass on.
 *
 * @returns undefined when it was never meant as one: stray output, which belongs on standard error
 */
export function serverRefusal(bytes: Uint8Array): ServerRefusal | undefined {
  const found = looseEnvelope(bytes)
  if (found.kind === 'none') return undefined
  return { ...found, ...complaint(bytes) }
}

function complaint(bytes: Uint8Array): Pick<ServerRefusal, 'reason' | 'message'> {
  const { root, error } = scanLaxPart(bytes, envelope)
  if (error !== undefined) return { reason: error.reason, message: error.message }
  if (!isClear(root)) {
    return {
      reason: 'member_variant',
      message: 'a member that says whom it is for stands there twice',
    }
  }
  const version = spanOf(root, 'jsonrpc')
  if (version === undefined || shortString(bytes, version, 3) !== '2.0') {
    return { reason: 'jsonrpc', message: '`jsonrpc` is not "2.0"' }
  }
  return { reason: 'shape', message: 'it is neither a request, a notification nor a response' }
}

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

function readResponse(bytes: Uint8Array, root: SpanNode): ServerResponse | undefined {
  const idSpan = spanOf(root, 'id')
  if (idSpan === undefined) return undefined
  const id = isNull(bytes, idSpan) ? null : looseId(bytes, idSpan)
  if (id === undefined) return undefined
  const [result, error] = [memberOf(root, 'result'), memberOf(root, 'error')]
  // Old servers write both, one of them as null.
  const failed = error !== undefined && !isNull(bytes, error)
  if (result !== undefined && !(failed && isNull(bytes, result))) {
    if (failed) return undefined
    const outcome = isToolError(bytes, result) ? 'tool_error' : 'result'
    return {
      kind: 'response',
      bytes,
      id,
      outcome,
      spans: { id: idSpan, result: spanOf(root, 'result') },
    }
  }
  if (!failed) return undefined
  return {
    kind: 'response',
    bytes,
    id,
    outcome: 'rpc_error',
    spans: { id: idSpan, error: spanOf(root, 'error') },
  }
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
  const params = memberOf(root, 'params')
  const idSpan = spanOf(root, 'id')
  if (idSpan === undefined) return readNotification(bytes, root, { method, methodSpan })
  const id = looseId(bytes, idSpan)
  if (id === undefined) return undefined
  const progressToken = spanOf(memberOf(params, '_meta'), 'progressToken')
  const spans = { id: idSpan, method: methodSpan, params: spanOf(root, 'params'), progressToken }
  return { kind: 'request', bytes, id, idText: textAt(bytes, idSpan), method, spans }
}

function readNotification(
  bytes: Uint8Array,
  root: SpanNode,
  call: { readonly method: string; readonly methodSpan: Span },
): ServerNotification {
  const params = memberOf(root, 'params')
  const [progressToken, requestId] = [spanOf(params, 'progressToken'), spanOf(params, 'requestId')]
  return {
    kind: 'notification',
    bytes,
    method: call.method,
    progressToken: progressToken && looseId(bytes, progressToken),
    requestId: requestId && looseId(bytes, requestId),
    spans: { method: call.methodSpan, params: spanOf(root, 'params'), progressToken, requestId },
  }
}

function isNull(bytes: Uint8Array, span: Span | undefined): boolean {
  return span !== undefined && bytes[span.start] === 0x6e
}
