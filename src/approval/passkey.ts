import { credentialKey } from '../crypto/credential-key.ts'
import type { VerifyingKey } from '../crypto/ed25519.ts'
import { sha256Base64url, sha256Bytes } from '../crypto/sha256.ts'
import { keyId, member, parsed, textMember } from './envelope.ts'

/** A WebAuthn credential whose assertions count as an approver's signature of presence `passkey`. */
export interface Passkey {
  /** The credential's id, base64url without padding. */
  readonly credential: string
  /** Verifies assertions in place of signatures; its `publicKey` is the SubjectPublicKeyInfo. */
  readonly key: VerifyingKey
  /** `keyId` of it. */
  readonly keyId: string
  /** The one page that may ask for it, such as `http://localhost:22737`. */
  readonly origin: string
}

/** What an authenticator answers (WebAuthn Level 3, section 5.2.2). */
export interface Assertion {
  readonly authenticatorData: Uint8Array
  /** JSON, UTF-8, as the browser wrote it. */
  readonly clientDataJSON: Uint8Array
  readonly signature: Uint8Array
}

/** The relying party of every passkey: the name under which the page is served (WebAuthn Level 3, section 5.1.2). */
export const relyingParty = 'localhost'

/** Whose pages may ask for a passkey: this machine's, under the name that the relying party has. */
const originPattern = /^http:\/\/localhost:[1-9]\d{0,4}$/
const credentialPattern = /^[A-Za-z0-9_-]{1,1364}$/

/** The bits of the flags that say a person was there and was known (WebAuthn Level 3, section 6.1). */
const userPresent = 0x01
const userVerified = 0x04
const flagsAt = 32
/** The hash of the relying party, the flags and the counter, bytes. */
const leastDataBytes = 37

/**
 * A passkey of what was kept of it.
 *
 * @param facts the key as SubjectPublicKeyInfo in DER
 * @returns undefined when the key is of no kind that is taken, or id or origin are none
 */
export function passkeyOf({
  credential,
  origin,
  spki,
}: {
  readonly credential: string
  readonly origin: string
  readonly spki: Uint8Array
}): Passkey | undefined {
  const raw = credentialKey(spki)
  const isSound =
    originPattern.test(origin) &&
    credentialPattern.test(credential) &&
    Buffer.from(credential, 'base64url').toString('base64url') === credential
  if (raw === undefined || !isSound) return undefined
  const key: VerifyingKey = {
    publicKey: raw.publicKey,
    verify: (message, signature) => isAsserted(message, signature, { raw, origin }),
  }
  return { credential, key, keyId: keyId(raw.publicKey), origin }
}

/** An assertion as the bytes of a signature: JSON, members in the order of their names, each base64url. */
export function assertionBytes(assertion: Assertion): Uint8Array {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
  return Buffer.from(
    JSON.stringify({
      authenticatorData: text(assertion.authenticatorData),
      clientDataJSON: text(assertion.clientDataJSON),
      signature: text(assertion.signature),
    }),
    'utf8',
  )
}

/** What an authenticator is asked to sign for a message, base64url: its SHA-256. */
export function challengeOf(message: Uint8Array): string {
  return sha256Base64url(message)
}

/** Reads what `assertionBytes` writes, and nothing that is spelled otherwise. */
function readAssertion(bytes: Uint8Array): Assertion | undefined {
  const value = parsed(Buffer.from(bytes).toString('utf8'))
  const part = (name: string): Uint8Array => Buffer.from(textMember(value, name), 'base64url')
  const assertion = {
    authenticatorData: part('authenticatorData'),
    clientDataJSON: part('clientDataJSON'),
    signature: part('signature'),
  }
  return Buffer.from(assertionBytes(assertion)).equals(bytes) ? assertion : undefined
}

/**
 * Whether an assertion is this key's, over this message, given on this page by a person whom the authenticator knew
 * (WebAuthn Level 3, section 7.2). Its counter is not looked at: a passkey that several devices share has none, and an
 * answer is worth something once only anyway.
 */
function isAsserted(
  message: Uint8Array,
  bytes: Uint8Array,
  { raw, origin }: { readonly raw: VerifyingKey; readonly origin: string },
): boolean {
  const assertion = readAssertion(bytes)
  if (assertion === undefined) return false
  const { authenticatorData, clientDataJSON, signature } = assertion
  const signed = Buffer.concat([authenticatorData, sha256Bytes(clientDataJSON)])
  return (
    isOfPage(clientDataJSON, challengeOf(message), origin) &&
    isOfPerson(authenticatorData) &&
    raw.verify(signed, signature)
  )
}

function isOfPage(clientDataJSON: Uint8Array, challenge: string, origin: string): boolean {
  const data = parsed(Buffer.from(clientDataJSON).toString('utf8'))
  const crossOrigin = member(data, 'crossOrigin')
  return (
    textMember(data, 'type') === 'webauthn.get' &&
    textMember(data, 'challenge') === challenge &&
    textMember(data, 'origin') === origin &&
    // A page inside another one's page is never ours.
    (crossOrigin === undefined || crossOrigin === false) &&
    member(data, 'topOrigin') === undefined
  )
}

function isOfPerson(authenticatorData: Uint8Array): boolean {
  if (authenticatorData.length < leastDataBytes) return false
  const party = sha256Bytes(Buffer.from(relyingParty, 'utf8'))
  const flags = authenticatorData[flagsAt] ?? 0
  const isKnown = (flags & userPresent) !== 0 && (flags & userVerified) !== 0
  return isKnown && party.equals(authenticatorData.subarray(0, flagsAt))
}
