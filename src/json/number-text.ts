import { assert } from '../errors.ts'
import { shiftInteger } from './integer-text.ts'

/** A number as ±0.DIGITS times ten to the `magnitude`; equal numbers have equal fields. */
export interface Normal {
  readonly sign: -1 | 0 | 1
  /** Without zeros at either end; empty for zero. */
  readonly digits: string
  /** An integer, 0 for zero; text, because an exponent can have more digits than a double holds. */
  readonly magnitude: string
}

/** The parts of a JSON number as it is written. */
export interface NumberParts {
  readonly negative: boolean
  readonly integer: string
  /** Empty when there is none. */
  readonly fraction: string
  /** With its sign if it has one; empty when there is none. */
  readonly exponent: string
}

const ZERO = 0x30
const NINE = 0x39

/**
 * Takes a JSON number (RFC 8259, section 6) apart; undefined for any other text.
 *
 * By hand: a regular expression overflows its stack on a number that fills a message.
 */
export function numberParts(text: string): NumberParts | undefined {
  const negative = text.startsWith('-')
  const start = negative ? 1 : 0
  const integerEnd = digitsEnd(text, start)
  if (integerEnd === start || (text[start] === '0' && integerEnd > start + 1)) return undefined
  const hasFraction = text[integerEnd] === '.'
  const fractionEnd = hasFraction ? digitsEnd(text, integerEnd + 1) : integerEnd
  if (hasFraction && fractionEnd === integerEnd + 1) return undefined
  const exponent = exponentFrom(text, fractionEnd)
  if (exponent === undefined) return undefined
  const integer = text.slice(start, integerEnd)
  return { negative, integer, fraction: text.slice(integerEnd + 1, fractionEnd), exponent }
}

/** The exponent that starts at `start` and reaches to the end, without its letter; empty when nothing is there. */
function exponentFrom(text: string, start: number): string | undefined {
  if (start === text.length) return ''
  if (text[start] !== 'e' && text[start] !== 'E') return undefined
  const sign = text[start + 1]
  const digits = sign === '+' || sign === '-' ? start + 2 : start + 1
  const end = digitsEnd(text, digits)
  return end > digits && end === text.length ? text.slice(start + 1) : undefined
}

function digitsEnd(text: string, start: number): number {
  let end = start
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (code < ZERO || code > NINE) break
  }
  return end
}

/** The normal form of a text that is known to be a JSON number. */
export function normalOf(text: string): Normal {
  const parts = numberParts(text)
  assert(parts !== undefined, 'a decimal is made of the text of a JSON number')
  const written = parts.integer + parts.fraction
  const first = leadingZeros(written)
  if (first === written.length) return { sign: 0, digits: '', magnitude: '0' }
  let end = written.length
  while (written[end - 1] === '0') end--
  return {
    sign: parts.negative ? -1 : 1,
    digits: written.slice(first, end),
    magnitude: shiftInteger(plainInteger(parts.exponent), parts.integer.length - first),
  }
}

function leadingZeros(digits: string): number {
  let count = 0
  while (digits[count] === '0') count++
  return count
}

/** An exponent as written, without a plus sign and leading zeros. */
function plainInteger(exponent: string): string {
  const signed = exponent.startsWith('-') || exponent.startsWith('+')
  const digits = signed ? exponent.slice(1) : exponent
  const plain = digits.slice(leadingZeros(digits))
  if (plain === '') return '0'
  return exponent.startsWith('-') ? `-${plain}` : plain
}

/** Prints a number as ECMAScript prints doubles (Number::toString), but with every digit. */
export function textOf({ sign, digits, magnitude }: Normal): string {
  if (sign === 0) return '0'
  const minus = sign < 0 ? '-' : ''
  const point = Number(magnitude)
  if (point > 21 || point <= -6) return minus + exponentialText(digits, magnitude)
  if (point <= 0) return `${minus}0.${'0'.repeat(-point)}${digits}`
  if (point >= digits.length) return minus + digits.padEnd(point, '0')
  return `${minus}${digits.slice(0, point)}.${digits.slice(point)}`
}

function exponentialText(digits: string, magnitude: string): string {
  const exponent = shiftInteger(magnitude, -1)
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : ''
  return `${digits[0]}${fraction}e${exponent.startsWith('-') ? '' : '+'}${exponent}`
}
