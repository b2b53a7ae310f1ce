import { Decimal } from '../json/decimal.ts'
import type { JsonValue } from '../json/value.ts'
import { isJsonArray } from '../json/value.ts'

/**
 * A value as `json.dumps(value, sort_keys=True)` of Python prints it after `json.loads`: what the original CapFence made
 * the checksum of its traces over.
 */
export function pythonJson(value: JsonValue): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return pythonString(value)
  if (value instanceof Decimal) return pythonNumber(value.text)
  if (isJsonArray(value)) return `[${value.map(pythonJson).join(', ')}]`
  const members = Object.entries(value)
    .toSorted(([one], [other]) => byCodePoint(one, other))
    .map(([name, member]) => `${pythonString(name)}: ${pythonJson(member)}`)
  return `{${members.join(', ')}}`
}

/** As JSON, but with everything outside ASCII escaped, one half of a pair after the other. */
function pythonString(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[\u0080-\uFFFF]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Whole numbers stay as they are, except that -0 is 0; others are doubles, in the shortest digits that mean them. */
function pythonNumber(text: string): string {
  if (/^-?[0-9]+$/.test(text)) return text === '-0' ? '0' : text
  const double = Number(text)
  if (Object.is(double, -0)) return '-0.0'
  if (!Number.isFinite(double)) return double > 0 ? 'Infinity' : '-Infinity'
  return pythonFloat(double)
}

/** Python writes an exponent from 1e16 on and below 1e-4. */
function pythonFloat(double: number): string {
  const [mantissa = '', power = '0'] = double.toExponential().split('e')
  const sign = mantissa.startsWith('-') ? '-' : ''
  const digits = mantissa.replaceAll(/[-.]/g, '')
  const exponent = Number(power)
  if (double === 0) return '0.0'
  if (exponent < -4 || exponent >= 16) {
    const size = String(Math.abs(exponent)).padStart(2, '0')
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${size}`
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`
}

/** Names in the order of their characters, not of their UTF-16 units. */
function byCodePoint(one: string, other: string): number {
  const [left, right] = [Array.from(one), Array.from(other)]
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const difference = (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
