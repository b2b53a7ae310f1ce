import { generateKeyPairSync } from 'node:crypto'
import { verifyAuthenticationResponse } from '@simplewebauthn/server'
import { isoCBOR } from '@simplewebauthn/server/helpers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Assertion } from '../../src/approval/passkey.ts'
import { assertionBytes, challengeOf, passkeyOf } from '../../src/approval/passkey.ts'
import { algorithms, TestAuthenticator, type Said } from './a-passkey.ts'

const message = Buffer.from('DSSEv1 4 test 5 hello')
const authenticator = new TestAuthenticator()
const { passkey } = authenticator
const isTaken = (bytes: Uint8Array): boolean => passkey.key.verify(message, bytes)

describe('an assertion counts as a signature', () => {
  test.each(algorithms)('of a key for %s', (algorithm) => {
    const own = new TestAuthenticator(algorithm)
    expect(own.passkey.key.verify(message, own.sign(message))).toBe(true)
    expect(own.passkey.key.verify(Buffer.from('another'), own.sign(message))).toBe(false)
    expect(own.passkey.key.verify(message, authenticator.sign(message))).toBe(false)
  })

  test('whatever else browser and authenticator say', () => {
    const more = { crossOrigin: false, other_keys_can_be_added_here: 'do not compare' }
    expect(isTaken(authenticator.sign(message, { more }))).toBe(true)
    expect(isTaken(authenticator.sign(message, { more: {} }))).toBe(true)
    // Backed up, and shared by several devices.
    expect(isTaken(authenticator.sign(message, { flags: 0x1d }))).toBe(true)
  })
})

describe('an assertion is none', () => {
  test.each<[string, Partial<Said>]>([
    ['over something else', { challenge: challengeOf(Buffer.from('another message')) }],
    ['over nothing', { challenge: '' }],
    ['of a registration', { type: 'webauthn.create' }],
    ['of a payment', { type: 'payment.get' }],
    ['given to a page on another port', { origin: 'http://localhost:3000' }],
    ['given to a page of another name', { origin: 'http://127.0.0.1:22737' }],
    ['given to a page over TLS', { origin: 'https://localhost:22737' }],
    ['given to a page whose name begins so', { origin: 'http://localhost:22737.evil.example' }],
    ['given inside another page', { more: { crossOrigin: true } }],
    ['given inside a page that is named', { more: { topOrigin: 'http://localhost:3000' } }],
    ['given where nobody says whether inside', { more: { crossOrigin: 'false' } }],
    ['for another relying party', { relyingParty: 'example.com' }],
    ['of nobody', { flags: 0x00 }],
    ['of somebody whom the authenticator does not know', { flags: 0x01 }],
    ['of somebody who was known and not there', { flags: 0x04 }],
  ])('%s', (_, changes) => {
    expect(isTaken(authenticator.sign(message, changes))).toBe(false)
  })

  test('with a part that is missing, cut or spelled otherwise', () => {
    const sound = authenticator.assertion(message)
    const text = Buffer.from(assertionBytes(sound)).toString()
    const spelled = [
      '',
      '{}',
      'null',
      `${text} `,
      text.replace('"authenticatorData":', '"authenticatorData": '),
      text.replace('"signature":"', '"signature":"='),
      JSON.stringify({ ...(JSON.parse(text) as object), more: 1 }),
    ]
    expect(isTaken(Buffer.from(text))).toBe(true)
    expect(spelled.map((one) => isTaken(Buffer.from(one)))).toEqual(spelled.map(() => false))
    const short = authenticator.signed({
      ...sound,
      authenticatorData: sound.authenticatorData.subarray(0, 36),
    })
    expect(isTaken(assertionBytes(short))).toBe(false)
  })

  test('with any bit changed, wherever it is', () => {
    const sound = authenticator.assertion(message)
    const parts = ['authenticatorData', 'clientDataJSON', 'signature'] as const
    const change = fc.record({ part: fc.constantFrom(...parts), at: fc.nat(), bit: fc.nat(7) })
    fc.assert(
      fc.property(change, ({ part, at, bit }) => {
        const bytes = Buffer.from(sound[part])
        const where = at % bytes.length
        bytes[where] = (bytes[where] ?? 0) ^ (1 << bit)
        expect(isTaken(assertionBytes({ ...sound, [part]: bytes }))).toBe(false)
      }),
      { seed: 20_260_101, numRuns: 300 },
    )
  })
})

