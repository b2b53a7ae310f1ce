import { limits } from '../limits.ts'
import { decodeString } from './decode.ts'
import { JsonError, excerpt } from './json-error.ts'
import type { MemberSpan, SpanNode, Wanted } from './span.ts'
import { TokenReader, byteOf, startsNumber } from './token.ts'

/**
 * Finds the wanted members in a text that `JSON.parse` accepts, and builds no value.
 *
 * Accepts what `JSON.parse` accepts of the decoded bytes, up to `limits.maxUpstreamJsonDepth` levels: duplicate keys,
 * lone surrogates and invalid UTF-8 inside strings pass. Only a wanted member that stands there more than
 * `limits.maxRecordedMembers` times does not. Time is linear in the text, memory in the depth.
 *
 * @throws JsonError `JSON_INVALID`
 */
export function scanLax(bytes: Uint8Array, want: Wanted): SpanNode {
  const { root, error } = scanLaxPart(bytes, want)
  if (error !== undefined) throw error
  return root
}

/** What was found of a text, whole or up to where it went wrong. */
export interface PartialScan {
  /** Where it went wrong, only members whose value had been read are here. */
  readonly root: SpanNode
  readonly error: JsonError | undefined
}

/** As `scanLax`, but hands over what it has when the text is no JSON. */
export function scanLaxPart(bytes: Uint8Array, want: Wanted): PartialScan {
  const scanner = new LaxScanner(bytes)
  const members: MemberSpan[] = []
  try {
    return { root: scanner.scan(want, members), error: undefined }
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    return { root: { start: 0, end: bytes.length, members }, error }
  }
}

class LaxScanner {
  readonly #reader: TokenReader
  #at = 0
  /** The objects (true) and arrays around the current value. */
  readonly #open: boolean[] = []

  constructor(bytes: Uint8Array) {
    this.#reader = new TokenReader(bytes, 'special')
  }

  scan(want: Wanted, members: MemberSpan[]): SpanNode {
    this.#skipSpace()
    const start = this.#at
    this.#value(want, members)
    const end = this.#at
    this.#skipSpace()
    if (this.#at === this.#reader.length) return { start, end, members }
    throw new JsonError('trailing_bytes', this.#at, 'bytes after the value')
  }

  /** Reads a value; of an object, member by member to find those that are wanted. */
  #value(want: Wanted, members: MemberSpan[]): void {
    if (this.#reader.byteAt(this.#at) !== byteOf.openBrace) {
      this.#skipValue()
      return
    }
    if (!this.#entersFilled(true)) return
    do this.#member(want, members)
    while (this.#goesOn())
  }

  #member(want: Wanted, members: MemberSpan[]): void {
    const keyStart = this.#at
    const keyEnd = this.#skipKey()
    const name = decodeString(this.#reader.bytes, { start: keyStart, end: keyEnd })
    const inner = want.get(name)
    if (inner === undefined) {
      this.#skipValue()
      return
    }
    // Names repeated without end would take more memory than the text.
    if (members.length === limits.maxRecordedMembers) {
      throw new JsonError('too_many_members', keyStart, `key ${excerpt(name)} once too often`)
    }
    const start = this.#at
    const innerMembers: MemberSpan[] = []
    this.#value(inner, innerMembers)
    members.push({ name, start, end: this.#at, members: innerMembers })
  }

  /** Goes past one value, however deep, without recursion. */
  #skipValue(): void {
    const outer = this.#open.length
    do {
      if (this.#entersNext()) continue
      // Something has ended: with it, perhaps, what is around it.
      while (this.#open.length > outer && !this.#goesOnInside());
    } while (this.#open.length > outer)
  }

  /** Goes past a scalar or an empty container, or into a filled one up to its first value, and says so. */
  #entersNext(): boolean {
    const byte = this.#reader.byteAt(this.#at)
    if (byte === byteOf.openBrace) {
      if (!this.#entersFilled(true)) return false
      this.#skipKey()
      return true
    }
    if (byte === byteOf.openBracket) return this.#entersFilled(false)
    if (byte === byteOf.quote) this.#skipString()
    else if (startsNumber(byte)) this.#at = this.#reader.numberEnd(this.#at)
    else this.#at = this.#reader.literalEnd(this.#at)
    return false
  }

  /** Goes past an opening brace or bracket and, if nothing is inside, past the closing one; says if there is. */
  #entersFilled(isObject: boolean): boolean {
    if (this.#open.length >= limits.maxUpstreamJsonDepth) {
      const what = `more than ${limits.maxUpstreamJsonDepth} levels`
      throw new JsonError('too_deep', this.#at, what)
    }
    this.#at++
    this.#skipSpace()
    if (this.#reader.byteAt(this.#at) === (isObject ? byteOf.closeBrace : byteOf.closeBracket)) {
      this.#at++
      return false
    }
    this.#open.push(isObject)
    return true
  }

  /** After a value inside a container: goes past a comma and says so, or past the closing brace or bracket. */
  #goesOn(): boolean {
    this.#skipSpace()
    const byte = this.#reader.byteAt(this.#at)
    const isObject = this.#open.at(-1) === true
    if (byte === byteOf.comma) {
      this.#at++
      this.#skipSpace()
      return true
    }
    if (byte !== (isObject ? byteOf.closeBrace : byteOf.closeBracket)) {
      throw this.#reader.unexpected(this.#at)
    }
    this.#at++
    this.#open.pop()
    return false
  }

  /** As `goesOn`, and in an object also past the next key. */
  #goesOnInside(): boolean {
    const isObject = this.#open.at(-1) === true
    if (!this.#goesOn()) return false
    if (isObject) this.#skipKey()
    return true
  }

  /** Goes past a key and its colon, up to the value; returns where the key ends. */
  #skipKey(): number {
    if (this.#reader.byteAt(this.#at) !== byteOf.quote) throw this.#reader.unexpected(this.#at)
    this.#skipString()
    const end = this.#at
    this.#skipSpace()
    if (this.#reader.byteAt(this.#at) !== byteOf.colon) throw this.#reader.unexpected(this.#at)
    this.#at++
    this.#skipSpace()
    return end
  }

  #skipString(): void {
    const reader = this.#reader
    for (let at = this.#at + 1; ;) {
      at = reader.runEnd(at)
      const byte = reader.byteAt(at)
      if (byte === byteOf.quote) {
        this.#at = at + 1
        return
      }
      if (byte !== byteOf.backslash) throw reader.badStringByte(at)
      at = reader.escapeEnd(at)
    }
  }

  #skipSpace(): void {
    this.#at = this.#reader.spaceEnd(this.#at)
  }
}
