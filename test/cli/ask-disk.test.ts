import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { askDiskFrom } from '../../src/cli/ask-disk.ts'
import { limits } from '../../src/limits.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-disk-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string): string => join(folder, name)

mkdirSync(at('a/b'), { recursive: true })
writeFileSync(at('a/file'), '')
symlinkSync('a/b', at('relative'))
symlinkSync(at('relative'), at('chain'))
symlinkSync(at('none/yet'), at('dangling'))
symlinkSync(at('round'), at('round'))

const ask = askDiskFrom(folder)

test.each([
  ['what is there', 'a/file', 'a/file'],
  ['a link', 'relative', 'a/b'],
  ['a link to a link', 'chain', 'a/b'],
  ['what is not there, behind a link', 'chain/new/file', 'a/b/new/file'],
  ['what is not there at all', 'none/at/all', 'none/at/all'],
  ['the folder itself', '.', '.'],
  ['a link to what is not there', 'dangling', undefined],
  ['what is behind such a link', 'dangling/more', undefined],
  ['a link to itself', 'round', undefined],
  ['what is inside of a file', 'a/file/more', undefined],
  ['a name that is too long', `a/${'x'.repeat(300)}`, undefined],
  ['very many names', 'x/'.repeat(limits.maxRealPathNames + 1), undefined],
  ['a path with a NUL', 'a\0b', undefined],
])('%s', async (_, path, real) => {
  const expected = real === undefined ? undefined : join(folder, real)
  expect((await ask([path])).get(path)).toBe(
    expected === undefined ? undefined : expected.replace(/\/$/, ''),
  )
  const absolute = join(folder, path)
  expect((await ask([absolute])).get(absolute)).toBe(expected?.replace(/\/$/, ''))
})

test('each of several paths has its answer', async () => {
  const answers = await ask(['relative', 'round'])
  expect(Object.fromEntries(answers)).toEqual({ relative: at('a/b'), round: undefined })
})

// No folder is closed to root.
const closed = process.getuid?.() === 0 ? [] : ['locked']

test.each(closed)('a folder that cannot be looked into says nothing: %s', async () => {
  mkdirSync(at('locked/inner'), { recursive: true })
  chmodSync(at('locked'), 0)
  expect((await ask(['locked/inner/x'])).get('locked/inner/x')).toBeUndefined()
  chmodSync(at('locked'), 0o700)
})
