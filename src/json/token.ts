import { asBuffer } from './decode.ts'
import { JsonError } from './json-error.ts'

/** The bytes that mean something in the grammar. */
export const byteOf = {
  tab: 0x09,
  lineFeed: 0x0a,
  carriageReturn: 0x0d,
  space: 0x20,
  quote: 0x22,
  plus: 0x2b,
  comma: 0x2c,
  minus: 0x2d,
  point: 0x2e,
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  letterE: 0x65,
  letterN: 0x6e,
  letterT: 0x74,
  letterU: 0x75,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const

/** What a byte means inside a string. */
const inString = { plain: 0, escape: 1, stop: 2 } as const

/** The meaning of each byte inside a string; those outside ASCII are plain or, for a strict reader, to be looked at. */
function meanings(wide: number): Uint8Array {
  const table = new Uint8Array(256).fill(wide, 0x80)
  table.fill(inString.stop, 0, byteOf.space)
  table[byteOf.quote] = inString.stop
  table[byteOf.backslash] = inString.escape
  return table
}

const laxMeanings = meanings(inString.plain)
const strictMeanings = meanings(inString.stop)

/** 1 for each byte that makes an escape of two bytes with the backslash before it. */
const shortEscapes = new Uint8Array(256)
for (const letter of Buffer.from('"\\/bfnrt')) shortEscapes[letter] = 1

const literals: ReadonlyMap<number, Uint8Array> = new Map(
  ['true', 'false', 'null'].map((word) => [word.charCodeAt(0), Buffer.from(word)]),
)

/** How far into a string, or after an escape, one goes byte by byte before trying words: most runs are shorter. */
const shortRunBytes = 8

/** Which bytes inside a string need a look: those that end it or are special, and perhaps all outside ASCII. */
export type StringStops = 'special' | 'special_or_wide'

/**
 * The bytes of a JSON text and the tokens of its grammar (RFC 8259), as both scanners read them.
 *
 * Positions go in and come out as numbers; every method that is given a wrong text throws a JsonError.
 */
export class TokenReader {
  readonly bytes: Buffer
  readonly length: number
  /** How many escapes of two bytes the runs so far have had. */
  shortEscapeCount = 0
  readonly #meanings: Uint8Array
  /** All ones where bytes outside ASCII have to be looked at, else 0. */
  readonly #wide: number
  /** The bytes in words of four, from `#skew` on; made when the first long string is met. */
  #words: Int32Array | undefined
  readonly #skew: number

  constructor(bytes: Uint8Array, stops: StringStops) {
    this.bytes = asBuffer(bytes)
    this.length = bytes.length
    this.#meanings = stops === 'special_or_wide' ? strictMeanings : laxMeanings
    this.#wide = stops === 'special_or_wide' ? -1 : 0
    this.#skew = -bytes.byteOffset & 3
  }

  /** The byte at `at`, or -1 behind the end. */
  byteAt(at: number): number {
    return at < this.length ? (this.bytes[at] ?? -1) : -1
  }

  /** The first place from `from` on that holds no white space. */
  spaceEnd(from: number): number {
    const { bytes, length } = this
    for (let at = from; at < length; at++) {
      const byte = bytes[at] ?? 0
      if (byte > byteOf.space) return at
      if (
        byte !== byteOf.space &&
        byte !== byteOf.lineFeed &&
        byte !== byteOf.carriageReturn &&
        byte !== byteOf.tab
      )
        return at
    }
    return length
  }

  /**
   * The first place from `from` on, inside a string, that needs a look; the text's length when none does.
   *
   * That is the string's end, a `\u` or wrong escape, a control character and, for a strict reader, a byte outside
   * ASCII. Escapes of two bytes need none.
   */
  runEnd(from: number): number {
    const { bytes, length } = this
    const table = this.#meanings
    let at = from
    let shortEnd = Math.min(from + shortRunBytes, length)
    for (;;) {
      while (at < shortEnd) {
        const meaning = table[bytes[at] ?? 0]
        if (meaning === inString.plain) at++
        else if (meaning === inString.escape && shortEscapes[bytes[at + 1] ?? 0] === 1) {
          at += 2
          this.shortEscapeCount++
        } else return at
      }
      if (at >= length) return at
      at = this.#plainWordsEnd(at)
      shortEnd = Math.min(at + shortRunBytes, length)
    }
  }

  /**
   * Skips words of four bytes that hold nothing to look at; the bytes just before `from` are known to hold nothing.
   *
   * In a word w, `(w ^ 0x02..) - 0x21..` borrows into the high bit of each byte that is a quote or a control
   * character, `(w ^ 0x5c..) - 0x01..` of each backslash. A byte next to such a one may be reported by mistake, but
   * none is ever missed, and the bytes are looked at one by one afterwards.
   */
  #plainWordsEnd(from: number): number {
    const words = (this.#words ??= this.#makeWords())
    const wide = this.#wide
    const count = words.length
    let word = (from - this.#skew) >> 2
    for (; word < count; word++) {
      const w = words[word] ?? 0
      const hit = ((w ^ 0x02020202) - 0x21212121) | ((w ^ 0x5c5c5c5c) - 0x01010101)
      if ((((hit & ~w) | (w & wide)) & 0x80808080) !== 0) break
    }
    return Math.max(from, word * 4 + this.#skew)
  }

  #makeWords(): Int32Array {
    const start = this.bytes.byteOffset + this.#skew
    return new Int32Array(this.bytes.buffer, start, (this.length - this.#skew) >> 2)
  }

  /** Where the escape ends whose backslash is at `at`. */
  escapeEnd(at: number): number {
    const letter = this.byteAt(at + 1)
    if (shortEscapes[letter] === 1) return at + 2
    if (letter !== byteOf.letterU) throw this.wrong(at + 1, 'bad_escape', 'bad escape')
    this.codeUnit(at)
    return at + 6
  }

  /** The code unit that the escape at `at` stands for, which is known to start with `\u`. */
  codeUnit(at: number): number {
    let unit = 0
    for (let k = at + 2; k < at + 6; k++) {
      const digit = hexDigit(this.byteAt(k))
      if (digit === -1) throw this.wrong(k, 'bad_escape', 'bad escape')
      unit = unit * 16 + digit
    }
    return unit
  }

  /** Where the number ends that starts at `from`. */
  numberEnd(from: number): number {
    let at = this.byteAt(from) === byteOf.minus ? from + 1 : from
    at = this.byteAt(at) === byteOf.zero ? at + 1 : this.#digitsEnd(at)
    if (this.byteAt(at) === byteOf.point) at = this.#digitsEnd(at + 1)
    if ((this.byteAt(at) | 0x20) !== byteOf.letterE) return at
    const sign = this.byteAt(at + 1)
    return this.#digitsEnd(sign === byteOf.plus || sign === byteOf.minus ? at + 2 : at + 1)
  }

  #digitsEnd(from: number): number {
    const { bytes, length } = this
    let at = from
    for (; at < length; at++) {
      const byte = bytes[at] ?? 0
      if (byte < byteOf.zero || byte > byteOf.nine) break
    }
    if (at === from) throw this.wrong(at, 'bad_number', 'bad number')
    return at
  }

  /** Where the `true`, `false` or `null` ends that starts at `from`. */
  literalEnd(from: number): number {
    const word = literals.get(this.byteAt(from))
    if (word === undefined) throw this.unexpected(from)
    for (let k = 1; k < word.length; k++) {
      if (this.byteAt(from + k) !== word[k]) throw this.unexpected(from + k)
    }
    return from + word.length
  }

  /** What to throw where a byte does not fit the grammar. */
  unexpected(at: number): JsonError {
    return this.wrong(at, 'syntax', 'unexpected byte')
  }

  /** What to throw for a wrong byte; where the text is over, that is what is wrong. */
  wrong(at: number, reason: 'syntax' | 'bad_escape' | 'bad_number', what: string): JsonError {
    if (at < this.length) return new JsonError(reason, at, what)
    return new JsonError('truncated', this.length, 'unexpected end')
  }

  /** What to throw for the byte that stopped a string, when it is neither its end nor an escape. */
  badStringByte(at: number): JsonError {
    if (at < this.length) return new JsonError('control_character', at, 'raw control character')
    return new JsonError('truncated', this.length, 'unexpected end')
  }
}

function hexDigit(byte: number): number {
  if (byte >= byteOf.zero && byte <= byteOf.nine) return byte - byteOf.zero
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** Whether a value that starts with this byte is a number, if it is one at all. */
export function startsNumber(byte: number): boolean {
  return byte === byteOf.minus || (byte >= byteOf.zero && byte <= byteOf.nine)
}
