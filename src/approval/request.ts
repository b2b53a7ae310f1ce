import type { Capability } from '../event/capability.ts'

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

/** A question that waits for a person. */
export interface ApprovalRequest {
  /** `apr_` and 26 characters (ULID). */
  readonly id: string
  /** Random, 128 bits, hex: no two requests can be answered by one signature. */
  readonly nonce: string
  /** Hex SHA-256 over the canonical binding: equal calls have equal digests. */
  readonly bindingDigest: string
  readonly binding: CallBinding
  readonly state: 'pending' | 'expired'
  readonly requestedAtMs: number
  readonly expiresAtMs: number
  /** The decision record that asked. */
  readonly decisionSeq: number
  /** The rules that asked, by id. */
  readonly rules: readonly string[]
  readonly message: string | null
}
