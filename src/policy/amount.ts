import { Decimal } from '../json/decimal.ts'
import type { JsonValue } from '../json/value.ts'
import type { Truth } from './answer.ts'
import type { AmountCandidate } from './argument-walk.ts'
import type { Comparison } from './condition.ts'

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
 * The numbers that an amount may be; none when it cannot be read. A guard takes any of them, a grant needs all.
 *
 * An amount in cents may be meant by a threshold in cents or in whole units, so it is both.
 */
function numbersOf({ value, minor }: AmountCandidate): readonly Decimal[] {
  const readings = readingsOf(value)
  if (!minor) return readings
  if (readings.some(({ text }) => hasExponent(text))) return []
  return readings.flatMap((number) => [number, new Decimal(`${number.text}e-2`)])
}

/**
 * The number as it is written, and as a reader with doubles takes it where that is another one: to most servers
 * 999.99999999999999999 is 1000. None when such a reader finds infinity, or zero in what is not (THREATS B21).
 */
export function readingsOf(value: JsonValue): readonly Decimal[] {
  const number = typeof value === 'string' ? Decimal.parsePlain(value) : value
  if (!(number instanceof Decimal)) return []
  if (number.text.length <= exactCharacters && !hasExponent(number.text)) return [number]
  const rounded = number.toNumber()
  if (!Number.isFinite(rounded)) return []
  const asDouble = new Decimal(String(rounded))
  if (asDouble.compare(number) === 0) return [number]
  return rounded === 0 ? [] : [number, asDouble]
}

/**
 * Whether some reader takes the value for a number, however it is written: `$5`, `1 000`, `０x１０`, `Infinity`.
 *
 * Only a text without any digit is surely none. What is true or absent is no number either, though some make 1 of it.
 */
export function mayBeNumber(value: JsonValue): boolean {
  return value instanceof Decimal || (typeof value === 'string' && numeric.test(value))
}

const numeric = /[\p{N}∞]|^\W*(?:inf(?:inity)?|nan)\W*$/iu

/** Decimals of up to 15 digits are told apart by every reader with doubles. */
const exactCharacters = 15

function hasExponent(text: string): boolean {
  return /[eE]/.test(text)
}

/** Whether a number is one that every reader can hold; a threshold beyond is a mistake, and a rule that never holds. */
export function isInRange(number: Decimal): boolean {
  return readingsOf(number).length > 0
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

/** Whether an amount is on that side of a threshold. */
export function passes(amount: Decimal, comparison: Comparison, threshold: Decimal): boolean {
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
