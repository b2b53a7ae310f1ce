import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { KeyFolder, KeysInMemory } from '../../src/crypto/key-folder.ts'
import type { KeyFiles } from '../../src/crypto/key-folder.ts'

const name = 'capfence.local/01JD0000000000000000000000'
const seed = (fill = 7): Uint8Array => new Uint8Array(32).fill(fill)
const message = Buffer.from('message')

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-keys-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'log.keys')
}

const kinds: Readonly<Record<string, () => KeyFiles>> = {
  'in a folder': () => new KeyFolder(newFolder()),
  'in memory': () => new KeysInMemory(),
}

describe.each(Object.entries(kinds))('keys %s', (_, makeFiles) => {
  test('are read as they were made', () => {
    const files = makeFiles()
    expect(files.list()).toEqual([])
    const made = files.make('log.key', name, seed())
    const read = files.read('log.key')
    expect(read.name).toBe(name)
    expect(read.key.sign(message)).toEqual(made.key.sign(message))
    expect(files.list()).toEqual(['log.key'])
  })

  test('are replaced, renamed and erased, and it does not matter if that was done before', () => {
    const files = makeFiles()
    files.make('a', name, seed())
    files.make('a', 'other', seed(8))
    files.rename('a', 'b')
    files.rename('a', 'b')
    expect(files.list()).toEqual(['b'])
    expect(files.read('b').name).toBe('other')
    files.erase('b')
    files.erase('b')
    expect(files.list()).toEqual([])
  })

  test('that are missing are refused', () => {
    expect(() => makeFiles().read('log.key')).toThrow(
      expect.objectContaining({
        code: 'AUDIT_UNAVAILABLE',
        message: expect.stringContaining('is missing') as string,
        hint: expect.stringContaining('put them back') as string,
      }),
    )
  })

  test('take the seed with them', () => {
    const bytes = seed()
    makeFiles().make('log.key', name, bytes)
    expect(bytes).toEqual(new Uint8Array(32))
  })
})

describe('a folder of keys', () => {
  test('is for this user alone, and so is what is in it', () => {
    const folder = newFolder()
    const umask = process.umask(0)
    onTestFinished(() => void process.umask(umask))
    new KeyFolder(folder).make('log.key', name, seed())
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    for (const file of readdirSync(folder)) {
      expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600)
    }
  })

  test('keeps nothing of a key that was erased or replaced', () => {
    const folder = newFolder()
    const files = new KeyFolder(folder)
    for (const [file, end] of [
      ['a', () => files.erase('a')],
      ['b', () => files.make('b', name, seed(9))],
    ] as const) {
      files.make(file, name, seed())
      const link = join(folder, '..', file)
      linkSync(join(folder, file), link)
      const { length } = readFileSync(link)
      end()
      expect(readFileSync(link).equals(Buffer.alloc(length))).toBe(true)
    }
    expect(existsSync(join(folder, 'a'))).toBe(false)
  })

  test.each([0o750, 0o705, 0o770, 0o711])('of mode %o is refused', (mode) => {
    const folder = newFolder()
    const files = new KeyFolder(folder)
    files.make('log.key', name, seed())
    chmodSync(folder, mode)
    const refused: unknown = expect.objectContaining({
      code: 'AUDIT_UNAVAILABLE',
      hint: expect.stringContaining('chmod 700 ') as string,
    })
    expect(() => files.read('log.key')).toThrow(refused)
    expect(() => files.make('epoch-1.key', name, seed())).toThrow(refused)
  })

  test('may hold what is no key: it is refused at once', () => {
    const folder = newFolder()
    mkdirSync(folder, { mode: 0o700 })
    // The list of unlisted programs need not know a shell's.
    spawnSync('sh', ['-c', 'mkfifo -m 600 "$0"', join(folder, 'pipe')])
    mkdirSync(join(folder, 'folder'), { mode: 0o700 })
    symlinkSync('nowhere', join(folder, 'link'))
    for (const file of ['pipe', 'folder', 'link']) {
      expect(() => new KeyFolder(folder).read(file), file).toThrow(
        expect.objectContaining({
          code: 'AUDIT_UNAVAILABLE',
          hint: expect.any(String) as string,
        }),
      )
    }
  })

  test('that is a file, or cannot be made, is refused', () => {
    const folder = newFolder()
    writeFileSync(folder, '', { mode: 0o600 })
    for (const place of [folder, join(folder, 'below'), '/proc/capfence.keys']) {
      expect(() => new KeyFolder(place).make('log.key', name, seed()), place).toThrow(
        expect.objectContaining({ code: 'AUDIT_UNAVAILABLE' }),
      )
    }
  })
})
