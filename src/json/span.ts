/** A part of a message's bytes: `start` is the first byte, `end` the one after the last. */
export interface Span {
  readonly start: number
  readonly end: number
}
