import type { Effect, Position } from './answer.ts'
import type { CapabilityPattern } from './capability-pattern.ts'
import type { Condition } from './condition.ts'

/** The three lists of a policy; each is named after what its rules do. */
export const effects: readonly Effect[] = ['deny', 'require_approval', 'allow']

/** How sure the gate has to be that a person approves: anyone, a signing key, a passkey. */
export type Presence = 'any' | 'key' | 'passkey'

/** All of them, from the least to the most. */
export const presences: readonly Presence[] = ['any', 'key', 'passkey']

/** What a rule asks of the approval it requires. */
export interface ApprovalTerms {
  /** How long the request waits for its answer, seconds. */
  readonly timeoutSeconds?: number
  /** How many calls one approval covers. */
  readonly uses?: number
  readonly presence?: Presence
  /** How many different approvers; more than one have to sign with a key each. */
  readonly quorum?: number
}

/** A rule as people see it: for lists, explanations and requests for approval. */
export interface PolicyRule {
  /** The rule's `id`, or `<list>[<index>]`. */
  readonly id: string
  readonly effect: Effect
  /** The pattern as it is written, such as `filesystem.*.workspace`. */
  readonly capability: string
  readonly position: Position
  /** As the file writes them. */
  readonly predicates: readonly string[]
  readonly message?: string
  readonly description?: string
  readonly approval?: ApprovalTerms
}

/** A rule that was read and found right: what compiling it needs. */
export interface RuleSource {
  readonly rule: PolicyRule
  readonly pattern: CapabilityPattern
  /** One for each of the rule's `predicates`, in the same order. */
  readonly conditions: readonly Condition[]
}
