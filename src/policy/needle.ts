import { Finder } from './finder.ts'
import type { Found } from './finder.ts'
import { foldText } from './fold.ts'
import { SeamFinder } from './seam.ts'
import type { FoundSeams } from './seam.ts'
import type { TextForms } from './text-forms.ts'

/** What of a `NeedleSet` stands in the text of one call. */
export class FoundNeedles {
  /** The same for the text once what is JSON in it has been read; undefined when nothing is. */
  readonly inner: FoundNeedles | undefined
  readonly #set: NeedleSet
  readonly #forms: TextForms
  #marked: Found | undefined
  #joined: Found | undefined
  #seams: FoundSeams | undefined
  #raw: Found | undefined

  constructor(set: NeedleSet, forms: TextForms, inner?: FoundNeedles) {
    this.inner = inner
    this.#set = set
    this.#forms = forms
  }

  /** Whether a text of `NeedleSet.marked` stands in one of the pieces. */
  marked(index: number): boolean {
    this.#marked ??= this.#set.marked.search(this.#forms.marked)
    return this.#marked(index)
  }

  /** Whether a text of `NeedleSet.joined` stands in the values with nothing between them. */
  joined(index: number): boolean {
    this.#joined ??= this.#set.joined.search(this.#forms.joined)
    return this.#joined(index)
  }

  /** Whether several pieces make a text of `NeedleSet.seams`. */
  seams(index: number): boolean {
    return this.#foundSeams().has(index)
  }

  /**
   * Whether a text that stands in no piece may stand in `joined`, where it runs over the end of one and the beginning of
   * another; only where nothing composes can that be told by the edges of the pieces.
   */
  mayBeJoined(index: number): boolean {
    return this.#forms.raw !== undefined || this.#foundSeams().isCut(index)
  }

  /** Whether a text of `NeedleSet.raw` stands in the pieces as they are. */
  raw(index: number): boolean {
    if (this.#forms.raw === undefined) return false
    this.#raw ??= this.#set.raw.search(this.#forms.raw)
    return this.#raw(index)
  }

  #foundSeams(): FoundSeams {
    this.#seams ??= this.#set.seams.search(this.#forms)
    return this.#seams
  }
}

/** Whether a needle is among what was found. */
export type NeedleTest = (found: FoundNeedles) => boolean

/**
 * The needles of all guards that look at the same calls; they share one search.
 *
 * A guard on text sees what stands in one value or name of a call, however it is spelt (`foldText`), and what a tool
 * makes by putting values together (`SeamFinder`), also of what is written in a value as JSON (`readingsAsJson`). It does
 * not see what a tool makes by computing: decoded Base64, percent signs or shell quotes, expanded variables, text that it
 * reads from somewhere else. For those there are rules about what a tool may be called with, and not about what it may
 * not.
 */
export class NeedleSet {
  readonly marked: Finder = new Finder()
  readonly joined: Finder = new Finder()
  readonly seams: SeamFinder = new SeamFinder()
  readonly raw: Finder = new Finder()

  /** Adds a needle; only before the first search. */
  add(needle: string): NeedleTest {
    const raw = this.raw.add(needle)
    const folded = foldText(needle)
    // Of a needle of nothing but hidden characters only the raw form can be found.
    if (folded === undefined || folded.trim() === '') return atAnyDepth((found) => found.raw(raw))
    const marked = this.marked.add(folded)
    const joined = this.joined.add(folded)
    const seams = this.seams.add(folded)
    return atAnyDepth(
      (found) =>
        found.marked(marked) ||
        (found.mayBeJoined(seams) && found.joined(joined)) ||
        found.seams(seams) ||
        found.raw(raw),
    )
  }
}

function atAnyDepth(test: NeedleTest): NeedleTest {
  return (outer) => {
    for (let found: FoundNeedles | undefined = outer; found !== undefined; found = found.inner) {
      if (test(found)) return true
    }
    return false
  }
}
