import type { RuleSource } from './rule.ts'

/** What must never become of the calls of an invariant; `allow` leaves no way, not even by approval. */
export type Forbidden = 'allow' | 'allow_without_approval'

/** All of them, the milder one last. */
export const forbidden: readonly Forbidden[] = ['allow', 'allow_without_approval']

/** Something that has to hold for a policy, whatever its rules are. */
export interface InvariantSource {
  readonly never: Forbidden
  /** The calls it is about, as a guard of them would be read: those it may be about are among them. */
  readonly calls: RuleSource
}
