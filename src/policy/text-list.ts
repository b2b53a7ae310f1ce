/** Of so few texts each is found faster by looking at all of them than by a table, which also takes much more memory. */
const maxWithoutTable = 8

/** Texts in the order in which they came, each once. */
export class TextList {
  readonly texts: string[] = []
  #indexes: Map<string, number> | undefined

  /**
   * Adds a text.
   *
   * @returns its index, the same for the same text
   */
  add(text: string): number {
    const known = this.#indexes === undefined ? this.texts.indexOf(text) : this.#indexes.get(text)
    if (known !== undefined && known !== -1) return known
    const index = this.texts.push(text) - 1
    if (this.#indexes !== undefined) this.#indexes.set(text, index)
    else if (this.texts.length > maxWithoutTable) this.#indexes = indexesOf(this.texts)
    return index
  }
}

function indexesOf(texts: readonly string[]): Map<string, number> {
  return new Map(texts.map((text, index) => [text, index]))
}
