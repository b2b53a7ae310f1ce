import { Decimal } from '../json/decimal.ts'
import type { JsonValue } from '../json/value.ts'
import { badLine } from './line-fields.ts'

/**
 * A time as others write it: seconds or milliseconds since the epoch, or RFC 3339 with its offset.
 *
 * @returns milliseconds since the epoch; null when nothing is written
 * @throws CapFenceError `TRACE_INVALID` for anything else, such as a text without an offset, which may be any time
 */
export function writtenTime(value: JsonValue | undefined, name: string): number | null {
  if (value === undefined || value === null) return null
  const ms = value instanceof Decimal ? ofNumber(value.toNumber()) : ofText(value)
  if (ms !== undefined && Number.isSafeInteger(ms) && ms >= 0) return ms
  throw badLine(
    `\`${name}\` is no time`,
    'write `2026-11-25T14:00:00Z`, or seconds since the epoch',
  )
}

/** Seconds reach this number in the year 5138, milliseconds reached it in 1973. */
const fewestMs = 100_000_000_000

function ofNumber(number: number): number {
  return number < fewestMs ? Math.round(number * 1000) : Math.round(number)
}

const rfc3339 =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})$/

function ofText(value: JsonValue): number | undefined {
  if (typeof value !== 'string' || !rfc3339.test(value)) return undefined
  const ms = Date.parse(value.replace(' ', 'T').toUpperCase())
  return Number.isNaN(ms) || !dayExists(value) ? undefined : ms
}

/** `Date.parse` takes 31 February for 3 March. */
function dayExists(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number)
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
}
