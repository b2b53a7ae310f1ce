import { Finder } from './finder.ts'
import type { Found } from './finder.ts'
import { foldText } from './fold.ts'
import { SeamFinder } from './seam.ts'
import type { FoundSeams } from './seam.ts'
import type { TextForms } from './text-forms.ts'
import { TextList } from './text-list.ts'

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

  /** Whether a text of `NeedleSet.folded` stands in one of the pieces. */
  marked(index: number): boolean {
    this.#marked ??= this.#set.folded.search(this.#forms.marked)
    return this.#marked(index)
  }

  /** Whether a text of `NeedleSet.folded` stands in the values with nothing between them. */
  joined(index: number): boolean {
    this.#joined ??= this.#set.folded.search(this.#forms.joined)
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
  readonly #foldedTexts = new TextList()
  readonly #rawTexts = new TextList()
  readonly folded: Finder = new Finder(this.#foldedTexts)
  readonly seams: SeamFinder = new SeamFinder(this.#foldedTexts)
  readonly raw: Finder = new Finder(this.#rawTexts)

  /** Adds a needle; only before the first search. */
  add(needle: string): NeedleTest {
    const raw = this.#rawTexts.add(needle)
    const text = foldText(needle)
    // Of a needle of nothing but hidden characters only the raw form can be found.
    if (text === undefined || text.trim() === '') return atAnyDepth((found) => found.raw(raw))
    const folded = this.#foldedTexts.add(text)
    return atAnyDepth(
      (found) =>
        found.marked(folded) ||
        (found.mayBeJoined(folded) && found.joined(folded)) ||
        found.seams(folded) ||
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
