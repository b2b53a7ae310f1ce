import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { verifyingKey } from '../../src/crypto/ed25519.ts'

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
]

const file = new URL('../../../shared/vectors/ed25519_test.json', import.meta.url)

describe.runIf(existsSync(file)).each(verifiers)('the verifier of %s', (_, verify) => {
  test('accepts the valid signatures of others, and no other of theirs', () => {
    const { testGroups, numberOfTests } = JSON.parse(readFileSync(file, 'utf8')) as Vectors
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
