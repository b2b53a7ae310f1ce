import { Decimal } from '../../json/decimal.ts'
import type { Ask } from './ask.ts'

/** Numbers that stand for all numbers. */
export interface NumberSamples {
  readonly numbers: readonly Decimal[]
  /** Whether no number differs from all of these in what the asks say of it. */
  readonly isComplete: boolean
}

/** The numbers that an ask compares with. */
export function numbersOf({ data }: Ask): readonly Decimal[] {
  if (data instanceof Decimal) return [data]
  if (!Array.isArray(data)) return []
  const items: readonly unknown[] = data
  return items.filter((one) => one instanceof Decimal)
}

/**
 * The thresholds of some asks and what lies around them: each itself, what doubles round to it from either side, a whole
 * and a broken number between two of them, and a number that no double holds.
 */
export function numberSamples(asks: readonly Ask[]): NumberSamples {
  const thresholds = asks.flatMap(numbersOf)
  const scaled = thresholds
    .map(({ canonical }) => scaledOf(canonical))
    .filter((one) => one !== undefined)
  const points = [...new Set([...scaled, 0n])].toSorted((one, other) => (one < other ? -1 : 1))
  const between = points.flatMap((point, index) => inside(point, points[index + 1]))
  const first = points[0] ?? 0n
  const samples = [...points, ...inside(undefined, first), ...between]
  const near = points.filter((point) => point !== 0n).flatMap((point) => [point - 1n, point + 1n])
  const isComplete = scaled.length === thresholds.length && between.length === points.length * 2
  return {
    numbers: [...samples, ...near].map((one) => new Decimal(textOf(one))).concat(unreadable),
    isComplete,
  }
}

const unreadable = new Decimal('1e400')
/** So many digits behind the point; a double cannot tell a number of 15 from the same with a one behind them. */
const places = 36
const unit = 10n ** BigInt(places)
/** Finest step at which two numbers are still told apart by everybody. */
const maxDigits = 15

/** A threshold as a whole number of the smallest steps; undefined for one that not every reader holds exactly. */
function scaledOf(canonical: string): bigint | undefined {
  const parts = /^(?<sign>-?)(?<whole>[0-9]+)(?:\.(?<broken>[0-9]+))?$/.exec(canonical)?.groups
  const [whole, broken = ''] = [parts?.['whole'], parts?.['broken']]
  if (whole === undefined || whole.length + broken.length > maxDigits) return undefined
  const size = BigInt(whole + broken.padEnd(places, '0'))
  return parts?.['sign'] === '-' ? -size : size
}

function textOf(scaled: bigint): string {
  const size = scaled < 0n ? -scaled : scaled
  const whole = String(size / unit)
  const broken = String(size % unit)
    .padStart(places, '0')
    .replace(/0+$/, '')
  return `${scaled < 0n ? '-' : ''}${whole}${broken === '' ? '' : `.${broken}`}`
}

/** A whole and a broken number between two points; fewer where there is none that is short. */
function inside(low: bigint | undefined, high: bigint | undefined): readonly bigint[] {
  if (low === undefined)
    return high === undefined ? [] : [floor(high) - unit, floor(high) - unit - unit / 2n]
  if (high === undefined) return [floor(low) + unit, floor(low) + unit + unit / 2n]
  const whole = floor(low) + unit
  const isWhole = whole < high
  const broken = shortBetween(low, high)
  // Two neighbours, such as 5 and 6, have nothing whole between them, and nobody could ask for it.
  if (broken === undefined) return []
  return [isWhole ? whole : broken, broken]
}

function floor(scaled: bigint): bigint {
  const rest = ((scaled % unit) + unit) % unit
  return scaled - rest
}

/** A number between two with as few digits as there can be, and a broken one. */
function shortBetween(low: bigint, high: bigint): bigint | undefined {
  for (let digits = 1; digits <= maxDigits; digits += 1) {
    const step = 10n ** BigInt(places - digits)
    const candidate = (low / step) * step + (low < 0n ? 0n : step)
    for (const one of [candidate, candidate + step, candidate - step]) {
      const isShort = textOf(one).replace(/[-.]/g, '').length <= maxDigits
      if (one > low && one < high && one % unit !== 0n && isShort) return one
    }
  }
  return undefined
}
