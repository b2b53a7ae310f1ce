import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CapFenceError } from '../../src/errors.ts'
import { Decimal } from '../../src/json/decimal.ts'
import { toJsonObject, toJsonValue } from '../../src/json/from-js.ts'
import { scanStrict } from '../../src/json/scan-strict.ts'
import { wanted } from '../../src/json/span.ts'
import { stringify, toPlain } from '../support/to-js.ts'
import { isJsonArray, isJsonObject } from '../../src/json/value.ts'
import type { JsonObject, JsonValue } from '../../src/json/value.ts'
import { limits } from '../../src/limits.ts'

const scanned = (text: string): JsonValue => scanStrict(Buffer.from(text), wanted({})).value

function refusal(value: unknown): CapFenceError {
  try {
    toJsonValue(value)
  } catch (error) {
    if (error instanceof CapFenceError) return error
    throw error
  }
  throw new Error('accepted')
}

describe('values of JavaScript become JSON', () => {
  test.each<[string, unknown, string]>([
    ['nothing', null, 'null'],
    ['text', 'a"b\n', '"a\\"b\\n"'],
    ['a whole number', 1000, '1000'],
    ['a fraction', 0.1, '0.1'],
    ['the sum that is not 0.3', 0.1 + 0.2, '0.30000000000000004'],
    ['a large number', 1e21, '1e+21'],
    ['a small number', 5e-324, '5e-324'],
    ['minus zero', -0, '0'],
    ['a bigint beyond doubles', 9007199254740993n, '9007199254740993'],
    ['a decimal', new Decimal('1000.00000000000000001'), '1000.00000000000000001'],
    ['an undefined member', { a: undefined, b: 1 }, '{"b":1}'],
    ['an object without a prototype', Object.assign(Object.create(null), { a: [] }), '{"a":[]}'],
    [
      'names of the prototype',
      { constructor: 1, toString: 'x' },
      '{"constructor":1,"toString":"x"}',
    ],
    ['the same object twice', ((same) => [same, same])({ a: 1 }), '[{"a":1},{"a":1}]'],
    ['a frozen object', Object.freeze({ a: Object.freeze([true]) }), '{"a":[true]}'],
    [
      'a getter',
      {
        get a() {
          return 7
        },
      },
      '{"a":7}',
    ],
    ['what is not enumerable', Object.defineProperty({ a: 1 }, 'b', { value: 2 }), '{"a":1}'],
  ])('%s', (_, value, text) => {
    expect(stringify(toJsonValue(value))).toBe(text)
    expect(stringify(scanned(text))).toBe(text)
  })

  test('B31: objects have no prototype, at any depth', () => {
    const objects: JsonObject[] = []
    const collect = (value: JsonValue): void => {
      if (isJsonObject(value)) objects.push(value)
      if (isJsonObject(value) || isJsonArray(value)) Object.values(value).forEach(collect)
    }
    collect(toJsonObject({ a: [{ b: {} }] }))
    expect(objects.map((object) => Object.getPrototypeOf(object) as unknown)).toEqual([
      null,
      null,
      null,
    ])
  })

  test('a getter runs once, so that what is judged cannot change', () => {
    let reads = 0
    const value = {
      get amount() {
        return ++reads
      },
    }
    expect(stringify(toJsonValue(value))).toBe('{"amount":1}')
    expect(reads).toBe(1)
  })

  test('what comes later to the original does not reach the value', () => {
    const original = { list: [1], inner: { a: 1 } }
    const value = toJsonValue(original)
    original.list.push(2)
    original.inner.a = 2
    expect(stringify(value)).toBe('{"list":[1],"inner":{"a":1}}')
  })
})

class Account {
  readonly amount = 1
}

const cycle: { self?: unknown } = {}
cycle.self = [cycle]

interface Refused {
  readonly name: string
  readonly value: unknown
  /** What the complaint has to name. */
  readonly names: string
}

