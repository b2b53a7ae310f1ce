import { memberOf, scanStrict, spanOf, wanted } from '../json/scan.ts'
import type { Span, SpanNode } from '../json/scan.ts'
import { isJsonObject } from '../json/value.ts'
import type { JsonObject } from '../json/value.ts'
import { Objection, checkEnvelope, checkKind, checkMethod, checkParams } from './client-rules.ts'
import type { ClientMessage, ClientNotification, ClientRequest, ClientResponse } from './message.ts'
import type { RpcId } from './message.ts'
import { exactId, textAt } from './rpc-id.ts'

const noParams: JsonObject = Object.freeze({ __proto__: null })

const gateReads = wanted({
  id: {},
  method: {},
  params: {
    name: {},
    arguments: {},
    uri: {},
    cursor: {},
    requestId: {},
    progressToken: {},
    _meta: { progressToken: {} },
  },
  result: {},
  error: {},
})

/** A message whose text and envelope are sound, while it is being told what it is. */
interface Draft {
  readonly bytes: Uint8Array
  readonly message: JsonObject
  readonly root: SpanNode
}

/**
 * Reads one message of a client by the rules of the gate (PROTOCOL.md 5).
 *
 * @throws JsonError when the text itself is refused
 * @throws Objection when it is JSON, but not a message to pass on
 */
export function readClientMessage(bytes: Uint8Array): ClientMessage {
  const { value, root } = scanStrict(bytes, gateReads)
  if (!isJsonObject(value)) throw new Objection('not_object', 'the message is not an object')
  checkEnvelope(value)
  const draft = { bytes, message: value, root }
  const method = spanOf(root, 'method')
  return method === undefined ? readResponse(draft) : readCall(draft, method)
}

function readResponse({ bytes, message, root }: Draft): ClientResponse {
  const [id, result, error] = [spanOf(root, 'id'), spanOf(root, 'result'), spanOf(root, 'error')]
  const hasOutcome = (result === undefined) !== (error === undefined)
  if (id === undefined || !hasOutcome || message['params'] !== undefined) {
    throw new Objection('shape', 'the message is neither a request, a notification nor a response')
  }
  if (error !== undefined && !isJsonObject(message['error'])) {
    throw new Objection('shape', '`error` is not an object')
  }
  return {
    kind: 'response',
    bytes,
    id: readId(message),
    idText: textAt(bytes, id),
    isError: error !== undefined,
    spans: { id, result, error },
  }
}

function readCall(draft: Draft, methodSpan: Span): ClientRequest | ClientNotification {
  const { message, root } = draft
  if (message['result'] !== undefined || message['error'] !== undefined) {
    throw new Objection('shape', 'the message has a method and an outcome')
  }
  const id = spanOf(root, 'id')
  const method = checkMethod(message['method'])
  checkKind(method, id === undefined ? 'notification' : 'request')
  if (id === undefined) return readNotification(draft, method, methodSpan)
  return readRequest(draft, method, { id, method: methodSpan })
}

function readRequest(
  { bytes, message, root }: Draft,
  method: string,
  spans: { readonly id: Span; readonly method: Span },
): ClientRequest {
  const params = memberOf(root, 'params')
  return {
    kind: 'request',
    bytes,
    id: readId(message),
    idText: textAt(bytes, spans.id),
    method,
    params: readParams(message, method),
    spans: {
      id: spans.id,
      method: spans.method,
      params: spanOf(root, 'params'),
      name: spanOf(params, 'name'),
      arguments: spanOf(params, 'arguments'),
      uri: spanOf(params, 'uri'),
      cursor: spanOf(params, 'cursor'),
      meta: spanOf(params, '_meta'),
      progressToken: spanOf(memberOf(params, '_meta'), 'progressToken'),
    },
  }
}

function readNotification(
  { bytes, message, root }: Draft,
  method: string,
  methodSpan: Span,
): ClientNotification {
  const params = memberOf(root, 'params')
  return {
    kind: 'notification',
    bytes,
    method,
    params: readParams(message, method),
    spans: {
      method: methodSpan,
      params: spanOf(root, 'params'),
      requestId: spanOf(params, 'requestId'),
      progressToken: spanOf(params, 'progressToken'),
    },
  }
}

function readParams(message: JsonObject, method: string): JsonObject {
  const params = message['params']
  // Absent is an empty object; null is not: JSON-RPC 2.0, section 4.2.
  if (params === undefined) return checkParams(method, noParams)
  if (!isJsonObject(params)) throw new Objection('params', '`params` is not an object')
  return checkParams(method, params)
}

function readId(message: JsonObject): RpcId {
  const id = exactId(message['id'])
  if (id !== undefined) return id
  throw new Objection('id', '`id` is neither a short string nor a safe integer')
}
