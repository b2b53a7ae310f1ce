import { limits } from '../limits.ts'
import { LineSplitter } from './lines.ts'

/** What an `EventReader` tells its owner. */
export interface EventReaderOptions {
  /** The longest data of one event, bytes. */
  readonly maxDataBytes: number
  /** The data of one event, its lines joined by newlines; the bytes belong to the receiver. */
  onData(data: Uint8Array): void
  /** From here on the stream can be taken up again after `id`; the empty id takes that back. */
  onId(id: string): void
  /** How long the server asks to wait before the stream is asked for again, milliseconds. */
  onRetry(ms: number): void
  /** An event is over a bound. It and everything after it is dropped; called once. */
  onOversize(): void
}

const carriageReturn = 13
const newline = 10
const space = 32
const colon = 58
/** `data: ` before the data itself. */
const fieldBytes = 6

/**
 * Reads a stream of server-sent events (HTML, section 9.2.6), in linear time and with a bound on each event.
 *
 * Only `data`, `id` and `retry` mean anything here. Events of another type are handed over too: what counts is whether
 * the data is a message. An event that the stream ends in is dropped, as the standard says.
 */
export class EventReader {
  readonly #options: EventReaderOptions
  readonly #lines: LineSplitter
  #data: Uint8Array[] = []
  #dataBytes = 0
  #id: string | undefined
  #isFirst = true
  #isAfterReturn = false
  #isOver = false

  constructor(options: EventReaderOptions) {
    this.#options = options
    this.#lines = new LineSplitter({
      maxLineBytes: options.maxDataBytes + fieldBytes,
      keepsEmpty: true,
      onLine: (line) => this.#line(line),
      onOversize: () => this.#giveUp(),
    })
  }

  push(chunk: Uint8Array): void {
    if (!this.#isOver && chunk.length > 0) this.#lines.push(this.#withNewlines(chunk))
  }

  /** Holds back what was pushed and not yet handed over. */
  pause(): void {
    this.#lines.pause()
  }

  resume(): void {
    this.#lines.resume()
  }

  /** True when pushed bytes wait for `resume`. */
  get waiting(): boolean {
    return this.#lines.waiting
  }

  /** A line ends with `\n`, `\r\n` or `\r`; here each becomes `\n`, also where the two stand in two chunks. */
  #withNewlines(chunk: Uint8Array): Uint8Array {
    const startsInPair = this.#isAfterReturn && chunk[0] === newline
    this.#isAfterReturn = chunk.at(-1) === carriageReturn
    const rest = startsInPair ? chunk.subarray(1) : chunk
    if (!rest.includes(carriageReturn)) return rest
    const written = Buffer.allocUnsafe(rest.length)
    let end = 0
    for (let index = 0; index < rest.length; index += 1) {
      const byte = rest[index] ?? 0
      if (byte === newline && rest[index - 1] === carriageReturn) continue
      written[end] = byte === carriageReturn ? newline : byte
      end += 1
    }
    return written.subarray(0, end)
  }

  #line(whole: Uint8Array): void {
    if (this.#isOver) return
    const line = this.#isFirst ? withoutMark(whole) : whole
    this.#isFirst = false
    if (line.length === 0) return this.#endOfEvent()
    const end = line.indexOf(colon)
    // A comment starts with a colon; servers send such to keep a connection open.
    if (end === 0) return
    const name = end === -1 ? line : line.subarray(0, end)
    const from = end === -1 ? line.length : end + (line[end + 1] === space ? 2 : 1)
    if (name.length <= 5) this.#field(Buffer.from(name).toString('latin1'), line.subarray(from))
  }

  #field(name: string, value: Uint8Array): void {
    if (name === 'data') return this.#addData(value)
    if (value.length > limits.maxEventIdBytes) return
    if (name === 'id' && !value.includes(0)) this.#id = Buffer.from(value).toString('utf8')
    if (name !== 'retry') return
    const text = Buffer.from(value).toString('latin1')
    if (/^\d{1,9}$/.test(text)) this.#options.onRetry(Number(text))
  }

  #addData(value: Uint8Array): void {
    const newlines = this.#data.length
    if (
      newlines >= limits.maxEventLines ||
      this.#dataBytes + value.length + newlines > this.#options.maxDataBytes
    ) {
      return this.#giveUp()
    }
    this.#data.push(value)
    this.#dataBytes += value.length
  }

  #endOfEvent(): void {
    const data = this.#data
    this.#data = []
    this.#dataBytes = 0
    // Told first: whoever takes the stream up again after this event must not get it twice.
    if (this.#id !== undefined) this.#options.onId(this.#id)
    this.#id = undefined
    const joined = data.length === 1 ? data[0] : joinLines(data)
    if (joined !== undefined && joined.length > 0) this.#options.onData(joined)
  }

  #giveUp(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#data = []
    this.#lines.end()
    this.#options.onOversize()
  }
}

function joinLines(lines: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    lines.flatMap((line, index) => (index === 0 ? [line] : [newlineBytes, line])),
  )
}

const newlineBytes = Buffer.of(newline)

/** A byte order mark at the beginning of the stream is no part of it. */
function withoutMark(line: Uint8Array): Uint8Array {
  return line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf ? line.subarray(3) : line
}
