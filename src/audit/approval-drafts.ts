import type { RecordDraft } from './record.ts'

/** An answer of a person, as its record says it. */
export interface AnswerFacts {
  /** The request's id. */
  readonly approval: string
  /** By name. */
  readonly approver: string
  /** The signed answer, as text. */
  readonly envelope: string
  readonly expiresAtMs: number
  /** Whether with it enough approvers have approved. */
  readonly isReached: boolean
}

/** The record of an approval, a denial or a revocation. */
export function answerRecord(
  verdict: 'approve' | 'deny' | 'revoke',
  { approval, approver, envelope, expiresAtMs, isReached }: AnswerFacts,
): RecordDraft {
  const said = { approval, approver, envelope }
  switch (verdict) {
    case 'approve':
      return {
        type: 'approval.grant',
        data: { ...said, expires_ms: expiresAtMs, reached: isReached },
      }
    case 'deny':
      return { type: 'approval.deny', data: { ...said, expires_ms: expiresAtMs } }
    case 'revoke':
      return { type: 'approval.revoke', data: said }
  }
}

/** A call that passed because of an approval. */
export interface ApprovalUseFacts {
  readonly approval: string
  readonly approvers: readonly string[]
  readonly call: string
  /** The seq of the call's decision. */
  readonly decisionSeq: number
  /** The seqs of the answers that counted. */
  readonly grants: readonly number[]
  readonly usesLeft: number
}

/** The record of it; it goes into the commit of the decision. */
export function approvalUseRecord(facts: ApprovalUseFacts): RecordDraft {
  return {
    type: 'approval.use',
    data: {
      approval: facts.approval,
      approvers: [...facts.approvers],
      call: facts.call,
      decision_seq: facts.decisionSeq,
      grants: [...facts.grants],
      uses_left: facts.usesLeft,
    },
  }
}

/** The record that the time of a request or an approval is up. */
export function approvalExpireRecord(approval: string, expiresAtMs: number): RecordDraft {
  return { type: 'approval.expire', data: { approval, expires_ms: expiresAtMs } }
}
