import type { Authority } from '../approval/authority.ts'
import { acceptAnswer, type AcceptedAnswer } from '../approval/give-answer.ts'
import { answerRecord } from '../audit/approval-drafts.ts'
import { CapFenceError } from '../errors.ts'
import type { Store } from './store.ts'

/** An answer on its way into the log. */
export interface GivenAnswer {
  /** The request's id. */
  readonly approval: string
  /** The signed answer, as text. */
  readonly envelope: string
}

/**
 * Records an answer, once it is durable.
 *
 * Everything is checked inside the transaction that stores it: two answers at once cannot both be the first. It lets no
 * call pass by itself (THREATS B35): the call has to be made again, and everything is checked again then.
 *
 * @throws CapFenceError `APPROVAL_NOT_FOUND`, `APPROVAL_REFUSED` with the reason, or `AUDIT_UNAVAILABLE`
 */
export function recordAnswer(
  store: Pick<Store, 'commit'>,
  { approval: id, envelope }: GivenAnswer,
  authority: Authority,
): Promise<AcceptedAnswer> {
  return store.commit((view) => {
    const approval = view.approval(id)
    if (approval === undefined) {
      throw new CapFenceError('APPROVAL_NOT_FOUND', 'no approval request has this id')
    }
    const accepted = acceptAnswer(envelope, approval, authority, view.nowMs)
    if (typeof accepted === 'string') {
      throw new CapFenceError('APPROVAL_REFUSED', `the answer was not taken: ${accepted}`)
    }
    const { answer, approver, isReached } = accepted
    const { expiresAtMs } = answer
    const record = answerRecord(answer.verdict, {
      approval: id,
      approver,
      envelope,
      expiresAtMs,
      isReached,
    })
    return { records: [record], result: accepted }
  }, 'power')
}
