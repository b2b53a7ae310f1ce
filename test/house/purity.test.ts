import { describe, expect, test } from 'vitest'
import { lint } from '../support/lint.ts'

const impure: readonly (readonly [name: string, expression: string])[] = [
  ['the clock', 'Date.now()'],
  ['the clock, indirectly', `Date['now']()`],
  ['the clock, as a date', 'new Date()'],
  ['the clock, as a text', 'Date()'],
  ['the clock, under another name', '((d: DateConstructor) => d.now())(Date)'],
  ['the clock, as a method to call later', '[1].map(Date.now)'],
  ['the time zone, by parts', 'new Date(2026, 1)'],
  ['the time zone, by spreading', 'new Date(...([2026, 1] as const))'],
  ['the time zone, by asking', 'new Date(0).getHours()'],
  ['a fine clock', 'performance.now()'],
  ['the process', 'process.pid'],
  ['the environment', `process.env['HOME']`],
  ['the global object', 'globalThis.process'],
  ['the global object, by its old name', 'global.process'],
  ['a timer', 'setTimeout(() => 1, 1)'],
  ['a timer that repeats', 'setInterval(() => 1, 1)'],
  ['a timer at once', 'setImmediate(() => 1)'],
  ['a timer by signal', 'AbortSignal.timeout(1)'],
  ['the network', `fetch('x')`],
  ['a socket', `new WebSocket('x')`],
  ['random numbers', 'Math.random()'],
  ['random numbers, indirectly', `Math['random']()`],
  ['random numbers, taken apart', '(({ random }: Math) => random())(Math)'],
  ['random bytes', 'crypto.getRandomValues(new Uint8Array(1))'],
  ['random names', 'crypto.randomUUID()'],
  ['the terminal', `console.log('x')`],
  ['the locale', 'new Intl.Collator()'],
  ['a locale', `Intl.DateTimeFormat('en')`],
  ['the zone of this machine', `new Intl.DateTimeFormat('en-US')`],
  [
    'the zone of this machine, with options',
    `new Intl.DateTimeFormat('en-US', { hour: '2-digit' })`,
  ],
  ['the locale, with a zone', `new Intl.DateTimeFormat(undefined, { timeZone: 'UTC' })`],
  ['the locale, by comparing', `'a'.localeCompare('b')`],
  ['the locale, by printing', '(1).toLocaleString()'],
  ['code from text', `eval('1')`],
  ['functions from text', `new Function('return 1')`],
  ['shared memory', 'new SharedArrayBuffer(1)'],
  ['the garbage collector', 'new WeakRef({})'],
  ['its own place', 'import.meta.url'],
  ['its own folder', '__dirname'],
  ['a module by name', `require('x')`],
]

const pureExpressions: readonly (readonly [name: string, expression: string])[] = [
  ['a date of a given time', 'new Date(0).toISOString()'],
  ['a time from a text', `Date.parse('2026-01-01T00:00:00Z')`],
  ['a time from parts', 'Date.UTC(2026, 0)'],
  ['the universal parts of a date', 'new Date(0).getUTCHours()'],
  ['a clock of a given zone', `new Intl.DateTimeFormat('en-US', { timeZone: 'Europe/Berlin' })`],
  ['arithmetic', 'Math.max(1, 2)'],
  ['bytes', 'new TextEncoder().encode("x")'],
  ['node bytes', `Buffer.from('x')`],
  ['collections', 'new Map([[1, new Set([2n])]])'],
  ['JSON', `JSON.stringify({ a: Number('1') })`],
  ['a parameter with the name of a global', '((fetch: () => number) => fetch())(() => 1)'],
  ['a member with the name of a global', '({ process: 1, console: 2 }).process'],
  ['a regular expression', '/a/u.test("a")'],
  ['an error', 'new TypeError("x", { cause: undefined })'],
]

const pureRooms = ['json', 'event', 'policy', 'approval', 'audit', 'replay', 'runtime/decide']

const plant = (expression: string): string =>
  `/** It is planted. */\nexport const planted = (): unknown => ${expression}\n`

/** Every expression in a file of its own in every pure room, so that each complaint can be told from the next. */
const files: Record<string, string> = {}
const pathOf = (room: string, kind: 'impure' | 'pure', index: number): string =>
  `src/${room}/${kind}-${String(index)}.ts`
for (const room of pureRooms) {
  for (const [index, [, code]] of impure.entries())
    files[pathOf(room, 'impure', index)] = plant(code)
  for (const [index, [, code]] of pureExpressions.entries()) {
    files[pathOf(room, 'pure', index)] = plant(code)
  }
}
const complaints = lint(files)

const about = (path: string): readonly string[] | undefined =>
  complaints
    .get(path)
    ?.filter(({ rule }) => rule === 'capfence(pure-room)')
    .map(({ message }) => message)

const numbered = (
  list: readonly (readonly [name: string, code: string])[],
): readonly { name: string; code: string; index: number }[] =>
  list.map(([name, code], index) => ({ name, code, index }))

describe.each(pureRooms)('%s is pure', (room) => {
  test.each(numbered(impure))('refused is $name: $code', ({ index }) => {
    expect(about(pathOf(room, 'impure', index))).toEqual([expect.stringMatching(/./)])
  })

  test.each(numbered(pureExpressions))('allowed is $name: $code', ({ index }) => {
    expect(about(pathOf(room, 'pure', index))).toEqual([])
  })
})

test('a room that does things may use the clock', () => {
  const path = 'src/transport/clock.ts'
  expect(lint({ [path]: plant('Date.now()') }).get(path)).toEqual([])
})
