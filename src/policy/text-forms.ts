import { foldPlain, foldText, isPlain } from './fold.ts'
import { border } from './piece.ts'
import type { Pieces } from './piece.ts'

/** The text of a call as needles look at it; what few calls come to is made when it is asked for. */
export class TextForms {
  /** Folded, every value and name between two borders. */
  readonly marked: string
  /** As it is, every value and name between two borders; absent where folding loses nothing. */
  readonly raw: string | undefined
  readonly #valueCount: number
  #pieces: Pieces | undefined
  #joined: string | undefined

  private constructor(marked: string, raw: string | undefined, valueCount: number) {
    this.marked = marked
    this.raw = raw
    this.#valueCount = valueCount
  }

  /**
   * The forms of text in which `valueCount` values and then names stand between borders; undefined when it cannot be
   * folded.
   */
  static of(text: string, valueCount: number): TextForms | undefined {
    if (isPlain(text)) return new TextForms(trimmed(foldPlain(text)), undefined, valueCount)
    const folded = foldText(text)
    if (folded === undefined) return undefined
    const forms = new TextForms(trimmed(folded), text, valueCount)
    // What is joined may compose: `e` and an accent, each on its own, are one letter together.
    forms.#joined = foldText(forms.pieces.values.join(''))
    return forms.#joined === undefined ? undefined : forms
  }

  get pieces(): Pieces {
    this.#pieces ??= this.#split()
    return this.#pieces
  }

  /** Folded, all values one after the other with nothing between. */
  get joined(): string {
    this.#joined ??= this.pieces.values.join('')
    return this.#joined
  }

  #split(): Pieces {
    const pieces = this.marked.slice(border.length, -border.length).split(border)
    return { values: pieces.slice(0, this.#valueCount), names: pieces.slice(this.#valueCount) }
  }
}

/** Without the spaces beside borders. */
function trimmed(folded: string): string {
  const isTrimmed = !folded.includes(` ${border}`) && !folded.includes(`${border} `)
  return isTrimmed ? folded : folded.replace(/ ?\0 ?/g, border)
}
