import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Decimal } from '../../src/json/decimal.ts'
import { compareIntegers, shiftInteger } from '../../src/json/integer-text.ts'

function decimal(text: string): Decimal {
  const parsed = Decimal.parse(text)
  if (parsed === undefined) throw new Error(`not a number: ${text}`)
  return parsed
}

/** Groups of texts of one number, from the smallest to the largest. */
const ascending: readonly (readonly string[])[] = [
  ['-1e99999999999999999999', '-0.1e100000000000000000000', '-10E+99999999999999999998'],
  ['-1e99999999999999999998'],
  ['-1e400'],
  ['-1000000', '-1E6', '-1.0e+6'],
  ['-1.5', '-15e-1', '-1.50'],
  ['-1', '-1.0', '-100e-2'],
  ['-0.999999999999999999999999999999'],
  ['-1e-99999999'],
  ['-1e-99999999999999999999'],
  ['0', '-0', '0.0', '-0.000', '0e5', '0E-99999999999999999999', '-0e99999999999999999999'],
  ['1e-99999999999999999999', '10e-100000000000000000000', '0.01e-99999999999999999997'],
  ['1e-99999999', '0.1e-99999998'],
  ['1e-7', '0.0000001'],
  ['0.1', '1e-1', '0.10', '0.01e1'],
  ['0.1000000000000000055511151231257827'],
  ['999.99'],
  ['1000', '1000.0', '1e3', '1E+3', '1e0003', '10000e-1', '0.1e4'],
  ['1000.00000000000000001'],
  ['1000.01'],
  ['9007199254740992'],
  ['9007199254740993', '9007199254740993.0'],
  ['9007199254740993.5'],
  ['1e21', '1000000000000000000000'],
  ['1e400', '100e398'],
  ['1.00000000000000000000000000000001e400'],
  ['9e400'],
  ['1e401'],
  ['1e999999999999999'],
  ['1e1000000000000000', '10e999999999999999', '1000e999999999999997'],
  ['1e9007199254740993'],
  ['1e99999999999999999999', '10e99999999999999999998', '0.001e100000000000000000002'],
  ['1e100000000000000000000'],
  ['2e100000000000000000000'],
]