describe('a passkey is none', () => {
  const { spki, credential, origin } = authenticator
  const other = (type: 'ec' | 'rsa' | 'x25519'): Uint8Array => {
    const pair =
      type === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: 'P-384' })
        : type === 'rsa'
          ? generateKeyPairSync('rsa', { modulusLength: 1024 })
          : generateKeyPairSync('x25519')
    return pair.publicKey.export({ format: 'der', type: 'spki' })
  }

  test.each<[string, Partial<Parameters<typeof passkeyOf>[0]>]>([
    ['another curve', { spki: other('ec') }],
    ['a short RSA key', { spki: other('rsa') }],
    ['a key that does not sign', { spki: other('x25519') }],
    ['no key', { spki: new Uint8Array() }],
    ['a key with something after it', { spki: Buffer.concat([spki, Buffer.from([0])]) }],
    ['a page elsewhere', { origin: 'https://example.com' }],
    ['a page under an address', { origin: 'http://127.0.0.1:22737' }],
    ['a page without a port', { origin: 'http://localhost' }],
    ['a page with a path', { origin: 'http://localhost:22737/' }],
    ['no id', { credential: '' }],
    ['an id in another spelling', { credential: 'dGhlIGZpcnN0=' }],
    ['an id with bits left over', { credential: 'dGhlIGZpcnN1bR' }],
  ])('of %s', (_, changes) => {
    expect(passkeyOf({ spki, credential, origin, ...changes })).toBeUndefined()
  })
})

/** The same question to a library that many servers ask. */
async function othersTake(assertion: Assertion, spki: Uint8Array): Promise<boolean> {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
  // COSE (RFC 9053): an EC2 key for ES256 on P-256, its coordinates from the end of the SubjectPublicKeyInfo.
  const cose = new Map<number, number | Uint8Array>([
    [1, 2],
    [3, -7],
    [-1, 1],
    [-2, Uint8Array.from(spki.subarray(-64, -32))],
    [-3, Uint8Array.from(spki.subarray(-32))],
  ])
  try {
    const { verified } = await verifyAuthenticationResponse({
      response: {
        id: authenticator.credential,
        rawId: authenticator.credential,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          authenticatorData: text(assertion.authenticatorData),
          clientDataJSON: text(assertion.clientDataJSON),
          signature: text(assertion.signature),
        },
      },
      expectedChallenge: challengeOf(message),
      expectedOrigin: authenticator.origin,
      expectedRPID: 'localhost',
      requireUserVerification: true,
      credential: { id: authenticator.credential, publicKey: isoCBOR.encode(cose), counter: 0 },
    })
    return verified
  } catch {
    return false
  }
}

test('another implementation takes what we take, and we take nothing that it refuses', async () => {
  const said = fc.record(
    {
      type: fc.constantFrom('webauthn.get', 'webauthn.create'),
      challenge: fc.constantFrom(challengeOf(message), challengeOf(Buffer.from('x'))),
      origin: fc.constantFrom(authenticator.origin, 'http://localhost:3000'),
      relyingParty: fc.constantFrom('localhost', 'example.com'),
      flags: fc.constantFrom(0x00, 0x01, 0x04, 0x05, 0x1d),
      more: fc.constantFrom({}, { crossOrigin: false }),
    },
    { requiredKeys: [] },
  )
  let taken = 0
  await fc.assert(
    fc.asyncProperty(said, async (changes) => {
      const assertion = authenticator.assertion(message, changes)
      const isOurs = isTaken(assertionBytes(assertion))
      taken += isOurs ? 1 : 0
      expect(await othersTake(assertion, authenticator.spki)).toBe(isOurs)
    }),
    { seed: 20_260_102, numRuns: 200 },
  )
  expect(taken).toBeGreaterThan(5)
  expect(taken).toBeLessThan(195)
})
