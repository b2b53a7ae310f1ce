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

/** The exact sum of numbers, each of which can be added; 0 of none. */
export function sumOf(numbers: readonly Decimal[]): Decimal {
  const parts = numbers.map(({ canonical }) => {
    const [whole = '0', fraction = ''] = canonical.split('.')
    return { whole, fraction }
  })
  const scale = Math.max(0, ...parts.map(({ fraction }) => fraction.length))
  // A sign stands before the whole, and `-0.5` keeps it, because all digits are read as one number.
  const sum = parts.reduce(
    (total, { whole, fraction }) => total + BigInt(whole + fraction.padEnd(scale, '0')),
    0n,
  )
  return new Decimal(textOf(sum, scale))
}

/** The exact difference of two numbers that can be added. */
export function difference(from: Decimal, less: Decimal): Decimal {
  const text = less.canonical
  const negative = text.startsWith('-') ? text.slice(1) : `-${text}`
  return sumOf([from, new Decimal(negative)])
}

function textOf(scaled: bigint, scale: number): string {
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  const fraction = scale === 0 ? '' : `.${digits.slice(-scale)}`
  return new Decimal(`${scaled < 0n ? '-' : ''}${whole}${fraction}`).canonical
}