describe('B21: numbers are compared as they are written', () => {
  test('every pair of the list', () => {
    const wrong: string[] = []
    const all = ascending.flatMap((texts, place) => texts.map((text) => ({ text, place })))
    for (const a of all) {
      for (const b of all) {
        const expected = Math.sign(a.place - b.place)
        if (decimal(a.text).compare(decimal(b.text)) !== expected)
          wrong.push(`${a.text} ? ${b.text}`)
      }
    }
    expect(wrong).toEqual([])
  })

  test('equal numbers share one canonical text, and that text means them', () => {
    const texts = ascending.map((group) => {
      const canonical = new Set(group.map((text) => decimal(text).canonical))
      expect([...canonical], group.join(' ')).toHaveLength(1)
      const [text] = canonical
      expect(decimal(text ?? '').compare(decimal(group[0] ?? ''))).toBe(0)
      expect(decimal(text ?? '').canonical).toBe(text)
      return text
    })
    expect(new Set(texts).size).toBe(ascending.length)
  })

  const number = fc
    .tuple(
      fc.boolean(),
      fc.bigInt(0n, 10n ** 24n),
      fc.option(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.bigInt(0n, 999_999n))),
      fc.option(fc.integer({ min: -40, max: 40 })),
    )
    .map(([negative, integer, fraction, exponent]) => {
      const tail = fraction === null ? '' : `.${'0'.repeat(fraction[0])}${fraction[1]}`
      return `${negative ? '-' : ''}${integer}${tail}${exponent === null ? '' : `e${exponent}`}`
    })

  /** The number times 10^100, which is an integer for every number made above. */
  function scaled(text: string): bigint {
    const [mantissa = '', exponent = '0'] = text.split('e')
    const [integer = '', fraction = ''] = mantissa.split('.')
    const digits = BigInt(integer.replace('-', '') + fraction)
    const size = digits * 10n ** BigInt(100 + Number(exponent) - fraction.length)
    return text.startsWith('-') ? -size : size
  }

  test('as integers do, when all are scaled by the same power of ten', () => {
    fc.assert(
      fc.property(number, number, (a, b) => {
        const difference = scaled(a) - scaled(b)
        const expected = difference === 0n ? 0 : difference > 0n ? 1 : -1
        expect(decimal(a).compare(decimal(b))).toBe(expected)
        expect(decimal(a).canonical === decimal(b).canonical).toBe(expected === 0)
        expect(decimal(a).isInteger).toBe(scaled(a) % 10n ** 100n === 0n)
        expect(scaled(decimal(a).canonical.replace('e+', 'e'))).toBe(scaled(a))
      }),
      { numRuns: 2000 },
    )
  })

  test('the order is total: antisymmetric and transitive, whatever the exponent', () => {
    const exponent = fc.oneof(
      fc.integer({ min: -30, max: 30 }).map(String),
      fc.bigInt(-(10n ** 18n), 10n ** 18n).map(String),
      fc.constantFrom(
        '999999999999999',
        '1000000000000000',
        '-999999999999999',
        '-1000000000000000',
      ),
    )
    const any = fc
      .tuple(fc.integer({ min: -2000, max: 2000 }), exponent)
      .map(([m, e]) => decimal(`${m}e${e}`))
    fc.assert(
      fc.property(any, any, any, (a, b, c) => {
        // Adding nothing turns -0 into 0.
        expect(a.compare(b)).toBe(0 - b.compare(a) + 0)
        if (a.compare(b) <= 0 && b.compare(c) <= 0) expect(a.compare(c)).toBeLessThanOrEqual(0)
      }),
      { numRuns: 2000 },
    )
  })

  test('a double prints as ECMAScript prints it', () => {
    const samples = [
      5e-324, 1.7976931348623157e308, 1e21, 1e-7, 123456789012345680000, 0.000001, -1.5e300,
    ]
    for (const double of samples) expect(decimal(String(double)).canonical).toBe(String(double))
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (double) => {
        expect(decimal(String(double)).canonical).toBe(String(double))
        expect(decimal(String(double)).toNumber()).toBe(double + 0)
      }),
      { numRuns: 5000 },
    )
  })

  test.each([
    ['9007199254740993', '9007199254740993'],
    ['1000.00000000000000001', '1000.00000000000000001'],
    ['1e400', '1e+400'],
    ['-0', '0'],
    ['123e-10000000', '1.23e-9999998'],
    ['1e99999999999999999999', '1e+99999999999999999999'],
    ['1e-99999999999999999999', '1e-99999999999999999999'],
    ['12345678901234567890123', '1.2345678901234567890123e+22'],
    ['0.0000012345', '0.0000012345'],
    ['0.00000012345', '1.2345e-7'],
  ])('%s is printed as %s', (text, canonical) => {
    expect(decimal(text).canonical).toBe(canonical)
  })

  test.each([
    ['1', true],
    ['1.0', true],
    ['1e3', true],
    ['25e-1', false],
    ['250e-1', true],
    ['0.5', false],
    ['-0.0', true],
    ['1e-1', false],
    ['1e400', true],
    ['1e99999999999999999999', true],
    ['1e-99999999999999999999', false],
    ['9007199254740993.5', false],
  ])('%s is an integer: %s', (text, isInteger) => {
    expect(decimal(text).isInteger).toBe(isInteger)
  })

  test('out of range of doubles the nearest one is infinite or zero', () => {
    expect(decimal('-1e400').toNumber()).toBe(-Infinity)
    expect(decimal('1e99999999999999999999').toNumber()).toBe(Infinity)
    expect(decimal('1e-400').toNumber()).toBe(0)
  })
})

