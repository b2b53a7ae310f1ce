import { createCipheriv, createDecipheriv, scrypt } from 'node:crypto'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import { signingKey, type SigningKey } from './ed25519.ts'
import type { RandomSource } from './random.ts'

const format = 'capfence-approver-key-v1'
const seedBytes = 32
const saltBytes = 16
const nonceBytes = 12
const tagBytes = 16
/** What makes a guess dear: 2^17 blocks of 1 KiB, about 128 MiB and a third of a second each. */
const cost = 2 ** 17
const blockSize = 8

/** What a key file says in the clear; all of it is authenticated with the passphrase. */
interface Header {
  readonly format: string
  readonly name: string
  /** base64 of 32 bytes. */
  readonly publicKey: string
  readonly kdf: { readonly name: 'scrypt'; readonly n: number; readonly r: 8; readonly p: 1 }
  /** base64. */
  readonly salt: string
  /** base64. */
  readonly nonce: string
}

/** A key whose seed nobody has who does not know its passphrase. */
export interface LockedKey extends Header {
  /** AES-256-GCM of the seed, with its tag; base64. */
  readonly sealed: string
}

/** A key that was drawn for a name. */
export interface NewKey {
  readonly key: SigningKey
  /** The text of its file. */
  readonly text: string
}

/** Draws a key and locks it with a passphrase (scrypt, RFC 7914; AES-256-GCM). */
export async function newLockedKey(
  name: string,
  passphrase: string,
  random: RandomSource,
): Promise<NewKey> {
  const seed = random(seedBytes)
  const key = signingKey(seed)
  const header: Header = {
    format,
    name,
    publicKey: base64(key.publicKey),
    kdf: { name: 'scrypt', n: cost, r: blockSize, p: 1 },
    salt: base64(random(saltBytes)),
    nonce: base64(random(nonceBytes)),
  }
  const cipher = createCipheriv(
    'aes-256-gcm',
    await derive(header, passphrase),
    bytesOf(header.nonce),
  )
  cipher.setAAD(Buffer.from(JSON.stringify(header), 'utf8'))
  const sealed = Buffer.concat([cipher.update(seed), cipher.final(), cipher.getAuthTag()])
  seed.fill(0)
  return { key, text: printLockedKey({ ...header, sealed: base64(sealed) }) }
}

/**
 * Reads the text of a key file, and accepts only what `newLockedKey` writes.
 *
 * A file may ask for less work or more than a new one does, within `maxScryptCost`.
 *
 * @throws CapFenceError `KEY_INVALID` for anything else
 */
export function parseLockedKey(text: string): LockedKey {
  if (text.length > limits.maxLockedKeyBytes) {
    throw invalid(`it is longer than ${limits.maxLockedKeyBytes} bytes`)
  }
  const value = parsed(text)
  const n = Number(member(member(value, 'kdf'), 'n'))
  const word = (name: string): string => String(member(value, name))
  const locked: LockedKey = {
    format,
    name: word('name'),
    publicKey: word('publicKey'),
    kdf: { name: 'scrypt', n, r: blockSize, p: 1 },
    salt: word('salt'),
    nonce: word('nonce'),
    sealed: word('sealed'),
  }
  const lengths = [
    [locked.publicKey, 32],
    [locked.salt, saltBytes],
    [locked.nonce, nonceBytes],
    [locked.sealed, seedBytes + tagBytes],
  ] as const
  const isSound = lengths.every(([text64, length]) => bytesOf(text64).length === length)
  if (!isSound || printLockedKey(locked) !== text) {
    throw invalid('it is not spelled as `capfence keys approver add` writes it')
  }
  if (!Number.isInteger(Math.log2(n)) || n < limits.minScryptCost || n > limits.maxScryptCost) {
    throw invalid(
      `its scrypt cost must be a power of two from ${limits.minScryptCost} to ${limits.maxScryptCost}`,
    )
  }
  return locked
}

/**
 * Opens a key with its passphrase.
 *
 * @throws CapFenceError `USAGE` when the passphrase is another, or the file was changed: the two look the same
 */
export async function unlockKey(locked: LockedKey, passphrase: string): Promise<SigningKey> {
  const { sealed, ...header } = locked
  const bytes = bytesOf(sealed)
  const decipher = createDecipheriv(
    'aes-256-gcm',
    await derive(header, passphrase),
    bytesOf(header.nonce),
    { authTagLength: tagBytes },
  )
  decipher.setAAD(Buffer.from(JSON.stringify(header), 'utf8'))
  decipher.setAuthTag(bytes.subarray(seedBytes))
  try {
    const seed = Buffer.concat([decipher.update(bytes.subarray(0, seedBytes)), decipher.final()])
    const key = signingKey(seed)
    seed.fill(0)
    if (base64(key.publicKey) !== header.publicKey) throw new Error('it is the key of another')
    return key
  } catch (cause) {
    throw new CapFenceError(
      'USAGE',
      `the passphrase does not open the key of \`${header.name}\`, or its file was changed`,
      { cause },
    )
  }
}

function printLockedKey({
  format: kind,
  name,
  publicKey,
  kdf,
  salt,
  nonce,
  sealed,
}: LockedKey): string {
  const text = { format: kind, name, publicKey, kdf, salt, nonce, sealed }
  return `${JSON.stringify(text, undefined, 2)}\n`
}

function derive({ kdf: { n, r, p }, salt }: Header, passphrase: string): Promise<Buffer> {
  // Two keyboards may write the same letter differently.
  const secret = Buffer.from(passphrase.normalize('NFKC'), 'utf8')
  const maxmem = 256 * n * r
  return new Promise((resolve, reject) => {
    scrypt(secret, bytesOf(salt), 32, { N: n, r, p, maxmem }, (error, key) => {
      secret.fill(0)
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The only thing JSON.parse says is that it is none.
    return undefined
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'base64')
}

function invalid(what: string): CapFenceError {
  return new CapFenceError('KEY_INVALID', `not a key file: ${what}`)
}
