import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Decimal } from '../../src/json/decimal.ts'
import { countToReach, difference, isAddable, sumOf } from '../../src/json/decimal-sum.ts'

const decimal = (text: string): Decimal => new Decimal(text)
/** A number with up to six digits behind the point, and its millionths. */
const number = fc
  .bigInt({ min: -(10n ** 24n), max: 10n ** 24n })
  .map((millionths) => ({ millionths, decimal: decimal(`${millionths}e-6`) }))
const millionthsOf = (millionths: bigint): string => decimal(`${millionths}e-6`).canonical

describe('sums of decimals are exact', () => {
  test('as whole numbers are that count the smallest part', () => {
    fc.assert(
      fc.property(fc.array(number, { maxLength: 8 }), (numbers) => {
        const addable = numbers.filter((one) => isAddable(one.decimal))
        const total = addable.reduce((sum, one) => sum + one.millionths, 0n)
        expect(sumOf(addable.map((one) => one.decimal)).canonical).toBe(millionthsOf(total))
      }),
    )
  })

  test('a difference and what was taken away make the whole again', () => {
    fc.assert(
      fc.property(number, number, ({ decimal: whole }, { decimal: part }) => {
        fc.pre(isAddable(whole) && isAddable(part))
        expect(sumOf([difference(whole, part), part]).compare(whole)).toBe(0)
      }),
    )
  })

  test('of sums, and of what is left of them, however great or small that is', () => {
    const [most, least] = [decimal('9'.repeat(21)), decimal('0.000001')]
    const great = sumOf([most, most])
    expect(great.canonical).toBe(`1.${'9'.repeat(20)}8e+21`)
    expect(sumOf([great, great, least]).canonical).toBe(`3.${'9'.repeat(20)}6000001e+21`)
    expect(difference(great, most).compare(most)).toBe(0)
    const small = difference(decimal('40.00000000000000001'), decimal('40'))
    expect(small.canonical).toBe('1e-17')
    expect(sumOf([small, decimal('-0.5')]).canonical).toBe('-0.49999999999999999')
    expect(countToReach([least, most], small)).toBe(1)
    expect(countToReach([most, most, most], great)).toBe(2)
  })

  test('so many of the first ones reach a sum, and one less do not', () => {
    const positive = fc.array(
      number.filter(({ millionths }) => millionths > 0n),
      { maxLength: 8 },
    )
    fc.assert(
      fc.property(positive, number, (numbers, { decimal: wanted }) => {
        const addable = numbers.map((one) => one.decimal).filter(isAddable)
        fc.pre(isAddable(wanted))
        const count = countToReach(addable, wanted)
        const first = addable.slice(0, count ?? addable.length)
        expect(sumOf(first).compare(wanted) >= 0).toBe(
          count !== undefined || (first.length === 0 && wanted.compare(decimal('0')) <= 0),
        )
        if (count !== undefined && count > 1) {
          expect(sumOf(addable.slice(0, count - 1)).compare(wanted)).toBe(-1)
        }
      }),
    )
  })

  test.each([
    [[], '0'],
    [['0.1', '0.2'], '0.3'],
    [['1000.00000000000000001', '-1000'], '1e-17'],
    [['-0.5', '0.25'], '-0.25'],
    [['1e3', '1.50'], '1001.5'],
    [['9007199254740993', '1'], '9007199254740994'],
  ])('%j is %s', (texts, sum) => {
    expect(sumOf(texts.map(decimal)).canonical).toBe(sum)
  })

  test.each(['1e22', '1e-7', '1e999999999999', `0.${'1'.repeat(80)}`, '9'.repeat(65)])(
    '%s is not added: its sum could have any number of digits',
    (text) => {
      expect(isAddable(decimal(text))).toBe(false)
    },
  )

  test.each(['0', '-0', '1e21', '0.000001', '123456789.123456789'])('%s is added', (text) => {
    expect(isAddable(decimal(text))).toBe(text !== '1e21')
  })
})
