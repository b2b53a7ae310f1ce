import { describe, expect, test } from 'vitest'
import { oneMatcher } from './one-matcher.ts'

const query = oneMatcher('q')
const regex = (pattern: string): string => `regex: ${JSON.stringify(pattern)}`
const allowed = (pattern: string, text: string): boolean => query.allows(regex(pattern), text)
const guarded = (pattern: string, text: string): boolean => query.denies(regex(pattern), text)

describe('a grant needs the whole text, exactly and on one line', () => {
  test.each([
    ['the whole text', '[a-z]+-[0-9]+', 'order-12', true],
    ['a part of it', '[a-z]+-[0-9]+', 'order-12; drop', false],
    ['an alternative of one', 'a|b', 'ab', false],
    ['a line of several', '^ok$', 'ok\nrm -rf /', false],
    ['a line of several, with a flag', '(?m)^ok$', 'ok\nrm', false],
    ['a line break that a dot is told to match', '(?s)ok.*', 'ok\nrm', false],
    ['another case', 'ok', 'OK', false],
    ['another width', 'ok', 'ｏｋ', false],
  ])('%s', (_name, pattern, text, expected) => {
    expect(allowed(pattern, text)).toBe(expected)
  })
})

describe('a guard looks everywhere, case and hidden characters aside', () => {
  test.each([
    ['somewhere', 'rm\\s+-rf', 'please rm   -rf /', true],
    ['in another case', 'drop table', 'DROP TABLE x', true],
    ['with a hidden character', 'secret', 'se\u200bcret', true],
    ['in another width', 'secret', 'ｓｅｃｒｅｔ', true],
    ['in capitals in the pattern', 'SECRET', 'secret', true],
    ['not at all', 'secret', 'public', false],
  ])('%s', (_name, pattern, text, expected) => {
    expect(guarded(pattern, text)).toBe(expected)
  })

  test('what is too long to be looked at is not known, so the guard applies', () => {
    expect(guarded('(a|b){200}c', 'a'.repeat(200_000))).toBe(true)
    expect(allowed('(a|b){0,200}', 'a'.repeat(200_000))).toBe(false)
  })
})

describe('B24: no pattern takes more than linear time', () => {
  test.each(['(a*)*b', '(a+)+$', '(x+x+)+y', '(a|aa)+c', '.*.*.*=x'])('%s', (pattern) => {
    const start = performance.now()
    guarded(pattern, 'a'.repeat(200_000))
    expect(performance.now() - start).toBeLessThan(2000)
  })

  test.each(['(?=a)b', '(?<=a)b', '(a)\\1', 'a++', '(', '[z-a]', 'a{2000}', '(a{1000}){9}'])(
    '%s is refused when the file is read',
    (pattern) => {
      expect(query.problems(regex(pattern))).toEqual([
        expect.stringMatching(/^p\.yaml:3:\d+: `regex: .*\[policy-value\]$/),
      ])
    },
  )
})
