import type { RecordDraft } from './record.ts'

/** A grant, as its record says it. */
export interface GrantFacts {
  readonly grant: string
  readonly breakGlass: boolean
  /** The signed grant, as text. */
  readonly envelope: string
  readonly expiresAtMs: number
  /** By name. */
  readonly issuers: readonly string[]
  readonly reason: string
  readonly uses: number
}

/** The record that a grant was given. */
export function grantCreateRecord(facts: GrantFacts): RecordDraft {
  const { grant, breakGlass, envelope, expiresAtMs, issuers, reason, uses } = facts
  return {
    type: 'grant.create',
    data: {
      break_glass: breakGlass,
      envelope,
      expires_ms: expiresAtMs,
      grant,
      issuers: [...issuers],
      reason,
      uses,
    },
  }
}

/** A grant that somebody took back. */
export interface GrantRevokeFacts {
  readonly grant: string
  /** By name. */
  readonly by: string
  /** The signed revocation, as text. */
  readonly envelope: string
  readonly reason: string
}

/** The record of it. */
export function grantRevokeRecord({ by, envelope, grant, reason }: GrantRevokeFacts): RecordDraft {
  return { type: 'grant.revoke', data: { by, envelope, grant, reason } }
}

/** A call that passed because of a grant. */
export interface GrantUseFacts {
  readonly grant: string
  readonly breakGlass: boolean
  readonly call: string
  /** The record of the grant. */
  readonly createdSeq: number
  /** The seq of the call's decision. */
  readonly decisionSeq: number
  /** By name. */
  readonly issuers: readonly string[]
  readonly usesLeft: number
}

/** The record of it; it goes into the commit of the decision. */
export function grantUseRecord(facts: GrantUseFacts): RecordDraft {
  const { breakGlass, call, createdSeq, decisionSeq, grant, issuers, usesLeft } = facts
  return {
    type: 'grant.use',
    data: {
      break_glass: breakGlass,
      call,
      created_seq: createdSeq,
      decision_seq: decisionSeq,
      grant,
      issuers: [...issuers],
      uses_left: usesLeft,
    },
  }
}

/** The record that the time of a grant is up. */
export function grantExpireRecord(grant: string, expiresAtMs: number): RecordDraft {
  return { type: 'grant.expire', data: { expires_ms: expiresAtMs, grant } }
}
