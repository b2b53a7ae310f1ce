import { verifyingKey, type SigningKey, type VerifyingKey } from '../crypto/ed25519.ts'
import { assert } from '../errors.ts'
import {
  checkedName,
  keyId,
  parseKey,
  printKey,
  printSignature,
  type Note,
  type NoteSignature,
} from './note.ts'

/** A witness's private key under its name. It signs nothing but cosignatures: their message names no cosigner. */
export interface Cosigner {
  readonly name: string
  readonly id: string
  readonly cosigningKey: SigningKey
}

/** A witness's public key under its name (c2sp.org/tlog-cosignature, the Ed25519 kind). */
export interface CosignerKey {
  readonly name: string
  /** 8 lower-case hex digits: the first four bytes of SHA-256(name || LF || 04 || key). */
  readonly id: string
  readonly cosignerKey: VerifyingKey
}

const type = 4
const timeBytes = 8

/** The key under a name, to cosign with. */
export function cosigner(name: string, key: SigningKey): Cosigner {
  return { name: checkedName(name), id: keyId(name, type, key.publicKey), cosigningKey: key }
}

/** The public half of a cosigner. */
export function cosignerKeyOf({ name, id, cosigningKey }: Cosigner): CosignerKey {
  return { name, id, cosignerKey: verifyingKey(cosigningKey.publicKey) }
}

/** A witness's key as text, `name+id+base64(04 || key)`. */
export function printCosignerKey({ name, id, cosignerKey }: CosignerKey): string {
  return printKey({ name, id, type, publicKey: cosignerKey.publicKey })
}

/**
 * Reads the text of a witness's key, and accepts only what `printCosignerKey` writes.
 *
 * @throws CapFenceError `NOTE_INVALID` for anything else; a log's key is no witness's
 */
export function parseCosignerKey(text: string): CosignerKey {
  const { name, id, publicKey } = parseKey(text, type)
  return { name, id, cosignerKey: verifyingKey(publicKey) }
}

/**
 * The line with which a witness says that at this time the checkpoint was the largest one it had seen of its log.
 *
 * @param text of the checkpoint, without its signatures
 * @param timeSeconds whole seconds since the epoch
 */
export function cosign(
  text: string,
  { name, id, cosigningKey }: Cosigner,
  timeSeconds: number,
): string {
  assert(Number.isSafeInteger(timeSeconds) && timeSeconds >= 0, 'a time is whole seconds')
  const time = Buffer.alloc(timeBytes)
  time.writeBigUInt64BE(BigInt(timeSeconds))
  const signed = cosigningKey.sign(message(text, timeSeconds))
  return printSignature({ name, id, signature: Buffer.concat([time, signed]) })
}

/**
 * When a witness cosigned a note, in seconds since the epoch: the latest time, if it did more than once.
 *
 * @returns undefined when it did not, and when a line claims that it did and is not its
 */
export function cosignedAt(
  { text, signatures }: Note,
  { name, id, cosignerKey }: CosignerKey,
): number | undefined {
  const claimed = signatures.filter((one) => one.name === name && one.id === id)
  const times = claimed.map((one) => validTime(text, one, cosignerKey))
  return times.reduce(
    (latest, time) =>
      latest === undefined || time === undefined ? undefined : Math.max(latest, time),
    claimed.length === 0 ? undefined : 0,
  )
}

function validTime(
  text: string,
  { signature }: NoteSignature,
  key: VerifyingKey,
): number | undefined {
  if (signature.length <= timeBytes) return undefined
  const bytes = Buffer.from(signature.buffer, signature.byteOffset, signature.length)
  const time = Number(bytes.readBigUInt64BE())
  // Past 2^53 the number would not be the one that was signed; 2^63 is the bound of the format.
  if (!Number.isSafeInteger(time)) return undefined
  return key.verify(message(text, time), signature.subarray(timeBytes)) ? time : undefined
}

/** The header separates what is signed here from every note. */
function message(text: string, timeSeconds: number): Uint8Array {
  return Buffer.from(`cosignature/v1\ntime ${timeSeconds}\n${text}`, 'utf8')
}
