import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { oneMatcher } from './one-matcher.ts'

const file = oneMatcher('path')
const matcher = (name: string, text: string): string => `${name}: ${JSON.stringify(text)}`
const allowed = (name: string, text: string, path: string): boolean =>
  file.allows(matcher(name, text), path)
const denied = (name: string, text: string, path: string): boolean =>
  file.denies(matcher(name, text), path)

describe('under', () => {
  test.each([
    ['/srv', '/srv/a', true],
    ['/srv', '/srv', true],
    ['/srv', '/srv-evil', false],
    ['/srv', '/srv/../etc/passwd', false],
    ['/srv', '/srv/%2e%2e/etc', false],
    ['/srv', '/SRV/a', false],
    ['/srv', '~/a', false],
    ['/srv', 'C:\\srv\\a', false],
    ['./workspace', 'workspace/a', true],
    ['./workspace', '../workspace/a', false],
  ])('a grant of %s and %s', (folder, path, expected) => {
    expect(allowed('under', folder, path)).toBe(expected)
    expect(allowed('not_under', folder, path) && expected).toBe(false)
  })

  test.each([
    ['/etc', '/srv/../etc/passwd', true],
    ['/etc', '/ETC/passwd', true],
    ['/etc', 'relative', true],
    ['/etc', '/srv/a', false],
    ['/etc', '/etcetera', false],
  ])('a guard of %s and %s', (folder, path, expected) => {
    expect(denied('under', folder, path)).toBe(expected)
  })

  test('what is outside is not under, and what is unsure is neither', () => {
    expect(allowed('not_under', '/etc', '/srv/a')).toBe(true)
    expect(allowed('not_under', '/etc', '/srv/../etc')).toBe(false)
    expect(allowed('not_under', '/etc', '/srv/%u002e')).toBe(false)
    expect(denied('not_under', '/srv', '/etc/passwd')).toBe(true)
    expect(denied('not_under', '/srv', '/srv/%u002e')).toBe(true)
    expect(denied('not_under', '/srv', '/srv/a')).toBe(false)
  })
})

