import type { Capability } from '../event/capability.ts'
import type { Presence } from '../policy/rule.ts'

/**
 * The exact call a person is asked about (DESIGN.md "Blocked and pending").
 *
 * A retry is the same call only if every field here is the same.
 */
export interface CallBinding {
  readonly actor: string
  readonly server: string | null
  readonly tool: string | null
  /** Hex SHA-256 of the canonical tool definition; null while the gate has seen none. */
  readonly definitionHash: string | null
  /** Hex HMAC-SHA-256 over the canonical arguments with exact decimals. */
  readonly argumentDigest: string
  readonly capability: Capability
  readonly environment: string | null
  /** Hex SHA-256 of the policy that asked. */
  readonly policyHash: string
  /** Set where the approval is bound to one session. */
  readonly session: string | null
}

/** What an approval must be like for a call to pass. */
export interface ApprovalTerms {
  readonly presence: Presence
  /** How many different approvers. */
  readonly quorum: number
  /** How many calls it may cover at most; null where that is for the approver to say. */
  readonly uses: number | null
}

/** Where a request is on its way; only `approved` lets calls pass, and only if the log says so too. */
export type ApprovalState = 'pending' | 'approved' | 'denied' | 'expired' | 'revoked' | 'used'

/** A question that waits for a person, or has its answer. */
export interface ApprovalRequest {
  /** `apr_` and 26 characters (ULID). */
  readonly id: string
  /** Random, 128 bits, hex: no two requests can be answered by one signature. */
  readonly nonce: string
  /** Hex SHA-256 over the canonical binding: equal calls have equal digests. */
  readonly bindingDigest: string
  readonly binding: CallBinding
  readonly state: ApprovalState
  readonly requestedAtMs: number
  readonly expiresAtMs: number
  /** The decision record that asked. */
  readonly decisionSeq: number
  /** The rules that asked, by id. */
  readonly rules: readonly string[]
  readonly message: string | null
  /** What the policy of then asked of the answer; for people. What counts is what it asks when the call is made. */
  readonly terms: ApprovalTerms
}
