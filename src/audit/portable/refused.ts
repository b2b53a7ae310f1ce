/** What is shown proves nothing; the message says why. */
export class Refused extends Error {
  override readonly name = 'Refused'
  /** The first record that is not sound; undefined where it is not about one. */
  readonly seq: number | undefined

  constructor(reason: string, seq?: number) {
    super(seq === undefined ? reason : `record ${seq}: ${reason}`)
    this.seq = seq
  }
}

/**
 * States what must be so of what is shown.
 *
 * @throws Refused when it is not
 */
export function insist(holds: boolean, reason: string, seq?: number): asserts holds {
  if (!holds) throw new Refused(reason, seq)
}
