import { CapFenceError } from '../errors.ts'
import { printable } from './printable.ts'

const plainName = /^[A-Za-z0-9_-]*$/
/** A byte as `escapeName` writes it. */
const escapedByte = /-x([0-9A-F]{2})/g
// What has to be escaped: runs of characters outside the set, and a hyphen that begins what reads as an escaped byte.
const needsEscape = /[^A-Za-z0-9_-]+|-(?=x[0-9A-F]{2})/g
const loneSurrogate = /\p{Cs}/u

const encoder = new TextEncoder()

/**
 * A server's or tool's name as a segment of a capability: characters outside `[A-Za-z0-9_-]` become `-xHH` per UTF-8
 * byte, and so does the hyphen of a literal `-xHH`.
 *
 * Different names stay different, and no name turns into a pattern, a second segment or another tool (THREATS B10):
 * `fs/delete` becomes `fs-x2Fdelete`, `*` becomes `-x2A`.
 *
 * @throws CapFenceError `EVENT_INVALID` for a name that is not Unicode text, because it has no UTF-8 bytes
 */
export function escapeName(name: string): string {
  if (plainName.test(name) && !name.includes('-x')) return name
  if (loneSurrogate.test(name)) {
    throw new CapFenceError(
      'EVENT_INVALID',
      `the name \`${printable(name)}\` holds half a character`,
    )
  }
  return name.replace(needsEscape, escapeBytes)
}

/** The name that `escapeName` turned into `segment`; undefined when there is none. */
export function unescapeName(segment: string): string | undefined {
  if (!plainName.test(segment)) return undefined
  try {
    // A segment holds no `%`, so that the strict UTF-8 decoder of the language can do the work.
    const name = decodeURIComponent(segment.replace(escapedByte, '%$1'))
    return escapeName(name) === segment ? name : undefined
  } catch {
    // Bytes that are not UTF-8 are no name's, which is the answer.
    return undefined
  }
}

function escapeBytes(text: string): string {
  let escaped = ''
  for (const byte of encoder.encode(text)) {
    escaped += `-x${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return escaped
}
