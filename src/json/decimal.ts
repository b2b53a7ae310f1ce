/** An exact decimal number, as it was written. */
export class Decimal {
  /** The number's text in the message, a JSON number (RFC 8259, section 6). */
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}
