/** Of so few texts each is found faster by looking at all of them than by a table, which also takes much more memory. */
const maxWithoutTable = 8

/** One for all lists that are empty. */
const noTexts: never[] = []

/** Texts in the order in which they came, each once. */
export class TextList {
  #texts: string[] = noTexts
  #indexes: Map<string, number> | undefined

  get texts(): readonly string[] {
    return this.#texts
  }

  /**
   * Adds a text.
   *
   * @returns its index, the same for the same text
   */
  add(text: string): number {
    const known = this.#indexes === undefined ? this.#texts.indexOf(text) : this.#indexes.get(text)
    if (known !== undefined && known !== -1) return known
    const index = this.#texts.length
    // A list that grows takes room for many.
    if (index === 0) this.#texts = [text]
    else this.#texts.push(text)
    if (this.#indexes !== undefined) this.#indexes.set(text, index)
    else if (index >= maxWithoutTable) this.#indexes = indexesOf(this.#texts)
    return index
  }
}

function indexesOf(texts: readonly string[]): Map<string, number> {
  return new Map(texts.map((text, index) => [text, index]))
}
