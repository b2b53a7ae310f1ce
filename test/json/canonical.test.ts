import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalize, canonicalizeExact } from '../../src/json/canonical.ts'
import { Decimal } from '../../src/json/decimal.ts'
import { toJsonValue } from '../../src/json/from-js.ts'
import { scanStrict } from '../../src/json/scan-strict.ts'
import { wanted } from '../../src/json/span.ts'
import type { JsonValue } from '../../src/json/value.ts'
import { requireSharedOrSkip, sharedPath } from '../support/needs.ts'

const scanned = (text: string): JsonValue => scanStrict(Buffer.from(text), wanted({})).value

describe('RFC 8785', () => {
  test('the example of section 3.2.2', () => {
    const text = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`
    expect(canonicalize(scanned(text))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    )
  })

  test('keys are in the order of UTF-16 code units: section 3.2.3', () => {
    const text =
      '{"\\u20ac":1,"\\r":2,"\\ufb33":3,"1":4,"\\ud83d\\ude00":5,"\\u0080":6,"\\u00f6":7,"10":8,"2":9}'
    const keys = [...canonicalize(scanned(text)).matchAll(/:(\d)/g)].map(([, digit]) => digit)
    // By characters, the smiley would come last.
    expect(keys.join('')).toBe('248967153')
  })

  test.each([
    ['9007199254740994', '9007199254740994'],
    ['9007199254740993', '9007199254740992'],
    ['1e21', '1e+21'],
    ['0.000001', '0.000001'],
    ['9.999999999999997e-7', '9.999999999999997e-7'],
    ['-0', '0'],
    ['1e-400', '0'],
  ])('the number %s is %s', (text, expected) => {
    expect(canonicalize(scanned(text))).toBe(expected)
  })

  const readme = 'vectors/jcs/README.md'
  test.skipIf(requireSharedOrSkip(readme))(
    'numbers, by the published hash of 10,000 of them',
    () => {
      const lines = createHash('sha256')
      for (const double of testNumbers(readFileSync(sharedPath(readme), 'utf8'), 10_000)) {
        const bits = new BigUint64Array(Float64Array.of(double).buffer)[0] ?? 0n
        const number = new Decimal(String(double))
        expect(canonicalizeExact(number)).toBe(canonicalize(number))
        lines.update(`${bits.toString(16)},${canonicalize(number)}\n`)
      }
      expect(lines.digest('hex')).toBe(
        'b9f7a8e75ef22a835685a52ccba7f7d6bdc99e34b010992cbc5864cd12be6892',
      )
    },
  )

  test.skipIf(requireSharedOrSkip('vectors/jcs/input'))('the published documents', () => {
    const names = readdirSync(sharedPath('vectors/jcs/input'))
    expect(names.length).toBeGreaterThan(0)
    for (const name of names) {
      const input: unknown = JSON.parse(
        readFileSync(sharedPath(`vectors/jcs/input/${name}`), 'utf8'),
      )
      const hex = readFileSync(
        sharedPath(`vectors/jcs/outhex/${name.replace('.json', '.txt')}`),
        'utf8',
      )
      const output = Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
      expect(canonicalize(withDecimals(input)), name).toBe(output.toString())
    }
  })

  test('a number that no double is near has no form', () => {
    for (const text of ['1e400', '-1e309', '[{"a":1e99999999999999999999}]']) {
      expect(() => canonicalize(scanned(text))).toThrow(/^number "[^"]*" is out of range$/)
    }
  })
})

/**
 * The numbers of the published test file: those its description lists, the smallest normal ones, then hashes.
 */
function* testNumbers(description: string, count: number): Generator<number> {
  const listed = [...description.matchAll(/0x([0-9a-f]{16})n/g)].map(([, hex]) =>
    BigInt(`0x${hex}`),
  )
  // The last one listed is where the smallest normal ones start.
  const start = listed.pop() ?? 0n
  const bits = [...listed, ...Array.from({ length: 2000 }, (_, k) => start + BigInt(k))]
  yield* new Float64Array(BigUint64Array.from(bits).buffer)
  let left = count - bits.length
  for (let block = Buffer.alloc(32); left > 0;) {
    block = createHash('sha256').update(block).digest()
    for (const double of new Float64Array(Uint8Array.from(block).buffer)) {
      if (double === 0 || !Number.isFinite(double) || left === 0) continue
      yield double
      left--
    }
  }
}

/** The strict reader refuses two cases of one key, which some of the published documents have. */
function withDecimals(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map(withDecimals)
  if (typeof value !== 'object' || value === null) return toJsonValue(value)
  const object: Record<string, JsonValue> = { __proto__: null }
  for (const [name, member] of Object.entries(value)) object[name] = withDecimals(member)
  return object
}

describe('the exact form', () => {
  const same = (a: string, b: string): boolean =>
    canonicalizeExact(scanned(a)) === canonicalizeExact(scanned(b))

  test.each([
    ['1000', '1000.0'],
    ['1000', '1e3'],
    ['0.001', '1E-3'],
    ['0', '-0'],
    ['1e99999999999999999999', '10e99999999999999999998'],
    ['{"a":1,"b":2}', ' { "b" : 2.0 , "a" : 10e-1 } '],
    ['"\\u0041\\/"', '"A/"'],
    ['"\\ud83d\\ude00"', '"\u{1f600}"'],
    ['[]', '[ ]'],
  ])('%s and %s are the same', (a, b) => {
    expect(same(a, b)).toBe(true)
  })

  test.each([
    ['9007199254740992', '9007199254740993'],
    ['1000', '1000.00000000000000001'],
    ['1e400', '1e401'],
    ['1e-400', '0'],
    ['1', '"1"'],
    ['1', '-1'],
    ['1', '[1]'],
    ['null', '"null"'],
    ['{}', '[]'],
    ['{"a":1}', '{"A":1}'],
    ['{"a":null}', '{}'],
    ['["a","b"]', '["b","a"]'],
    ['["a,b"]', '["a","b"]'],
    ['{"a":"b"}', '{"a\\":\\"b":""}'],
    ['"\u00e9"', '"e\u0301"'],
    ['"a"', '"a\\u0000"'],
  ])('%s and %s are not', (a, b) => {
    expect(same(a, b)).toBe(false)
  })

  test('is a JSON text that means the same, and its own form', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3, stringUnit: 'grapheme' }), (value) => {
        const own = withDecimals(value)
        const text = canonicalizeExact(own)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(canonicalizeExact(withDecimals(JSON.parse(text)))).toBe(text)
        // These numbers are all doubles with their shortest digits.
        expect(canonicalize(own)).toBe(text)
      }),
      { numRuns: 100 },
    )
  })

  test('numbers no double holds have a form, too', () => {
    expect(canonicalizeExact(scanned('[1e400,-1e-400]'))).toBe('[1e+400,-1e-400]')
  })
})

test('lone surrogates have neither form, as text or as key', () => {
  const surrogate = String.fromCharCode(0xd800)
  for (const value of [surrogate, [`a${surrogate}`], { [surrogate]: 'a' }]) {
    expect(() => canonicalize(value)).toThrow('lone surrogate in')
    expect(() => canonicalizeExact(value)).toThrow('lone surrogate in')
  }
  expect(canonicalize('\u{1f600}')).toBe('"\u{1f600}"')
})
