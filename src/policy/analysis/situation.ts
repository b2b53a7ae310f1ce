import { Decimal } from '../../json/decimal.ts'
import type { PolicyState, Usage } from '../state.ts'

/** What the clock and the store may say when a call is made. */
export interface Situation {
  /** In words, as the end of a sentence. */
  readonly name: string
  readonly state: PolicyState
}

const unused: Usage = { used: new Decimal('0'), reachedAtMs: () => undefined }

function situation(name: string, time: string, hasLabels: boolean): Situation {
  const label = { held: hasLabels, proven: hasLabels }
  const state = { nowMs: Date.parse(time), usage: () => unused, label: () => label }
  return { name, state }
}

/**
 * Situations in which rules that ask for the time, for limits or for labels are tried: a few of very many, so that what
 * holds in one of them is shown, and what holds in none is not proven.
 */
export const situations: readonly Situation[] = [
  situation('in a new session on a Wednesday at 12:00 UTC', '2025-01-15T12:00:00Z', false),
  situation('in a new session on a Sunday at 02:00 UTC', '2025-01-19T02:00:00Z', false),
  situation(
    'in a session with every label on a Wednesday at 12:00 UTC',
    '2025-01-15T12:00:00Z',
    true,
  ),
  situation('in a session with every label on a Sunday at 02:00 UTC', '2025-01-19T02:00:00Z', true),
]
