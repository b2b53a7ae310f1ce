import type { ActionEvent } from '../event/action-event.ts'
import type { PolicyAnswer } from '../policy/answer.ts'
import type { Decision, Denial, HeldDefinition } from './decide.ts'
import type { AskedState } from './decide-state.ts'
import { explain } from './decide-text.ts'
import type { GoverningPolicy } from './policy.ts'
import type { AllowVerdict, DenyVerdict, ReasonCode, Verdict } from './verdict.ts'

/** A call and what the policy said about it; no answer when it could not be evaluated. */
export interface Answered {
  readonly callId: string
  readonly event: ActionEvent
  readonly policy: GoverningPolicy
  /** What the policy was asked with; undefined when its answer depends on nothing but the event. */
  readonly state: AskedState | undefined
  readonly answer: PolicyAnswer | undefined
}

/** A decision that is in the log, put into words. */
export function verdictOf(
  decision: Decision,
  { callId, event, policy, state, answer }: Answered,
): Verdict {
  if (decision.kind === 'deny' && decision.held !== undefined) {
    return { ...denial(callId, 'definition_held', decision.seq), ...heldText(decision.held) }
  }
  // Without an answer there is nothing but the denial.
  if (answer === undefined) return fault(callId, decision.seq)
  const told = {
    callId,
    ...explain(event, answer, () => policy.explain(event, state)),
    reasonCode: answer.reason,
    rules: answer.rules,
    decisionSeq: decision.seq,
  }
  if (decision.kind === 'allow') return allowed(decision, told)
  const { roomAtMs } = answer
  const refused = { authorized: false, ...told, retryAtMs: roomAtMs } as const
  if (decision.kind === 'deny') {
    const denied = decision.denied === undefined ? {} : saidNo(decision.denied)
    const retryable = roomAtMs !== undefined
    return { decision: 'deny', ...refused, retryable, approvalId: undefined, ...denied }
  }
  const { id, expiresAtMs } = decision.approval
  return {
    decision: 'require_approval',
    ...refused,
    approvalId: id,
    expiresAtMs,
    retryable: true,
  }
}

type Told = Pick<
  AllowVerdict,
  'callId' | 'reason' | 'reasonCode' | 'rules' | 'message' | 'suggestion' | 'decisionSeq'
>

function allowed(
  { observed, approved, granted, held, isUnruled }: Extract<Decision, { readonly kind: 'allow' }>,
  told: Told,
): AllowVerdict {
  const verdict = { decision: 'allow', authorized: true, observed } as const
  const ids = { approvalId: approved?.approval, grantId: granted?.grant.id }
  if (held !== undefined) {
    const because = { reasonCode: 'definition_held', rules: [], ...heldText(held) } as const
    return { ...verdict, ...told, ...because, ...ids }
  }
  if (isUnruled === true) {
    const reason = 'no rule says anything about it'
    const because = { reason, reasonCode: 'unruled', suggestion: undefined } as const
    return { ...verdict, ...told, ...because, ...ids }
  }
  if (approved !== undefined) {
    const reason = `approved by ${approved.approvers.join(', ')}`
    const because = { reason, reasonCode: 'approved', suggestion: undefined } as const
    return { ...verdict, ...told, ...because, ...ids }
  }
  if (granted === undefined) return { ...verdict, ...told, ...ids }
  const { breakGlass } = granted.grant
  const what = breakGlass ? 'a grant for an emergency' : 'a grant'
  const because = {
    reason: `allowed by ${what} of ${granted.issuers.join(', ')}`,
    reasonCode: breakGlass ? 'break_glass' : 'granted',
    suggestion: undefined,
  } as const
  return { ...verdict, ...told, ...because, ...ids }
}

function heldText({ reason, suggestion }: HeldDefinition): Pick<Told, 'reason' | 'suggestion'> {
  return { reason, suggestion }
}

/** A person's no is the person's, not the policy's: the model is told so, and not to ask the same again. */
function saidNo({ approval, approver, untilMs }: Denial): Partial<DenyVerdict> {
  return {
    reason: `${approver} has denied this call`,
    reasonCode: 'approval_denied',
    suggestion: 'do without it, or ask the person what to do instead',
    approvalId: approval,
    retryable: false,
    retryAtMs: untilMs,
  }
}

/**
 * The verdict when the log could not take the decision: always a denial.
 *
 * What the policy denies stays denied for the policy's reason; anything else is denied because no record means no call.
 */
export function unrecorded({ callId, event, policy, state, answer }: Answered): DenyVerdict {
  if (answer === undefined) return fault(callId, undefined)
  if (answer.decision === 'deny') {
    return {
      ...denial(callId, answer.reason, undefined),
      ...explain(event, answer, () => policy.explain(event, state)),
      rules: answer.rules,
    }
  }
  return unasked(callId)
}

/** The verdict when the log could not even be read for the policy: a denial too. */
export function unasked(callId: string): DenyVerdict {
  return {
    ...denial(callId, 'audit_unavailable', undefined),
    reason: 'the decision could not be recorded, and without a record nothing is let through',
    suggestion: 'try again later; the operator finds the cause in the messages of the gate',
    retryable: true,
  }
}

/** The verdict on what is no event at all. */
export function invalidEvent(callId: string): DenyVerdict {
  return {
    ...denial(callId, 'invalid_event', undefined),
    reason: 'what was to be decided is not an event',
    suggestion: 'make one with `ActionEvent.create`',
  }
}

function fault(callId: string, decisionSeq: number | undefined): DenyVerdict {
  return {
    ...denial(callId, 'internal_error', decisionSeq),
    reason: 'the policy could not be evaluated, which is a fault of CapFence',
    suggestion: 'the operator finds the cause in the messages of the gate',
  }
}

function denial(
  callId: string,
  reasonCode: ReasonCode,
  decisionSeq: number | undefined,
): DenyVerdict {
  return {
    decision: 'deny',
    authorized: false,
    callId,
    decisionSeq,
    reason: '',
    reasonCode,
    rules: [],
    message: undefined,
    suggestion: undefined,
    retryable: false,
    retryAtMs: undefined,
    approvalId: undefined,
  }
}
