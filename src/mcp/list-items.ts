import type { Span } from './message.ts'
import { textAt } from './rpc-id.ts'

/*
 * Finds the parts of a list result in its bytes, so that items are passed on as the server wrote them: a schema keeps
 * its 9223372036854775807. The text has been scanned before and is JSON; here only its outline is followed.
 */

const quote = 0x22
const backslash = 0x5c
const openers = new Set([0x5b, 0x7b])
const closers = new Set([0x5d, 0x7d])
const comma = 0x2c
const colon = 0x3a

/** The elements of the array at `span`. */
export function arrayItems(bytes: Uint8Array, span: Span): readonly Span[] {
  return parts(bytes, span)
}

/** A member of an object: its name, and where its value stands. */
export interface Member {
  readonly name: string
  readonly value: Span
}

/** The members of the object at `span`, in their order, duplicates included. */
export function objectMembers(bytes: Uint8Array, span: Span): readonly Member[] {
  return parts(bytes, span).map((part) => {
    const end = stringEnd(bytes, part.start)
    const name: unknown = JSON.parse(textAt(bytes, { start: part.start, end }))
    let at = end
    while (bytes[at] !== colon) at += 1
    return { name: String(name), value: trim(bytes, { start: at + 1, end: part.end }) }
  })
}

/** What stands between the commas of the array or object at `span`. */
function parts(bytes: Uint8Array, span: Span): readonly Span[] {
  const found: Span[] = []
  let depth = 0
  let start = span.start + 1
  for (let at = span.start; at < span.end; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte === quote) at = stringEnd(bytes, at) - 1
    else if (openers.has(byte)) depth += 1
    else if (closers.has(byte)) depth -= 1
    if ((byte === comma && depth === 1) || depth === 0) {
      const part = trim(bytes, { start, end: at })
      if (part.end > part.start) found.push(part)
      start = at + 1
    }
  }
  return found
}

/** Where the string that opens at `start` has ended: the byte after its closing quote. */
function stringEnd(bytes: Uint8Array, start: number): number {
  let at = start + 1
  while (bytes[at] !== quote && at < bytes.length) at += bytes[at] === backslash ? 2 : 1
  return at + 1
}

function trim(bytes: Uint8Array, span: Span): Span {
  let { start, end } = span
  while (start < end && (bytes[start] ?? 0) <= 0x20) start += 1
  while (end > start && (bytes[end - 1] ?? 0) <= 0x20) end -= 1
  return { start, end }
}
