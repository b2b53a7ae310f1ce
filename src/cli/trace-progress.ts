import type { Io } from './io.ts'
import { grouped } from './verify-text.ts'

/** Between two lines; a trace that is read sooner gets none. */
const everyMs = { terminal: 250, elsewhere: 5000 }
const barColumns = 24

/** Says on the side of complaints how far a trace was read. */
export class TraceProgress {
  readonly #io: Io
  readonly #startedMs: number
  #saidMs: number
  #said = false
  #size: number | undefined
  #bytes = 0

  constructor(io: Io) {
    this.#io = io
    this.#startedMs = io.nowMs()
    this.#saidMs = this.#startedMs
  }

  /** @param size bytes; undefined where nobody knows it */
  begin(size: number | undefined): void {
    this.#size = size
  }

  note(bytes: number, lines: number): void {
    this.#bytes += bytes
    const nowMs = this.#io.nowMs()
    const { isTerminal } = this.#io.err
    if (nowMs - this.#saidMs < (isTerminal ? everyMs.terminal : everyMs.elsewhere)) return
    this.#saidMs = nowMs
    this.#said = true
    const line = this.#line(lines, Math.max(1, nowMs - this.#startedMs))
    // Nothing waits for it: whoever does not read it misses it.
    void this.#io.err.write(isTerminal ? `\r\u001B[K${line}` : `${line}\n`)
  }

  /** Takes the bar away, so that the answer stands alone. */
  async end(): Promise<void> {
    if (this.#said && this.#io.err.isTerminal) await this.#io.err.write('\r\u001B[K')
  }

  #line(lines: number, elapsedMs: number): string {
    const speed = `${grouped(lines)} lines, ${grouped(Math.round((lines / elapsedMs) * 1000))}/s`
    const size = this.#size
    if (size === undefined || size === 0) return speed
    const part = Math.min(1, this.#bytes / size)
    const full = Math.floor(part * barColumns)
    const left = part === 0 ? 0 : Math.ceil((elapsedMs / part - elapsedMs) / 1000)
    const bar = `[${'#'.repeat(full)}${'-'.repeat(barColumns - full)}]`
    return `${bar} ${Math.floor(part * 100)} %, ${speed}, ${left} s left`
  }
}
