import { Decimal } from '../json/decimal.ts'
import { countToReach, isAddable, sumOf } from '../json/decimal-sum.ts'
import type { Usage } from './state.ts'

/** A charge as a store keeps it. */
export interface StoredCharge {
  readonly atMs: number
  /** A plain decimal. */
  readonly amount: string
}

/**
 * Adds up the charges of a pot, exactly.
 *
 * @param charges oldest first
 * @returns undefined when one of them is no number: what is used cannot be known then
 */
export function usageOf(charges: readonly StoredCharge[]): Usage | undefined {
  return countOf(charges) ?? sumOfCharges(charges)
}

/** Small whole numbers, as of calls that are counted, need nothing exact but what every number is. */
function countOf(charges: readonly StoredCharge[]): Usage | undefined {
  let used = 0
  for (const { amount } of charges) {
    if (!smallNumber.test(amount)) return undefined
    used += Number(amount)
  }
  return {
    used: new Decimal(String(used)),
    reachedAtMs: (wanted) => sumOfCharges(charges)?.reachedAtMs(wanted),
  }
}

/** As many as are ever added up stay far below 2^53. */
const smallNumber = /^[0-9]{1,9}$/

function sumOfCharges(charges: readonly StoredCharge[]): Usage | undefined {
  const amounts: Decimal[] = []
  for (const { amount } of charges) {
    const number = Decimal.parsePlain(amount)
    if (number === undefined || !isAddable(number)) return undefined
    amounts.push(number)
  }
  return {
    used: sumOf(amounts),
    reachedAtMs: (wanted) => {
      const count = countToReach(amounts, wanted)
      return count === undefined ? undefined : charges[count - 1]?.atMs
    },
  }
}
