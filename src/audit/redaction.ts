import type { RecordDraft } from './record.ts'

/** What was erased, who wanted it and why. */
export interface RedactionFacts {
  /** The record whose disclosures are gone. */
  readonly seq: number
  /** Their digests, which that record lists and goes on to list. */
  readonly digests: readonly string[]
  readonly by: string
  readonly reason: string
}

/** The record that accounts for disclosures that are there no more. */
export function redactRecord({ by, digests, reason, seq }: RedactionFacts): RecordDraft {
  return { type: 'redact', data: { by, digests: [...digests], reason, seq } }
}
