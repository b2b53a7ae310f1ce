import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  isSignedBy,
  parseEnvelope,
  printEnvelope,
  signEnvelope,
} from '../../src/approval/envelope.ts'
import { signingKey, verifyingKey } from '../../src/crypto/ed25519.ts'

const key = signingKey(new Uint8Array(32).fill(1))
const mine = verifyingKey(key.publicKey)
const type = 'application/vnd.capfence.test+json'
const text = signEnvelope(type, '{"a":"ä"}', key)

describe('a signed statement', () => {
  test('is read as it was written, and is of whoever signed it', () => {
    const envelope = parseEnvelope(text)
    expect(printEnvelope(envelope)).toBe(text)
    expect(envelope.payloadType).toBe(type)
    expect(Buffer.from(envelope.payload).toString()).toBe('{"a":"ä"}')
    expect(isSignedBy(envelope, mine)).toBe(true)
    expect(isSignedBy(envelope, verifyingKey(signingKey(new Uint8Array(32)).publicKey))).toBe(false)
  })

  test('signs what the DSSE specification says: type and payload with their lengths', () => {
    const { payload, signatures } = parseEnvelope(
      signEnvelope('http://example.com/HelloWorld', 'hello world', key),
    )
    const signed = 'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    expect(mine.verify(Buffer.from(signed), signatures[0]?.sig ?? new Uint8Array())).toBe(true)
    expect(Buffer.from(payload).toString()).toBe('hello world')
  })

  test('is of nobody when any character of it is another', () => {
    fc.assert(
      fc.property(
        fc.nat(text.length - 1),
        fc.constantFrom('A', 'b', '0', '"', '=', ' '),
        (at, by) => {
          fc.pre(text[at] !== by)
          const changed = text.slice(0, at) + by + text.slice(at + 1)
          expect(isSoundWith(changed)).toBe(false)
        },
      ),
      { seed: 1, numRuns: 600 },
    )
  })

  test('of one kind is none of another', () => {
    const envelope = parseEnvelope(text)
    expect(isSignedBy({ ...envelope, payloadType: `${type}2` }, mine)).toBe(false)
  })

  test('has one signature that is wrong: then it counts for nothing', () => {
    const envelope = parseEnvelope(text)
    const [good] = envelope.signatures
    if (good === undefined) throw new Error('it is signed')
    const bad = { ...good, sig: new Uint8Array(64) }
    expect(isSignedBy({ ...envelope, signatures: [good, bad] }, mine)).toBe(false)
    expect(isSignedBy({ ...envelope, signatures: [] }, mine)).toBe(false)
  })

  test.each<[string, string]>([
    ['nothing', ''],
    ['no JSON', '{'],
    ['another value', '7'],
    ['a stripped signature', text.replace(/"signatures":\[.*\]/, '"signatures":[]')],
    ['white space', text.replace(':', ': ')],
    ['another order', text.replace(/^\{("payload":"[^"]*"),("payloadType":"[^"]*")/, '{$2,$1')],
    ['a member more', text.replace(/\}$/, ',"x":1}')],
    ['a key twice', text.replace('{"payload"', '{"payload":"e30=","payload"')],
    ['base64url', text.replace(/"payload":"[^"]*"/, '"payload":"__-_"')],
    ['too much', signEnvelope(type, 'x'.repeat(16_384), key)],
  ])('%s is none', (_, given) => {
    expect(() => parseEnvelope(given)).toThrow(
      expect.objectContaining({ code: 'SIGNATURE_INVALID' }) as Error,
    )
  })
})

function isSoundWith(given: string): boolean {
  try {
    const envelope = parseEnvelope(given)
    // What nobody reads may be another only if it is the name of the signer, who then is none.
    return isSignedBy(envelope, mine)
  } catch {
    return false
  }
}
