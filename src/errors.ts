/**
 * Every way in which the world, or the person at the keyboard, can fail CapFence.
 *
 * A closed union: callers switch on it, documentation lists it, and a new code is a deliberate change.
 */
export type ErrorCode =
  | 'ANCHOR_FAILED'
  | 'APPROVAL_NOT_FOUND'
  | 'APPROVAL_REFUSED'
  | 'AUDIT_CORRUPT'
  | 'AUDIT_UNAVAILABLE'
  | 'CALL_BLOCKED'
  | 'CLIENT_FILE'
  | 'CONFIG_INVALID'
  | 'CONFIG_NOT_FOUND'
  | 'EVENT_INVALID'
  | 'GRANT_INVALID'
  | 'GRANT_NOT_FOUND'
  | 'GRANT_REFUSED'
  | 'JSON_INVALID'
  | 'KEY_INVALID'
  | 'LOCK_INVALID'
  | 'LOCK_MISMATCH'
  | 'NOTE_INVALID'
  | 'POLICY_INVALID'
  | 'POLICY_NOT_FOUND'
  | 'PROOF_INVALID'
  | 'RECORD_INVALID'
  | 'SCAN_UNAVAILABLE'
  | 'SIGNATURE_INVALID'
  | 'TRACE_INVALID'
  | 'UPSTREAM_UNAVAILABLE'
  | 'USAGE'

/** What an error can say besides its text. */
export interface ErrorDetails {
  /** What the reader can do instead; printed on a line of its own. */
  readonly hint?: string
  /** The first error, kept. */
  readonly cause?: unknown
}

/** A failure that has a name, a text for people and, where there is one, a way out. */
export class CapFenceError extends Error {
  override readonly name = 'CapFenceError'
  readonly code: ErrorCode
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.hint = details.hint
  }
}

/**
 * States what the code itself guarantees; a failure is a bug, never bad input.
 *
 * @throws Error when `condition` is false; nobody handles it
 */
export function assert(condition: boolean, claim: string): asserts condition {
  if (!condition) throw new Error(`bug: it should hold that ${claim}`)
}
