import { hmacSha256Hex } from '../crypto/sha256.ts'

/**
 * HMAC-SHA-256 of a text, hex: who has the log but not the key cannot find a short text by trying.
 *
 * @param domain what kind of text it is, so that a digest of one kind is never one of another
 */
export function keyedDigest(key: Uint8Array, domain: string, text: string): string {
  return hmacSha256Hex(key, `${domain}\n${text}`)
}
