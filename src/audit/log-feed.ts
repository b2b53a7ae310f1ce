import type { LogVerifier, StoredCheckpoint } from './log-verifier.ts'
import type { ReadRow } from './read-row.ts'

/** Hands rows to a verifier, and between them the kept checkpoints, each at its size. */
export class LogFeed {
  readonly #verifier: LogVerifier
  readonly #checkpoints: Iterator<StoredCheckpoint>
  #next: StoredCheckpoint | undefined

  /** @param checkpoints those behind the place where the verifier begins, by their size */
  constructor(verifier: LogVerifier, checkpoints: Iterator<StoredCheckpoint>) {
    this.#verifier = verifier
    this.#checkpoints = checkpoints
    this.#next = this.#following()
  }

  /** @returns false once something is wrong */
  push(read: ReadRow): boolean {
    return this.#keep(this.#verifier.size) && this.#verifier.push(read)
  }

  /** After the last row: checkpoints that are still left are of a size that the log does not have. */
  end(): boolean {
    return this.#keep(Number.POSITIVE_INFINITY)
  }

  #keep(size: number): boolean {
    while (this.#next !== undefined && this.#next.size <= size) {
      if (!this.#verifier.checkpoint(this.#next)) return false
      this.#next = this.#following()
    }
    return true
  }

  #following(): StoredCheckpoint | undefined {
    const next = this.#checkpoints.next()
    return next.done === true ? undefined : next.value
  }
}
