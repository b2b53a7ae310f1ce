import { timingSafeEqual } from 'node:crypto'
import { sha256Hex } from '../crypto/sha256.ts'

/** A token that the gate takes; only its digest is known. */
export interface KnownToken {
  /** Hex SHA-256 of the token. */
  readonly sha256: string
  /** Who uses it, as rules and the log name it. */
  readonly actor: string
}

/** A token and what is kept of it. */
export interface NewToken {
  readonly token: string
  readonly sha256: string
}

/** Scanners of repositories find a token by such a beginning. */
const prefix = 'capfence_'

/** Makes a token that nobody guesses; its digest can be kept anywhere, for 256 random bits have no dictionary. */
export function newToken(random: (byteCount: number) => Uint8Array): NewToken {
  const token = prefix + Buffer.from(random(32)).toString('base64url')
  return { token, sha256: sha256Hex(token) }
}

/** Whether a text has the form of a token of ours. */
export function isToken(text: string): boolean {
  return /^capfence_[\w-]{43}$/.test(text)
}

/**
 * Finds the token that an `Authorization` header holds; undefined for any that is not known.
 *
 * Digests are compared, each with every one and in constant time, so that the time it takes tells nothing.
 */
export function tokenOf(
  authorization: string | undefined,
  known: readonly KnownToken[],
): KnownToken | undefined {
  const [, token] = /^Bearer +([\w.~+/=-]{1,1024}) *$/i.exec(authorization ?? '') ?? []
  const digest = Buffer.from(sha256Hex(token ?? ''), 'hex')
  let found: KnownToken | undefined
  for (const one of known) {
    const isSame = timingSafeEqual(Buffer.from(one.sha256, 'hex'), digest)
    if (isSame && token !== undefined) found = one
  }
  return found
}
