import { printJson } from '../audit/redacted-json.ts'
import { sha256Hex } from '../crypto/sha256.ts'
import type { ActionEvent } from '../event/action-event.ts'
import type { JsonObject } from '../json/value.ts'
import type { Unnamed } from './missing.ts'
import type { Told } from './told-state.ts'
import type {
  TraceApproval,
  TraceCall,
  TraceCarry,
  TraceGrant,
  TraceHeader,
  TraceOutcome,
  TracePolicyFile,
  TraceVerdict,
} from './trace.ts'
import { traceFormat } from './trace-reader.ts'

/** A line of which nothing but its place is not known yet. */
type Unplaced<T> = T extends unknown ? Omit<T, 'kind' | 'line'> : never

/** A call to be written. */
export interface WrittenCall extends Unplaced<Omit<TraceCall, 'missing' | 'event'>> {
  readonly event: ActionEvent
  /** JSON Pointers to values of the arguments that are missing. */
  readonly missing: readonly string[]
  readonly unnamed: Unnamed
  /** In place of the arguments: the digests of the record, and what of them is disclosed. */
  readonly sealed:
    | { readonly digests: readonly string[]; readonly disclosures: readonly string[] }
    | undefined
}

/** What stands in the place of the checksum while it is not known. */
export const noChecksum: string = '0'.repeat(64)

/** The first line; the checksum is put into its place when everything else is written. */
export function headerLine(
  header: Pick<TraceHeader, 'source' | 'log' | 'isComplete' | 'policies'> & {
    readonly calls: number
    /** Lines that follow. */
    readonly lines: number
  },
): string {
  const { source, log, isComplete, policies, calls, lines } = header
  const said = { source, log, complete: isComplete, policies, calls, lines }
  return line({ format: traceFormat, checksum: noChecksum, ...said })
}

/** The line of a file of a policy. */
export function policyLine(file: Unplaced<TracePolicyFile>): string {
  const { hash, index, count, path, text } = file
  return line({ t: 'policy', hash, index, count, path, text })
}

/** The line of a call. */
export function callLine(call: WrittenCall): string {
  const { seq, atMs, event, definitionHash, verdict, isFlagged, told } = call
  const { actor, capability, environment, risk, context, argumentRoles } = event
  const { resource, action, scope } = capability
  const before = {
    t: 'call',
    seq,
    at: atMs ?? undefined,
    actor,
    resource,
    action,
    scope,
    environment,
    risk,
    ...context,
    amounts: unlessEmpty(argumentRoles.amount),
    paths: unlessEmpty(argumentRoles.path),
    definition: definitionHash ?? undefined,
    unnamed: call.unnamed === 'none' ? undefined : call.unnamed,
    flagged: isFlagged ? true : undefined,
    verdict: verdict && verdictOf(verdict),
  }
  // Arguments stand as they were written, digit by digit.
  return `${JSON.stringify(before).slice(0, -1)},${argumentMembers(call)}${toldMember(told)}}\n`
}

function argumentMembers({ event, sealed, missing }: WrittenCall): string {
  if (sealed !== undefined) return JSON.stringify(sealed).slice(1, -1)
  const places = missing.length === 0 ? '' : `,"missing":${JSON.stringify(missing)}`
  return `"arguments":${printJson(event.arguments)}${places}`
}

function toldMember(told: Told): string {
  if (told === undefined) return ''
  return `,"told":${told === 'erased' ? '"erased"' : printJson(told)}`
}

function verdictOf(verdict: TraceVerdict): Readonly<Record<string, unknown>> {
  const { decision, reason, rules, omittedRules, policyHash, forwarded, mode } = verdict
  return {
    decision,
    reason: reason ?? undefined,
    rules: rules.length === 0 ? undefined : rules,
    omitted: omittedRules === 0 ? undefined : omittedRules,
    policy: policyHash ?? undefined,
    forwarded: forwarded ?? undefined,
    mode: mode === 'enforce' ? undefined : mode,
    approval: verdict.approval ?? undefined,
    grant: verdict.grant ?? undefined,
  }
}

function unlessEmpty(pointers: readonly string[] | undefined): readonly string[] | undefined {
  return pointers?.length === 0 ? undefined : pointers
}

/** The line of an outcome. */
export function outcomeLine({ of, atMs, status, sent }: Unplaced<TraceOutcome>): string {
  return line({ t: 'outcome', of, at: atMs ?? undefined, status, sent: sent ? undefined : false })
}

/** The line of a question to a person, or of an answer. */
export function approvalLine(about: Unplaced<TraceApproval>): string {
  const { what, approval, atMs } = about
  const before = { t: 'approval', what, approval, at: atMs }
  switch (about.what) {
    case 'request': {
      const { of, expiresAtMs, presence, quorum, uses } = about
      return line({ ...before, of, expires: expiresAtMs, presence, quorum, uses })
    }
    case 'grant': {
      const { approver, presence, uses, expiresAtMs, session } = about
      const given = { approver, presence, uses, expires: expiresAtMs }
      return line({ ...before, ...given, session: session ?? undefined })
    }
    case 'deny':
      return line({ ...before, approver: about.approver, expires: about.expiresAtMs })
    case 'revoke':
      return line({ ...before, approver: about.approver })
    case 'use':
      return line({ ...before, of: about.of })
    case 'expire':
      return line(before)
  }
}

/** The line of a grant, or of its end. */
export function grantLine(about: Unplaced<TraceGrant>): string {
  const { what, grant, atMs } = about
  const before = { t: 'grant', what, grant, at: atMs }
  switch (about.what) {
    case 'create':
      return line({ ...before, envelope: about.envelope, issuers: about.issuers })
    case 'revoke':
      return line({ ...before, by: about.by })
    case 'use':
      return line({ ...before, of: about.of })
    case 'expire':
      return line(before)
  }
}

/** The line of what limits and labels stood at before. */
export function carryLine({ charges, labels }: Unplaced<TraceCarry>): string {
  return line({
    t: 'carry',
    charges: charges.map(({ pot, amount, atMs, expiresAtMs }) => ({
      pot,
      amount,
      at: atMs,
      expires: expiresAtMs,
    })),
    labels: labels.map(({ subject, label, isBound, ...until }) => ({
      subject,
      label,
      bound: isBound ? true : undefined,
      held: until.heldUntilMs,
      proven: until.provenUntilMs,
      perhaps: until.perhapsUntilMs === 0 ? undefined : until.perhapsUntilMs,
    })),
  })
}

/**
 * A whole trace of lines, with its checksum; for traces that are made by hand. A long one is written piece by piece.
 *
 * @internal Exported for tests only.
 */
export function sealedTrace(
  header: Parameters<typeof headerLine>[0],
  lines: readonly string[],
): string {
  const text = headerLine(header) + lines.join('')
  return text.replace(noChecksum, sha256Hex(text))
}

function line(value: JsonObject | Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(value)}\n`
}
