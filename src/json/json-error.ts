import { CapFenceError } from '../errors.ts'

/** Everything a JSON text can be refused for. */
export type JsonReason =
  | 'syntax'
  | 'truncated'
  | 'trailing_bytes'
  | 'invalid_utf8'
  | 'byte_order_mark'
  | 'control_character'
  | 'bad_escape'
  | 'bad_number'
  | 'lone_surrogate'
  | 'duplicate_key'
  /** Two keys of one object that some parsers take for the same one. */
  | 'ambiguous_key'
  | 'proto_key'
  /** A key outside ASCII that is too long to be compared with others. */
  | 'key_too_long'
  | 'too_deep'
  | 'too_many_members'

/** A JSON text that is refused, with the byte where the scanner noticed. */
export class JsonError extends CapFenceError {
  readonly reason: JsonReason
  /** Counted from 0, in bytes. */
  readonly offset: number

  constructor(reason: JsonReason, offset: number, what: string) {
    super('JSON_INVALID', `${what} at byte ${offset} [${reason}]`)
    this.reason = reason
    this.offset = offset
  }
}

const maxExcerptCharacters = 64

/**
 * Foreign text, fit for an error message: quoted, printable ASCII, at most 64 characters.
 *
 * Whatever could move a cursor, reorder a line or hide in it is shown as an escape (THREATS B30).
 */
export function excerpt(text: string): string {
  let shown = ''
  for (const character of text.slice(0, maxExcerptCharacters)) {
    const next = shown + escaped(character)
    if (next.length > maxExcerptCharacters - 5) return `"${shown}..."`
    shown = next
  }
  return `"${shown}"`
}

function escaped(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`
  if (/^[ -~]$/.test(character)) return character
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
}
