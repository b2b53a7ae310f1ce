import { Decimal } from '../json/decimal.ts'
import { difference, isAddable, sumOf } from '../json/decimal-sum.ts'
import { limits } from '../limits.ts'
import { readingsOf } from './amount.ts'
import type { ContextField } from './condition.ts'
import type { Facts } from './facts.ts'
import type { Located } from './locate.ts'
import type { Pointer } from './pointer.ts'
import type { PotCharge } from './state.ts'

/** How much there may be within a time: calls, or the sum of an argument. */
export interface LimitTerms {
  /**
   * What tells it from all others, also after the policy was changed: its name, and what is added up where that is a part
   * of one rule. A limit that counts something else than before begins anew; with another `max` or `window` it goes on.
   */
  readonly identity: string
  /** For people. */
  readonly name: string
  readonly max: Decimal
  readonly windowMs: number
  /** Each of their values has a pot of its own. */
  readonly per: readonly ContextField[]
  /** The argument that is added up; every call counts as 1 when undefined. */
  readonly sum: Pointer | undefined
}

/** What a limit makes of one call; `unknown` when the call or the store cannot be read. */
export type Room =
  | { readonly kind: 'room' | 'unknown' }
  | { readonly kind: 'spent'; readonly spent: SpentLimit }

/** A limit that has no room for a call. */
export interface SpentLimit {
  readonly name: string
  readonly max: Decimal
  readonly used: Decimal
  readonly windowMs: number
  /** Whether it counts calls, and not the sum of an argument. */
  readonly countsCalls: boolean
  /** When there will be room for this call, if no other one is made; undefined when it never fits. */
  readonly roomAtMs: number | undefined
}

/** Looks how much room there is: everything is exact, and what cannot be read is no room. */
export function roomOf(terms: LimitTerms, facts: Facts): Room {
  const charge = chargeOf(terms, facts)
  if (charge === undefined) return { kind: 'unknown' }
  const usage = facts.usage(charge.pot, charge.windowMs)
  if (usage === undefined) return { kind: 'unknown' }
  const { name, max, windowMs, sum } = terms
  const wanted = sumOf([usage.used, charge.amount])
  if (wanted.compare(max) <= 0) return { kind: 'room' }
  const reachedAtMs = usage.reachedAtMs(difference(wanted, max))
  const roomAtMs = reachedAtMs === undefined ? undefined : reachedAtMs + windowMs
  const countsCalls = sum === undefined
  return { kind: 'spent', spent: { name, max, used: usage.used, windowMs, countsCalls, roomAtMs } }
}

/** What a call takes out of the pot of a limit; undefined when the call cannot be read. */
export function chargeOf(terms: LimitTerms, facts: Facts): PotCharge | undefined {
  const pot = potOf(terms, facts)
  const amount = terms.sum === undefined ? one : amountAt(facts.at(terms.sum))
  if (pot === undefined || amount === undefined) return undefined
  return { pot, amount, windowMs: terms.windowMs, shortestMs: terms.windowMs }
}

const one = new Decimal('1')

/** The key under which charges are kept: quoting keeps one part from running into the next. */
function potOf({ identity, per }: LimitTerms, facts: Facts): string | undefined {
  const values = per.map((field) => [field, facts.context(field)])
  if (values.some(([, value]) => value === undefined)) return undefined
  const pot = JSON.stringify([identity, ...values])
  return pot.length <= limits.maxPotCharacters ? pot : undefined
}

/** The sum of all that stands at a pointer; none when anything there may be another number to another reader. */
function amountAt(located: readonly Located[]): Decimal | undefined {
  if (located.length === 0) return undefined
  const numbers: Decimal[] = []
  for (const place of located) {
    if (place.kind !== 'found' || !place.exact) return undefined
    const readings = readingsOf(place.argument.value)
    const [first, second] = readings
    if (first === undefined) return undefined
    const greatest = second !== undefined && second.compare(first) > 0 ? second : first
    if (greatest.compare(zero) < 0 || !isAddable(greatest)) return undefined
    numbers.push(greatest)
  }
  const sum = sumOf(numbers)
  return isAddable(sum) ? sum : undefined
}

const zero = new Decimal('0')

/** One charge for each pot, the greatest: a call is charged to a pot once, however many entries of it match. */
export function mergeCharges(charges: readonly PotCharge[]): readonly PotCharge[] {
  const greatest = new Map<string, PotCharge>()
  for (const charge of charges) {
    const known = greatest.get(charge.pot)
    if (known === undefined) {
      greatest.set(charge.pot, charge)
      continue
    }
    const amount = charge.amount.compare(known.amount) > 0 ? charge.amount : known.amount
    // Two limits of one rule count the same charges, each over its own time.
    greatest.set(charge.pot, {
      ...known,
      amount,
      windowMs: Math.max(known.windowMs, charge.windowMs),
      shortestMs: Math.min(known.shortestMs, charge.shortestMs),
    })
  }
  return [...greatest.values()].filter(({ amount }) => amount.compare(zero) > 0)
}
