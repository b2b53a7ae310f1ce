/**
 * How bad it is: `fine` is as it should be, `note` worth knowing, `doubt` may be meant and should be looked at, `wrong` keeps
 * calls from being made, or lets them past the gate.
 */
export type FindingLevel = 'fine' | 'note' | 'doubt' | 'wrong'

/** Something that was looked at. */
export interface Finding {
  /** What it is about, in a word. */
  readonly area: string
  readonly level: FindingLevel
  readonly text: string
  /** What mends it: a command, or what to write. */
  readonly mend?: string | undefined
}
