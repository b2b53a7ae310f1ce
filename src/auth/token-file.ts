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
import { sha256Hex } from '../crypto/sha256.ts'
import { isToken, newToken } from './tokens.ts'

/** The longest file that can hold a token, bytes. */
const maxBytes = 256

/**
 * The digest of the token in a file for this user alone; a file that is not there is made, with a new token.
 *
 * @throws CapFenceError `KEY_INVALID` when it holds no token, can be read by others, or cannot be made
 */
export function tokenFile(path: string, random: (byteCount: number) => Uint8Array): string {
  return sha256Hex(readToken(path) ?? makeToken(path, random))
}

function makeToken(path: string, random: (byteCount: number) => Uint8Array): string {
  const { token } = newToken(random)
  try {
    const file = openSync(path, 'wx', 0o600)
    try {
      // A umask can only take away; an owner who cannot read it would lock itself out.
      fchmodSync(file, 0o600)
      writeSync(file, `${token}\n`)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    return token
  } catch (cause) {
    const made = isCode(cause, 'EEXIST') ? readToken(path) : undefined
    if (made !== undefined) return made
    throw unusable(path, 'cannot be made', 'its folder must exist and be writable', cause)
  }
}

/** The token in the file; undefined when there is no file. */
function readToken(path: string): string | undefined {
  let file: number
  try {
    // What stands behind the path may be a pipe, which must not hold up the gate.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    if (isCode(cause, 'ENOENT')) return undefined
    throw unusable(path, 'cannot be read', undefined, cause)
  }
  try {
    const facts = fstatSync(file)
    if (!facts.isFile()) throw unusable(path, 'is no file')
    if (process.platform !== 'win32' && (facts.mode & 0o077) !== 0) {
      throw unusable(path, 'can be read or changed by other users', `\`chmod 600 ${path}\``)
    }
    const bytes = Buffer.alloc(maxBytes)
    const text = bytes.toString('utf8', 0, readSync(file, bytes)).replace(/\r?\n$/, '')
    if (isToken(text)) return text
    throw unusable(path, 'holds no token of CapFence', 'remove it, and a new one is made')
  } finally {
    closeSync(file)
  }
}

function unusable(path: string, what: string, hint?: string, cause?: unknown): CapFenceError {
  const details = { ...(hint !== undefined && { hint }), ...(cause !== undefined && { cause }) }
  return new CapFenceError('KEY_INVALID', `the token file \`${path}\` ${what}`, details)
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
