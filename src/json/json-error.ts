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
