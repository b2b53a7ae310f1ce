import type { KnownLabel, PolicyState, RealPath, Usage } from '../policy/state.ts'
import type { Pots } from './pots.ts'
import type { SessionLabels } from './session-labels.ts'
import type { Told } from './told-state.ts'
import { ToldState } from './told-state.ts'

/** What a replay knows of earlier calls. */
export interface Remembered {
  readonly pots: Pots
  /** Of charges before nothing is known; undefined where there were none. */
  readonly potsSinceMs: number | undefined
  readonly labels: SessionLabels
  /** Whether no session had labels before. */
  readonly hasAllLabels: boolean
}

/**
 * Tells a policy of the store what follows from the calls of the trace so far, as this policy has decided them.
 *
 * Where paths lead follows from no trace: it is what was found out when the call was recorded.
 */
export class ReplayedState implements PolicyState {
  readonly nowMs: number
  readonly realPath: RealPath | undefined
  readonly #remembered: Remembered
  readonly #subject: string
  readonly #told: ToldState
  #isIncomplete = false
  #hasAskedPots = false

  constructor(
    remembered: Remembered,
    about: { readonly nowMs: number; readonly subject: string; readonly told: Told },
  ) {
    this.nowMs = about.nowMs
    this.#remembered = remembered
    this.#subject = about.subject
    this.#told = new ToldState(about.told, about.nowMs)
    this.realPath = this.#told.realPath
  }

  /** Whether something was asked that cannot be known. */
  get isIncomplete(): boolean {
    return this.#isIncomplete || this.#told.isIncomplete
  }

  get hasAskedPots(): boolean {
    return this.#hasAskedPots
  }

  usage(pot: string, sinceMs: number): Usage | undefined {
    this.#hasAskedPots = true
    const { pots, potsSinceMs } = this.#remembered
    if (potsSinceMs !== undefined && sinceMs < potsSinceMs) return this.#unknown()
    return pots.usage(pot, sinceMs)
  }

  label(name: string, bind: string | undefined): KnownLabel | undefined {
    const { labels, hasAllLabels } = this.#remembered
    const found = labels.find(this.#subject, name, { bind, nowMs: this.nowMs })
    if (found === undefined) return this.#unknown()
    if (found.proven === undefined) this.#isIncomplete = true
    if (hasAllLabels || found.proven === true) return found
    // What was before may have given it, or proven it.
    this.#isIncomplete = true
    return found.held ? { held: true, proven: undefined } : undefined
  }

  #unknown(): undefined {
    this.#isIncomplete = true
  }
}
