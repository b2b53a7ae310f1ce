import { limits } from '../limits.ts'
import { AsciiWindow } from './ascii-window.ts'
import { Decimal } from './decimal.ts'
import { unescapeString } from './decode.ts'
import { KeyFolder, KeyGuard } from './key-guard.ts'
import { JsonError, excerpt } from './json-error.ts'
import { nameAt } from './names.ts'
import type { MemberSpan, SpanNode, Wanted } from './span.ts'
import { TokenReader, byteOf, startsNumber } from './token.ts'
import { wideRunEnd } from './utf8.ts'
import type { JsonArray, JsonObject, JsonValue } from './value.ts'

/** What the strict scanner makes of a text: its value, and where the wanted members stand. */
export interface StrictScan {
  readonly value: JsonValue
  readonly root: SpanNode
}

/**
 * Reads a JSON text that every parser reads alike, or refuses it (THREATS B2, B4, B21, B31, B32).
 *
 * Refused beyond RFC 8259: invalid UTF-8, a byte order mark, lone surrogates, keys of one object that are equal or
 * that a lenient reader takes for equal, `__proto__`, and more depth or members than `limits` allow. The value is built
 * in the same pass, so what is judged cannot differ from what was checked. Time and memory are linear in the text.
 *
 * @throws JsonError `JSON_INVALID`
 */
export function scanStrict(bytes: Uint8Array, want: Wanted): StrictScan {
  return new StrictScanner(bytes).scan(want)
}

/** Where the wanted members of the object that is being read are put down. */
interface Recording {
  readonly want: Wanted
  readonly members: MemberSpan[]
}

/**
 * So many objects of a message have a shape: their members are read and listed twice as fast. Others keep their members
 * in a table, because a caller who invents names makes a new shape for each, which is dearer than the table.
 */
const maxShapedObjects = 16

class StrictScanner {
  readonly #reader: TokenReader
  readonly #ascii: AsciiWindow
  readonly #folder = new KeyFolder()
  #at = 0
  #memberCount = 0
  #objectCount = 0

  constructor(bytes: Uint8Array) {
    this.#reader = new TokenReader(bytes, 'special_or_wide')
    this.#ascii = new AsciiWindow(this.#reader.bytes)
  }

  scan(want: Wanted): StrictScan {
    this.#refuseByteOrderMark()
    this.#skipSpace()
    const start = this.#at
    const members: MemberSpan[] = []
    const value = this.#value(0, { want, members })
    const end = this.#at
    this.#skipSpace()
    if (this.#at === this.#reader.length) return { value, root: { start, end, members } }
    throw new JsonError('trailing_bytes', this.#at, 'bytes after the value')
  }

  #refuseByteOrderMark(): void {
    const { bytes } = this.#reader
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
      throw new JsonError('byte_order_mark', 0, 'byte order mark')
    }
  }

