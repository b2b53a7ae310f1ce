import type { Writable } from 'node:stream'

/** What a `MessageWriter` tells its owner. */
export interface WriterEvents {
  /** Room again after `send` returned false. */
  onDrain(): void
  /** Nobody reads any more; what was queued is lost. Called once. */
  onBroken(): void
}

/** Up to this size copying the pieces into one buffer is faster than handing them over one by one (bench/framing.mjs). */
const joinedBytes = 1024

const newline = 10
const carriageReturn = 13
const space = 32
const newlineBytes = Buffer.of(newline)

/**
 * Writes messages to a stream, one per line.
 *
 * Large pieces are not copied: they must not be changed after `send`.
 */
export class MessageWriter {
  readonly #output: Writable
  readonly #events: WriterEvents
  #owesDrain = false
  #broken = false
  /** Those who wait in `flush`; a stream that is destroyed in the middle of a write never tells them. */
  readonly #flushing = new Set<(written: boolean) => void>()

  constructor(output: Writable, events: WriterEvents) {
    this.#output = output
    this.#events = events
    output.on('drain', () => this.#drain())
    // EPIPE and its like: the reader is gone. Without a listener the error would end this process.
    for (const event of ['error', 'close'] as const) output.on(event, () => this.#break())
  }

  /** True when nothing that is sent can arrive any more. */
  get broken(): boolean {
    return this.#broken
  }

  /** What is queued and not yet in the pipe, bytes. */
  get backlogBytes(): number {
    return this.#broken ? 0 : this.#output.writableLength
  }

  /** Queues one message; false when the reader does not keep up, and then `onDrain` follows, also if the stream breaks. */
  send(pieces: readonly Uint8Array[]): boolean {
    if (this.#broken) return true
    this.#write(pieces)
    // Not the answer of `write`: that says false for every large message, even for one that is already in the pipe.
    if (this.#output.writableLength < this.#output.writableHighWaterMark) return true
    this.#owesDrain = true
    return false
  }

  /** No more messages; the reader sees the end after what is queued. */
  end(): void {
    if (!this.#broken) this.#output.end()
  }

  /** Gives up on the reader: a drain that is owed is told now, and nothing else any more. */
  abandon(): void {
    this.#break()
    this.#output.destroy()
  }

  /** Resolves to true once everything queued so far is in the pipe, to false if it broke or `withinMs` passed first. */
  async flush(withinMs: number): Promise<boolean> {
    if (this.#broken) return false
    if (this.#output.writableLength === 0) return true
    return new Promise((resolve) => {
      const settle = (written: boolean): void => {
        clearTimeout(timer)
        this.#flushing.delete(settle)
        resolve(written)
      }
      const timer = setTimeout(settle, withinMs, false)
      this.#flushing.add(settle)
      // An empty write is done when everything before it is.
      this.#output.write('', (error) => settle(error === null || error === undefined))
    })
  }

  #write(pieces: readonly Uint8Array[]): void {
    const lines = pieces.map(onOneLine)
    const bytes = lines.reduce((sum, piece) => sum + piece.length, 1)
    if (bytes <= joinedBytes) {
      this.#output.write(joined(lines, bytes))
      return
    }
    this.#output.cork()
    for (const piece of lines) this.#output.write(piece)
    this.#output.write(newlineBytes)
    this.#output.uncork()
  }

  #drain(): void {
    if (!this.#owesDrain) return
    this.#owesDrain = false
    this.#events.onDrain()
  }

  #break(): void {
    if (this.#broken) return
    this.#broken = true
    this.#drain()
    for (const settle of this.#flushing) settle(false)
    this.#events.onBroken()
  }
}

/**
 * Part of a message without line ends, which stand for spaces in JSON wherever they may stand at all: a message that came
 * over HTTP may be written on several lines.
 */
export function onOneLine(piece: Uint8Array): Uint8Array {
  if (!piece.includes(newline) && !piece.includes(carriageReturn)) return piece
  const line = Uint8Array.from(piece)
  for (const end of [newline, carriageReturn]) {
    for (let at = line.indexOf(end); at !== -1; at = line.indexOf(end, at + 1)) line[at] = space
  }
  return line
}

function joined(pieces: readonly Uint8Array[], bytes: number): Buffer {
  const message = Buffer.allocUnsafe(bytes)
  let end = 0
  for (const piece of pieces) {
    message.set(piece, end)
    end += piece.length
  }
  message[end] = newline
  return message
}
