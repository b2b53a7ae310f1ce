import { KnownNames } from '../json/fold.ts'
import {
  JsonError,
  memberOf,
  scanLaxPart,
  scanStrict,
  spanOf,
  wanted,
  wantedUnderAnyName,
} from '../json/scan.ts'
import type { MemberSpan, SpanNode } from '../json/scan.ts'
import { limits } from '../limits.ts'
import { readClientMessage } from './client-reading.ts'
import { Objection } from './client-rules.ts'
import { MessageRefusal } from './message.ts'
import type { RefusalCode, RefusalDetails, RefusalReason, Span } from './message.ts'
import { exactId, textAt } from './rpc-id.ts'
import { splice } from './splice.ts'

/** Refuses a message that was not even looked into. */
export function unreadRefusal(reason: RefusalReason, what: string): MessageRefusal {
  return new MessageRefusal(`message refused: ${what}`, {
    reason,
    rpcCode: -32600,
    idText: null,
    answersIdText: null,
    callArguments: false,
  })
}

/** Refuses a message for `cause`, and finds out in the refused text whom the refusal can be told. */
export function refusalFor(bytes: Uint8Array, cause: JsonError | Objection): MessageRefusal {
  const { root, error } = scanLaxPart(bytes, envelope)
  const callArguments = error === undefined && isCallButForArguments(bytes, root)
  return new MessageRefusal(`message refused: ${cause.message}`, {
    reason: cause.reason,
    rpcCode: callArguments ? -32602 : rpcCodes[cause.reason],
    ...peers(bytes, root),
    callArguments,
    cause,
  })
}

/** What a refused message is searched for. */
const envelope = wantedUnderAnyName({
  id: {},
  method: {},
  params: { arguments: {} },
  result: {},
  error: {},
})

const envelopeNames = new KnownNames(['id', 'method', 'params', 'result', 'error'])

function peers(
  bytes: Uint8Array,
  root: SpanNode,
): Pick<RefusalDetails, 'idText' | 'answersIdText'> {
  const idText = onlyIdText(bytes, root)
  const isAnswer = hasAny(root, 'result') || hasAny(root, 'error')
  const isCall = hasAny(root, 'method')
  return {
    idText: isCall && !isAnswer ? idText : null,
    answersIdText: isAnswer && !isCall ? idText : null,
  }
}

function hasAny(root: SpanNode, name: string): boolean {
  return membersMeaning(root, name).length > 0
}

function membersMeaning(root: SpanNode, name: string): readonly MemberSpan[] {
  return root.members.filter((member) => envelopeNames.meantBy(member.name) === name)
}

/** The text of the only id, if there is nothing else that may be taken for one, and if it is valid. */
function onlyIdText(bytes: Uint8Array, root: SpanNode): string | null {
  const [id, another] = membersMeaning(root, 'id')
  if (id === undefined || another !== undefined || id.name !== 'id') return null
  return isExactId(bytes, id) ? textAt(bytes, id) : null
}

function isExactId(bytes: Uint8Array, span: Span): boolean {
  if (span.end - span.start > maxIdBytes) return false
  try {
    return exactId(scanStrict(bytes.subarray(span.start, span.end), nothing).value) !== undefined
  } catch (error) {
    if (error instanceof JsonError) return false
    throw error
  }
}

const nothing = wanted({})

/** The longest text of an id: its quotes, and six bytes for an escaped character. */
const maxIdBytes = 2 + 6 * limits.maxIdCharacters

/** Whether the message is a sound `tools/call` once its arguments are taken out. */
function isCallButForArguments(bytes: Uint8Array, root: SpanNode): boolean {
  // Where a name stands twice, the second is still there when the first is taken out, and is refused.
  const span = spanOf(memberOf(root, 'params'), 'arguments')
  if (span === undefined) return false
  try {
    const rest = readClientMessage(splice(bytes, [{ span, text: '{}' }]))
    return rest.kind === 'request' && rest.method === 'tools/call'
  } catch (error) {
    if (error instanceof JsonError || error instanceof Objection) return false
    throw error
  }
}

/** Parse error where the text is not JSON at all, invalid parameters where only those are wrong. */
const rpcCodes: Readonly<Record<RefusalReason, RefusalCode>> = {
  syntax: -32700,
  truncated: -32700,
  trailing_bytes: -32700,
  invalid_utf8: -32700,
  byte_order_mark: -32700,
  control_character: -32700,
  bad_escape: -32700,
  bad_number: -32700,
  lone_surrogate: -32600,
  duplicate_key: -32600,
  ambiguous_key: -32600,
  proto_key: -32600,
  key_too_long: -32600,
  too_deep: -32600,
  too_many_members: -32600,
  too_large: -32600,
  batch: -32600,
  not_object: -32600,
  unknown_member: -32600,
  member_variant: -32600,
  jsonrpc: -32600,
  shape: -32600,
  id: -32600,
  method: -32600,
  method_variant: -32600,
  call_without_id: -32600,
  request_without_id: -32600,
  params: -32602,
  progress_token: -32602,
  call_name: -32602,
  call_arguments: -32602,
}
