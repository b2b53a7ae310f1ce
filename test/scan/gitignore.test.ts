import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { filesUnder } from '../../src/scan/files.ts'
import { ignoreFile, isLeftOut } from '../../src/scan/gitignore.ts'

let folder: string

function git(...args: readonly string[]): string {
  const { stdout, status, stderr } = spawnSync('git', args, { cwd: folder, encoding: 'utf8' })
  if (status !== 0 && status !== 1) throw new Error(stderr)
  return stdout
}

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-ignore-')))
  git('init', '-q')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What git itself says of paths. */
function byGit(lines: readonly string[], paths: readonly string[]): readonly string[] {
  writeFileSync(join(folder, '.gitignore'), `${lines.join('\n')}\n`)
  return git('check-ignore', '--no-index', ...paths)
    .split('\n')
    .filter((path) => path !== '')
}

/** A path is left out when it is, or a folder that it lies in. */
function byUs(lines: readonly string[], paths: readonly string[]): readonly string[] {
  const files = [ignoreFile('', `${lines.join('\n')}\n`)]
  return paths.filter((path) => {
    const parts = path.split('/')
    return parts.some((_, index) =>
      isLeftOut(parts.slice(0, index + 1).join('/'), index < parts.length - 1, files),
    )
  })
}

const paths = [
  'a',
  'a.log',
  'b/a',
  'b/a.log',
  'b/c/a.log',
  'b/c/d',
  'x y',
  '#a',
  '!a',
  'a]',
  'ab',
  'a*b',
  'B',
  'b/b/b',
]

describe('a path is left out as git leaves it out', () => {
  test.each([
    ['a'],
    ['/a'],
    ['*.log'],
    ['b/*.log'],
    ['b/'],
    ['a/'],
    ['**/d'],
    ['b/**'],
    ['b/**/a.log'],
    ['**/c/**'],
    ['*.log', '!b/a.log'],
    ['b/', '!b/a'],
    ['*', '!b', '!b/a'],
    ['# a', 'a'],
    ['\\#a'],
    ['\\!a'],
    ['x y  '],
    ['x\\ y'],
    ['[ab]'],
    ['[!a]'],
    ['[^a]'],
    ['[a-c]'],
    ['a[]]'],
    ['a[*]b'],
    ['a\\*b'],
    ['?'],
    ['a?b'],
    ['[[:upper:]]'],
    ['[a'],
    [''],
    ['/'],
    ['**'],
    ['b/*'],
    ['b/*/b'],
    ['a.log '],
  ])('%j %j %j', (...lines) => {
    expect(byUs(lines, paths)).toEqual(byGit(lines, paths))
  })

  test('whatever the lines are', () => {
    const word = fc.array(
      fc.constantFrom('a', 'b', '.log', '*', '**', '?', '/', '[ab]', '!', 'c', 'd'),
      {
        minLength: 1,
        maxLength: 5,
      },
    )
    const line = word
      .map((pieces) => pieces.join(''))
      .filter((text) => !/\*{2}[^/]|[^/]\*{2}|\*{3}/.test(text))
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 3 }), (lines) => {
        const clean = paths.filter((path) => /^[\w./]+$/.test(path))
        expect(byUs(lines, clean)).toEqual(byGit(lines, clean))
      }),
      { numRuns: 100, seed: 20_261_128 },
    )
  })
})

test('a pattern made to take long takes no time', () => {
  const pattern = `${'*a'.repeat(500)}b`
  const started = performance.now()
  expect(isLeftOut('a'.repeat(5000), false, [ignoreFile('', pattern)])).toBe(false)
  expect(performance.now() - started).toBeLessThan(2000)
})

describe('the files of a folder', () => {
  const write = (files: Readonly<Record<string, string>>): void => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
  }
  const names = (from: string, includesIgnored = false): readonly string[] =>
    filesUnder(join(folder, from), { includesIgnored }).map(({ name }) => name)

  test('without what a file above, beside or of the repository alone leaves out', () => {
    write({
      '.gitignore': '/deep/in/left\n*.out\n',
      '.git/info/exclude': 'secret.txt\n',
      'deep/in/.gitignore': '!kept.out\ninner/\n',
      'deep/in/left/x.ts': '',
      'deep/in/kept.out': '',
      'deep/in/gone.out': '',
      'deep/in/inner/x.ts': '',
      'deep/in/secret.txt': '',
      'deep/in/x.ts': '',
      'deep/in/own-env/pyvenv.cfg': '',
      'deep/in/own-env/lib/x.py': '',
    })
    expect(names('deep/in')).toEqual(['.gitignore', 'kept.out', 'x.ts'])
    expect(names('deep')).toEqual(['in/.gitignore', 'in/kept.out', 'in/x.ts'])
    expect(names('deep/in', true)).toContain('left/x.ts')
  })
})
