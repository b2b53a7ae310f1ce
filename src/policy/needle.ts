import { Finder } from './finder.ts'
import type { Found } from './finder.ts'
import { foldText } from './fold.ts'

/** Stands between the pieces of a call's text; no needle holds it. */
export const border = '\0'

/** The text of a call as needles look at it. */
export interface TextForms {
  /** Folded, every value and name between two borders. */
  readonly marked: string
  /** Folded, all values one after the other between spaces, as a shell would see an argument vector. */
  readonly flow: string
  /** As it is, every value and name between two borders; absent where folding loses nothing. */
  readonly raw: string | undefined
}

/** What of a `NeedleSet` stands in the text of one call. */
export class FoundNeedles {
  readonly #set: NeedleSet
  readonly #forms: TextForms
  #marked: Found | undefined
  #flow: Found | undefined
  #raw: Found | undefined

  constructor(set: NeedleSet, forms: TextForms) {
    this.#set = set
    this.#forms = forms
  }

  /** Whether a text of `NeedleSet.marked` stands in the pieces. */
  marked(index: number): boolean {
    this.#marked ??= this.#set.marked.search(this.#forms.marked)
    return this.#marked(index)
  }

  /** Whether a text of `NeedleSet.flow` stands in the flow. */
  flow(index: number): boolean {
    this.#flow ??= this.#set.flow.search(this.#forms.flow)
    return this.#flow(index)
  }

  /** Whether a text of `NeedleSet.raw` stands in the pieces as they are. */
  raw(index: number): boolean {
    if (this.#forms.raw === undefined) return false
    this.#raw ??= this.#set.raw.search(this.#forms.raw)
    return this.#raw(index)
  }
}

/** Whether a needle is among what was found. */
export type NeedleTest = (found: FoundNeedles) => boolean

/** The needles of all guards that look at the same calls; they share one search. */
export class NeedleSet {
  readonly marked: Finder = new Finder()
  readonly flow: Finder = new Finder()
  readonly raw: Finder = new Finder()

  /**
   * Adds a needle; only before the first search.
   *
   * A needle of several words is also found when the words stand in different values, in any order: a call can give a
   * command as `["rm", "-rf"]`, or its flags before its name.
   */
  add(needle: string): NeedleTest {
    const raw = this.raw.add(needle)
    const folded = foldText(needle)
    const words = folded?.trim().split(' ') ?? []
    const [word = ''] = words.toSorted((one, other) => other.length - one.length)
    // Of a needle of nothing but hidden characters only the raw form can be found.
    if (folded === undefined || word === '') return (found) => found.raw(raw)
    const longest = this.marked.add(word)
    if (folded === word) return (found) => found.marked(longest) || found.raw(raw)
    const whole = { marked: this.marked.add(folded), flow: this.flow.add(folded) }
    const splits = splitsOf(words).map((parts) => parts.map((part) => this.marked.add(part)))
    // Most calls hold none of the words, and then nothing else has to be looked for.
    return (found) =>
      (found.marked(longest) &&
        (found.marked(whole.marked) ||
          found.flow(whole.flow) ||
          splits.some((parts) => parts.every((part) => found.marked(part))))) ||
      found.raw(raw)
  }
}

/**
 * The ways to spread words over values: cut once, or at every space.
 *
 * The first part ends a value, the last begins one, the ones between are values of their own.
 */
function splitsOf(words: readonly string[]): readonly (readonly string[])[] {
  const cuts = words
    .slice(1)
    .map((_, at) => [
      `${words.slice(0, at + 1).join(' ')}${border}`,
      `${border}${words.slice(at + 1).join(' ')}`,
    ])
  if (words.length <= 2) return cuts
  const [first = '', ...rest] = words
  const last = rest.pop() ?? ''
  const between = rest.map((word) => `${border}${word}${border}`)
  return [...cuts, [`${first}${border}`, ...between, `${border}${last}`]]
}
