import { describe, expect, test } from 'vitest'
import { newLockedKey, parseLockedKey, unlockKey } from '../../src/crypto/locked-key.ts'
import { systemRandom } from '../../src/crypto/random.ts'

const passphrase = 'correct horse battery staple'
const { key, text } = await newLockedKey('alice', passphrase, systemRandom)
const locked = parseLockedKey(text)
const other = parseLockedKey((await newLockedKey('bob', passphrase, systemRandom)).text)
const message = Buffer.from('x')

describe('a key behind a passphrase', () => {
  test('is the same key again with it', async () => {
    const opened = await unlockKey(parseLockedKey(text), passphrase)
    expect(opened.sign(message)).toEqual(key.sign(message))
    expect(text).not.toContain(passphrase)
  })

  test('is the same however the keyboard writes an umlaut', async () => {
    const made = await newLockedKey('a', 'zw\u00F6lf Zeichen', systemRandom)
    const opened = await unlockKey(parseLockedKey(made.text), 'zwo\u0308lf Zeichen')
    expect(opened.publicKey).toEqual(made.key.publicKey)
  })

  test('is nobody’s with another', async () => {
    await expect(unlockKey(parseLockedKey(text), `${passphrase} `)).rejects.toMatchObject({
      code: 'USAGE',
    })
  })

  test.each([
    ['the name', { ...locked, name: 'bob' }],
    ['the public key', { ...locked, publicKey: other.publicKey }],
    ['the salt', { ...locked, salt: other.salt }],
    ['the nonce', { ...locked, nonce: other.nonce }],
    ['the cost', { ...locked, kdf: { ...locked.kdf, n: 65_536 } }],
    ['what is sealed', { ...locked, sealed: other.sealed }],
  ])('is not opened when %s was changed', async (_, changed) => {
    await expect(unlockKey(changed, passphrase)).rejects.toMatchObject({ code: 'USAGE' })
  })

  test.each<[string, string]>([
    ['nothing', ''],
    ['another format', text.replace('key-v1', 'key-v2')],
    ['a cost that is too low', text.replace('131072', '8192')],
    ['a cost that fills the memory', text.replace('131072', '1073741824')],
    ['a cost that is no power of two', text.replace('131072', '131071')],
    ['another block size', text.replace('"r": 8', '"r": 1024')],
    ['another derivation', text.replace('scrypt', 'pbkdf2')],
    ['a salt that is too short', text.replace(locked.salt, 'AAAA')],
    ['a member more', text.replace('"salt"', '"x": 1, "salt"')],
    ['more than it can be', `${text}${' '.repeat(5000)}`],
  ])('%s is no such file', (_, given) => {
    expect(() => parseLockedKey(given)).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID' }) as Error,
    )
  })
})
