import type { TextList } from './text-list.ts'

/** Which of the texts of a `Finder` stand somewhere in one text. */
export type Found = (index: number) => boolean

/** Few texts are found faster one by one, by the search that is built in. */
const maxOneByOne = 24

/**
 * Finds many texts in one: a few by searching for each, many by an Aho-Corasick automaton in a single pass.
 *
 * Either way the time is linear in the text, whatever stands in it.
 */
export class Finder {
  readonly #list: TextList
  #automaton: Automaton | undefined

  /** For texts none of which is empty, and to which none is added after the first search. */
  constructor(list: TextList) {
    this.#list = list
  }

  /** Looks at `text`; where the texts are few, only when one is asked for. */
  search(text: string): Found {
    const { texts } = this.#list
    if (texts.length <= maxOneByOne) return (index) => text.includes(texts[index] ?? '')
    this.#automaton ??= new Automaton(texts)
    const found = this.#automaton.search(text)
    return (index) => found[index] === 1
  }
}

const root = 0
const none = -1

/** A trie of the texts in which every state knows where to go on when the next character does not fit. */
class Automaton {
  readonly #count: number
  /** State and character to the next state; one table is smaller and faster than one per state. */
  readonly #next = new Map<number, number>()
  /** The state of the longest proper suffix that is in the trie too. */
  readonly #suffix: number[] = [root]
  /** The texts that end in a state; the same text may stand there twice. */
  readonly #ends: number[][] = [[]]
  /** The nearest suffix in which a text ends. */
  readonly #endSuffix: number[] = [none]

  constructor(texts: readonly string[]) {
    this.#count = texts.length
    // A breadth-first order of the states, each with the way to it.
    const levels: { readonly from: number; readonly code: number; readonly state: number }[][] = []
    for (const [index, text] of texts.entries()) this.#add(text, index, levels)
    for (const level of levels) {
      for (const { from, code, state } of level) this.#link(from, code, state)
    }
  }

  search(text: string): Uint8Array {
    const found = new Uint8Array(this.#count)
    const seen = new Uint8Array(this.#suffix.length)
    let state = root
    for (let at = 0; at < text.length; at += 1) {
      state = this.#step(state, text.charCodeAt(at))
      // Each state is collected once, so that texts that contain each other do not multiply the time.
      for (let end = state; end !== none && seen[end] === 0; end = this.#endSuffix[end] ?? none) {
        seen[end] = 1
        for (const index of this.#ends[end] ?? []) found[index] = 1
      }
    }
    return found
  }

  #add(
    text: string,
    index: number,
    levels: { readonly from: number; readonly code: number; readonly state: number }[][],
  ): void {
    let state = root
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at)
      let next = this.#next.get(edge(state, code))
      if (next === undefined) {
        next = this.#suffix.length
        this.#next.set(edge(state, code), next)
        this.#suffix.push(root)
        this.#ends.push([])
        this.#endSuffix.push(none)
        ;(levels[at] ??= []).push({ from: state, code, state: next })
      }
      state = next
    }
    this.#ends[state]?.push(index)
  }

  #link(from: number, code: number, state: number): void {
    const suffix = from === root ? root : this.#step(this.#suffix[from] ?? root, code)
    this.#suffix[state] = suffix
    const ends = (this.#ends[suffix] ?? []).length > 0
    this.#endSuffix[state] = ends ? suffix : (this.#endSuffix[suffix] ?? none)
  }

  #step(start: number, code: number): number {
    for (let state = start; ; state = this.#suffix[state] ?? root) {
      const next = this.#next.get(edge(state, code))
      if (next !== undefined) return next
      if (state === root) return root
    }
  }
}

/** States times 65,536 stay far below 2^53. */
function edge(state: number, code: number): number {
  return state * 65_536 + code
}
