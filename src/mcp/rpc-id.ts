import { Decimal } from '../json/decimal.ts'
import { decodeString } from '../json/scan.ts'
import type { Span } from '../json/scan.ts'
import type { JsonValue } from '../json/value.ts'
import { limits } from '../limits.ts'
import type { RpcId } from './message.ts'

const QUOTE = 0x22
const MINUS = 0x2d
const ZERO = 0x30

/**
 * An id or progress token as a client has to write it: a string, or a safe integer written as one.
 *
 * `1.0`, `1e2` and `-0` are refused: a peer that echoes them as other text is not understood by the next.
 */
export function exactId(value: JsonValue | undefined): RpcId | undefined {
  if (typeof value === 'string') return value.length <= limits.maxIdCharacters ? value : undefined
  if (!(value instanceof Decimal)) return undefined
  const id = Number(value.text)
  return Number.isSafeInteger(id) && value.text === String(id) ? id : undefined
}

/** An id or progress token as a server may write it: a string, or a number whose value is a safe integer. */
export function looseId(bytes: Uint8Array, span: Span): RpcId | undefined {
  const first = bytes[span.start] ?? 0
  if (first === QUOTE) return shortString(bytes, span, limits.maxIdCharacters)
  if (first !== MINUS && (first < ZERO || first > ZERO + 9)) return undefined
  if (span.end - span.start > limits.maxIdCharacters) return undefined
  const id = Number(textAt(bytes, span))
  // Adding zero makes a negative zero an ordinary one.
  return Number.isSafeInteger(id) ? id + 0 : undefined
}

/** The text of a string of at most `maxCharacters`; undefined for a longer one and for anything else. */
export function shortString(
  bytes: Uint8Array,
  span: Span,
  maxCharacters: number,
): string | undefined {
  // An escape takes six bytes for a character, which is the most that any way of writing one takes.
  if (bytes[span.start] !== QUOTE || span.end - span.start > 2 + 6 * maxCharacters) return undefined
  const text = decodeString(bytes, span)
  return text.length <= maxCharacters ? text : undefined
}

/** The JSON text of a part of a message, as it was sent. */
export function textAt(bytes: Uint8Array, span: Span): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + span.start, span.end - span.start).toString()
}