describe('B32: numbers that fill a message', () => {
  // A quadratic algorithm, or a number taken for as many digits as its exponent says, would not come back.
  const long = 1_000_000

  test('digits before and behind the point, and zeros on both sides', () => {
    const nines = '9'.repeat(long)
    expect(decimal(nines).compare(decimal(`${nines}.0`))).toBe(0)
    expect(decimal(nines).compare(decimal(`${nines}.1`))).toBe(-1)
    const zeros = '0'.repeat(long)
    expect(decimal(`0.${zeros}1`).compare(decimal(`1e-${long + 1}`))).toBe(0)
    expect(decimal(`1${zeros}`).compare(decimal(`1e${long}`))).toBe(0)
    expect(decimal(`1${zeros}.${zeros}1`).compare(decimal(`1e${long}`))).toBe(1)
    expect(decimal(`-0.${zeros}e${zeros}`).canonical).toBe('0')
    expect(decimal(`1${zeros}`).canonical).toBe(`1e+${long}`)
  })

  test('exponents of millions of digits', () => {
    const nines = '9'.repeat(long)
    const power = `1${'0'.repeat(long)}`
    expect(decimal(`10e${nines}`).compare(decimal(`1e${power}`))).toBe(0)
    expect(decimal(`0.1e-${nines}`).compare(decimal(`1e-${power}`))).toBe(0)
    expect(decimal(`1e${nines}`).compare(decimal(`1e${power}`))).toBe(-1)
    expect(decimal(`1e-${nines}`).compare(decimal(`1e-${power}`))).toBe(1)
    expect(decimal(`10e${nines}`).canonical).toBe(`1e+${power}`)
    expect(decimal(`1e${'0'.repeat(long)}3`).compare(decimal('1000'))).toBe(0)
  })
})

const noNumbers: readonly string[] = [
  '',
  ' ',
  '-',
  '+1',
  '.5',
  '5.',
  '-.5',
  '01',
  '-01',
  '00',
  '0x10',
  '0b1',
  '1_000',
  '1,000',
  '1,000.00',
  '1 000',
  ' 1',
  '1 ',
  '1\n',
  '\u00a01',
  '1e',
  '1e+',
  '1e1.5',
  'e5',
  '1ee5',
  '1e5e5',
  '1.2.3',
  '--1',
  '1-',
  'NaN',
  'Infinity',
  '-Infinity',
  'true',
  '\uff11',
  '\u0661',
  '1\u0000',
  '1f',
  '1n',
  '1/2',
  '\u22121',
  '$1',
  '1%',
  '0e',
  '0x',
  'null',
]

describe('B21: what is no number', () => {
  test.each(noNumbers)('%j', (text) => {
    expect(Decimal.parse(text)).toBeUndefined()
    expect(Decimal.parsePlain(text)).toBeUndefined()
  })

  test('a plain decimal has no exponent', () => {
    for (const text of ['0', '-0', '1000', '1000.00', '-12.5', '0.000', '9'.repeat(400)]) {
      expect(Decimal.parsePlain(text)?.text).toBe(text)
    }
    for (const text of ['1e3', '1E3', '1e0', '1.5e-3']) {
      expect(Decimal.parsePlain(text)).toBeUndefined()
      expect(Decimal.parse(text)?.text).toBe(text)
    }
  })

  test('the pattern of RFC 8259 accepts the same texts', () => {
    const pattern = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/
    const text = fc.string({
      unit: fc.constantFrom('0', '0', '1', '2', '.', '-', '+', 'e', 'E', ' '),
      maxLength: 8,
    })
    fc.assert(
      fc.property(text, (candidate) => {
        expect(Decimal.parse(candidate) !== undefined).toBe(pattern.test(candidate))
      }),
      { numRuns: 5000 },
    )
  })

  test('a decimal made of other text is a bug and says so', () => {
    expect(() => new Decimal('1,000').compare(decimal('1'))).toThrow(/^bug:/)
  })
})

describe('integers as text', () => {
  const integer = fc.oneof(
    fc.bigInt(-(10n ** 40n), 10n ** 40n),
    fc
      .tuple(fc.integer({ min: 12, max: 32 }), fc.integer({ min: -5, max: 5 }), fc.boolean())
      .map(
        ([power, near, negative]) => (10n ** BigInt(power) + BigInt(near)) * (negative ? -1n : 1n),
      ),
  )

  test('are compared and shifted as BigInt does it', () => {
    fc.assert(
      fc.property(
        integer,
        integer,
        fc.integer({ min: -999_999_999, max: 999_999_999 }),
        (a, b, by) => {
          const expected = a === b ? 0 : a > b ? 1 : -1
          expect(compareIntegers(String(a), String(b))).toBe(expected)
          expect(shiftInteger(String(a), by)).toBe(String(a + BigInt(by)))
        },
      ),
      { numRuns: 5000 },
    )
  })
})
