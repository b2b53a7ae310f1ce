import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { signingKey } from '../../src/crypto/ed25519.ts'
import { makeKeyFile, readKeyFile } from '../../src/crypto/key-file.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-keys-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const name = 'capfence.local/01JD0000000000000000000000/epoch-1'
const seed = (): Uint8Array => new Uint8Array(32).fill(7)
const unavailable: unknown = expect.objectContaining({ code: 'AUDIT_UNAVAILABLE' })
let count = 0
const freshPath = (): string => join(folder, `${(count += 1)}.key`)

function madeFile(): { path: string; text: string } {
  const path = freshPath()
  makeKeyFile(path, name, seed())
  return { path, text: readFileSync(path, 'utf8') }
}

describe('a key file', () => {
  test('gives back the name and the key', () => {
    const read = readKeyFile(madeFile().path)
    const message = Buffer.from('message')
    expect(read.name).toBe(name)
    expect(read.key.sign(message)).toEqual(signingKey(seed()).sign(message))
  })

  test('is one line, for its owner alone', () => {
    const { path, text } = madeFile()
    expect(text).toBe(`capfence-key-v1 ${name} BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc\n`)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('is for its owner alone whatever the umask takes away', () => {
    const before = process.umask(0o777)
    try {
      expect(statSync(madeFile().path).mode & 0o777).toBe(0o600)
    } finally {
      process.umask(before)
    }
  })

  test('never overwrites one that is there', () => {
    const { path, text } = madeFile()
    expect(() => makeKeyFile(path, 'other', seed())).toThrow(unavailable)
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  test('takes the seed with it: the array that was handed over is empty', () => {
    const bytes = seed()
    makeKeyFile(freshPath(), name, bytes)
    expect(bytes).toEqual(new Uint8Array(32))
  })
})

describe('refused as a key', () => {
  test.each(['640', '604', '620', '602', '610', '677'])('a file of mode %s', (mode) => {
    const { path } = madeFile()
    chmodSync(path, Number.parseInt(mode, 8))
    expect(() => readKeyFile(path)).toThrow(unavailable)
  })

  test('a file that is not there, and none is made', () => {
    const path = freshPath()
    expect(() => readKeyFile(path)).toThrow(unavailable)
    expect(existsSync(path)).toBe(false)
  })

  test('a folder', () => {
    const path = freshPath()
    mkdirSync(path, { mode: 0o700 })
    expect(() => readKeyFile(path)).toThrow(unavailable)
  })

  test('a link to a file that others can read', () => {
    const { path } = madeFile()
    chmodSync(path, 0o644)
    const link = freshPath()
    symlinkSync(path, link)
    expect(() => readKeyFile(link)).toThrow(unavailable)
  })

  test('every file that lacks a character, has one more, or another case at the start', () => {
    const { text } = madeFile()
    const start = `capfence-key-v1 ${name} `.length
    for (let at = 0; at < text.length; at += 1) {
      // A name may be shorter by a character: then it is another name.
      if (at >= 'capfence-key-v1 '.length && at < start - 1) continue
      expectRefused(text.slice(0, at) + text.slice(at + 1))
    }
    for (const other of [`${text}\n`, `${text}x`, ` ${text}`, text.replace('c', 'C'), '', '\n']) {
      expectRefused(other)
    }
  })

  test('a key with bits too many in its last character', () => {
    expectRefused(madeFile().text.replace(/c\n$/, 'd\n'))
  })

  test('a file that is long', () => {
    expectRefused(`capfence-key-v1 ${'n'.repeat(2000)} ${'A'.repeat(43)}\n`)
  })

  function expectRefused(text: string): void {
    const path = freshPath()
    writeFileSync(path, text, { mode: 0o600 })
    expect(() => readKeyFile(path), JSON.stringify(text)).toThrow(unavailable)
  }
})

test('no error shows what is in the file', () => {
  const path = freshPath()
  writeFileSync(path, `capfence-key-v0 ${name} ${'S'.repeat(43)}\n`, { mode: 0o600 })
  expect(() => readKeyFile(path)).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('SSSS') as unknown }),
  )
})
