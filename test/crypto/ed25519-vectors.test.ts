import { readFileSync } from 'node:fs'
import { hashes, verify as verifyPortably } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { describe, expect, test } from 'vitest'
import { verifyingKey } from '../../src/crypto/ed25519.ts'
import { requireSharedOrSkip, sharedPath } from '../support/needs.ts'

/** Vectors of the C2SP wycheproof project. */
interface Vectors {
  readonly numberOfTests: number
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string }
    readonly tests: readonly {
      readonly tcId: number
      readonly msg: string
      readonly sig: string
      readonly result: 'valid' | 'invalid'
    }[]
  }[]
}

type Verify = (key: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean

const verifiers: readonly (readonly [string, Verify])[] = [
  ['the log', (key, message, signature) => verifyingKey(key).verify(message, signature)],
  [
    'whoever checks an export in a browser',
    (key, message, signature) => {
      hashes.sha512 = sha512
      return signature.length === 64 && verifyPortably(signature, message, key, { zip215: false })
    },
  ],
]

const file = 'vectors/ed25519_test.json'
const isMissing = requireSharedOrSkip(file)

describe.skipIf(isMissing).each(verifiers)('the verifier of %s', (_, verify) => {
  test('accepts the valid signatures of others, and no other of theirs', () => {
    const { testGroups, numberOfTests } = JSON.parse(
      readFileSync(sharedPath(file), 'utf8'),
    ) as Vectors
    let right = 0
    for (const { publicKey, tests } of testGroups) {
      const key = Buffer.from(publicKey.pk, 'hex')
      for (const { tcId, msg, sig, result } of tests) {
        const accepted = verify(key, Buffer.from(msg, 'hex'), Buffer.from(sig, 'hex'))
        expect(accepted, `case ${tcId}`).toBe(result === 'valid')
        right += 1
      }
    }
    expect(right).toBe(numberOfTests)
    expect(right).toBe(151)
  })
})
