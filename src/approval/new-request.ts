import { assert } from '../errors.ts'
import type { ApprovalRequest, ApprovalTerms, CallBinding } from './request.ts'

/** A request before the commit that stores it says when it was asked, and by which record. */
export interface RequestDraft {
  /** `apr_` and 26 characters (ULID). */
  readonly id: string
  /** Random, 128 bits, hex. */
  readonly nonce: string
  readonly binding: CallBinding
  /** `bindingDigest(binding)`. */
  readonly bindingDigest: string
  /** How long it waits for a person, milliseconds. */
  readonly timeoutMs: number
  readonly terms: ApprovalTerms
}

/** The decision that asks. */
export interface AskingDecision {
  readonly nowMs: number
  readonly seq: number
  readonly rules: readonly string[]
  readonly message: string | null
}

/** The request that a decision leaves for a person; it waits from the clock of its commit on. */
export function approvalRequest(draft: RequestDraft, asking: AskingDecision): ApprovalRequest {
  const { id, nonce, binding, bindingDigest, timeoutMs, terms } = draft
  assert(
    Number.isSafeInteger(timeoutMs) && timeoutMs > 0,
    'an approval waits for whole milliseconds',
  )
  return {
    id,
    nonce,
    bindingDigest,
    binding,
    state: 'pending',
    requestedAtMs: asking.nowMs,
    expiresAtMs: asking.nowMs + timeoutMs,
    decisionSeq: asking.seq,
    rules: asking.rules,
    message: asking.message,
    terms,
  }
}
