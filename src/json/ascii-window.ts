/** Longer pieces are decoded by themselves. */
const maxPieceBytes = 64

const windowBytes = 4096

/**
 * Decodes short pieces of ASCII that stand near each other.
 *
 * A call into the engine's decoder costs more than a short piece itself; so a window of the text is decoded at once,
 * and pieces are cut out of it. A piece that is kept keeps at most its window alive, not the message.
 */
export class AsciiWindow {
  readonly #bytes: Buffer
  #start = 0
  #end = 0
  #text = ''

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** The text from `start` to `end`, all of which is ASCII. */
  piece(start: number, end: number): string {
    if (end - start > maxPieceBytes) return this.#bytes.toString('latin1', start, end)
    if (start < this.#start || end > this.#end) this.#moveTo(start)
    return this.#text.slice(start - this.#start, end - this.#start)
  }

  #moveTo(start: number): void {
    this.#start = start
    this.#end = Math.min(start + windowBytes, this.#bytes.length)
    this.#text = this.#bytes.toString('latin1', this.#start, this.#end)
  }
}
