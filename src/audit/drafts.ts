import type { ActionEvent } from '../event/action-event.ts'
import type { SealedDigests } from './disclosure.ts'
import type { RecordData, RecordDraft, RecordValue } from './record.ts'
import { ruleData, type RuleFacts } from './rule-data.ts'

/** Everything a decision record says, but for its place in the log. */
export interface DecisionFacts {
  /** The call's own id, a UUID; version 7 keeps the index over calls quick. */
  readonly call: string
  readonly event: ActionEvent
  /** The clock that the policy was shown, milliseconds since the epoch; absent when its answer does not depend on it. */
  readonly clockMs?: number | undefined
  /** From `discloseText`: what it was told of the store, and what the call changes there. */
  readonly state?: SealedDigests | undefined
  readonly decision: 'allow' | 'require_approval' | 'deny'
  /** Why, as a code such as `rule` or `default`. */
  readonly reason: string
  /** The rules that decided, in the order of the file; what finds no room is counted. */
  readonly rules: readonly RuleFacts[]
  /** How many more rules decided than `rules` names; absent when it names all. */
  readonly omittedRules?: number
  /** Hex SHA-256 of the policy. */
  readonly policyHash: string
  /** Hex SHA-256 of the canonical tool definition; null while none was seen. */
  readonly toolDefinitionHash: string | null
  readonly grant: string | null
  readonly approval: string | null
  /** From `discloseArguments`; its disclosures go into the same commit. */
  readonly args: SealedDigests
  /** Whether the call goes to the server once this is durable. */
  readonly forwarded: boolean
  readonly mode: 'enforce' | 'observe'
}

/** The record that must be durable before a call is forwarded. */
export function decisionRecord(facts: DecisionFacts): RecordDraft {
  const { event } = facts
  const { context, capability } = event
  const { resource, action, scope } = capability
  const { rules, omitted } = ruleData(facts.rules)
  // In the order of RFC 8785, so that encoding need not sort.
  return draft('decision', {
    action,
    actor: event.actor,
    approval: facts.approval,
    args: sealedData(facts.args),
    ...argumentRoles(event),
    call: facts.call,
    capability: `${resource}.${action}.${scope}`,
    client: context.client ?? null,
    ...(facts.clockMs === undefined ? {} : { clock_ms: facts.clockMs }),
    decision: facts.decision,
    environment: event.environment ?? null,
    forwarded: facts.forwarded,
    grant: facts.grant,
    mode: facts.mode,
    policy_hash: facts.policyHash,
    reason: facts.reason,
    resource,
    risk: event.risk ?? null,
    role: context.role ?? null,
    rule: rules,
    rules_omitted: omitted + (facts.omittedRules ?? 0),
    scope,
    server: context.server ?? null,
    session: context.session ?? null,
    ...(facts.state === undefined ? {} : { state: sealedData(facts.state) }),
    tenant: context.tenant ?? null,
    tool: context.tool ?? null,
    tool_definition_hash: facts.toolDefinitionHash,
  })
}

/** How a forwarded call ended; `unknown` when nobody can say. */
export type OutcomeStatus =
  | 'ok'
  | 'tool_error'
  | 'rpc_error'
  | 'timeout'
  | 'cancelled'
  | 'upstream_died'
  | 'unknown'

/** What became of a forwarded call. */
export interface OutcomeFacts {
  readonly call: string
  /** The seq of the call's decision. */
  readonly decisionSeq: number
  readonly status: OutcomeStatus
  /** From forwarding to the answer; null when nobody measured. */
  readonly ms: number | null
  /** Of the result; null when there was none. */
  readonly bytes: number | null
  readonly result: SealedDigests
  /** Whether the call was sent; absent when it was, or may have been. */
  readonly sent?: false | undefined
}

/** The record that follows a forwarded decision. */
export function outcomeRecord(facts: OutcomeFacts): RecordDraft {
  return draft('outcome', {
    bytes: facts.bytes,
    call: facts.call,
    decision_seq: facts.decisionSeq,
    ms: facts.ms === null ? null : Math.max(0, Math.round(facts.ms)),
    result: sealedData(facts.result),
    ...(facts.sent === false ? { sent: false } : {}),
    status: facts.status,
  })
}

/** A message that was refused before it was a call. */
export interface RefusalFacts {
  /** A code, such as `duplicate_key`. */
  readonly reason: string
  readonly client: string | null
  readonly session: string | null
  /** Where the message was meant for one server. */
  readonly server: string | null
  /** Bytes of the message. */
  readonly size: number
  readonly message: SealedDigests
  /** Refusals since the last record of this kind that got none of their own. */
  readonly omitted: number
}

