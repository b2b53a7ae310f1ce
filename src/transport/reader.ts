import type { Readable } from 'node:stream'

import { LineSplitter } from './lines.ts'

/** What a `MessageReader` tells its owner. */
export interface ReaderEvents {
  onMessage(message: Uint8Array): void
  onOversize(limitBytes: number): void
  onOversizePart?(piece: Uint8Array | undefined): void
  /** Nothing more will be handed over. Called once. */
  onEnd(): void
}

/** Reads messages from a stream, one per line, and stops in the middle of a chunk when told to pause. */
export class MessageReader {
  readonly #input: Readable
  readonly #lines: LineSplitter
  readonly #events: ReaderEvents
  #paused = false
  #inputEnded = false
  #done = false

  constructor(input: Readable, maxMessageBytes: number, events: ReaderEvents) {
    this.#input = input
    this.#events = events
    this.#lines = new LineSplitter({
      maxLineBytes: maxMessageBytes,
      onLine: (line) => events.onMessage(line),
      onOversize: (limitBytes) => events.onOversize(limitBytes),
      onOversizePart: (piece) => events.onOversizePart?.(piece),
    })
    input.on('data', (chunk: Buffer) => {
      this.#lines.push(chunk)
      // Node itself resumes the output of a child that has exited; whoever else holds it must not fill our memory.
      if (this.#paused) input.pause()
    })
    // A reset connection says the same as an orderly end: nothing more will come.
    for (const event of ['end', 'close', 'error'] as const) {
      input.on(event, () => this.#endOfInput())
    }
  }

  /** True once `onEnd` was called. */
  get done(): boolean {
    return this.#done
  }

  get paused(): boolean {
    return this.#paused
  }

  pause(): void {
    this.#paused = true
    this.#lines.pause()
    this.#input.pause()
  }

  resume(): void {
    if (!this.#paused || this.#done) return
    this.#paused = false
    this.#lines.resume()
    // A receiver may have paused again while it got the messages that were left over.
    if (this.#isPaused()) return
    if (this.#inputEnded) this.#finish()
    else this.#input.resume()
  }

  /** Gives up on the rest of the stream: no message after this. */
  abandon(): void {
    this.#finish()
    this.#input.destroy()
  }

  #endOfInput(): void {
    this.#inputEnded = true
    // The end may be announced while messages of the last chunk wait for `resume`.
    if (!this.#lines.waiting) this.#finish()
  }

  #finish(): void {
    if (this.#done) return
    this.#done = true
    this.#lines.pause()
    this.#lines.end()
    this.#events.onEnd()
  }

  #isPaused(): boolean {
    return this.#paused
  }
}
