import type { Io } from './io.ts'

/** Between two changes of the bar; a scan that is done sooner gets none. */
const everyMs = 200
const barColumns = 30

/** Shows on a terminal how far a scan has come; elsewhere it says nothing. */
export class ScanProgress {
  readonly #io: Io
  #saidMs: number
  #said = false

  constructor(io: Io) {
    this.#io = io
    this.#saidMs = io.nowMs()
  }

  note(done: number, total: number): void {
    if (!this.#io.err.isTerminal) return
    const nowMs = this.#io.nowMs()
    if (nowMs - this.#saidMs < everyMs) return
    this.#saidMs = nowMs
    this.#said = true
    const full = Math.floor((done / Math.max(1, total)) * barColumns)
    const bar = `${'#'.repeat(full)}${'.'.repeat(barColumns - full)}`
    // Nothing waits for it: whoever does not read it misses it.
    void this.#io.err.write(`\r\u001B[K[${bar}] ${String(done)} of ${String(total)} files`)
  }

  /** Takes the bar away, so that the answer stands alone. */
  async end(): Promise<void> {
    if (this.#said) await this.#io.err.write('\r\u001B[K')
  }
}
