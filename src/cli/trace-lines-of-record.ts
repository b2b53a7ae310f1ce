import { openAnswer } from '../approval/answer.ts'
import { readDisclosure } from '../audit/open-disclosure.ts'
import type { Disclosure, RecordData, StoredRecord } from '../audit/record.ts'
import { parseAccount } from '../audit/state-account.ts'
import { presences } from '../policy/rule.ts'
import { traceStatuses } from '../replay/trace.ts'
import type { TraceApproval, TraceRule, TraceVerdict } from '../replay/trace.ts'
import { approvalLine, callLine, carryLine, grantLine, outcomeLine } from '../replay/trace-lines.ts'
import { CapFenceError } from '../errors.ts'
import { keptArguments } from './log-arguments.ts'
import {
  fieldOf,
  isObject,
  listOf,
  numberOrNull,
  objectOf,
  textOf,
  textOrNull,
} from './record-fields.ts'
import { clockOf, recordedEvent, unnamedOf } from './recorded-call.ts'
import { toldBy } from './recorded-state.ts'

/** The kinds of record that a trace has lines of. */
export const tracedTypes: ReadonlySet<string> = new Set([
  'decision',
  'outcome',
  'approval.request',
  'approval.grant',
  'approval.deny',
  'approval.revoke',
  'approval.use',
  'approval.expire',
  'grant.create',
  'grant.revoke',
  'grant.use',
  'grant.expire',
  'state.carry',
])

/**
 * The line that a trace has of a record.
 *
 * @param hasDisclosures whether arguments stand as the log discloses them, so that they can be compared with it
 * @throws CapFenceError `AUDIT_CORRUPT` when the record is not what it should be
 */
export function traceLineOf(
  record: StoredRecord,
  disclosures: readonly Disclosure[],
  hasDisclosures: boolean,
): string {
  if (record.type === 'decision') return decisionLine(record, disclosures, hasDisclosures)
  if (record.type === 'outcome') return outcomeLineOf(record)
  if (record.type === 'state.carry') return carryLineOf(record, disclosures)
  if (record.type.startsWith('grant.')) return grantLine(grantOf(record))
  return approvalLine(approvalOf(record))
}

function decisionLine(
  record: StoredRecord,
  disclosures: readonly Disclosure[],
  hasDisclosures: boolean,
): string {
  const { data, seq } = record
  const kept = keptArguments(record, disclosures)
  const digests = listOf(objectOf(data, 'args'), '_sd').filter((one) => typeof one === 'string')
  const own = disclosures.filter(({ digest }) => digests.includes(digest))
  return callLine({
    seq,
    atMs: clockOf(record),
    event: recordedEvent(data, kept.value),
    missing: kept.missing,
    unnamed: unnamedOf(data, kept.withheld),
    sealed: hasDisclosures
      ? { digests, disclosures: own.map(({ encoded }) => encoded) }
      : undefined,
    told: toldBy(record, disclosures),
    definitionHash: textOrNull(data, 'tool_definition_hash'),
    verdict: verdictOf(data),
    isFlagged: false,
  })
}

function verdictOf(data: RecordData): TraceVerdict {
  const forwarded = fieldOf(data, 'forwarded')
  return {
    decision: effectOf(data, 'decision'),
    reason: textOf(data, 'reason'),
    rules: listOf(data, 'rule').filter(isObject).map(ruleOf),
    omittedRules: numberOrNull(data, 'rules_omitted') ?? 0,
    policyHash: textOf(data, 'policy_hash'),
    forwarded: typeof forwarded === 'boolean' ? forwarded : wrong('forwarded'),
    mode: textOf(data, 'mode') === 'observe' ? 'observe' : 'enforce',
    approval: textOrNull(data, 'approval'),
    grant: textOrNull(data, 'grant'),
  }
}

function ruleOf(rule: RecordData): TraceRule {
  return {
    id: textOf(rule, 'id'),
    effect: effectOf(rule, 'effect'),
    file: textOf(rule, 'file'),
    line: numberOf(rule, 'line'),
  }
}

function outcomeLineOf(record: StoredRecord): string {
  const { data } = record
  const status = traceStatuses.find((one) => one === textOf(data, 'status'))
  return outcomeLine({
    of: numberOf(data, 'decision_seq'),
    atMs: Date.parse(record.ts),
    status: status ?? wrong('status'),
    sent: data['sent'] !== false,
  })
}

