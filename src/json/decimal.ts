import { compareIntegers } from './integer-text.ts'
import { normalOf, numberParts, textOf } from './number-text.ts'
import type { Normal } from './number-text.ts'

/**
 * An exact decimal number, as it was written.
 *
 * Every JSON number can be compared with every other, whatever its exponent: 1e99999999999999999999 is a number like
 * any, of which only the digits that are written take time and memory.
 */
export class Decimal {
  /** The number's text in the message, a JSON number (RFC 8259, section 6). */
  readonly text: string
  #normal: Normal | undefined

  /** For text that is known to be a JSON number; anything else goes through `parse`. */
  constructor(text: string) {
    this.text = text
  }

  /** The number that a JSON number's text stands for; undefined for any other text, such as `+1`, `.5` or `0x10`. */
  static parse(text: string): Decimal | undefined {
    return numberParts(text) === undefined ? undefined : new Decimal(text)
  }

  /**
   * The number in a text that every reader takes for the same one (POLICY.md 8).
   *
   * Digits, perhaps a minus sign before and a fraction behind; no exponent, separators, spaces or leading zeros.
   */
  static parsePlain(text: string): Decimal | undefined {
    const parts = numberParts(text)
    return parts === undefined || parts.exponent !== '' ? undefined : new Decimal(text)
  }

  /** Whether this number is smaller (-1) or larger (1) than the other, or equal (0): 1000 and 1e3 are, 0 and -0 too. */
  compare(other: Decimal): -1 | 0 | 1 {
    const short = compareDoubles(shortInteger(this.text), shortInteger(other.text))
    if (short !== undefined) return short
    const a = this.#normalise()
    const b = other.#normalise()
    if (a.sign !== b.sign) return a.sign < b.sign ? -1 : 1
    if (a.sign === 0) return 0
    const byMagnitude = compareIntegers(a.magnitude, b.magnitude)
    const bySize = byMagnitude === 0 ? compareDigits(a.digits, b.digits) : byMagnitude
    if (bySize === 0) return 0
    return bySize === a.sign ? 1 : -1
  }

  /** Whether it has no fraction, however it is written: 1.0 and 1e3 are integers. */
  get isInteger(): boolean {
    const { digits, magnitude } = this.#normalise()
    return compareIntegers(magnitude, String(digits.length)) >= 0
  }

  /** The nearest double, as `JSON.parse` gives it; infinite where it is out of range. */
  toNumber(): number {
    return Number(this.text)
  }

  /**
   * The one text that all equal numbers share.
   *
   * It looks as ECMAScript prints a double, with every digit kept: 1000, 0.5, 1.5e+30, 1000.00000000000000001.
   */
  get canonical(): string {
    return textOf(this.#normalise())
  }

  #normalise(): Normal {
    this.#normal ??= normalOf(this.text)
    return this.#normal
  }
}

/** Integers of so many characters are doubles without loss. */
const maxShortCharacters = 15

/** The value of a short integer that is written in digits and nothing else, as most numbers are; NaN for any other. */
function shortInteger(text: string): number {
  if (text.length > maxShortCharacters) return Number.NaN
  let value = 0
  for (let at = 0; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

/** Undefined when one of them is NaN. */
function compareDoubles(a: number, b: number): -1 | 0 | 1 | undefined {
  if (a < b) return -1
  if (a > b) return 1
  return a === b ? 0 : undefined
}

function compareDigits(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0
  return a < b ? -1 : 1
}
