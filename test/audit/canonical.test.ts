import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../src/audit/canonical.ts'
import type { RecordValue } from '../../src/audit/record.ts'
import { limits } from '../../src/limits.ts'

const scalar = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.maxSafeInteger().map((number) => number + 0),
  fc.boolean(),
  fc.constant(null),
)
const { value } = fc.letrec<{ value: RecordValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 6 },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: 'binary', maxLength: 4 }), tie('value'), { maxKeys: 5 }),
  ),
}))

describe('canonical JSON of records', () => {
  test('parses back to the same value, and printing that changes nothing', () => {
    fc.assert(
      fc.property(value, (any) => {
        const json = canonicalJson(any)
        const back = JSON.parse(json) as RecordValue
        expect(canonicalJson(back)).toBe(json)
        expect(back).toEqual(structuredClone(any))
      }),
      { numRuns: 500 },
    )
  })

  test('members stand in the order of their UTF-16 code units, whatever order they came in', () => {
    const names = [
      '\u20ac',
      '\r',
      '\ufb33',
      '1',
      '\ud83d\ude00',
      '\u0080',
      '\u00f6',
      '',
      '10',
      '9',
      '__proto__',
    ]
    const entries = names.map((name) => [name, 1] as const)
    const json = canonicalJson(Object.fromEntries(entries))
    expect(canonicalJson(Object.fromEntries(entries.toReversed()))).toBe(json)
    // RFC 8785, section 3.2.3 gives this order for its example.
    const order = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33']
    const places = order.map((name) => json.indexOf(`${JSON.stringify(name)}:`))
    expect(places.every((at) => at >= 0)).toBe(true)
    expect(places.toSorted((a, b) => a - b)).toEqual(places)
  })

  const bad: Readonly<Record<string, unknown>> = {
    'a float': 1.5,
    'a float that is nearly whole': 1 + Number.EPSILON,
    'not a number': Number.NaN,
    infinity: Infinity,
    'minus zero': -0,
    '2^53': 2 ** 53,
    '-2^53': -(2 ** 53),
    'a high surrogate alone': 'a\ud800b',
    'a low surrogate alone': '\udc00',
    'surrogates the wrong way round': '\udc00\ud800',
    'a lone surrogate in a name': { '\ud800': 1 },
    undefined: undefined,
    'an undefined member': { a: undefined },
    'a hole in a list': Array.from({ length: 1 }),
    'a bigint': 1n,
    'a symbol': Symbol('x'),
    'a function': () => 1,
  }
  test.each(Object.entries(bad))('refuses %s', (_name, any) => {
    expect(() => canonicalJson(any as RecordValue)).toThrow(
      expect.objectContaining({ code: 'RECORD_INVALID' }),
    )
    expect(() => canonicalJson([any as RecordValue])).toThrow(
      expect.objectContaining({ code: 'RECORD_INVALID' }),
    )
  })

  test('takes the largest integers and pairs of surrogates', () => {
    expect(canonicalJson([2 ** 53 - 1, -(2 ** 53 - 1), 0])).toBe(
      '[9007199254740991,-9007199254740991,0]',
    )
    expect(canonicalJson('\ud83d\ude00')).toBe('"\ud83d\ude00"')
  })

  test('nests as deep as the bound, no deeper', () => {
    const nested = (levels: number): RecordValue => (levels === 0 ? 1 : [nested(levels - 1)])
    expect(canonicalJson(nested(limits.maxRecordDepth))).toContain('[[1]]')
    expect(() => canonicalJson(nested(limits.maxRecordDepth + 1))).toThrow(/deeper than 16/)
  })
})