type Approval = Parameters<typeof approvalLine>[0]

function approvalOf({ type, data, ts }: StoredRecord): Approval {
  const about = { approval: textOf(data, 'approval'), atMs: Date.parse(ts) }
  if (type === 'approval.request') {
    const of = numberOf(data, 'decision_seq')
    const expiresAtMs = numberOf(data, 'expires_ms')
    return { ...about, what: 'request', of, expiresAtMs, ...termsOf(data) }
  }
  if (type === 'approval.use') return { ...about, what: 'use', of: numberOf(data, 'decision_seq') }
  if (type === 'approval.expire') return { ...about, what: 'expire' }
  const approver = textOf(data, 'approver')
  if (type === 'approval.revoke') return { ...about, what: 'revoke', approver }
  const expiresAtMs = numberOf(data, 'expires_ms')
  if (type === 'approval.deny') return { ...about, what: 'deny', approver, expiresAtMs }
  const { answer } = openAnswer(textOf(data, 'envelope'))
  const { presence, uses, session } = answer
  return { ...about, what: 'grant', approver, presence, uses, session, expiresAtMs }
}

function grantOf({ type, data, ts }: StoredRecord): Parameters<typeof grantLine>[0] {
  const about = { grant: textOf(data, 'grant'), atMs: Date.parse(ts) }
  if (type === 'grant.expire') return { ...about, what: 'expire' }
  if (type === 'grant.use') return { ...about, what: 'use', of: numberOf(data, 'decision_seq') }
  if (type === 'grant.revoke') return { ...about, what: 'revoke', by: textOf(data, 'by') }
  const issuers = listOf(data, 'issuers').filter((one) => typeof one === 'string')
  return { ...about, what: 'create', envelope: textOf(data, 'envelope'), issuers }
}

/** Records of older versions do not say what was asked of the answer. */
function termsOf(
  data: RecordData,
): Pick<Extract<TraceApproval, { what: 'request' }>, 'presence' | 'quorum' | 'uses'> {
  if (!Object.hasOwn(data, 'terms')) return { presence: 'any', quorum: 1, uses: null }
  const terms = objectOf(data, 'terms')
  const presence = presences.find((one) => one === textOf(terms, 'presence'))
  return {
    presence: presence ?? wrong('presence'),
    quorum: numberOf(terms, 'quorum'),
    uses: numberOrNull(terms, 'uses'),
  }
}

/** What a log has taken over of the one that it succeeds; nothing when that was erased. */
function carryLineOf({ data, ts }: StoredRecord, disclosures: readonly Disclosure[]): string {
  const digests = new Set(listOf(objectOf(data, 'state'), '_sd'))
  const kept = disclosures.find(({ digest }) => digests.has(digest))
  const account = kept === undefined ? undefined : parseAccount(kept)
  return carryLine({
    charges: (account?.charged ?? []).map(({ pot, amount, expires_ms, at_ms }) => ({
      pot,
      amount,
      atMs: at_ms ?? Date.parse(ts),
      expiresAtMs: expires_ms,
    })),
    labels: (account?.added ?? []).map(({ subject, label, bind, until_ms, proven_until_ms }) => ({
      subject: subject ?? '',
      label,
      isBound: bind !== '',
      heldUntilMs: until_ms,
      provenUntilMs: proven_until_ms ?? 0,
      perhapsUntilMs: 0,
    })),
  })
}

/** Whether what a log has taken over can still be read. */
export function isCarryKept({ data }: StoredRecord, disclosures: readonly Disclosure[]): boolean {
  const digests = new Set(listOf(objectOf(data, 'state'), '_sd'))
  return disclosures.some((one) => digests.has(one.digest) && readDisclosure(one).name === 'state')
}

const effects = ['allow', 'require_approval', 'deny'] as const

function effectOf(data: RecordData, name: string): (typeof effects)[number] {
  return effects.find((one) => one === textOf(data, name)) ?? wrong(name)
}

function numberOf(data: RecordData, name: string): number {
  return numberOrNull(data, name) ?? wrong(name)
}

function wrong(name: string): never {
  throw new CapFenceError('AUDIT_CORRUPT', `a record of the log has no proper \`${name}\``)
}
