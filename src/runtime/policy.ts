import type { ActionEvent } from '../event/action-event.ts'
import type { PolicyAnswer } from '../policy/answer.ts'
import type { LimitTerms } from '../policy/limit.ts'
import type { RuleAccount } from '../policy/policy.ts'
import type { PolicyRule } from '../policy/rule.ts'
import type { PolicyState } from '../policy/state.ts'

/** A file of a policy, as it was loaded. */
export interface PolicyFile {
  readonly path: string
  readonly bytes: Uint8Array
  /** Hex. */
  readonly sha256: string
}

/** What the runtime needs of a policy: an answer for every event, and to say which policy it was. */
export interface GoverningPolicy {
  /** Hex SHA-256; two policies with the same hash give the same answers to the same state. */
  readonly hash: string
  readonly ruleCount: number
  /** In the order of the files. */
  readonly rules: readonly PolicyRule[]
  readonly files: readonly PolicyFile[]
  /** How much there may be of what; for people. */
  readonly limits: readonly LimitTerms[]
  /** Whether the answer for an event may depend on the clock or the store. */
  asksState(event: ActionEvent): boolean
  /** Without a state everything that depends on one is indeterminate. */
  decide(event: ActionEvent, state?: PolicyState): PolicyAnswer
  /** What every rule whose capability fits makes of an event, in the order of the files. */
  explain(event: ActionEvent, state?: PolicyState): readonly RuleAccount[]
}
