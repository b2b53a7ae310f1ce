import { limits } from '../limits.ts'
import type { Answer } from './answer.ts'
import type { Authority, VerifiedAnswer } from './authority.ts'
import { isAtLeast, isEnded, verifyAnswer } from './authority.ts'
import { bindingDigest } from './call-binding.ts'
import { requestExpired } from './covers.ts'
import type { RecordedApproval } from './recorded.ts'

/** An answer that may be recorded, and what it does. */
export interface AcceptedAnswer extends VerifiedAnswer {
  /** Whether with it enough approvers have approved. */
  readonly isReached: boolean
  /** How many approve now, this one included. */
  readonly approvals: number
}

/**
 * Whether an answer may be recorded now.
 *
 * @returns why not, for people, when it may not
 */
export function acceptAnswer(
  text: string,
  approval: RecordedApproval,
  authority: Authority,
  nowMs: number,
): AcceptedAnswer | string {
  const { request, isAsked } = approval
  if (!isAsked || bindingDigest(request.binding) !== request.bindingDigest) {
    return 'the log holds no question like the one that the database shows: it was changed'
  }
  const verified = verifyAnswer(text, approval, authority)
  if (typeof verified === 'string') return verified
  const { answer } = verified
  const before = approversSoFar(approval, authority)
  const complaint =
    stateComplaint(approval, answer, nowMs) ??
    (answer.verdict === 'approve' ? grantComplaint(approval, verified, before, nowMs) : undefined)
  if (complaint !== undefined) return complaint
  const approvals = before.size + (answer.verdict === 'approve' ? 1 : 0)
  return { ...verified, approvals, isReached: approvals >= request.terms.quorum }
}

/** Who has approved and still counts. */
function approversSoFar(approval: RecordedApproval, authority: Authority): ReadonlySet<string> {
  return new Set(
    approval.answers.flatMap(({ envelope }) => {
      const verified = verifyAnswer(envelope, approval, authority)
      return typeof verified === 'string' ? [] : [verified.approver]
    }),
  )
}

function stateComplaint(
  approval: RecordedApproval,
  { verdict }: Answer,
  nowMs: number,
): string | undefined {
  const { request, useCount } = approval
  if (isEnded(approval)) return 'it was denied or revoked, or its time was up'
  // What was approved may be taken back after the question itself would have lapsed.
  if (verdict === 'revoke') return undefined
  if (useCount > 0) return 'it was used already'
  return requestExpired(request, nowMs) ? 'its time is up' : undefined
}

function grantComplaint(
  { request: { terms } }: RecordedApproval,
  { answer, approver }: VerifiedAnswer,
  before: ReadonlySet<string>,
  nowMs: number,
): string | undefined {
  if (before.has(approver)) return `\`${approver}\` has approved it already`
  if (!isAtLeast(answer.presence, terms.presence)) {
    return `its rule asks for presence \`${terms.presence}\`, and this is \`${answer.presence}\``
  }
  const mostUses = terms.uses ?? limits.maxGrantUses
  if (answer.uses < 1 || answer.uses > mostUses) return `it may cover 1 to ${mostUses} calls`
  if (answer.expiresAtMs <= nowMs || answer.expiresAtMs > nowMs + limits.maxGrantMs) {
    return `it may hold for ${limits.maxGrantMs / 3_600_000} hours at most`
  }
  return undefined
}
