import type { Decimal } from '../json/decimal.ts'
import type { Condition } from './condition.ts'

/**
 * What rules ask besides the call itself: the clock, and what the store remembers of earlier calls.
 *
 * It is asked inside the transaction that stores what was decided, so that nothing comes between look and reservation.
 * `undefined` means that it cannot be known; whoever has no store knows nothing but the time.
 */
export interface PolicyState {
  /** The clock of the gate, milliseconds since the epoch; recorded, so that replay gives the same answer. */
  readonly nowMs: number
  /** What has been charged to a pot after a time. */
  usage(pot: string, sinceMs: number): Usage | undefined
  /**
   * Whether the session has a label.
   *
   * @param bind the canonical JSON of the value that the label must be about; any value when undefined
   */
  label(name: string, bind: string | undefined): KnownLabel | undefined
  /** Where paths really lead; absent where that is not asked, so that they are compared as they are written. */
  readonly realPath?: RealPath | undefined
}

/**
 * Where a path, normalised, leads on the disk that gate and server share: an absolute one without links.
 *
 * Undefined where that cannot be known.
 */
export type RealPath = (path: string) => string | undefined

/** What a pot was charged with. */
export interface Usage {
  readonly used: Decimal
  /** When the charge was made with which, from the oldest one on, so much is reached; undefined when it never is. */
  reachedAtMs(amount: Decimal): number | undefined
}

/** How sure it is that a session has a label. */
export interface LabelState {
  /** A call was forwarded that adds it. */
  readonly held: boolean
  /** Such a call has also ended without an error. */
  readonly proven: boolean
}

/** The same where it may not be known whether a call ended without an error. */
export interface KnownLabel extends Pick<LabelState, 'held'> {
  readonly proven: boolean | undefined
}

/** What becomes of the store when a call is forwarded. */
export interface Consequences {
  /** At most one for each pot. */
  readonly charges: readonly PotCharge[]
  readonly labels: readonly AddedLabel[]
}

/** What a call takes out of a pot. */
export interface PotCharge {
  readonly pot: string
  /** Not negative, and it can be added. */
  readonly amount: Decimal
  /** How long it counts, for the limit that counts it longest. */
  readonly windowMs: number
  /** For the limit that counts it shortest. */
  readonly shortestMs: number
}

/** What a call does to its session. */
export interface AddedLabel {
  readonly label: string
  /** The canonical JSON of the value that it is about; empty when it is about any. */
  readonly bind: string
  /** How long the session has it; for good when undefined. */
  readonly ttlMs: number | undefined
  /** Whether it is proven once the call has ended without an error. */
  readonly proves: boolean
}

/** Whether the value of a condition depends on the clock or on the store. */
export function asksState(condition: Condition): boolean {
  switch (condition.kind) {
    case 'time':
    case 'limit':
    case 'labels':
      return true
    case 'not':
      return condition.conditions.some(asksState)
    case 'any':
      return condition.branches.flat().some(asksState)
    case 'context':
    case 'text':
    case 'pattern':
    case 'amount':
    case 'path':
    case 'table':
    case 'argument':
    case 'only':
      return false
  }
}

/** Whether the value of a condition depends on what the store remembers of earlier calls. */
export function asksStore(condition: Condition): boolean {
  return condition.kind !== 'time' && (innerOf(condition)?.some(asksStore) ?? asksState(condition))
}

/** Whether the value of a condition depends on where paths really lead, where that is known. */
export function asksDisk(condition: Condition): boolean {
  if (condition.kind === 'argument') {
    return condition.matchers.some(({ kind }) => kind === 'under' || kind === 'not_under')
  }
  return condition.kind === 'path' || (innerOf(condition)?.some(asksDisk) ?? false)
}

function innerOf(condition: Condition): readonly Condition[] | undefined {
  if (condition.kind === 'not') return condition.conditions
  return condition.kind === 'any' ? condition.branches.flat() : undefined
}

/** Where nothing but the time is known. */
export function clockAlone(nowMs: number): PolicyState {
  return { nowMs, usage: () => undefined, label: () => undefined }
}
