import type { RiskLevel } from '../event/capability.ts'
import type { SpentLimit } from './limit.ts'
import type { Consequences } from './state.ts'

/** A predicate's value: what cannot be read is never guessed (POLICY.md 2). */
export type Truth = 'true' | 'false' | 'indeterminate'

/** What a rule does to a call it matches. */
export type Effect = 'deny' | 'require_approval' | 'allow'

/** Where something stands in a policy file; line and column count from 1. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** One predicate of a rule, and what it came to for this call. */
export interface PredicateValue {
  /** The predicate as the file writes it, such as `amount_gt: 1000`. */
  readonly predicate: string
  readonly value: Truth
}

/** A rule that took part in the answer. */
export interface DeterminingRule {
  /** The rule's `id`, or `<list>[<index>]` when it has none, such as `deny[0]`. */
  readonly id: string
  readonly effect: Effect
  readonly position: Position
  /** `true`, or `indeterminate` for a guard that could not be evaluated. */
  readonly value: Truth
  readonly predicates: readonly PredicateValue[]
  /** The policy author's words for the person or model that meets the rule. */
  readonly message?: string
}

/**
 * Why an answer is what it is; `indeterminate`: a guard could not be evaluated, so it applies; `limit`: one has no room
 * for the call; `default`: no rule allows it.
 */
export const answerReasons = ['rule', 'indeterminate', 'risk', 'limit', 'default'] as const

/** One of `answerReasons`. */
export type AnswerReason = (typeof answerReasons)[number]

/** What a policy says about one event; the same event and policy always give the same answer. */
export interface PolicyAnswer {
  readonly decision: Effect
  readonly reason: AnswerReason
  /**
   * The rules that decided, in the order of the file; empty for `default` and `risk`. For a denial with reason `limit`
   * they may be the rules that would allow the call if they had room.
   */
  readonly rules: readonly DeterminingRule[]
  /** How many more rules decided than `rules` names; absent when it names all. */
  readonly omittedRules?: number
  /** Set for reason `risk`; absent there when nobody stated a risk, so that it may be any. */
  readonly risk?: RiskLevel
  /** For reason `limit`: the limits without room, at least one. */
  readonly spent?: readonly SpentLimit[]
  /** For reason `limit`: when the call would not meet it, if no other one is made; absent when it always will. */
  readonly roomAtMs?: number
  /** What becomes of the store if the call is forwarded; absent when nothing does. */
  readonly consequences?: Consequences
}
