/** The limit of a `LineSplitter`, and where its lines go. */
export interface LineSplitterOptions {
  /** The longest line that is handed over, bytes, without its line ending. */
  readonly maxLineBytes: number
  /** Whether empty lines are handed over too; they mean something in a stream of events. */
  readonly keepsEmpty?: boolean
  /** Gets every line once, in order, without its ending; the bytes are a copy that belongs to the receiver. */
  onLine(line: Uint8Array): void
  /** A line is over `limitBytes` and is dropped up to its end; called once per line, as soon as it is known. */
  onOversize(limitBytes: number): void
  /** The bytes of that line as they are dropped, from its start; undefined at its end. */
  onOversizePart?(piece: Uint8Array | undefined): void
}

const newline = 10
const carriageReturn = 13

/** Short pieces of an unfinished line are copied together into blocks of this size. */
const blockBytes = 65_536
/** Pieces of an unfinished line from this size on are kept as they are: one object for many bytes. */
const keptPieceBytes = 16_384
/** Below this size a loop finds the newline sooner than a native call does. */
const loopBytes = 24

/**
 * Cuts a stream of bytes into lines, in linear time whatever the sizes of the chunks.
 *
 * Every byte is looked at once and copied at most twice; nothing is concatenated before its line is complete. `\r\n`
 * ends a line like `\n`, empty lines are ignored unless they are asked for. A chunk belongs to the splitter once it was pushed.
 */
export class LineSplitter {
  readonly #options: LineSplitterOptions
  /** The bytes of the unfinished line are `#pieces`, then `#block` from `#blockStart` to `#blockEnd`. */
  #pieces: Uint8Array[] = []
  #block: Buffer | undefined
  #blockStart = 0
  #blockEnd = 0
  #heldBytes = 0
  #skipping = false
  #paused = false
  #splitting = false
  /** Chunks that arrived, or were left over, while paused. */
  #backlog: Uint8Array[] = []

  constructor(options: LineSplitterOptions) {
    this.#options = options
  }

  push(chunk: Uint8Array): void {
    this.#backlog.push(chunk)
    this.#splitBacklog()
  }

  /** Holds back the lines that were pushed already but not yet handed over, also in the middle of a chunk. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#splitBacklog()
  }

  /** True when pushed bytes wait for `resume`. */
  get waiting(): boolean {
    return this.#backlog.length > 0
  }

  /** Forgets everything held; a line without its newline is not a line and is dropped. */
  end(): void {
    this.#backlog = []
    this.#block = undefined
    this.#reset()
  }

  // A receiver may pause and resume from inside `onLine`: only the outermost call splits, so that the rest of a chunk
  // is never overtaken by the next one (THREATS B29).
  #splitBacklog(): void {
    if (this.#splitting) return
    this.#splitting = true
    try {
      for (let chunk = this.#next(); chunk !== undefined; chunk = this.#next()) this.#split(chunk)
    } finally {
      this.#splitting = false
    }
  }

  #next(): Uint8Array | undefined {
    return this.#paused ? undefined : this.#backlog.shift()
  }

  #split(chunk: Uint8Array): void {
    let start = 0
    for (let end = indexOfNewline(chunk, 0); end !== -1; end = indexOfNewline(chunk, start)) {
      if (end > start || this.#keepsEmpty || this.#inLine()) {
        this.#finishLine(chunk.subarray(start, end))
      }
      start = end + 1
      if (this.#paused) {
        if (start < chunk.length) this.#backlog.unshift(chunk.subarray(start))
        return
      }
    }
    if (start < chunk.length) this.#hold(start === 0 ? chunk : chunk.subarray(start))
  }

  get #keepsEmpty(): boolean {
    return this.#options.keepsEmpty === true
  }

  /** False between two lines, where a newline means nothing and must cost next to nothing. */
  #inLine(): boolean {
    return this.#heldBytes > 0 || this.#skipping
  }

  #hold(piece: Uint8Array): void {
    this.#heldBytes += piece.length
    if (this.#skipping) return this.#options.onOversizePart?.(piece)
    // One byte more than the limit may still turn out to be the `\r` of the line's ending.
    if (this.#heldBytes > this.#options.maxLineBytes + 1) this.#skip(piece)
    else if (piece.length < keptPieceBytes) this.#copyToBlock(piece)
    else this.#keep(piece)
  }

  #skip(last: Uint8Array): void {
    this.#sealBlock()
    const dropped = [...this.#pieces, last]
    this.#reset()
    this.#skipping = true
    this.#options.onOversize(this.#options.maxLineBytes)
    for (const piece of dropped) this.#options.onOversizePart?.(piece)
  }

  #copyToBlock(piece: Uint8Array): void {
    let block = this.#block
    if (block === undefined || this.#blockEnd + piece.length > blockBytes) {
      this.#sealBlock()
      block = Buffer.allocUnsafeSlow(blockBytes)
      this.#block = block
      this.#blockStart = 0
      this.#blockEnd = 0
    }
    const only = piece[0]
    if (piece.length === 1 && only !== undefined) block[this.#blockEnd] = only
    else block.set(piece, this.#blockEnd)
    this.#blockEnd += piece.length
  }

  #keep(piece: Uint8Array): void {
    this.#sealBlock()
    // A small part must not keep a much larger chunk in memory.
    const pinsMuchMore = piece.buffer.byteLength > 4 * piece.length
    this.#pieces.push(pinsMuchMore ? Uint8Array.prototype.slice.call(piece) : piece)
  }

  /** Closes the part of the block that belongs before the next piece; the rest of the block stays in use. */
  #sealBlock(): void {
    if (this.#block === undefined || this.#blockStart === this.#blockEnd) return
    this.#pieces.push(this.#block.subarray(this.#blockStart, this.#blockEnd))
    this.#blockStart = this.#blockEnd
  }

  #finishLine(last: Uint8Array): void {
    if (this.#skipping) {
      this.#reset()
      this.#options.onOversizePart?.(last)
      return this.#options.onOversizePart?.(undefined)
    }
    const line = withoutCarriageReturn(this.#heldBytes === 0 ? copy(last) : this.#join(last))
    this.#reset()
    if (line.length > this.#options.maxLineBytes) {
      this.#options.onOversize(this.#options.maxLineBytes)
      this.#options.onOversizePart?.(line)
      this.#options.onOversizePart?.(undefined)
    } else if (line.length > 0 || this.#keepsEmpty) this.#options.onLine(line)
  }

  #join(last: Uint8Array): Buffer {
    this.#sealBlock()
    this.#pieces.push(last)
    return Buffer.concat(this.#pieces, this.#heldBytes + last.length)
  }

  #reset(): void {
    this.#skipping = false
    this.#heldBytes = 0
    this.#blockStart = 0
    this.#blockEnd = 0
    if (this.#pieces.length > 0) this.#pieces = []
  }
}

function indexOfNewline(chunk: Uint8Array, start: number): number {
  if (chunk.length - start > loopBytes) return chunk.indexOf(newline, start)
  for (let index = start; index < chunk.length; index += 1) {
    if (chunk[index] === newline) return index
  }
  return -1
}

/** A copy, so that a line of a few bytes does not keep its whole chunk in memory for as long as it lives. */
function copy(piece: Uint8Array): Buffer {
  const own = Buffer.allocUnsafe(piece.length)
  own.set(piece)
  return own
}

function withoutCarriageReturn(line: Buffer): Buffer {
  return line.at(-1) === carriageReturn ? line.subarray(0, -1) : line
}
