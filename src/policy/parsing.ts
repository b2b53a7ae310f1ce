import { limits } from '../limits.ts'

/** What a text costs however short it is, characters. */
const textCost = 64

/**
 * How much the parsers behind `shell` and `sql` may still read while one call is decided.
 *
 * Which texts come first depends on the order of the rules, which must not matter. So whoever decides asks at the end
 * whether it was enough, and if it was not decides again with `nothingParsed`.
 */
export class Parsing {
  #characters: number
  #words: number
  #isExceeded = false

  constructor(most: { readonly characters: number; readonly words: number }) {
    this.#characters = most.characters
    this.#words = most.words
  }

  /** Whether something was asked for that there was no room for. */
  get isExceeded(): boolean {
    return this.#isExceeded
  }

  /** Takes the room for one text; false when there is too little of it. */
  takeText(length: number): boolean {
    this.#characters -= length + textCost
    return this.#isWithin(this.#characters)
  }

  /** Takes the room for a command of so many words that was found in a text; false when there is too little of it. */
  takeCommand(words: number): boolean {
    this.#words -= words + 1
    return this.#isWithin(this.#words)
  }

  #isWithin(left: number): boolean {
    if (left < 0) this.#isExceeded = true
    return !this.#isExceeded
  }
}

/** What one decision has to spend. */
export function parsingOfDecision(): Parsing {
  return new Parsing({ characters: limits.maxParsedCharacters, words: limits.maxParsedWords })
}

/** For a call of which more would have to be parsed. */
export function nothingParsed(): Parsing {
  return new Parsing({ characters: -1, words: -1 })
}

/** For a call of which it is known that it does not take too much, or that nobody but its author sent. */
export function anythingParsed(): Parsing {
  return new Parsing({ characters: Infinity, words: Infinity })
}
