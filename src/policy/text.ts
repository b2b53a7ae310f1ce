import { Decimal } from '../json/decimal.ts'
import { limits } from '../limits.ts'
import type { Truth } from './answer.ts'
import type { ArgumentContents } from './argument-walk.ts'
import { foldText } from './fold.ts'
import { readingsAsJson } from './json-text.ts'
import type { TextPieces } from './json-text.ts'
import { FoundNeedles } from './needle.ts'
import type { NeedleSet } from './needle.ts'
import { isAffordable } from './pattern.ts'
import type { Pattern } from './pattern.ts'
import { border } from './piece.ts'
import { TextForms } from './text-forms.ts'
import { truthOf } from './truth.ts'

const lineBreak = /[\n\r\v\f\u0085\u2028\u2029]/

/** Whether a text has no line break of any kind: what a grant finds in one line says nothing about the next. */
export function isOneLine(text: string): boolean {
  return !lineBreak.test(text)
}

/** The text of one call, in the forms in which rules look at it; each form is made when it is asked for. */
export class TextFacts {
  readonly #contents: ArgumentContents
  /** All values, and then all names, each between two borders; cheap until somebody looks inside. */
  readonly #text: string
  readonly #isBounded: boolean
  #forms: readonly TextForms[] | undefined
  /** The set that was looked for last; most calls meet one. */
  #lastSet: NeedleSet | undefined
  #lastFound: FoundNeedles | undefined

  constructor(contents: ArgumentContents) {
    const { leaves, names } = contents
    this.#contents = contents
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
    const texts = this.#contents.leaves.filter((leaf) => typeof leaf === 'string')
    if (texts.length === 0 || !this.#isBounded) return 'indeterminate'
    const holds = texts.every((text) => {
      return isOneLine(text) && needles.some((needle) => text.includes(needle))
    })
    return holds ? 'true' : 'false'
  }

  /**
   * Whether one of the patterns matches in a value or a name, or in all values put together with spaces between them as
   * a tool may do it; also in what is written in a value as JSON.
   */
  anyMatches(patterns: readonly Pattern[]): Truth {
    if (!this.#isBounded) return 'indeterminate'
    const inner = this.#readings()
    if (inner === undefined) return 'indeterminate'
    const readings = [this.#pieces(), ...inner]
    // As many characters at most as there are in the text itself.
    const characters = 2 * this.#text.length * readings.length
    if (!areAffordable(patterns, characters)) return 'indeterminate'
    let truth: Truth = 'false'
    for (const { values, names } of readings) {
      const found = matchesAny([...values, ...names, values.join(' ')], patterns)
      if (found === 'true') return 'true'
      if (found === 'indeterminate') truth = 'indeterminate'
    }
    return truth
  }

  /** Whether one of the patterns matches each text value as a whole and on one line; there must be one. */
  allMatch(patterns: readonly Pattern[]): Truth {
    const texts = this.#contents.leaves.filter((leaf) => typeof leaf === 'string')
    if (texts.length === 0 || !this.#isBounded) return 'indeterminate'
    if (!areAffordable(patterns, this.#text.length)) return 'indeterminate'
    const holds = texts.every((text) => {
      return isOneLine(text) && patterns.some(({ exact }) => exact.testExact(text))
    })
    return truthOf(holds)
  }

  #look(needles: NeedleSet): FoundNeedles | undefined {
    if (!this.#isBounded) return undefined
    this.#forms ??= this.#allForms()
    let found: FoundNeedles | undefined
    for (const forms of this.#forms ?? []) found = new FoundNeedles(needles, forms, found)
    return found
  }

  /** The innermost first. */
  #allForms(): readonly TextForms[] | undefined {
    const own = TextForms.of(this.#text, this.#contents.leaves.length)
    const readings = this.#readings()
    if (own === undefined || readings === undefined) return undefined
    if (readings.length === 0) return [own]
    const inner = readings.map((one) => TextForms.of(markedText(one), one.values.length))
    const known = inner.filter((one) => one !== undefined)
    return known.length === inner.length ? [...known.toReversed(), own] : undefined
  }

  /** What stands in the text as JSON; undefined when nobody can tell. */
  #readings(): readonly TextPieces[] | undefined {
    return mayHoldJson.test(this.#text) ? readingsAsJson(this.#pieces()) : noReadings
  }

  #pieces(): TextPieces {
    const pieces = this.#text.slice(border.length, -border.length).split(border)
    const { length } = this.#contents.leaves
    return { values: pieces.slice(0, length), names: pieces.slice(length) }
  }
}

const noReadings: readonly TextPieces[] = []
/** An escape, or a piece that begins as JSON does; of most calls neither is there. */
const mayHoldJson = /\\|\0\s*["'[{]/

function markedText({ values, names }: TextPieces): string {
  return border + [...values, ...names].map((piece) => withoutBorder(piece) + border).join('')
}

/** Whether one of the patterns matches in one of the texts; not known when one of them cannot be folded. */
function matchesAny(texts: readonly string[], patterns: readonly Pattern[]): Truth {
  let truth: Truth = 'false'
  for (const text of texts) {
    const folded = foldText(text)
    const found = patterns.some(({ generous }) => {
      return generous.test(text) || (folded !== undefined && generous.test(folded))
    })
    if (found) return 'true'
    if (folded === undefined) truth = 'indeterminate'
  }
  return truth
}

function areAffordable(patterns: readonly Pattern[], characters: number): boolean {
  return patterns.every(({ generous }) => isAffordable(generous, characters))
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
