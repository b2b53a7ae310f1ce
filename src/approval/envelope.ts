import type { SigningKey, VerifyingKey } from '../crypto/ed25519.ts'
import { sha256Hex } from '../crypto/sha256.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'

/**
 * A signed statement (DSSE, github.com/secure-systems-lab/dsse, protocol version 1.0.2), not yet verified.
 *
 * DSSE and not JOSE, because the type of the payload is signed with it and no header can choose an algorithm; and not
 * COSE, because it is text that every language reads with what it has. It signs the bytes of the payload as they stand,
 * so that whoever verifies never has to write a value out again to find out what was signed.
 */
export interface Envelope {
  /** What kind of statement it is; a signature over one kind is none over another. */
  readonly payloadType: string
  readonly payload: Uint8Array
  /** As they stand, at least one. */
  readonly signatures: readonly EnvelopeSignature[]
}

/** One signature of an envelope; whose it is says only a verification. */
export interface EnvelopeSignature {
  /** `keyId` of whoever claims to have signed. */
  readonly keyid: string
  readonly sig: Uint8Array
}

/** Tells a public key apart from every other: hex SHA-256 of its bytes, 32 of an Ed25519 key. */
export function keyId(publicKey: Uint8Array): string {
  return sha256Hex(publicKey)
}

/** The text of a statement that a key has signed. */
export function signEnvelope(payloadType: string, payload: string, key: SigningKey): string {
  const bytes = Buffer.from(payload, 'utf8')
  const sig = key.sign(signedBytes(payloadType, bytes))
  return printEnvelope({
    payloadType,
    payload: bytes,
    signatures: [{ keyid: keyId(key.publicKey), sig }],
  })
}

/** An envelope as text: members in the order of their names, no white space. */
export function printEnvelope({ payload, payloadType, signatures }: Envelope): string {
  return JSON.stringify({
    payload: base64(payload),
    payloadType,
    signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig: base64(sig) })),
  })
}

/**
 * Reads an envelope's text, and accepts only what `printEnvelope` writes: one statement has one spelling.
 *
 * @throws CapFenceError `SIGNATURE_INVALID` for anything else, and past `maxEnvelopeBytes`
 */
export function parseEnvelope(text: string): Envelope {
  if (text.length > limits.maxEnvelopeBytes) {
    throw invalid(`longer than ${limits.maxEnvelopeBytes} bytes`)
  }
  const envelope = read(text)
  if (envelope === undefined || printEnvelope(envelope) !== text) {
    throw invalid('it is not spelled as DSSE has it, or not in the one way that is accepted')
  }
  if (envelope.signatures.length === 0) throw invalid('its signature is missing')
  return envelope
}

/** Whether one of the signatures is this key's, and every one that claims to be. */
export function isSignedBy(envelope: Envelope, key: VerifyingKey): boolean {
  const id = keyId(key.publicKey)
  const claimed = envelope.signatures.filter(({ keyid }) => keyid === id)
  const message = signedBytes(envelope.payloadType, envelope.payload)
  return claimed.length > 0 && claimed.every(({ sig }) => key.verify(message, sig))
}

/** The pre-authentication encoding: the lengths keep the type from running into the payload. */
export function signedBytes(payloadType: string, payload: Uint8Array): Uint8Array {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `
  return Buffer.concat([Buffer.from(head, 'utf8'), payload])
}

/** Missing members become texts that are printed differently from what was read. */
function read(text: string): Envelope | undefined {
  const value = parsed(text)
  const signatures = member(value, 'signatures')
  if (!Array.isArray(signatures)) return undefined
  return {
    payloadType: textMember(value, 'payloadType'),
    payload: Buffer.from(textMember(value, 'payload'), 'base64'),
    signatures: signatures.map((one: unknown) => ({
      keyid: textMember(one, 'keyid'),
      sig: Buffer.from(textMember(one, 'sig'), 'base64'),
    })),
  }
}

/** The value of JSON text; undefined when it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The only thing JSON.parse says is that it is none.
    return undefined
  }
}

/** An own member of an object; undefined when there is none. */
export function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined
}

/** The same as text; empty when it is none. */
export function textMember(value: unknown, name: string): string {
  const found = member(value, name)
  return typeof found === 'string' ? found : ''
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

function invalid(what: string): CapFenceError {
  return new CapFenceError('SIGNATURE_INVALID', `not a signed statement: ${what}`)
}
