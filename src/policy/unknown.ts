import { foldKey } from '../json/fold.ts'
import type { PolicyAnswer, Truth } from './answer.ts'
import type { Condition } from './condition.ts'
import type { Pointer } from './pointer.ts'
import type { RuleAccount } from './policy.ts'
import type { PolicyRule } from './rule.ts'
import { asksDisk, asksState, asksStore } from './state.ts'

/** The arguments of a call that nobody has kept. */
export interface MissingArguments {
  /** Whether an argument that is missing with its name could have this name; undefined when there is none such. */
  readonly mayBeNamed: ((name: string) => boolean) | undefined
  /** Where values are missing, as the names that lead there. */
  readonly places: readonly (readonly string[])[]
}

/**
 * What a policy asked for beside the call and nobody has kept: `store` what is remembered of earlier calls and where
 * paths lead; `clock` that and the time.
 */
export type Lost = 'nothing' | 'store' | 'clock'

/** A value, or that it depends on what is missing. */
export type KnownTruth = Truth | 'unknown'

/** What one rule makes of a call that is known in part. */
export interface PartialAccount {
  readonly rule: PolicyRule
  readonly value: KnownTruth
  readonly predicates: readonly { readonly predicate: string; readonly value: KnownTruth }[]
  /** Undefined when what is missing decides it. */
  readonly applies: boolean | undefined
}

/**
 * What an account of a call is worth when some of its arguments are missing.
 *
 * A predicate that could have looked at a missing value is unknown, whatever came of it without that value. What is
 * missing of earlier calls makes conditions indeterminate: one that is true or false without is so with it.
 */
export function partialAccount(
  account: RuleAccount,
  missing: MissingArguments,
  lost: Lost,
): PartialAccount {
  const { rule } = account
  const predicates = account.predicates.map(({ predicate, value }, index): Known => {
    const condition = account.conditions[index]
    const isUnknown =
      condition === undefined ||
      mayDependOn(condition, missing) ||
      (value === 'indeterminate' && asksLost(condition, lost))
    return { predicate, value: isUnknown ? 'unknown' : value }
  })
  if (predicates.every(({ value }) => value !== 'unknown')) return { ...account, predicates }
  // One that is false is enough, whatever the others would have been.
  return predicates.some(({ value }) => value === 'false')
    ? { rule, value: 'false', predicates, applies: false }
    : { rule, value: 'unknown', predicates, applies: undefined }
}

/**
 * The answer, or as much of it as does not depend on what is missing; undefined when not even the decision is known.
 *
 * Whatever else there is, a rule that denies for certain denies, and so does a risk that is denied.
 */
export function knownAnswer(
  answer: PolicyAnswer,
  accounts: readonly PartialAccount[],
): PolicyAnswer | undefined {
  if (accounts.every(({ applies }) => applies !== undefined)) return answer
  if (answer.decision === 'deny' && answer.reason === 'risk') return answer
  const certain = accounts.filter(({ rule, applies }) => applies === true && rule.effect === 'deny')
  if (certain.length === 0) return undefined
  const rules = answer.rules.filter(({ position }) =>
    certain.some(({ rule }) => rule.position === position),
  )
  const isRule = certain.some(({ value }) => value === 'true')
  return { decision: 'deny', reason: isRule ? 'rule' : 'indeterminate', rules }
}

type Known = PartialAccount['predicates'][number]

function asksLost(condition: Condition, lost: Lost): boolean {
  if (lost === 'nothing') return false
  const asks = lost === 'clock' ? asksState : asksStore
  return asks(condition) || asksDisk(condition)
}

/** Whether the value of a condition could be another one if the missing arguments were there. */
function mayDependOn(condition: Condition, missing: MissingArguments): boolean {
  if (condition.kind === 'limit') return mayLookAt(condition.terms.sum, missing)
  if (condition.kind === 'labels') return mayLookAt(condition.bind, missing)
  if (condition.kind === 'context' || condition.kind === 'time') return false
  if (condition.kind === 'not') return condition.conditions.some((one) => mayDependOn(one, missing))
  if (condition.kind === 'any') {
    return condition.branches.flat().some((one) => mayDependOn(one, missing))
  }
  if (condition.kind === 'argument') return mayLookAt(condition.pointer, missing)
  // What is not aimed looks everywhere.
  return missing.mayBeNamed !== undefined || missing.places.length > 0
}

function mayLookAt(pointer: Pointer | undefined, missing: MissingArguments): boolean {
  if (pointer === undefined) return false
  const [first] = pointer.tokens
  const isNameless = missing.mayBeNamed?.(first ?? '') ?? false
  if (isNameless || (first === undefined && missing.mayBeNamed !== undefined)) return true
  return missing.places.some((place) => meets(pointer, place))
}

/** Whether one of them leads to the other, or to a part of it; names as the most lenient server reads them. */
function meets({ tokens }: Pointer, place: readonly string[]): boolean {
  const shared = Math.min(tokens.length, place.length)
  for (let index = 0; index < shared; index += 1) {
    const [token, name] = [tokens[index], place[index]]
    if (token !== undefined && name !== undefined && foldKey(token) !== foldKey(name)) return false
  }
  return true
}
