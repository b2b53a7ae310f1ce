// Integers of any length as decimal text: no leading zeros, no `-0`. Everything here is linear in the text, which
// BigInt is not: it would take minutes to read an exponent that fills a message.

/** So many digits are a safe integer, and stay one when something small is added. */
const safeDigits = 15
const safeUnit = 10 ** safeDigits

/** Compares two integers. */
export function compareIntegers(a: string, b: string): -1 | 0 | 1 {
  const negative = a.startsWith('-')
  if (negative !== b.startsWith('-')) return negative ? -1 : 1
  if (a === b) return 0
  const smallerInSize = a.length === b.length ? a < b : a.length < b.length
  return smallerInSize === negative ? 1 : -1
}

/** Adds to an integer a number of at most nine digits. */
export function shiftInteger(integer: string, by: number): string {
  if (integer.length <= safeDigits) return String(Number(integer) + by)
  // The integer is so much larger than `by` that its sign stays.
  const negative = integer.startsWith('-')
  const size = negative ? shiftSize(integer.slice(1), -by) : shiftSize(integer, by)
  return negative ? `-${size}` : size
}

/** Adds to an integer above 10^14, given without a sign: the last digits as a number, a carry into the rest. */
function shiftSize(digits: string, by: number): string {
  const split = Math.max(digits.length - safeDigits, 0)
  const head = digits.slice(0, split)
  const tail = Number(digits.slice(split)) + by
  const carry = Math.floor(tail / safeUnit)
  const last = String(tail - carry * safeUnit)
  const rest = carried(head, carry)
  return rest === '' ? last : rest + last.padStart(safeDigits, '0')
}

/** Adds a carry of -1, 0 or 1 to digits, of which there may be none; a result of zero is no digits. */
function carried(digits: string, carry: number): string {
  if (carry === 0) return digits
  const [rolling, rolled] = carry > 0 ? ['9', '0'] : ['0', '9']
  let end = digits.length
  while (end > 0 && digits[end - 1] === rolling) end--
  const tail = rolled.repeat(digits.length - end)
  if (end === 0) return `1${tail}`
  const changed = Number(digits[end - 1]) + carry
  const kept = digits.slice(0, end - 1)
  return kept === '' && changed === 0 ? tail : `${kept}${changed}${tail}`
}
