import { createHash, createHmac, hash } from 'node:crypto'

/** SHA-256 of bytes, or of a string's UTF-8, as 64 lower-case hex digits. */
export function sha256Hex(message: Uint8Array | string): string {
  return hash('sha256', message, 'hex')
}

/** SHA-256 of bytes, 32 bytes. */
export function sha256Bytes(message: Uint8Array): Buffer {
  return hash('sha256', message, 'buffer')
}

/** SHA-256 of bytes, or of a string's UTF-8, as base64url without padding (43 characters). */
export function sha256Base64url(message: Uint8Array | string): string {
  return hash('sha256', message, 'base64url')
}

/** HMAC-SHA-256 (RFC 2104) of bytes, or of a string's UTF-8, as 64 lower-case hex digits. */
export function hmacSha256Hex(key: Uint8Array, message: Uint8Array | string): string {
  return createHmac('sha256', key).update(message).digest('hex')
}

/** SHA-256 of what comes piece by piece. */
export class Sha256 {
  readonly #hash = createHash('sha256')

  /** Takes in the next bytes, or the UTF-8 of a string. */
  update(message: Uint8Array | string): void {
    this.#hash.update(message)
  }

  /** The digest as 64 lower-case hex digits; nothing can follow. */
  hex(): string {
    return this.#hash.digest('hex')
  }
}
