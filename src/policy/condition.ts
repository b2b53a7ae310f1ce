import type { Decimal } from '../json/decimal.ts'
import type { LimitTerms } from './limit.ts'
import type { Matcher } from './matchers/table.ts'
import type { Pointer } from './pointer.ts'
import type { TimeWindow } from './time-window.ts'

/** What the proxy knows about a call besides its arguments (POLICY.md 6). */
export type ContextField =
  | 'actor'
  | 'environment'
  | 'role'
  | 'tenant'
  | 'server'
  | 'tool'
  | 'session'
  | 'risk'

/** How an amount is compared with its threshold. */
export type Comparison = 'gt' | 'gte' | 'lt' | 'lte'

/**
 * What a rule asks of a call, as plain data: it is read from a file, compiled by `predicate.ts`, and analysed.
 *
 * A rule is the conjunction of its conditions; a list of texts inside one means any of them.
 */
export type Condition =
  | ContextCondition
  | TextCondition
  | PatternCondition
  | AmountCondition
  | PathCondition
  | TableCondition
  | ArgumentCondition
  | OnlyCondition
  | TimeCondition
  | LimitCondition
  | LabelsCondition
  | NotCondition
  | AnyCondition

/** What the proxy knows; each pattern may hold `*`. */
export interface ContextCondition {
  readonly kind: 'context'
  readonly field: ContextField
  readonly patterns: readonly string[]
}

/** A text anywhere in the arguments. */
export interface TextCondition {
  readonly kind: 'text'
  readonly needles: readonly string[]
}

/** A regular expression that a text of the arguments matches. */
export interface PatternCondition {
  readonly kind: 'pattern'
  readonly patterns: readonly string[]
}

/** The amounts of a call, found by their names. */
export interface AmountCondition {
  readonly kind: 'amount'
  readonly comparison: Comparison
  readonly threshold: Decimal
}

/** The paths of a call, found by their names or their look. */
export interface PathCondition {
  readonly kind: 'path'
  readonly prefixes: readonly string[]
}

/** The tables that a call names; each pattern may hold `*`. */
export interface TableCondition {
  readonly kind: 'table'
  readonly patterns: readonly string[]
}

/** The arguments at one pointer: each of them has to meet every matcher. */
export interface ArgumentCondition {
  readonly kind: 'argument'
  readonly pointer: Pointer
  /** At least one. */
  readonly matchers: readonly Matcher[]
}

/** The call has no arguments but those at these pointers, or below them; without pointers it has none at all. */
export interface OnlyCondition {
  readonly kind: 'only'
  readonly pointers: readonly Pointer[]
}

/** The time of the call is inside one of these windows; there is at least one. */
export interface TimeCondition {
  readonly kind: 'time'
  readonly windows: readonly TimeWindow[]
}

/**
 * What is left of a limit: a grant needs room for the call, and a guard applies when there is none.
 *
 * Only a rule itself has one, never what stands in `not` or `any`: every call that the rule is about is charged to it.
 */
export interface LimitCondition {
  readonly kind: 'limit'
  readonly terms: LimitTerms
}

/** What earlier calls have done to the session. */
export interface LabelsCondition {
  readonly kind: 'labels'
  /** The session has all of them. */
  readonly has: readonly string[]
  /** And none of these. */
  readonly not: readonly string[]
  /** The argument that labels with a value must be about. */
  readonly bind: Pointer | undefined
}

/** Not all of the conditions hold; there is at least one. */
export interface NotCondition {
  readonly kind: 'not'
  readonly conditions: readonly Condition[]
}

/** In one of the branches all conditions hold; there is at least one branch, and none is empty. */
export interface AnyCondition {
  readonly kind: 'any'
  readonly branches: readonly (readonly Condition[])[]
}
