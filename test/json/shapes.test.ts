import { describe, expect, test } from 'vitest'
import { scanLax } from '../../src/json/scan-lax.ts'
import { scanStrict } from '../../src/json/scan-strict.ts'
import { wanted } from '../../src/json/span.ts'
import { limits } from '../../src/limits.ts'

// Anything quadratic would need hours for these sizes, so that no clock has to be read.
const size = 1_500_000

const want = wanted({ a: {} })
const repeat = (text: string, times = Math.floor(size / text.length)): string => text.repeat(times)
const list = (element: (index: number) => string, count: number): string =>
  Array.from({ length: count }, (_, index) => element(index)).join(',')
/** Well within the bound. */
const many = limits.maxJsonMembers / 2

const shapes: readonly (readonly [string, string])[] = [
  ['one plain text', `"${repeat('x')}"`],
  ['one text of escapes', `"${repeat('\\n')}"`],
  ['one text of code units', `"${repeat('\\u00e9')}"`],
  ['one text of surrogate pairs', `"${repeat('\\ud83d\\ude00')}"`],
  ['one text outside ASCII', `"${repeat('\u4e00')}"`],
  ['one text in and out of ASCII', `"${repeat('\u00e9a')}"`],
  [
    'texts without a single backslash, then one',
    `[${list(() => '"aaaaaaaaaaaaaaaaaaaa"', many)},"\\n"]`,
  ],
  ['a backslash, then texts without one', `["\\n",${list(() => '"aaaaaaaaaaaaaaaaaaaa"', many)}]`],
  ['white space', `${repeat(' ')}{"a":${repeat('\n')}1${repeat('\t')}}${repeat('\r')}`],
  ['one number', repeat('9')],
  ['one fraction of zeros', `0.${repeat('0')}1`],
  ['one exponent', `1e${repeat('9')}`],
  ['numbers', `[${list(String, many)}]`],
  ['empty objects', `[${list(() => '{}', many)}]`],
  ['empty arrays', `{"a":[${list(() => '[]', many)}]}`],
  ['objects in lists of the greatest depth', `[${list(() => '[[[[[{"a":1}]]]]]', many / 8)}]`],
  ['keys', `{${list((index) => `"k${index}":0`, many)}}`],
  [
    'keys that differ in their last letter only',
    `{${list((index) => `"${'k'.repeat(90)}${index}":0`, many / 4)}}`,
  ],
  ['keys with capitals', `{${list((index) => `"K${index}":0`, many)}}`],
  ['keys outside ASCII', `{${list((index) => `"\u00e9${index}":0`, many / 2)}}`],
  ['keys with escapes', `{${list((index) => `"\\u006b${index}":0`, many)}}`],
  ['keys that are numbers in order', `{${list((index) => `"${index}":0`, many)}}`],
  ['keys that are numbers far apart', `{${list((index) => `"${index * 20_011}":0`, many)}}`],
  [
    'keys that are numbers from the last to the first',
    `{${list((index) => `"${many - index}":0`, many)}}`,
  ],
  ['one key of ASCII', `{"${repeat('K')}":1}`],
  ['the same wanted member in many objects', `[${list((index) => `{"a":${index}}`, many / 2)}]`],
]

const endless: readonly (readonly [string, string])[] = [
  ['one text', `{"a":"${repeat('x')}`],
  ['one text of escapes', `{"a":"${repeat('\\n')}`],
  ['texts, the last of which has no end', `[${list(() => '"a"', many)},"`],
  ['a key after many', `{${list((index) => `"k${index}":0`, many)},"${repeat('x')}`],
  ['a list', `[${list(String, many)}`],
  ['white space', `{"a":${repeat(' ')}`],
]

describe('B32: time is linear, whatever the shape', () => {
  test.each(shapes)('%s', (_, text) => {
    const bytes = Buffer.from(text)
    expect(scanStrict(bytes, want).root.end).toBeGreaterThan(0)
    expect(scanLax(bytes, want).end).toBeGreaterThan(0)
  })

  test.each(endless)('without an end: %s', (_, text) => {
    const bytes = Buffer.from(text)
    for (const scan of [scanStrict, scanLax]) {
      expect(() => scan(bytes, want)).toThrow(`unexpected end at byte ${bytes.length} [truncated]`)
    }
  })
})
