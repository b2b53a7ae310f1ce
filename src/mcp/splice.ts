import { assert } from '../errors.ts'
import type { Span } from './message.ts'

/** New text for a part of a message. */
export interface Edit {
  readonly span: Span
  readonly text: string
}

/**
 * Cuts a message into the parts that stay, which are views of `bytes`, and the texts that replace what is edited.
 *
 * Nothing long is copied: the pieces are written back to back. Edits may come in any order but must not overlap.
 */
export function pieces(bytes: Uint8Array, edits: readonly Edit[]): readonly Uint8Array[] {
  const inOrder = edits.toSorted((a, b) => a.span.start - b.span.start || a.span.end - b.span.end)
  const parts: Uint8Array[] = []
  let at = 0
  for (const { span, text } of inOrder) {
    assert(at <= span.start && span.start <= span.end, 'edits do not overlap')
    assert(span.end <= bytes.length, 'an edit lies within the message')
    if (span.start > at) parts.push(bytes.subarray(at, span.start))
    if (text !== '') parts.push(Buffer.from(text))
    at = span.end
  }
  if (at < bytes.length) parts.push(bytes.subarray(at))
  return parts
}

/** The message with its edits made, as one piece; every other byte is as it was. */
export function splice(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  return Buffer.concat(pieces(bytes, edits))
}
