import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { assert } from '../errors.ts'

/** Bytes of a seed and of a public key (RFC 8032, section 5.1.5). */
const keyBytes = 32
const signatureBytes = 64

/** What stands before the 32 bytes of a key in PKCS #8 and in SubjectPublicKeyInfo (RFC 8410, sections 7 and 4). */
const seedPrefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/** A private Ed25519 key; its seed cannot be read from it. */
export interface SigningKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** The signature of a message, 64 bytes (RFC 8032, pure Ed25519): the same message gives the same bytes. */
  sign(message: Uint8Array): Uint8Array
}

/** A public Ed25519 key, ready to verify. */
export interface VerifyingKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** Whether the signature is this key's; false for one of another length. */
  verify(message: Uint8Array, signature: Uint8Array): boolean
}

/** The key of a seed, 32 unpredictable bytes. */
export function signingKey(seed: Uint8Array): SigningKey {
  assert(seed.length === keyBytes, 'an Ed25519 seed has 32 bytes')
  const der = Buffer.concat([seedPrefix, seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  der.fill(0)
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return {
    publicKey: new Uint8Array(spki.subarray(publicPrefix.length)),
    sign: (message) => new Uint8Array(sign(null, message, key)),
  }
}

/** The key of 32 bytes; bytes that are no point of the curve make a key that verifies nothing. */
export function verifyingKey(publicKey: Uint8Array): VerifyingKey {
  assert(publicKey.length === keyBytes, 'an Ed25519 public key has 32 bytes')
  const der = Buffer.concat([publicPrefix, publicKey])
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
  return {
    publicKey: new Uint8Array(publicKey),
    verify: (message, signature) =>
      signature.length === signatureBytes && verify(null, message, key, signature),
  }
}