describe('a folder of Windows', () => {
  test.each([
    ['C:\\work', 'C:\\work\\a.txt', true],
    ['C:\\work', 'c:/WORK/a.txt', true],
    ['C:\\work', 'C:\\work\\x\\..\\a.txt', true],
    ['C:\\work', 'file:///C:/work/a.txt', true],
    ['\\\\srv\\share\\x', '//SRV/share/x/y', true],
    ['C:\\', 'C:\\a', true],
    ['C:\\work', 'C:\\work-evil', false],
    ['C:\\work', 'C:\\work\\..\\Windows', false],
    ['C:\\work', 'D:\\work\\a', false],
    ['C:\\work', 'C:work\\a', false],
    ['C:\\work', '\\work\\a', false],
    ['C:\\work', '/work/a', false],
    ['C:\\work', '\\\\?\\C:\\work\\..\\a', false],
    ['C:\\work', '\\\\?\\C:\\work\\a', false],
    ['C:\\work', '\\\\.\\C:\\work\\a', false],
    ['C:\\work', 'C:\\work\\a.txt:stream', false],
    ['C:\\work', 'C:\\work\\a.txt::$DATA', false],
    ['C:\\work', 'C:\\work\\PROGRA~1', false],
    ['C:\\work', 'C:\\work\\...\\a', false],
    ['C:\\work', 'C:\\work\\.. \\a', false],
    ['C:\\work', 'C:\\work\\a. ', false],
    ['C:\\work', 'C:\\work\\nul', false],
    ['C:\\work', 'C:\\work\\COM1.txt', false],
    ['C:\\work', 'C:\\work\\com¹', false],
    ['C:\\work', 'C:\\work\\%TEMP%', false],
    ['C:\\work', 'C:\\work\\%2e%2e\\a', false],
    ['C:\\work', 'C:\\work＼..＼a', false],
    ['C:\\work', 'C:\\work¥..¥a', false],
    ['C:\\work', 'C:\\work\\a\0.txt', false],
    ['C:\\work', 'C:\\work\\*', false],
    ['\\\\srv\\share\\x', '\\\\srv\\share\\..\\x', false],
    ['\\\\srv\\share\\x', '\\\\srv\\C$\\x', false],
  ])('a grant of %j and %j', (folder, path, expected) => {
    expect(allowed('under', folder, path)).toBe(expected)
  })

  test.each([
    ['C:\\Windows\\System32', true],
    ['c:/windows', true],
    ['C:\\work\\..\\Windows\\x', true],
    ['\\\\?\\C:\\Windows', true],
    ['C:\\WINDOW~1', true],
    ['C:\\Windows.\\x', true],
    ['C:\\work\\a', false],
    ['D:\\Windows', false],
  ])('a guard of C:\\Windows and %j', (path, expected) => {
    expect(denied('under', 'C:\\Windows', path)).toBe(expected)
  })

  test.each(['C:work', 'C:\\a\\..\\b', '\\\\?\\C:\\a', 'C:\\a*', 'C:\\nul', '\\\\srv', 'C:\\a '])(
    '%j is refused when the file is read',
    (folder) => {
      expect(file.problems(matcher('under', folder))).toHaveLength(1)
    },
  )

  test('nothing that climbs out is granted, however it is written', () => {
    const name = fc.constantFrom('a', '..', '.', '...', '.. ', 'x~1', '', '%2e%2e', '．．')
    const slash = fc.constantFrom('\\', '/', '＼', '%5c', '\\\\')
    fc.assert(
      fc.property(fc.array(fc.tuple(slash, name), { maxLength: 6 }), (parts) => {
        const path = `C:\\work${parts.flat().join('')}`
        if (!allowed('under', 'C:\\work', path)) return
        let depth = 0
        for (const part of path.split(/[\\/]+/).slice(2)) {
          depth += part === '..' ? -1 : part === '' || part === '.' ? 0 : 1
          expect(depth).toBeGreaterThanOrEqual(0)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('glob', () => {
  test.each([
    ['src/*.ts', 'src/a.ts', true],
    ['src/*.ts', 'src/b/a.ts', false],
    ['src/**/*.ts', 'src/a.ts', true],
    ['src/**/*.ts', 'src/a/b/c.ts', true],
    ['src/**', 'src/a/../../etc', false],
    ['src/**', 'src/%2e%2e/x', false],
    ['src/**', 'src/a\\..\\x', false],
    ['src/*', 'src/..', false],
    ['src/**', 'src', true],
    ['**/x/**/y', 'a/x/b/x/y', true],
    ['**/x/**/y', 'a/y/b/x', false],
    ['release-*', 'release-1', true],
    ['release-*', 'release-1/x', false],
    ['release-*', 'release-1\nx', false],
    ['release-*', 'RELEASE-1', false],
    ['https://a.com/*', 'https://a.com/x', true],
    ['a', 'a', true],
  ])('a grant of %s and %j', (pattern, text, expected) => {
    expect(allowed('glob', pattern, text)).toBe(expected)
  })

  test.each([
    ['/etc/*', '/etc/ssh/key', true],
    ['/etc/*', '/srv/../etc/passwd', true],
    ['/etc/*', '/ETC/passwd', true],
    ['/etc/**/key', '/etc/key', true],
    ['/etc/*', '/srv/a', false],
    ['*.exe', 'A.EXE', true],
    ['*.exe', 'a.txt', false],
  ])('a guard of %s and %j', (pattern, text, expected) => {
    expect(denied('glob', pattern, text)).toBe(expected)
  })

  test.each(['a?', '[a]', '{a,b}', 'a**', '', `${'a/'.repeat(70)}b`])(
    '%j is refused when the file is read',
    (pattern) => {
      expect(file.problems(matcher('glob', pattern))).toHaveLength(1)
    },
  )

  test('many stars take no time', () => {
    const start = performance.now()
    allowed('glob', `${'**/a/'.repeat(31)}b`, 'a/'.repeat(32_000))
    expect(performance.now() - start).toBeLessThan(1000)
  })
})
