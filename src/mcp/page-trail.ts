/**
 * Follows the pages of each server's list from cursor to cursor, to know when all of it has been read.
 *
 * A client may leave pages out or read one twice; then what was read is not taken for all there is.
 */
export class PageTrail {
  /** The cursor that leads on from the pages that were read in a row. */
  readonly #next = new Map<string, unknown>()

  /**
   * Takes in that a page was read; no `cursor` leads to the first one, and no `nextCursor` from the last.
   *
   * @returns whether every page from the first to this last one has been read in a row
   */
  follow(server: string, cursor: unknown, nextCursor: string | undefined): boolean {
    const isInRow = cursor === undefined || cursor === this.#next.get(server)
    if (isInRow && nextCursor !== undefined) this.#next.set(server, nextCursor)
    else this.#next.delete(server)
    return isInRow && nextCursor === undefined
  }
}
