import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { requireSharedOrSkip, sharedPath } from '../support/needs.ts'
import { call, decide, policy } from './support.ts'

const quoted = (paths: readonly string[]): string =>
  `[${paths.map((p) => JSON.stringify(p)).join(', ')}]`
const allowUnder = (...roots: readonly string[]): string =>
  `allow: [{capability: fs, path_prefix: ${quoted(roots)}}]`
const denyUnder = (...roots: readonly string[]): string =>
  `deny: [{capability: fs, path_prefix: ${quoted(roots)}}]\nallow: [fs]`

function decideArguments(text: string, args: unknown): string {
  return decide(text, { capability: 'fs.read.ws', arguments: JSON.stringify(args) })
}

describe('B19: a grant below /srv/ws', () => {
  test.each([
    ['the folder itself', '/srv/ws'],
    ['with a slash', '/srv/ws/'],
    ['with doubled slashes', '/srv//ws///a'],
    ['a file', '/srv/ws/a/b.txt'],
    ['dots that stay inside', '/srv/ws/./a/../b'],
    ['three dots are a name', '/srv/ws/...'],
    ['a percent sign that begins no escape', '/srv/ws/25%_growth'],
    ['an escape that stays inside', '/srv/ws/a%20b'],
    ['a hexadecimal number', '/srv/ws/0x2f3a.log'],
    ['a backslash that stays inside', '/srv/ws/a\\b'],
    ['a space inside a name', '/srv/ws/my file'],
    ['letters of another script', '/srv/ws/données/документ.txt'],
    ['a file URL', 'file:///srv/ws/a'],
    ['a file URL of this machine', 'FILE://localhost/srv/ws/a'],
  ])('takes %s: %s', (_, path) => {
    expect(decideArguments(allowUnder('/srv/ws'), { path })).toBe('allow')
  })

  test.each([
    ['a sibling with the same beginning', '/srv/ws-evil/a'],
    ['a parent', '/srv'],
    ['the root', '/'],
    ['a traversal', '/srv/ws/../x'],
    ['a traversal through the root', '/srv/ws/../../../../etc/passwd'],
    ['another case', '/SRV/ws/a'],
    ['a relative path', 'srv/ws/a'],
    ['a climbing path', '../srv/ws/a'],
    ['nothing', ''],
    ['an escaped traversal', '/srv/ws/%2e%2e/etc'],
    ['an escaped slash', '/srv/ws/..%2fetc'],
    ['a doubly escaped traversal', '/srv/ws/%252e%252e/etc'],
    ['an escaped backslash', '/srv/ws/..%5c..%5cetc'],
    ['an overlong escape', '/srv/ws/%c0%ae%c0%ae/etc'],
    ['an escape of another kind', '/srv/ws/%u002e%u002e/etc'],
    ['dots in the notation of C', '/srv/ws/0x2e0x2e/etc'],
    ['a slash in the notation of JavaScript', '/srv/ws/..\\x2f..\\u002fetc'],
    ['dots in the notation of HTML', '/srv/ws/&#46;&#x2e;/etc'],
    ['backslashes', '/srv/ws/..\\..\\etc'],
    ['mixed slashes', '/srv/ws\\../..\\etc'],
    ['full-width dots', '/srv/ws/．．/etc'],
    ['one-dot leaders', '/srv/ws/\u2024\u2024/etc'],
    ['a full-width slash', '/srv/ws/..／..／etc'],
    ['a division slash', '/srv/ws/..\u2215..\u2215etc'],
    ['a name that is trimmed to dots', '/srv/ws/.. /etc'],
    ['white space before', ' /etc/passwd'],
    ['a home folder', '~/ws'],
    ['a variable', '/srv/ws/$HOME'],
    ['a NUL', '/srv/ws/a\0b'],
    ['a new line', '/srv/ws/a\nb'],
    ['a zero-width space', '/srv/ws/.\u200b./etc'],
    ['a right-to-left override', '/srv/ws/\u202etxt'],
    ['another scheme', 'http://host/srv/ws/a'],
    ['a drive', 'C:\\srv\\ws\\a'],
    ['a file URL of another machine', 'file://host/srv/ws/a'],
    ['a file URL with a traversal', 'file:///srv/ws/%2e%2e/etc'],
    ['a file URL with a query', 'file:///srv/ws/a?x=/../../etc'],
    ['a number', 7],
    ['nobody knows what', { at: '/srv/ws/a' }],
    ['null', null],
    ['true', true],
  ])('does not take %s: %j', (_, path) => {
    expect(decideArguments(allowUnder('/srv/ws'), { path })).toBe('deny')
  })

  test('takes every path or none', () => {
    const under = allowUnder('/srv/ws')
    expect(decideArguments(under, { paths: ['/srv/ws/a', '/srv/ws/b'] })).toBe('allow')
    expect(decideArguments(under, { paths: ['/srv/ws/a', '/etc/passwd'] })).toBe('deny')
    expect(decideArguments(under, { source: '/srv/ws/a', destination: '/etc/x' })).toBe('deny')
    expect(decideArguments(under, { edits: [{ file: '/etc/x' }], path: '/srv/ws/a' })).toBe('deny')
    expect(decideArguments(under, { files: [{ path: '/srv/ws/a', content: 'x' }] })).toBe('allow')
    expect(decideArguments(under, { files: [{ path: '/srv/ws/a' }, { name: 'x' }] })).toBe('deny')
    expect(decideArguments(under, { content: 'there is no path here' })).toBe('deny')
    expect(decideArguments(under, { paths: [] })).toBe('deny')
  })

  test('takes a path below any of several prefixes', () => {
    const under = allowUnder('/srv/ws', '/tmp/out')
    expect(decideArguments(under, { paths: ['/srv/ws/a', '/tmp/out/b'] })).toBe('allow')
    expect(decideArguments(under, { path: '/tmp/outer' })).toBe('deny')
    // The readings of one path may lie below different prefixes: both are allowed.
    expect(decideArguments(allowUnder('/a', '/b'), { path: '/a/%2e%2e/b/x' })).toBe('allow')
  })

  test('a relative prefix takes relative paths that stay below it', () => {
    const under = allowUnder('./workspace/')
    expect(decideArguments(under, { path: 'workspace/a' })).toBe('allow')
    expect(decideArguments(under, { path: './workspace' })).toBe('allow')
    expect(decideArguments(under, { path: './workspace/../workspace/a' })).toBe('allow')
    expect(decideArguments(under, { path: 'workspace-2/a' })).toBe('deny')
    expect(decideArguments(under, { path: '/workspace/a' })).toBe('deny')
    expect(decideArguments(under, { path: '../workspace/a' })).toBe('deny')
    expect(decideArguments(allowUnder('.'), { path: 'a/b' })).toBe('allow')
    expect(decideArguments(allowUnder('.'), { path: 'a/../../b' })).toBe('deny')
  })

  test('a prefix is normalised as a path is', () => {
    expect(decideArguments(allowUnder('/srv/x/../ws//'), { path: '/srv/ws/a' })).toBe('allow')
    expect(decideArguments(allowUnder('/'), { path: '/etc' })).toBe('allow')
    expect(decideArguments(allowUnder('/my%20files'), { path: '/my%20files/a' })).toBe('allow')
    expect(decideArguments(allowUnder('/my%20files'), { path: '/my files/a' })).toBe('deny')
  })
})