const refused: readonly Refused[] = [
  { name: 'undefined', value: undefined, names: 'the value is undefined' },
  { name: 'an undefined element', value: { a: [1, undefined] }, names: '"/a/1" is undefined' },
  { name: 'a hole', value: Array(3), names: '"/0" is undefined' },
  { name: 'a function', value: { run: () => 1 }, names: '"/run" is a function' },
  { name: 'a symbol', value: [Symbol('x')], names: '"/0" is a symbol' },
  {
    name: 'a symbol as a key',
    value: { a: { [Symbol('x')]: 1 } },
    names: '"/a" has a symbol as a key',
  },
  { name: 'NaN', value: { amount: Number.NaN }, names: '"/amount" is NaN' },
  { name: 'Infinity', value: [Infinity], names: '"/0" is Infinity' },
  { name: 'minus Infinity', value: -Infinity, names: 'the value is -Infinity' },
  { name: 'a date', value: { when: new Date(0) }, names: '"/when" is an instance of "Date"' },
  { name: 'a map', value: { a: new Map([['b', 1]]) }, names: '"/a" is an instance of "Map"' },
  { name: 'a set', value: [new Set()], names: '"/0" is an instance of "Set"' },
  {
    name: 'bytes',
    value: { data: new Uint8Array(2) },
    names: '"/data" is an instance of "Uint8Array"',
  },
  { name: 'a promise', value: Promise.resolve(1), names: 'the value is an instance of "Promise"' },
  { name: 'an error', value: [new Error('x')], names: '"/0" is an instance of "Error"' },
  { name: 'a boxed number', value: [Object(1)], names: '"/0" is an instance of "Number"' },
  { name: 'a URL', value: { url: new URL('http://a/') }, names: '"/url" is an instance of "URL"' },
  {
    name: 'an object of a class',
    value: new Account(),
    names: 'the value is an instance of "Account"',
  },
  {
    name: 'an object with another as prototype',
    value: Object.create({ a: 1 }),
    names: 'is an instance of',
  },
  { name: 'a cycle', value: cycle, names: '"/self/0" contains itself' },
  { name: 'a lone surrogate', value: { a: '\ud800' }, names: '"/a" has a lone surrogate' },
  {
    name: 'a lone surrogate in a key',
    value: { a: { '\udfff': 1 } },
    names: '"/a" has a lone surrogate',
  },
  {
    name: 'two cases of a key',
    value: { a: { path: 1, Path: 2 } },
    names: '"/a" has the key "Path" [ambiguous_key]',
  },
  {
    name: '__proto__ as a key',
    value: JSON.parse('{"a":{"__proto__":1}}'),
    names: '"/a" has the key "__proto__" [proto_key]',
  },
  {
    name: 'a decimal of no number',
    value: [new Decimal('1,000')],
    names: '"/0" is a decimal of "1,000"',
  },
  {
    name: 'a key that has to be escaped in a pointer',
    value: { 'a/b~c': [Number.NaN] },
    names: '"/a~1b~0c/0" is NaN',
  },
  {
    name: 'a key that could act on a terminal',
    value: { '\u001b[2J': Number.NaN },
    names: '"/\\u{1b}[2J" is NaN',
  },
  {
    name: 'a getter that throws',
    value: {
      get a() {
        throw new Error('no')
      },
    },
    names: 'cannot be read',
  },
  {
    name: 'a proxy that throws',
    value: {
      a: new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('no')
          },
        },
      ),
    },
    names: '"/a" cannot be read',
  },
]

describe('values that are refused, with their place', () => {
  test.each(refused)('$name', ({ value, names }) => {
    const error = refusal(value)
    expect(error.code).toBe('EVENT_INVALID')
    expect(error.message).toContain(names)
    expect(error.message).toMatch(/^[ -~]+$/)
  })

  test('B32: depth and members, on both sides of the bound', () => {
    const nested = (levels: number): unknown =>
      Array.from({ length: levels }).reduce<unknown>((inner) => [inner], 1)
    expect(() => toJsonValue(nested(limits.maxJsonDepth))).not.toThrow()
    expect(refusal(nested(limits.maxJsonDepth + 1)).message).toContain('levels deep')
    expect(() => toJsonValue(Array(limits.maxJsonMembers).fill(0))).not.toThrow()
    expect(refusal(Array(limits.maxJsonMembers + 1).fill(0)).message).toContain('members')
    // A small graph can be a large tree.
    const doubled = Array.from({ length: 40 }).reduce<unknown>((inner) => [inner, inner], 1)
    expect(refusal(doubled).message).toContain('members')
  })

  test('only an object is an object', () => {
    for (const value of [null, 1, 'a', [], new Decimal('1')]) {
      expect(() => toJsonObject(value)).toThrow('not an object')
    }
    expect(() => toJsonObject(new Map())).toThrow('instance of "Map"')
  })
})

describe('there and back', () => {
  // Keys of one letter each, so that no two of an object fold to one.
  const json = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constant(null),
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((double) => double + 0),
      fc.string({ unit: 'grapheme' }),
      fc.array(tie('value'), { maxLength: 4 }),
      fc
        .dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), tie('value'), { maxKeys: 4 })
        .map((made) => ({ ...made })),
    ),
  })).value

  test('a value of JavaScript is the same after it, and reads as JSON.stringify writes it', () => {
    fc.assert(
      fc.property(json, (value) => {
        const own = toJsonValue(value)
        expect(toPlain(own)).toEqual(value)
        expect(stringify(own)).toBe(JSON.stringify(value))
        expect(stringify(scanned(JSON.stringify(value)))).toBe(stringify(own))
      }),
      { numRuns: 1000 },
    )
  })

  test('plain objects are ordinary ones', () => {
    const plain = toPlain(scanned('{"a":{"constructor":1}}'))
    expect(plain).toEqual({ a: { constructor: 1 } })
    expect(Object.getPrototypeOf(plain)).toBe(Object.prototype)
  })

  test('B21: text keeps numbers as they were written', () => {
    const text = '[1000.0,1e400,-0,9007199254740993,1.10,1E5,1000.00000000000000001]'
    expect(stringify(scanned(text))).toBe(text)
  })
})
