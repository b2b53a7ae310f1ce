/** The clock and the pauses of a `RestartPolicy`; every pause has a sensible value of its own. */
export interface RestartOptions {
  /** A clock that never goes back, milliseconds. */
  now(): number
  /** The pause before the second restart in a row, milliseconds; it doubles from there. */
  readonly firstPauseMs?: number
  /** The longest pause, milliseconds. */
  readonly maxPauseMs?: number
  /** A server that ran this long was healthy: its next end counts as the first, milliseconds. */
  readonly healthyMs?: number
}

/**
 * Says when a server that ended may be started again.
 *
 * The first restart is free, since servers crash and most come back; one that ends again before it was healthy waits
 * longer each time, so that a broken one does not eat the machine. Starting is left to the owner, who starts lazily.
 */
export class RestartPolicy {
  readonly #now: () => number
  readonly #firstPauseMs: number
  readonly #maxPauseMs: number
  readonly #healthyMs: number
  #startedAtMs: number | undefined
  #notBeforeMs = -Infinity
  #endsInRow = 0

  constructor(options: RestartOptions) {
    this.#now = () => options.now()
    this.#firstPauseMs = options.firstPauseMs ?? 500
    this.#maxPauseMs = options.maxPauseMs ?? 30_000
    this.#healthyMs = options.healthyMs ?? 60_000
  }

  /** The server is being started now. */
  started(): void {
    this.#startedAtMs = this.#now()
  }

  /** The server ended, or could not be started. */
  ended(): void {
    const now = this.#now()
    const wasHealthy = this.#startedAtMs !== undefined && now - this.#startedAtMs >= this.#healthyMs
    this.#endsInRow = wasHealthy ? 1 : this.#endsInRow + 1
    this.#notBeforeMs = now + this.#pauseMs()
    this.#startedAtMs = undefined
  }

  /** How long to wait from now until the server may be started, milliseconds; 0 is now. */
  waitMs(): number {
    return Math.min(Math.max(0, this.#notBeforeMs - this.#now()), this.#maxPauseMs)
  }

  /** How often the server ended in a row without having been healthy. */
  get endsInRow(): number {
    return this.#endsInRow
  }

  #pauseMs(): number {
    if (this.#endsInRow <= 1) return 0
    return Math.min(this.#firstPauseMs * 2 ** (this.#endsInRow - 2), this.#maxPauseMs)
  }
}