describe('B19: a guard of /etc', () => {
  test.each([
    ['a dot', '/./etc/passwd'],
    ['a traversal into it', '/tmp/../etc/passwd'],
    ['another case', '/ETC/passwd'],
    ['letters that fold to it', '/\uff45tc/passwd'],
    ['an escape', '/%65tc/passwd'],
    ['a double escape', '/%2565tc/passwd'],
    ['backslashes', '\\etc\\passwd'],
    ['a doubled slash', '//etc/passwd'],
    ['white space that is trimmed', ' /etc/passwd'],
    ['a traversal out of it, which a link may lead anywhere', '/etc/../x'],
    ['a climbing path', '../../etc/passwd'],
    ['a relative path, which may be anywhere', 'passwd'],
    ['a home folder', '~/x'],
    ['a variable', '$ETC/passwd'],
    ['nobody knows what', { at: '/tmp' }],
  ])('applies to %s: %j', (_, path) => {
    expect(decideArguments(denyUnder('/etc'), { path })).toBe('deny')
  })

  test.each([
    'path',
    'Path',
    'PATH',
    'pAth',
    'file_path',
    'filePath',
    'FILE-PATH',
    'outputFile',
    'target',
  ])('finds the path under the name %s', (name) => {
    expect(
      decideArguments(denyUnder('/etc'), {
        note: 'x',
        path: '/tmp/a',
        [`${name}2`]: 1,
        in: { [name]: '/etc/x' },
      }),
    ).toBe('deny')
  })

  test('applies when no path is there to see', () => {
    expect(decideArguments(denyUnder('/etc'), { note: 'x' })).toBe('deny')
  })

  test.each(['/tmp/x', '/etcetera/x', '/tmp/etc', '/tmp/../tmp/etc'])(
    'does not apply to %s',
    (path) => {
      expect(decideArguments(denyUnder('/etc'), { path })).toBe('allow')
    },
  )
})

