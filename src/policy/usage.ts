import { Decimal } from '../json/decimal.ts'
import { isAddable, sumOf } from '../json/decimal-sum.ts'
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
  const amounts: Decimal[] = []
  for (const { amount } of charges) {
    const number = Decimal.parsePlain(amount)
    if (number === undefined || !isAddable(number)) return undefined
    amounts.push(number)
  }
  return {
    used: sumOf(amounts),
    reachedAtMs: (wanted) => {
      let reached = new Decimal('0')
      for (const [at, amount] of amounts.entries()) {
        reached = sumOf([reached, amount])
        if (reached.compare(wanted) >= 0) return charges[at]?.atMs
      }
      return undefined
    },
  }
}
