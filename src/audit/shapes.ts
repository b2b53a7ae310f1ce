import {
  count,
  flag,
  listOf,
  matching,
  nullable,
  object,
  oneOf,
  optional,
  origin,
  sealed,
  sha256Base64url,
  sha256Hex,
  shape,
  text,
  type Shape,
} from './fields.ts'
import type { RecordType } from './record.ts'

const truth = oneOf('true', 'false', 'indeterminate')
const effect = oneOf('deny', 'require_approval', 'allow')
const presence = oneOf('any', 'key', 'passkey')

/** A rule that took part in the answer, with what each of its predicates gave. */
const rule = object({
  column: count,
  effect,
  file: text,
  id: text,
  line: count,
  predicates: listOf(object({ predicate: text, value: truth })),
  value: truth,
})

/**
 * What `d` holds, for every kind of record: exactly these fields (AUDIT.md "Record types").
 *
 * Nothing an agent or a server sent as arguments, result or message stands here, only salted digests of it.
 */
export const recordShapes: Readonly<Record<RecordType, Shape>> = {
  /** The first record, and only it. */
  'log.open': shape({
    /** The log this one succeeds, and the tree it ended with. */
    continues: nullable(object({ log: origin, root: sha256Hex, size: count })),
    /** The key of the first epoch, as C2SP text; absent from logs that were made before heads were signed. */
    epoch_vkey: optional(nullable(text)),
    format: oneOf('capfence-log/1'),
    software: text,
    /** The key the log's checkpoints are signed with, as C2SP text; null for a log without signatures. */
    vkey: nullable(text),
  }),
  'proc.start': shape({ pid: count, software: text }),
  /** The last record of a writer that ended in order. */
  'proc.stop': shape({ reason: text }),
  'policy.load': shape({
    error: nullable(text),
    files: listOf(object({ path: text, sha256: sha256Hex })),
    ok: flag,
    policy_hash: nullable(sha256Hex),
    rule_count: count,
  }),
  'config.change': shape({
    /** The settings that changed, by name. */
    changed: listOf(text),
    error: nullable(text),
    ok: flag,
    path: text,
    /** Those of them that wait for a restart. */
    restart: listOf(text),
    sha256: nullable(sha256Hex),
  }),
  'tool.def': shape({
    change: oneOf('first_seen', 'changed', 'removed'),
    /** Changes at this server since the last such record that got none of their own. */
    omitted: count,
    /** What `sha256` was before; null when first seen. */
    previous: nullable(sha256Hex),
    server: text,
    /** SHA-256 of the canonical definition; null when removed. */
    sha256: nullable(sha256Hex),
    tool: text,
  }),
  decision: shape({
    action: text,
    actor: text,
    /** The approval this decision consumed or created. */
    approval: nullable(text),
    args: sealed,
    /** Arguments that the configuration names as amounts or paths, as JSON Pointers. */
    argument_roles: optional(object({ amount: listOf(text), path: listOf(text) })),
    call: text,
    /** `resource.action.scope`. */
    capability: text,
    client: nullable(text),
    /** The clock that the policy was shown; absent when its answer does not depend on it. */
    clock_ms: optional(count),
    decision: effect,
    environment: nullable(text),
    /** Whether the call was about to go to the server when this was written. */
    forwarded: flag,
    grant: nullable(text),
    /** `observe`: the decision was recorded, not enforced. */
    mode: oneOf('enforce', 'observe'),
    policy_hash: sha256Hex,
    reason: text,
    resource: text,
    risk: nullable(text),
    role: nullable(text),
    rule: listOf(rule),
    /** Deciding rules that found no room in this record. */
    rules_omitted: count,
    scope: text,
    server: nullable(text),
    session: nullable(text),
    /** What the policy was told of the store, and what the call changed there; absent when it asked for nothing. */
    state: optional(sealed),
    tenant: nullable(text),
    tool: nullable(text),
    /** SHA-256 of the canonical tool definition; null while none was seen. */
    tool_definition_hash: nullable(sha256Hex),
  }),
  /** A message that was refused before it was a call. */
  refusal: shape({
    client: nullable(text),
    message: sealed,
    /** Refusals since the last such record that got none of their own. */
    omitted: count,
    reason: text,
    server: nullable(text),
    session: nullable(text),
    /** Bytes of the message. */
    size: count,
  }),
  outcome: shape({
    /** Of the result; null when there was none. */
    bytes: nullable(count),
    call: text,
    decision_seq: count,
    /** From forwarding to the answer; null when nobody measured. */
    ms: nullable(count),
    result: sealed,
    /** False when the call was certainly never sent: what it had reserved was given back. */
    sent: optional(flag),
    status: oneOf(
      'ok',
      'tool_error',
      'rpc_error',
      'timeout',
      'cancelled',
      'upstream_died',
      'unknown',
    ),
  }),
  'approval.request': shape({
    approval: text,
    /** Digest of the exact call that was asked about. */
    binding: sealed,
    call: text,
    decision_seq: count,
    expires_ms: count,
    message: nullable(text),
    nonce: matching(/^[0-9a-f]{32}$/, '32 lower-case hex digits'),
    requested_ms: count,
    rules: listOf(text),
    /** What the policy asked of the answer; absent in records of older versions. */
    terms: optional(object({ presence, quorum: count, uses: nullable(count) })),
  }),
  /** Somebody approved a request. */
  'approval.grant': shape({
    approval: text,
    /** By the name of then; `anyone` for an answer that no approver's key signed. */
    approver: text,
    /** The signed answer itself (DSSE), so that the record can be checked by whoever has the approver's key. */
    envelope: text,
    /** Until when it holds. */
    expires_ms: count,
    /** Whether with it enough approvers had approved. */
    reached: flag,
  }),
  /** Somebody said no; until then the same call is refused without asking again. */
  'approval.deny': shape({ approval: text, approver: text, envelope: text, expires_ms: count }),
  /** Somebody took back what had been approved, or the question. */
  'approval.revoke': shape({ approval: text, approver: text, envelope: text }),
  /** A call passed because of an approval; in the commit of its decision. */
  'approval.use': shape({
    approval: text,
    /** Whose answers counted, by name. */
    approvers: listOf(text),
    call: text,
    decision_seq: count,
    /** The records of their answers. */
    grants: listOf(count),
    /** How many further calls it covers. */
    uses_left: count,
  }),
  /** A request or an approval was found with its time up; it never comes to life again. */
  'approval.expire': shape({ approval: text, expires_ms: count }),
  /** Somebody let calls pass in advance. */
  'grant.create': shape({
    /** For an emergency. */
    break_glass: flag,
    /** The signed grant itself (DSSE), so that the record can be checked by whoever has the keys. */
    envelope: text,
    expires_ms: count,
    grant: text,
    /** Who signed it, by the name of then; `anyone` for what no approver's key signed. */
    issuers: listOf(text),
    reason: text,
    uses: count,
  }),
  /** Somebody took a grant back. */
  'grant.revoke': shape({ by: text, envelope: text, grant: text, reason: text }),
  /** A call passed because of a grant; in the commit of its decision. */
  'grant.use': shape({
    break_glass: flag,
    call: text,
    /** The record of the grant. */
    created_seq: count,
    decision_seq: count,
    grant: text,
    /** Whose signatures counted, by name. */
    issuers: listOf(text),
    /** How many further calls it covers. */
    uses_left: count,
  }),
  /** A grant was found with its time up; it never comes to life again. */
  'grant.expire': shape({ expires_ms: count, grant: text }),
  /** The log could not be written for a while; every call of that time was refused. */
  'audit.gap': shape({
    reason: text,
    /** When the first write failed. */
    since_ms: count,
    /** Commits that were refused and left no record. */
    unrecorded: count,
  }),
  /** Keys for a log that was made without: what stands before was signed only afterwards. */
  'key.add': shape({
    /** Of the first epoch, as C2SP text. */
    epoch_vkey: text,
    reason: text,
    /** The key that the log keeps, as C2SP text. */
    vkey: text,
  }),
  /** The checkpoint that ends with this record has the signatures of the log's key and of both epochs. */
  'key.rotate': shape({
    /** The number of the epoch that begins; the first one is 1. */
    epoch: count,
    /** The keys of the epoch that begins and of the one that ends, as C2SP text. */
    next: text,
    previous: text,
    reason: oneOf('daily', 'operator'),
  }),
  /** A checkpoint was handed to somebody outside, or could not be. */
  anchor: shape({
    error: nullable(text),
    kind: oneOf('exec', 'witness'),
    name: text,
    ok: flag,
    root: sha256Hex,
    size: count,
  }),
  /** Disclosures of an earlier record were erased. */
  redact: shape({
    by: text,
    /** What that record lists under `_sd`, and nobody can open any more. */
    digests: listOf(sha256Base64url),
    reason: text,
    seq: count,
  }),
  /** The log was there; the head that follows is kept. */
  heartbeat: shape({}),
  /** Limits, labels and grants were not as the log left them: how many rows its records gave. */
  'state.rebuild': shape({ charges: count, grants: optional(count), labels: count }),
  /** What a log takes over of the limits and labels of the one it succeeds. */
  'state.carry': shape({ state: sealed }),
  /** The last record of a log that was archived: nothing follows it here. */
  'log.archive': shape({
    by: text,
    /** The log that goes on in its place, with its two keys as C2SP text: who has this log's pin has that one's too. */
    next: object({ epoch_vkey: text, log: origin, vkey: text }),
    reason: text,
  }),
  /** A person has confirmed that the log does not continue what was known of it. */
  'log.recover': shape({
    by: text,
    /** The newest head that was known outside the log; null when that is not known any more. */
    lost: nullable(object({ root: sha256Hex, size: count })),
    reason: text,
  }),
}

/** Whether this version writes and reads such records. */
export function isRecordType(name: string): name is RecordType {
  return Object.hasOwn(recordShapes, name)
}
