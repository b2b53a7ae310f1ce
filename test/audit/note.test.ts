import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  openCheckpoint,
  parseCheckpoint,
  printCheckpoint,
  signCheckpoint,
} from '../../src/audit/checkpoint.ts'
import {
  isSignedBy,
  noteSigner,
  parseNote,
  parseVerifierKey,
  printVerifierKey,
  signNote,
  verifierOf,
} from '../../src/audit/note.ts'
import { signingKey } from '../../src/crypto/ed25519.ts'

const origin = 'capfence.local/01JD0000000000000000000000'
const logKey = noteSigner(origin, signingKey(new Uint8Array(32).fill(1)))
const epochKey = noteSigner(`${origin}/epoch-1`, signingKey(new Uint8Array(32).fill(2)))
const strangerKey = noteSigner(origin, signingKey(new Uint8Array(32).fill(3)))
const checkpoint = { origin, size: 7, root: 'ab'.repeat(32) }
const signed = signCheckpoint(checkpoint, [logKey, epochKey])
const keys = [verifierOf(logKey), verifierOf(epochKey)]

const invalid: unknown = expect.objectContaining({ code: 'NOTE_INVALID' })

describe('a signed checkpoint', () => {
  test('opens with the keys that signed it', () => {
    expect(openCheckpoint(signed, origin, keys)).toMatchObject(checkpoint)
  })

  test('is refused when any character of it is another one', () => {
    for (let at = 0; at < signed.length; at += 1) {
      const other = signed[at] === 'A' ? 'B' : 'A'
      const changed = signed.slice(0, at) + other + signed.slice(at + 1)
      expect(() => openCheckpoint(changed, origin, keys), `character ${at}`).toThrow(invalid)
    }
  })

  test('is refused when any character of it is missing', () => {
    for (let at = 0; at < signed.length; at += 1) {
      const changed = signed.slice(0, at) + signed.slice(at + 1)
      expect(() => openCheckpoint(changed, origin, keys), `character ${at}`).toThrow(invalid)
    }
  })

  test.each([
    ['another log', `${origin.slice(0, -1)}1`, keys],
    ['a key that did not sign', origin, [verifierOf(strangerKey)]],
  ])('is refused for %s', (_, wanted, required) => {
    expect(() => openCheckpoint(signed, wanted, required)).toThrow(invalid)
  })

  test('is refused when one key has two signatures and one of them is wrong', () => {
    const [, lines = ''] = signed.split('\n\n')
    const forged = lines.replace(
      /(.)(==|=)?\n/,
      (_, last: string, pad = '') => `${last === 'A' ? 'B' : 'A'}${pad}\n`,
    )
    expect(() => openCheckpoint(signed + forged, origin, keys)).toThrow(invalid)
  })

  test.each([
    ['an extension line', `${origin}\n7\n${Buffer.alloc(32).toString('base64')}\nmore\n`],
    ['a leading zero', `${origin}\n07\n${Buffer.alloc(32).toString('base64')}\n`],
    ['a size past 2^53', `${origin}\n9007199254740993\n${Buffer.alloc(32).toString('base64')}\n`],
    ['a negative size', `${origin}\n-1\n${Buffer.alloc(32).toString('base64')}\n`],
    ['a short root', `${origin}\n1\n${Buffer.alloc(31).toString('base64')}\n`],
    ['url-safe base64', `${origin}\n1\n${Buffer.alloc(32, 255).toString('base64url')}=\n`],
    ['no origin', `\n1\n${Buffer.alloc(32).toString('base64')}\n`],
    ['nothing', ''],
  ])('with %s is none', (_, text) => {
    expect(() => parseCheckpoint(text)).toThrow(invalid)
  })

  test('is read back as it was printed', () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (size, bytes) => {
          const one = { origin, size, root: Buffer.from(bytes).toString('hex') }
          expect(parseCheckpoint(printCheckpoint(one))).toEqual(one)
        },
      ),
      { seed: 4 },
    )
  })
})

describe('a note', () => {
  test('says nothing to a key of the same name', () => {
    expect(isSignedBy(parseNote(signed), verifierOf(strangerKey))).toBe(false)
  })

  test.each([
    ['a blank in a name', 'a b'],
    ['a plus sign in a name', 'a+b'],
    ['a line end in a name', 'a\nb'],
    ['an empty name', ''],
    ['half a character in a name', 'a\ud800'],
    ['a blank outside ASCII in a name', 'a\u2003b'],
  ])('refuses %s', (_, name) => {
    expect(() => noteSigner(name, logKey.key)).toThrow(invalid)
  })

  test.each([
    ['a carriage return', 'a\r\n'],
    ['no newline at its end', 'a'],
    ['a zero', 'a\0\n'],
    ['half a character', '\udc00\n'],
    ['a delete', 'a\u007f\n'],
  ])('refuses a text with %s', (_, text) => {
    expect(() => signNote(text, [logKey])).toThrow(invalid)
  })

  test('has at most 100 signatures and 65,536 bytes', () => {
    const many = (count: number): string =>
      signNote('a\n', Array<typeof logKey>(count).fill(logKey))
    expect(parseNote(many(100)).signatures).toHaveLength(100)
    expect(() => parseNote(many(101))).toThrow(invalid)
    const long = (length: number): string => signNote(`${'a'.repeat(length)}\n`, [logKey])
    const most = 65_536 - Buffer.byteLength(long(0))
    expect(parseNote(long(most)).text).toHaveLength(most + 1)
    expect(() => parseNote(long(most + 1))).toThrow(invalid)
  })

  test('may have empty lines in its text', () => {
    const note = signNote('a\n\nb\n', [logKey])
    expect(parseNote(note).text).toBe('a\n\nb\n')
    expect(isSignedBy(parseNote(note), verifierOf(logKey))).toBe(true)
  })
})

describe('the text of a key', () => {
  test('is read back', () => {
    expect(printVerifierKey(parseVerifierKey(printVerifierKey(verifierOf(logKey))))).toBe(
      printVerifierKey(verifierOf(logKey)),
    )
  })

  test('is refused when any character of it is another one', () => {
    const text = printVerifierKey(verifierOf(logKey))
    for (let at = 0; at < text.length; at += 1) {
      const changed = text.slice(0, at) + (text[at] === 'B' ? 'C' : 'B') + text.slice(at + 1)
      expect(() => parseVerifierKey(changed), `character ${at}`).toThrow(invalid)
    }
  })

  const real = new URL('../../../shared/vectors/tessera-log/', import.meta.url)
  test.runIf(existsSync(real))('of a log that somebody else runs verifies its checkpoint', () => {
    const key = parseVerifierKey(
      'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx',
    )
    const note = readFileSync(new URL('checkpoint', real), 'utf8')
    expect(openCheckpoint(note, 'example.com/log/testdata', [key]).size).toBeGreaterThan(0)
  })
})
