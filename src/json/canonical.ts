import { CapFenceError } from '../errors.ts'
import type { Decimal } from './decimal.ts'
import { excerpt } from './json-error.ts'
import { isJsonArray, isJsonObject } from './value.ts'
import type { JsonValue } from './value.ts'

/**
 * The canonical text of RFC 8785 (JCS), in which numbers are doubles.
 *
 * @throws CapFenceError `JSON_INVALID` for a number that no finite double is near, and for lone surrogates
 *
 * @internal Exported for tests only.
 */
export function canonicalize(value: JsonValue): string {
  return canonicalText(value, doubleText)
}

/**
 * As `canonicalize`, but numbers keep every digit: 1000, 1000.0 and 1e3 are the same, 2^53 and 2^53+1 are not.
 *
 * Numbers that a double holds with its shortest digits look as in RFC 8785. This is what approvals are bound to.
 *
 * @throws CapFenceError `JSON_INVALID` for lone surrogates
 */
export function canonicalizeExact(value: JsonValue): string {
  return canonicalText(value, (number) => number.canonical)
}

type NumberText = (number: Decimal) => string

function canonicalText(value: JsonValue, numberText: NumberText): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return stringText(value)
  if (isJsonArray(value)) {
    return `[${value.map((item) => canonicalText(item, numberText)).join(',')}]`
  }
  if (!isJsonObject(value)) return numberText(value)
  const members = Object.entries(value).toSorted(([a], [b]) => compareCodeUnits(a, b))
  const texts = members.map(
    ([name, member]) => `${stringText(name)}:${canonicalText(member, numberText)}`,
  )
  return `{${texts.join(',')}}`
}

/** Names are in the order of their UTF-16 code units, not of their characters: RFC 8785, section 3.2.3. */
function compareCodeUnits(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** For well-formed text, `JSON.stringify` escapes exactly as RFC 8785, section 3.2.2.2, asks. */
function stringText(text: string): string {
  if (!loneSurrogate.test(text)) return JSON.stringify(text)
  throw new CapFenceError('JSON_INVALID', `lone surrogate in ${excerpt(text)}`)
}

/** In a `u` pattern a surrogate that is half of a pair matches nothing by itself. */
const loneSurrogate = /\p{Surrogate}/u

function doubleText(number: Decimal): string {
  const double = number.toNumber()
  if (Number.isFinite(double)) return String(double)
  throw new CapFenceError('JSON_INVALID', `number ${excerpt(number.text)} is out of range`)
}
