import { Decimal } from './decimal.ts'

/** Characters of a number that can be added, in its canonical form. */
const maxCharacters = 64

/**
 * Whether a number can be added: written out, with neither an exponent nor more digits than anybody counts with.
 *
 * A sum of numbers with any exponent would take as many digits as the exponent says.
 */
export function isAddable({ canonical }: Decimal): boolean {
  return canonical.length <= maxCharacters && !canonical.includes('e')
}

/** The exact sum of numbers, each of which can be added or is a sum of such; 0 of none. */
export function sumOf(numbers: readonly Decimal[]): Decimal {
  const { scale, values } = scaled(numbers)
  return new Decimal(
    textOf(
      values.reduce((total, value) => total + value, 0n),
      scale,
    ),
  )
}

/** How many of the first numbers it takes to reach a sum; undefined when all of them do not. */
export function countToReach(numbers: readonly Decimal[], wanted: Decimal): number | undefined {
  const { values } = scaled([wanted, ...numbers])
  const [goal = 0n, ...rest] = values
  let reached = 0n
  for (const [index, value] of rest.entries()) {
    reached += value
    if (reached >= goal) return index + 1
  }
  return undefined
}

/** Numbers as whole ones that count the smallest part of any of them. */
function scaled(numbers: readonly Decimal[]): {
  readonly scale: number
  readonly values: bigint[]
} {
  const parts = numbers.map(digitsOf)
  const scale = parts.reduce((most, part) => Math.max(most, part.scale), 0)
  const values = parts.map((part) => BigInt(part.digits + '0'.repeat(scale - part.scale)))
  return { scale, values }
}

/** All digits as one whole number, so that `-0.5` keeps its sign, and how many of them are behind the point. */
function digitsOf({ canonical }: Decimal): { readonly digits: string; readonly scale: number } {
  // A sum or a difference may need an exponent, which its digits keep small.
  const end = canonical.indexOf('e')
  const mantissa = end === -1 ? canonical : canonical.slice(0, end)
  const exponent = end === -1 ? 0 : Number(canonical.slice(end + 1))
  const point = mantissa.indexOf('.')
  if (point === -1) return { digits: mantissa, scale: -exponent }
  const digits = mantissa.slice(0, point) + mantissa.slice(point + 1)
  return { digits, scale: digits.length - point - exponent }
}

/** The exact difference of two numbers that can be added. */
export function difference(from: Decimal, less: Decimal): Decimal {
  const text = less.canonical
  const negative = text.startsWith('-') ? text.slice(1) : `-${text}`
  return sumOf([from, new Decimal(negative)])
}

function textOf(sum: bigint, scale: number): string {
  const digits = (sum < 0n ? -sum : sum).toString().padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  const fraction = scale === 0 ? '' : `.${digits.slice(-scale)}`
  return new Decimal(`${sum < 0n ? '-' : ''}${whole}${fraction}`).canonical
}
