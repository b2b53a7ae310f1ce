import { createPublicKey, verify, type KeyObject } from 'node:crypto'
import type { VerifyingKey } from './ed25519.ts'

/** RSA moduli that are taken, bits. */
const rsaBits = { least: 2048, most: 4096 }

/**
 * The public key of a WebAuthn credential, ready to verify: ES256 (P-256), EdDSA (Ed25519) or RS256, which are the
 * algorithms that authenticators have (WebAuthn Level 3, section 5.8.5).
 *
 * @param spki SubjectPublicKeyInfo in DER, as `getPublicKey()` of a registration gives it; it is the `publicKey`
 * @returns undefined for a key of another kind, or one that is not spelled in the one way that DER has
 */
export function credentialKey(spki: Uint8Array): VerifyingKey | undefined {
  const key = readKey(spki)
  const check = key === undefined ? undefined : checkOf(key)
  if (check === undefined) return undefined
  return { publicKey: new Uint8Array(spki), verify: check }
}

function readKey(spki: Uint8Array): KeyObject | undefined {
  const der = Buffer.from(spki)
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
    return key.export({ format: 'der', type: 'spki' }).equals(der) ? key : undefined
  } catch {
    // Bytes that are no key are not ours to explain.
    return undefined
  }
}

function checkOf(key: KeyObject): VerifyingKey['verify'] | undefined {
  const type = key.asymmetricKeyType
  const { namedCurve, modulusLength: bits = 0 } = key.asymmetricKeyDetails ?? {}
  if (type === 'ed25519') return (message, signature) => verify(null, message, key, signature)
  const isTaken =
    (type === 'ec' && namedCurve === 'prime256v1') ||
    (type === 'rsa' && bits >= rsaBits.least && bits <= rsaBits.most)
  return isTaken ? withSha256(key) : undefined
}

/** ECDSA signatures come in DER, RSA ones with the padding of PKCS #1 1.5: what `verify` takes by itself. */
function withSha256(key: KeyObject): VerifyingKey['verify'] {
  return (message, signature) => verify('sha256', message, key, signature)
}
