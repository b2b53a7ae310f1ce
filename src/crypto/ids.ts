import { assert } from '../errors.ts'
import type { RandomSource } from './random.ts'

/** Crockford's base 32: no I, L, O or U. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const timeCharacters = 10
const maxTimeMs = 2 ** 48 - 1

const ulidPattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/

/**
 * A ULID: 48 bits of time and 80 random bits as 26 characters that sort by time.
 *
 * @param timeMs whole milliseconds since the epoch, 0 to 2^48-1
 */
export function ulid(timeMs: number, random: RandomSource): string {
  assert(
    Number.isInteger(timeMs) && timeMs >= 0 && timeMs <= maxTimeMs,
    'a ULID has 48 bits of time',
  )
  let time = ''
  let rest = timeMs
  for (let index = 0; index < timeCharacters; index += 1) {
    time = alphabet.charAt(rest % 32) + time
    rest = Math.floor(rest / 32)
  }
  return time + base32(random(10))
}

/** Whether a text is a ULID, in upper case as `ulid` writes it. */
export function isUlid(text: string): boolean {
  return ulidPattern.test(text)
}

/** Bytes as Crockford's base 32, five bits to a character; the length must be a multiple of five bytes. */
function base32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let bitCount = 0
  for (const byte of bytes) {
    bits = (bits << 8) | byte
    bitCount += 8
    while (bitCount >= 5) {
      bitCount -= 5
      text += alphabet.charAt((bits >> bitCount) & 31)
    }
    bits &= (1 << bitCount) - 1
  }
  return text
}

/**
 * A UUID of version 7 (RFC 9562, section 5.7): 48 bits of time, 74 random bits.
 *
 * Call ids of this kind arrive in the order of the log's index over them, so that one page of it takes many.
 */
export function uuidV7(timeMs: number, random: RandomSource): string {
  assert(
    Number.isInteger(timeMs) && timeMs >= 0 && timeMs <= maxTimeMs,
    'a UUID has 48 bits of time',
  )
  const time = timeMs.toString(16).padStart(12, '0')
  const hex = Buffer.from(random(10)).toString('hex')
  const variant = ((Number.parseInt(hex.charAt(3), 16) & 3) | 8).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(0, 3)}-${variant}${hex.slice(4, 7)}-${hex.slice(7, 19)}`
}
