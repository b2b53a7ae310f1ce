import type { Condition } from './condition.ts'

/**
 * What rules ask besides the call itself: the clock, and what the store remembers of earlier calls.
 *
 * It is asked inside the transaction that stores what was decided, so that nothing comes between look and reservation.
 * Whoever has no store gives none, and then everything that depends on it is indeterminate.
 */
export interface PolicyState {
  /** The clock of the gate, milliseconds since the epoch; recorded, so that replay gives the same answer. */
  readonly nowMs: number
}

/** Whether the value of a condition depends on the clock or on the store. */
export function asksState(condition: Condition): boolean {
  switch (condition.kind) {
    case 'time':
      return true
    case 'not':
      return condition.conditions.some(asksState)
    case 'any':
      return condition.branches.flat().some(asksState)
    case 'context':
    case 'text':
    case 'amount':
    case 'path':
    case 'table':
    case 'argument':
      return false
  }
}
