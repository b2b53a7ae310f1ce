import { Decimal } from '../json/decimal.ts'
import type { JsonValue } from '../json/value.ts'
import type { Truth } from './answer.ts'
import type { AmountCandidate } from './argument-walk.ts'
import type { Comparison } from './rule.ts'

/** The amounts of one call: a threshold that all or any of them pass is passed by the least or the greatest. */
export interface AmountFacts {
  /** Whether some amount is no plain number. */
  readonly unreadable: boolean
  /** Absent when there is no readable amount. */
  readonly range: { readonly least: Decimal; readonly greatest: Decimal } | undefined
}

/** Reads the amounts of a call (POLICY.md 8). */
export function readAmounts(candidates: readonly AmountCandidate[]): AmountFacts {
  let unreadable = false
  let least: Decimal | undefined
  let greatest: Decimal | undefined
  for (const candidate of candidates) {
    const numbers = numbersOf(candidate)
    unreadable ||= numbers.length === 0
    for (const number of numbers) {
      if (least === undefined || number.compare(least) < 0) least = number
      if (greatest === undefined || number.compare(greatest) > 0) greatest = number
    }
  }
  const range = least === undefined || greatest === undefined ? undefined : { least, greatest }
  return { unreadable, range }
}

/**
 * The numbers that an amount may be; none when it cannot be read.
 *
 * An amount in cents may be meant by a threshold in cents or in whole units, so it is both: a guard takes either, a
 * grant needs both.
 */
function numbersOf({ value, minor }: AmountCandidate): readonly Decimal[] {
  const number = numberOf(value)
  if (number === undefined) return []
  if (!minor) return [number]
  return /[eE]/.test(number.text) ? [] : [number, new Decimal(`${number.text}e-2`)]
}

function numberOf(value: JsonValue): Decimal | undefined {
  if (value instanceof Decimal) return value
  return typeof value === 'string' ? Decimal.parsePlain(value) : undefined
}

/** Whether any amount passes the threshold; not known when one is unreadable, or when there is none. */
export function anyAmount(
  { unreadable, range }: AmountFacts,
  comparison: Comparison,
  threshold: Decimal,
): Truth {
  if (range === undefined) return 'indeterminate'
  const best = comparison === 'gt' || comparison === 'gte' ? range.greatest : range.least
  if (passes(best, comparison, threshold)) return 'true'
  return unreadable ? 'indeterminate' : 'false'
}

/** Whether there is an amount and every one passes the threshold. */
export function allAmounts(
  { unreadable, range }: AmountFacts,
  comparison: Comparison,
  threshold: Decimal,
): Truth {
  if (range === undefined) return 'indeterminate'
  const worst = comparison === 'gt' || comparison === 'gte' ? range.least : range.greatest
  if (!passes(worst, comparison, threshold)) return 'false'
  return unreadable ? 'indeterminate' : 'true'
}

function passes(amount: Decimal, comparison: Comparison, threshold: Decimal): boolean {
  const order = amount.compare(threshold)
  switch (comparison) {
    case 'gt':
      return order > 0
    case 'gte':
      return order >= 0
    case 'lt':
      return order < 0
    case 'lte':
      return order <= 0
  }
}
