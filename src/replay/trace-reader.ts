import { Sha256 } from '../crypto/sha256.ts'
import { CapFenceError } from '../errors.ts'
import { scanStrict, wanted } from '../json/scan.ts'
import type { JsonObject } from '../json/value.ts'
import { isJsonObject } from '../json/value.ts'
import { limits } from '../limits.ts'
import { badLine, LineFields } from './line-fields.ts'
import type { McpReading } from './mcp-lines.ts'
import { isMcpLine, McpLines } from './mcp-lines.ts'
import { isOriginalHeader, OriginalLines } from './original-lines.ts'
import { ownEntry } from './own-lines.ts'
import type { TraceEntry, TraceHeader } from './trace.ts'

/** The version of the format that this reads and writes. */
export const traceFormat = 'capfence-trace/1'

/** What a reader has to be told that a trace does not say. */
export interface TraceReading {
  /** Who calls what, in a log of MCP messages; without it such a log is refused. */
  readonly mcp?: McpReading | undefined
}

/** Reads the lines of one format, once the first of them has shown which it is. */
export interface LineReader {
  /** The entries of a line, in order; most lines give one. */
  entries(object: JsonObject, line: number): readonly TraceEntry[]
  /** Checks what can be checked at the end only. */
  end(): void
}

/**
 * Reads a trace piece by piece: one of CapFence, one of the original CapFence, or a log of MCP messages.
 *
 * The first entry is the header. It is strict: a line that is not exactly what it should be ends the reading, and so does
 * a checksum that is not that of the bytes, which can be known at the end only: nothing that was read counts before
 * `end` has returned.
 *
 * @throws CapFenceError `TRACE_INVALID`, with the number of the line
 */
export class TraceReader {
  readonly #reading: TraceReading
  readonly #sha256 = new Sha256()
  /** The beginning of a line whose end has not come yet. */
  readonly #pieces: Uint8Array[] = []
  #pending = 0
  #line = 0
  #own: OwnHeader | undefined
  #reader: LineReader | undefined
  #isList = false

  constructor(reading: TraceReading = {}) {
    this.#reading = reading
  }

  /** How many lines were read. */
  get lines(): number {
    return this.#line
  }

  /** The entries that end in the next bytes. */
  *push(chunk: Uint8Array): Generator<TraceEntry, void, undefined> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    if (this.#line === 0 && this.#pending === 0) this.#isList = firstByte(bytes) === openBracket
    let from = 0
    while (!this.#isList) {
      const end = bytes.indexOf(lineFeed, from)
      if (end === -1) break
      const line = this.#joined(bytes.subarray(from, end + 1))
      from = end + 1
      yield* this.#entries(line)
    }
    this.#keep(bytes.subarray(from))
  }