/** The bounded record of a refused message. */
export function refusalRecord(facts: RefusalFacts): RecordDraft {
  return draft('refusal', {
    client: facts.client,
    message: sealedData(facts.message),
    omitted: facts.omitted,
    reason: facts.reason,
    server: facts.server,
    session: facts.session,
    size: facts.size,
  })
}

/** A tool's definition was seen for the first time, has changed, or is gone. */
export interface ToolDefFacts {
  readonly server: string
  readonly tool: string
  readonly change: 'first_seen' | 'changed' | 'removed'
  /** Hex SHA-256 of the canonical definition; null when removed. */
  readonly sha256: string | null
  /** What it was before; null when first seen. */
  readonly previous: string | null
  /** Changes at this server since the last such record that got none of their own. */
  readonly omitted: number
}

/** The record of a tool definition. */
export function toolDefRecord(facts: ToolDefFacts): RecordDraft {
  const { server, tool, change, sha256, previous, omitted } = facts
  return draft('tool.def', { change, omitted, previous, server, sha256, tool })
}

/** A policy was loaded, or could not be. */
export interface PolicyLoadFacts {
  readonly files: readonly { readonly path: string; readonly sha256: string }[]
  /** Null when there is an error. */
  readonly policyHash: string | null
  readonly ruleCount: number
  /** What was wrong with it, in the words of the loader; null when nothing was. */
  readonly error: string | null
}

/** The record of a policy load; its bytes go into `Effects.policies`. */
export function policyLoadRecord(facts: PolicyLoadFacts): RecordDraft {
  return draft('policy.load', {
    error: facts.error,
    files: facts.files.map(({ path, sha256 }) => ({ path, sha256 })),
    ok: facts.error === null,
    policy_hash: facts.policyHash,
    rule_count: facts.ruleCount,
  })
}

/** The configuration file is another than the one that was recorded last. */
export interface ConfigChangeFacts {
  readonly path: string
  /** Hex, of the file; null when it could not be read. */
  readonly sha256: string | null
  /** The settings that changed under a running gate, by name; a start takes in all of them and names none. */
  readonly changed: readonly string[]
  /** Those of them that wait for a restart. */
  readonly restart: readonly string[]
  readonly error: string | null
}

/** The record of a changed configuration. */
export function configChangeRecord(facts: ConfigChangeFacts): RecordDraft {
  return draft('config.change', {
    changed: [...facts.changed],
    error: facts.error,
    ok: facts.error === null,
    path: facts.path,
    restart: [...facts.restart],
    sha256: facts.sha256,
  })
}

/** A question for a person; an `ApprovalRequest` is one, with the call it is about. */
export interface ApprovalRequestFacts {
  readonly request: {
    readonly id: string
    readonly nonce: string
    readonly requestedAtMs: number
    readonly expiresAtMs: number
    readonly decisionSeq: number
    readonly rules: readonly string[]
    readonly message: string | null
    readonly terms: {
      readonly presence: string
      readonly quorum: number
      readonly uses: number | null
    }
  }
  readonly call: string
  /** From `discloseText` over the canonical binding. */
  readonly binding: SealedDigests
}

/** The record of a question that waits for a person. */
export function approvalRequestRecord({
  request,
  call,
  binding,
}: ApprovalRequestFacts): RecordDraft {
  return draft('approval.request', {
    approval: request.id,
    binding: sealedData(binding),
    call,
    decision_seq: request.decisionSeq,
    expires_ms: request.expiresAtMs,
    message: request.message,
    nonce: request.nonce,
    requested_ms: request.requestedAtMs,
    rules: [...request.rules],
    terms: termsData(request.terms),
  })
}

function termsData({
  presence,
  quorum,
  uses,
}: ApprovalRequestFacts['request']['terms']): RecordData {
  return { presence, quorum, uses }
}

function draft(type: RecordDraft['type'], data: RecordData): RecordDraft {
  return { type, data }
}

function sealedData({ _sd, mode, withheld }: SealedDigests): RecordValue {
  return { _sd, mode, withheld }
}

/** Most events have none, and then the record has no such field. */
function argumentRoles({ argumentRoles: { amount = [], path = [] } }: ActionEvent): RecordData {
  return amount.length + path.length === 0 ? {} : { argument_roles: { amount, path } }
}
