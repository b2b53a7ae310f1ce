import { assert } from '../errors.ts'
import type { Span } from './span.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * The text of a string that a scanner has accepted, given where it stands with its quotes.
 *
 * Bytes that are no UTF-8, which only the lax scanner lets pass, become U+FFFD, as they do for the receiver.
 */
export function decodeString(bytes: Uint8Array, span: Span): string {
  assert(bytes[span.start] === QUOTE, 'the span is that of a string')
  const buffer = asBuffer(bytes)
  for (let at = span.start; at < span.end; at++) {
    if (buffer[at] === BACKSLASH) return unescapeString(buffer.subarray(span.start, span.end))
  }
  return buffer.toString('utf8', span.start + 1, span.end - 1)
}

/** The text of an accepted string with escapes, given with its quotes; by then every parser agrees on it. */
export function unescapeString(quoted: Buffer): string {
  const text: unknown = JSON.parse(quoted.toString('utf8'))
  assert(typeof text === 'string', 'the scanner has accepted the string')
  return text
}

/** The same memory, seen as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