  /** Reads a value that stands inside `depth` objects and arrays. */
  #value(depth: number, recording?: Recording): JsonValue {
    const byte = this.#reader.byteAt(this.#at)
    if (byte === byteOf.quote) return this.#string('value')
    if (byte === byteOf.openBrace) return this.#object(depth + 1, recording)
    if (byte === byteOf.openBracket) return this.#array(depth + 1)
    return startsNumber(byte) ? this.#number() : this.#literal(byte)
  }

  #literal(letter: number): boolean | null {
    this.#at = this.#reader.literalEnd(this.#at)
    return letter === byteOf.letterN ? null : letter === byteOf.letterT
  }

  #number(): Decimal {
    const start = this.#at
    this.#at = this.#reader.numberEnd(start)
    return new Decimal(this.#ascii.piece(start, this.#at))
  }

  #array(depth: number): JsonArray {
    this.#enter(depth)
    const array: JsonValue[] = []
    if (this.#skips(byteOf.closeBracket)) return array
    do {
      this.#countMember()
      array.push(this.#value(depth))
    } while (this.#goesOn(byteOf.closeBracket))
    return array
  }

  #object(depth: number, recording: Recording | undefined): JsonObject {
    this.#enter(depth)
    const object = this.#newObject()
    if (this.#skips(byteOf.closeBrace)) return object
    const guard = new KeyGuard(object, this.#folder)
    do {
      this.#countMember()
      const name = this.#key(guard)
      object[name] = this.#memberValue(name, depth, recording)
    } while (this.#goesOn(byteOf.closeBrace))
    return object
  }

  /** Without a prototype; the first ones with a shape that V8 shares among objects of the same members. */
  #newObject(): Record<string, JsonValue> {
    this.#objectCount++
    if (this.#objectCount > maxShapedObjects) return { __proto__: null }
    const object: Record<string, JsonValue> = {}
    Object.setPrototypeOf(object, null)
    return object
  }

  #key(guard: KeyGuard): string {
    const start = this.#at
    if (this.#reader.byteAt(start) !== byteOf.quote) throw this.#reader.unexpected(start)
    const name = this.#string('name')
    const refusal = guard.refusal(name)
    if (refusal !== undefined) throw new JsonError(refusal, start, `key ${excerpt(name)}`)
    this.#skipSpace()
    if (!this.#skips(byteOf.colon)) throw this.#reader.unexpected(this.#at)
    return name
  }

  #memberValue(name: string, depth: number, recording: Recording | undefined): JsonValue {
    const want = recording?.want.get(name)
    if (recording === undefined || want === undefined) return this.#value(depth)
    const start = this.#at
    const members: MemberSpan[] = []
    const value = this.#value(depth, { want, members })
    recording.members.push({ name, start, end: this.#at, members })
    return value
  }

  /** Goes past an opening brace or bracket. */
  #enter(depth: number): void {
    if (depth > limits.maxJsonDepth) {
      throw new JsonError('too_deep', this.#at, `more than ${limits.maxJsonDepth} levels`)
    }
    this.#at++
    this.#skipSpace()
  }

  /** After a value: goes past a comma and says so, or past `close`. */
  #goesOn(close: number): boolean {
    this.#skipSpace()
    if (this.#skips(byteOf.comma)) return true
    if (this.#skips(close)) return false
    throw this.#reader.unexpected(this.#at)
  }

  /** Goes past this byte, and white space after it, if it is the next one. */
  #skips(byte: number): boolean {
    if (this.#reader.byteAt(this.#at) !== byte) return false
    this.#at++
    if (byte === byteOf.comma || byte === byteOf.colon) this.#skipSpace()
    return true
  }

  #skipSpace(): void {
    this.#at = this.#reader.spaceEnd(this.#at)
  }

  #countMember(): void {
    this.#memberCount++
    if (this.#memberCount > limits.maxJsonMembers) {
      throw new JsonError(
        'too_many_members',
        this.#at,
        `more than ${limits.maxJsonMembers} members`,
      )
    }
  }

  #string(role: 'name' | 'value'): string {
    const reader = this.#reader
    const open = this.#at
    const shortEscapesBefore = reader.shortEscapeCount
    let escaped = false
    let wide = false
    for (let at = open + 1; ;) {
      at = reader.runEnd(at)
      const byte = reader.byteAt(at)
      if (byte === byteOf.quote) {
        this.#at = at + 1
        break
      }
      if (byte === byteOf.backslash) {
        escaped = true
        at = this.#escapeEnd(at)
      } else if (byte >= 0x80) {
        wide = true
        at = this.#wideEnd(at)
      } else throw reader.badStringByte(at)
    }
    if (escaped || reader.shortEscapeCount > shortEscapesBefore) {
      return unescapeString(reader.bytes.subarray(open, this.#at))
    }
    if (wide) return reader.bytes.toString('utf8', open + 1, this.#at - 1)
    if (role === 'name') return nameAt(reader.bytes, this.#ascii, open + 1, this.#at - 1)
    return this.#ascii.piece(open + 1, this.#at - 1)
  }

  #wideEnd(from: number): number {
    const end = wideRunEnd(this.#reader.bytes, from)
    if (end < 0) throw new JsonError('invalid_utf8', ~end, 'invalid UTF-8')
    return end
  }

  /** As the reader's, but a surrogate must be half of a pair. */
  #escapeEnd(at: number): number {
    const reader = this.#reader
    const end = reader.escapeEnd(at)
    if (end === at + 2) return end
    const unit = reader.codeUnit(at)
    if (unit < 0xd800 || unit > 0xdfff) return end
    if (
      unit < 0xdc00 &&
      reader.byteAt(end) === byteOf.backslash &&
      reader.escapeEnd(end) === end + 6
    ) {
      const second = reader.codeUnit(end)
      if (second >= 0xdc00 && second <= 0xdfff) return end + 6
    }
    throw new JsonError('lone_surrogate', at, 'lone surrogate')
  }
}
