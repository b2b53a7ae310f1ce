import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import { base64urlEncode } from './base64url.ts'
import { signingKey, type SigningKey } from './ed25519.ts'

/** A private key and the name that it signs under. */
export interface NamedKey {
  /** Without blanks. */
  readonly name: string
  readonly key: SigningKey
}

/** What such a file begins with, so that no other file is taken for a key. */
const format = 'capfence-key-v1'

/**
 * Makes a file that holds a key, for this user alone, and makes its bytes durable; the caller syncs the folder.
 *
 * @param seed 32 unpredictable bytes; erased when this returns
 * @throws CapFenceError `AUDIT_UNAVAILABLE` when it cannot be written or exists: no key is ever overwritten
 */
export function makeKeyFile(path: string, name: string, seed: Uint8Array): NamedKey {
  const line = Buffer.from(`${format} ${name} ${base64urlEncode(seed)}\n`, 'utf8')
  try {
    const file = openSync(path, 'wx', 0o600)
    try {
      // A umask can only take away; an owner without write access would lock itself out.
      fchmodSync(file, 0o600)
      writeSync(file, line)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    return { name, key: signingKey(seed) }
  } catch (error) {
    throw unavailable(path, `cannot be made: ${reasonOf(error)}`, undefined, error)
  } finally {
    line.fill(0)
    seed.fill(0)
  }
}

/**
 * Reads a file that `makeKeyFile` made.
 *
 * @throws CapFenceError `AUDIT_UNAVAILABLE` when it is missing, is no key, or others could read or replace what is in it
 */
export function readKeyFile(path: string): NamedKey {
  const bytes = privateBytes(path)
  try {
    const [, name, base64] =
      /^capfence-key-v1 (\S+) ([A-Za-z0-9_-]{43})\n$/.exec(bytes.toString('utf8')) ?? []
    const seed = Buffer.from(base64 ?? '', 'base64url')
    // The last of the 43 characters has two bits too many: one key has one spelling.
    if (name === undefined || base64urlEncode(seed) !== base64) {
      throw unavailable(path, 'is no key of CapFence', `it is one line: ${format}, name, key`)
    }
    const key = signingKey(seed)
    seed.fill(0)
    return { name, key }
  } finally {
    bytes.fill(0)
  }
}

function privateBytes(path: string): Buffer {
  const bytes = Buffer.alloc(limits.maxKeyFileBytes + 1)
  let length: number
  try {
    // What stands behind the path may be a pipe, which must not hold up the gate.
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      requirePrivate(path, fstatSync(file))
      length = readSync(file, bytes, 0, bytes.length, 0)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (error instanceof CapFenceError) throw error
    throw unavailable(path, `cannot be read: ${reasonOf(error)}`, undefined, error)
  }
  if (length === bytes.length) throw unavailable(path, 'is too long for a key')
  return bytes.subarray(0, length)
}

interface Stat {
  readonly mode: number
  readonly uid: number
  isFile(): boolean
}

function requirePrivate(path: string, stat: Stat): void {
  if (!stat.isFile()) throw unavailable(path, 'is no file')
  const user = process.getuid?.()
  // Windows has no such modes; there the folder's access list decides.
  if (user === undefined) return
  if (stat.uid !== user) throw unavailable(path, 'belongs to another user')
  if ((stat.mode & 0o077) === 0) return
  throw unavailable(path, 'can be read or changed by other users', `\`chmod 600 ${path}\``)
}

function unavailable(path: string, what: string, hint?: string, cause?: unknown): CapFenceError {
  return new CapFenceError('AUDIT_UNAVAILABLE', `the key file \`${path}\` ${what}`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
  })
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