  /** The entries of what is left, and the check of the whole. */
  *end(): Generator<TraceEntry, void, undefined> {
    const rest = this.#joined(Buffer.alloc(0))
    if (this.#isList) yield* this.#listed(rest)
    else if (rest.length > 0) {
      if (this.#own !== undefined) throw this.#torn()
      yield* this.#entries(rest)
    }
    if (this.#reader === undefined) throw new CapFenceError('TRACE_INVALID', 'the trace is empty')
    this.#reader.end()
    if (this.#own !== undefined) this.#checkWhole(this.#own)
  }

  #joined(last: Buffer): Buffer {
    if (this.#pending === 0) return this.#bounded(last)
    const joined = Buffer.concat([...this.#pieces, last])
    this.#pieces.length = 0
    this.#pending = 0
    return this.#bounded(joined)
  }

  #bounded(line: Buffer): Buffer {
    if (line.length > limits.maxTraceLineBytes) throw this.#tooLong()
    return line
  }

  #keep(rest: Buffer): void {
    if (rest.length === 0) return
    this.#pending += rest.length
    if (this.#pending > limits.maxTraceLineBytes) throw this.#tooLong()
    // Whoever gives the bytes may use their place again.
    this.#pieces.push(Buffer.from(rest))
  }

  #entries(bytes: Buffer): readonly TraceEntry[] {
    this.#line += 1
    if (this.#line > limits.maxTraceLines) {
      throw new CapFenceError(
        'TRACE_INVALID',
        `the trace has more than ${limits.maxTraceLines} lines`,
      )
    }
    return this.#numbered(() => {
      const { value } = scanStrict(bytes, wantNothing)
      if (!isJsonObject(value)) throw badLine('is no JSON object')
      if (this.#line === 1) return this.#begun(value, bytes)
      if (this.#own !== undefined) this.#sha256.update(bytes)
      return this.#reader?.entries(value, this.#line) ?? []
    })
  }

  /** Whatever is wrong with a line is said with its number. */
  #numbered(read: () => readonly TraceEntry[]): readonly TraceEntry[] {
    try {
      return read()
    } catch (cause) {
      if (!(cause instanceof CapFenceError)) throw cause
      const place = `${this.#isList ? 'item' : 'line'} ${this.#line}`
      throw new CapFenceError('TRACE_INVALID', `${place}: ${cause.message}`, {
        ...(cause.hint === undefined ? {} : { hint: cause.hint }),
        cause,
      })
    }
  }

  #begun(first: JsonObject, bytes: Buffer): readonly TraceEntry[] {
    if (first['format'] !== undefined) {
      const header = ownHeader(first)
      this.#own = header
      this.#sha256.update(withoutChecksum(bytes, header.checksum))
      this.#reader = ownLines(header)
      return [header.entry]
    }
    if (isOriginalHeader(first)) {
      this.#reader = new OriginalLines()
      return this.#reader.entries(first, this.#line)
    }
    if (!isMcpLine(first)) {
      throw badLine('this is no trace', `the first line of one says \`"format":"${traceFormat}"\``)
    }
    const { mcp } = this.#reading
    if (mcp === undefined) {
      throw badLine(
        'this is a log of MCP messages, which does not say whose calls it holds',
        'name the server, or a configuration',
      )
    }
    this.#reader = new McpLines(mcp)
    return this.#reader.entries(first, this.#line)
  }

  /** The original CapFence also wrote all of it as one list. */
  *#listed(bytes: Buffer): Generator<TraceEntry, void, undefined> {
    const { value } = scanStrict(bytes, wantNothing)
    for (const item of Array.isArray(value) ? value : []) {
      this.#line += 1
      yield* this.#numbered(() => {
        if (!isJsonObject(item)) throw badLine('is no JSON object')
        if (this.#line === 1 && !isOriginalHeader(item)) {
          throw badLine('a list is a trace of the original CapFence, and begins with its header')
        }
        this.#reader ??= new OriginalLines()
        return this.#reader.entries(item, this.#line)
      })
    }
  }

  #checkWhole({ lines, checksum }: OwnHeader): void {
    const behind = this.#line - 1
    if (behind !== lines) {
      throw new CapFenceError(
        'TRACE_INVALID',
        `the trace has ${behind} lines behind its header, which says ${lines}`,
        { hint: 'it was cut, or lines were added' },
      )
    }
    if (this.#sha256.hex() !== checksum) {
      throw new CapFenceError('TRACE_INVALID', 'the trace is not what its checksum was made of', {
        hint: 'it was changed since it was written; export it again',
      })
    }
  }

  #torn(): CapFenceError {
    return new CapFenceError('TRACE_INVALID', `line ${this.#line + 1}: it has no end`, {
      hint: 'the trace was cut; export it again',
    })
  }

  #tooLong(): CapFenceError {
    const place = this.#isList ? 'a list' : `line ${this.#line + 1}`
    return new CapFenceError(
      'TRACE_INVALID',
      `${place}: longer than ${limits.maxTraceLineBytes} bytes`,
    )
  }
}

const wantNothing = wanted({})
const lineFeed = 0x0a
const openBracket = 0x5b

function firstByte(bytes: Buffer): number | undefined {
  return bytes.find((byte) => byte !== 0x20 && byte !== lineFeed && byte !== 0x0d && byte !== 0x09)
}

interface OwnHeader {
  readonly entry: TraceHeader
  readonly checksum: string
  /** Behind the header. */
  readonly lines: number
}

const headerFields: ReadonlySet<string> = new Set([
  'format',
  'checksum',
  'source',
  'log',
  'complete',
  'policies',
  'calls',
  'lines',
])

function ownHeader(object: JsonObject): OwnHeader {
  const { format } = object
  if (format !== traceFormat) {
    throw badLine(
      '`format` is none that this version reads',
      `this version reads \`${traceFormat}\``,
    )
  }
  const fields = new LineFields(object, headerFields)
  const policies = fields.texts('policies')
  if (policies.length > limits.maxTracePolicies) {
    throw badLine(`more than ${limits.maxTracePolicies} policies`)
  }
  return {
    checksum: fields.hash('checksum'),
    lines: fields.count('lines'),
    entry: {
      kind: 'header',
      source: fields.oneOf('source', ['log', 'mcp', 'original'] as const),
      log: fields.textOrNull('log'),
      isComplete: fields.flag('complete', false),
      policies,
      calls: fields.count('calls'),
      hasChecksum: true,
    },
  }
}

/** The checksum is that of the whole file in which zeros stand in its own place. */
function withoutChecksum(header: Buffer, checksum: string): Buffer {
  const at = header.indexOf(`"${checksum}"`)
  if (at === -1) throw badLine('`checksum` is written with escapes')
  return Buffer.concat([
    header.subarray(0, at + 1),
    Buffer.alloc(checksum.length, '0'),
    header.subarray(at + 1 + checksum.length),
  ])
}

/** The places of lines are checked here, their fields where they are read. */
function ownLines({ entry }: OwnHeader): LineReader {
  let calls = 0
  let seq = -1
  return {
    entries: (object, line) => {
      const read = ownEntry(object, line)
      if (read.kind === 'call') {
        if (read.seq <= seq)
          throw badLine(`\`seq\` must be greater than ${seq}, that of the call before`)
        seq = read.seq
        calls += 1
      }
      return [read]
    },
    end: () => {
      if (calls === entry.calls) return
      throw new CapFenceError(
        'TRACE_INVALID',
        `the trace has ${calls} calls, and its header says ${entry.calls ?? 0}`,
      )
    },
  }
}