describe('paths that the configuration declares', () => {
  const roles = { path: ['/where', '/list/*/spot'] }
  const decided = (text: string, args: unknown): string =>
    decide(text, { capability: 'fs.read.ws', arguments: JSON.stringify(args), roles })

  test('are candidates like those that are known by name', () => {
    expect(decided(allowUnder('/srv/ws'), { where: '/srv/ws/a' })).toBe('allow')
    expect(decided(allowUnder('/srv/ws'), { where: '/etc/x' })).toBe('deny')
    expect(decided(allowUnder('/srv/ws'), { where: ['/srv/ws/a', '/etc/x'] })).toBe('deny')
    expect(
      decided(denyUnder('/etc'), { path: '/tmp/x', list: [{ spot: '/tmp' }, { spot: '/etc' }] }),
    ).toBe('deny')
    expect(decided(denyUnder('/etc'), { path: '/tmp/x', list: [{ spot: '/tmp' }] })).toBe('allow')
  })

  test('are found whatever the case of their names', () => {
    expect(decided(denyUnder('/etc'), { path: '/tmp/x', Where: '/etc/x' })).toBe('deny')
  })
})

describe('bounds of paths', () => {
  const deny = denyUnder('/etc')

  test('as many paths as are compared, and one more', () => {
    const most = Array.from({ length: limits.maxPathCandidates }, (_, at) => `/tmp/${at}`)
    expect(decideArguments(deny, { paths: most })).toBe('allow')
    expect(decideArguments(deny, { paths: [...most, '/tmp/x'] })).toBe('deny')
  })

  test('as many characters as are read, and one more', () => {
    const most = `/${'x'.repeat(limits.maxPathCharacters - 1)}`
    expect(decideArguments(deny, { path: most })).toBe('allow')
    expect(decideArguments(deny, { path: `${most}x` })).toBe('deny')
    expect(decideArguments(deny, { path: most, file: '/' })).toBe('deny')
  })

  test('a path that turns back without end, or can be taken in too many ways, is not followed', () => {
    expect(decideArguments(deny, { path: `/tmp${'/a/..'.repeat(1000)}` })).toBe('deny')
    expect(decideArguments(deny, { path: `/tmp/%${'25'.repeat(40)}41` })).toBe('deny')
  })

  test.each([
    ['escapes', '/tmp/' + '%41'.repeat(20_000)],
    ['white space', `/tmp/${' '.repeat(60_000)}x`],
    ['turns', `/tmp${'/../x'.repeat(12_000)}`],
    ['marks', `/tmp/a${'\u0301\u0323'.repeat(30_000)}`],
    ['backslashes', `/tmp/${'\\..'.repeat(20_000)}`],
  ])('B19: a long path of %s costs little', (_, path) => {
    const guarded = policy(deny)
    const event = call({ capability: 'fs.read.ws', arguments: JSON.stringify({ path }) })
    const start = performance.now()
    guarded.decide(event)
    expect(performance.now() - start).toBeLessThan(1000)
  })
})

interface PathCase {
  readonly id: string
  readonly arguments: Readonly<Record<string, unknown>>
  readonly policy: { readonly allow_root?: string; readonly allow_roots?: readonly string[] }
  readonly expect: string
  readonly label: string
  readonly needs_filesystem?: boolean
}

function casesOf(file: string): readonly PathCase[] {
  const lines = readFileSync(sharedPath(`corpora/payloads/${file}`), 'utf8')
    .trim()
    .split('\n')
  return lines.map((line) => JSON.parse(line) as PathCase)
}

/** A prefix that the loader refuses grants nothing. */
function grants({
  policy: { allow_root: root, allow_roots: roots = root === undefined ? [] : [root] },
  arguments: args,
}: PathCase): boolean {
  try {
    return decideArguments(allowUnder(...roots), args) === 'allow'
  } catch {
    return false
  }
}

const noPayloads = requireSharedOrSkip('corpora/payloads/paths.jsonl')

describe.skipIf(noPayloads)('B19: published payloads', () => {
  const cases = noPayloads ? [] : casesOf('paths.jsonl')
  const wrong = (label: string, expected: boolean): readonly unknown[] =>
    cases
      .filter((one) => one.label === label && grants(one) !== expected)
      .map(({ id, arguments: args }) => [id, args])

  test('no attack is granted', () => {
    expect(cases.filter(({ label }) => label === 'attack').length).toBeGreaterThan(100)
    expect(wrong('attack', false)).toEqual([])
  })

  test('no benign path is refused', () => {
    expect(cases.filter(({ label }) => label === 'benign').length).toBeGreaterThan(50)
    expect(wrong('benign', true)).toEqual([])
  })
})

const noOfficial = requireSharedOrSkip('corpora/payloads/path_prefix_official.jsonl')

describe.skipIf(noOfficial)('B19: the path cases of the official file server', () => {
  // One case depends on the folder in which its server was started; the others that ask a disk are for servers.
  const cases = noOfficial
    ? []
    : casesOf('path_prefix_official.jsonl').filter(
        ({ needs_filesystem: disk, arguments: { path } }) => disk !== true && path !== './file',
      )

  test.each(cases.map((one) => [one.id, one.expect, one] as const))(
    '%s: %s',
    (_, expected, one) => {
      expect(grants(one)).toBe(expected === 'allow')
    },
  )
})
