/** How much code one file may hold, beyond what any hand-written one does. */
export const codeBounds: {
  /** Pieces of code that are told apart, count. */
  readonly nodes: number
  /** How deep they lie in each other, count. */
  readonly depth: number
} = { nodes: 400_000, depth: 1000 }

/** A file holds more than is looked at. */
export class TooMuchCode extends Error {
  override name = 'TooMuchCode'
}
