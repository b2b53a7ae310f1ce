import type { Io } from './io.ts'
import { grouped } from './verify-text.ts'

/** Between two lines; a log that is verified sooner gets none. */
const everyMs = { terminal: 500, elsewhere: 5000 }

/** Says on the side of complaints how far a verification has come. */
export class VerifyProgress {
  readonly #io: Io
  readonly #startedMs: number
  #from: number | undefined
  #saidMs: number
  #said = false

  constructor(io: Io) {
    this.#io = io
    this.#startedMs = io.nowMs()
    this.#saidMs = this.#startedMs
  }

  note(verified: number, size: number): void {
    const nowMs = this.#io.nowMs()
    this.#from ??= verified
    const { isTerminal } = this.#io.err
    if (nowMs - this.#saidMs < (isTerminal ? everyMs.terminal : everyMs.elsewhere)) return
    this.#saidMs = nowMs
    this.#said = true
    const perSecond = ((verified - this.#from) / Math.max(1, nowMs - this.#startedMs)) * 1000
    const left = perSecond > 0 ? Math.ceil((size - verified) / perSecond) : 0
    const line = `${grouped(verified)} of ${grouped(size)} records, ${grouped(Math.round(perSecond))}/s, ${left} s left`
    // Nothing waits for it: whoever does not read it misses it.
    void this.#io.err.write(isTerminal ? `\r\u001B[K${line}` : `${line}\n`)
  }

  /** Takes the line away, so that the answer stands alone. */
  async end(): Promise<void> {
    if (this.#said && this.#io.err.isTerminal) await this.#io.err.write('\r\u001B[K')
  }
}
