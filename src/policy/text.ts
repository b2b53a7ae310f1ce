import { Decimal } from '../json/decimal.ts'
import { limits } from '../limits.ts'
import type { Truth } from './answer.ts'
import type { ArgumentContents } from './argument-walk.ts'
import { foldPlain, foldText, isPlain } from './fold.ts'
import { FoundNeedles, border } from './needle.ts'
import type { NeedleSet, TextForms } from './needle.ts'
import { isAffordable } from './pattern.ts'
import type { Pattern } from './pattern.ts'
import { truthOf } from './truth.ts'

const lineBreak = /[\n\r\v\f\u0085\u2028\u2029]/

/** Whether a text has no line break of any kind: what a grant finds in one line says nothing about the next. */
export function isOneLine(text: string): boolean {
  return !lineBreak.test(text)
}

/** The text of one call, in the forms in which rules look at it; each form is made when it is asked for. */
export class TextFacts {
  readonly #leaves: ArgumentContents['leaves']
  /** All values, and then all names, each between two borders; cheap until somebody looks inside. */
  readonly #text: string
  readonly #isBounded: boolean
  #forms: TextForms | undefined
  /** The set that was looked for last; most calls meet one. */
  #lastSet: NeedleSet | undefined
  #lastFound: FoundNeedles | undefined

  constructor({ leaves, names }: ArgumentContents) {
    this.#leaves = leaves
    let text = border
    for (const leaf of leaves) text += withoutBorder(textOf(leaf)) + border
    for (const name of names) text += withoutBorder(name) + border
    this.#text = text
    this.#isBounded = fits(text)
  }

  /** What of a set of needles stands in the call; undefined when the text cannot be looked at. */
  find(needles: NeedleSet): FoundNeedles | undefined {
    if (this.#lastSet === needles) return this.#lastFound
    this.#lastSet = needles
    this.#lastFound = this.#look(needles)
    return this.#lastFound
  }

  /** Whether every text value holds one of the needles, exactly and on one line; there must be one. */
  allHold(needles: readonly string[]): Truth {
    const texts = this.#leaves.filter((leaf) => typeof leaf === 'string')
    if (texts.length === 0 || !this.#isBounded) return 'indeterminate'
    const holds = texts.every((text) => {
      return isOneLine(text) && needles.some((needle) => text.includes(needle))
    })
    return holds ? 'true' : 'false'
  }

  /**
   * Whether one of the patterns matches in a value or a name, or in all values put together with spaces between them as
   * a tool may do it.
   */
  anyMatches(patterns: readonly Pattern[]): Truth {
    if (!this.#isBounded || !areAffordable(patterns, 2 * this.#text.length)) return 'indeterminate'
    const pieces = this.#text.split(border)
    const values = pieces.slice(1, this.#leaves.length + 1)
    let truth: Truth = 'false'
    for (const piece of [...pieces.slice(1, -1), values.join(' ')]) {
      const folded = foldText(piece)
      const found = patterns.some(({ generous }) => {
        return generous.test(piece) || (folded !== undefined && generous.test(folded))
      })
      if (found) return 'true'
      if (folded === undefined) truth = 'indeterminate'
    }
    return truth
  }

  /** Whether one of the patterns matches each text value as a whole and on one line; there must be one. */
  allMatch(patterns: readonly Pattern[]): Truth {
    const texts = this.#leaves.filter((leaf) => typeof leaf === 'string')
    if (texts.length === 0 || !this.#isBounded) return 'indeterminate'
    if (!areAffordable(patterns, this.#text.length)) return 'indeterminate'
    const holds = texts.every((text) => {
      return isOneLine(text) && patterns.some(({ exact }) => exact.testExact(text))
    })
    return truthOf(holds)
  }

  #look(needles: NeedleSet): FoundNeedles | undefined {
    if (!this.#isBounded) return undefined
    this.#forms ??= formsOf(this.#text, this.#leaves.length)
    return this.#forms === undefined ? undefined : new FoundNeedles(needles, this.#forms)
  }
}

/**
 * The forms of text in which `valueCount` values and then names stand between borders; undefined when it cannot be
 * folded.
 */
function formsOf(text: string, valueCount: number): TextForms | undefined {
  const plain = isPlain(text)
  const folded = plain ? foldPlain(text) : foldText(text)
  if (folded === undefined) return undefined
  const marked = trimmed(folded)
  const pieces = marked.slice(border.length, -border.length).split(border)
  const values = pieces.slice(0, valueCount)
  // What is joined may compose: `e` and an accent, each on its own, are one letter together.
  const joined = plain ? values.join('') : foldText(values.join(''))
  if (joined === undefined) return undefined
  const names = pieces.slice(valueCount)
  return { marked, joined, pieces: { values, names }, raw: plain ? undefined : text }
}

function areAffordable(patterns: readonly Pattern[], characters: number): boolean {
  return patterns.every(({ generous }) => isAffordable(generous, characters))
}

/** Without the spaces beside borders. */
function trimmed(folded: string): string {
  const isTrimmed = !folded.includes(` ${border}`) && !folded.includes(`${border} `)
  return isTrimmed ? folded : folded.replace(/ ?\0 ?/g, border)
}

/** A value as text: a number in its own digits. */
function textOf(leaf: Decimal | string | boolean | null): string {
  if (typeof leaf === 'string') return leaf
  return leaf instanceof Decimal ? leaf.text : String(leaf)
}

/** A NUL inside a piece would be a border that the caller set. */
function withoutBorder(piece: string): string {
  return piece.includes(border) ? piece.replaceAll(border, '') : piece
}

function fits(text: string): boolean {
  // A UTF-16 unit is at least one byte of UTF-8, and at most three.
  if (text.length > limits.maxTextBytes) return false
  return text.length * 3 <= limits.maxTextBytes || Buffer.byteLength(text) <= limits.maxTextBytes
}
