import { scanStrict } from '../json/scan-strict.ts'
import { wanted } from '../json/span.ts'
import type { MemberSpan, Span, SpanNode } from '../json/span.ts'
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
  readonly id: MemberSpan | undefined
  readonly method: MemberSpan | undefined
  readonly params: MemberSpan | undefined
  readonly result: MemberSpan | undefined
  readonly error: MemberSpan | undefined
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
  const draft: Draft = {
    bytes,
    message: value,
    id: memberAt(root, 'id'),
    method: memberAt(root, 'method'),
    params: memberAt(root, 'params'),
    result: memberAt(root, 'result'),
    error: memberAt(root, 'error'),
  }
  return draft.method === undefined ? readResponse(draft) : readCall(draft, draft.method)
}

function readResponse({ bytes, message, id, params, result, error }: Draft): ClientResponse {
  const outcomes = (result === undefined ? 0 : 1) + (error === undefined ? 0 : 1)
  if (id === undefined || outcomes !== 1 || params !== undefined) {
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

function readCall(draft: Draft, methodSpan: MemberSpan): ClientRequest | ClientNotification {
  const { message, id, result, error } = draft
  if (result !== undefined || error !== undefined) {
    throw new Objection('shape', 'the message has a method and an outcome')
  }
  const method = checkMethod(message['method'])
  checkKind(method, id === undefined ? 'notification' : 'request')
  const call = { method, methodSpan }
  return id === undefined ? readNotification(draft, call) : readRequest(draft, call, id)
}

interface Call {
  readonly method: string
  readonly methodSpan: Span
}

function readRequest(draft: Draft, { method, methodSpan }: Call, id: Span): ClientRequest {
  const { bytes, message, params } = draft
  const meta = memberAt(params, '_meta')
  return {
    kind: 'request',
    bytes,
    id: readId(message),
    idText: textAt(bytes, id),
    method,
    params: readParams(message, method),
    spans: {
      id,
      method: methodSpan,
      params,
      name: memberAt(params, 'name'),
      arguments: memberAt(params, 'arguments'),
      uri: memberAt(params, 'uri'),
      cursor: memberAt(params, 'cursor'),
      meta,
      progressToken: memberAt(meta, 'progressToken'),
    },
  }
}

function readNotification(draft: Draft, { method, methodSpan }: Call): ClientNotification {
  const { bytes, message, params } = draft
  return {
    kind: 'notification',
    bytes,
    method,
    params: readParams(message, method),
    spans: {
      method: methodSpan,
      params,
      requestId: memberAt(params, 'requestId'),
      progressToken: memberAt(params, 'progressToken'),
    },
  }
}

function readParams(message: JsonObject, method: string): JsonObject {
  const params = message['params'] === undefined ? noParams : message['params']
  if (!isJsonObject(params)) throw new Objection('params', '`params` is not an object')
  checkParams(method, params)
  return params
}

function readId(message: JsonObject): RpcId {
  const id = exactId(message['id'])
  if (id !== undefined) return id
  throw new Objection('id', '`id` is neither a short string nor a safe integer')
}

function memberAt(node: SpanNode | undefined, name: string): MemberSpan | undefined {
  return node?.members.find((member) => member.name === name)
}
