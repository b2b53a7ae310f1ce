import { limits } from '../limits.ts'
import type { Truth } from './answer.ts'
import type { ArgumentContents } from './argument-walk.ts'
import { Finder } from './finder.ts'
import type { Found } from './finder.ts'
import { foldText } from './fold.ts'

/** Stands between pieces; no needle holds it. */
const border = '\0'

/** The text of one call, in the forms in which rules look at it. */
export class TextFacts {
  readonly #contents: ArgumentContents
  readonly #found = new Map<NeedleSet, FoundNeedles | undefined>()
  #forms: TextForms | undefined

  constructor(contents: ArgumentContents) {
    this.#contents = contents
  }

  /** What of a set of needles stands in the call; undefined when the text is too much to look at. */
  find(needles: NeedleSet): FoundNeedles | undefined {
    if (!this.#found.has(needles)) {
      const { folded, raw } = this.#asForms()
      const found =
        folded === undefined
          ? undefined
          : { folded: needles.folded.search(folded), raw: needles.raw.search(raw) }
      this.#found.set(needles, found)
    }
    return this.#found.get(needles)
  }

  /** Whether every text value holds one of the needles, exactly and on one line; there must be one. */
  allHold(needles: readonly string[]): Truth {
    const { texts } = this.#contents
    if (this.#asForms().tooMuch || texts.length === 0) return 'indeterminate'
    const holds = texts.every((text) => {
      return !lineBreak.test(text) && needles.some((needle) => text.includes(needle))
    })
    return holds ? 'true' : 'false'
  }

  #asForms(): TextForms {
    this.#forms ??= formsOf(this.#contents)
    return this.#forms
  }
}

const lineBreak = /[\n\r\v\f\u0085\u2028\u2029]/

interface TextForms {
  readonly tooMuch: boolean
  /** As guards compare it; undefined when there is too much of it or it cannot be folded. */
  readonly folded: string | undefined
  /** As it is; empty where folding loses nothing, so that the folded form is enough. */
  readonly raw: string
}

function formsOf({ names, pieces }: ArgumentContents): TextForms {
  const all = [...pieces, ...names]
  if (!fits(all)) return { tooMuch: true, folded: undefined, raw: '' }
  const joined = joinPieces(all)
  const folded = foldText(joined)
  if (folded === undefined) return { tooMuch: false, folded, raw: '' }
  const values = foldText(joinPieces(pieces)) ?? ''
  const raw = /[^\0\x20-\x7e]/.test(joined) ? all.join(border) : ''
  return { tooMuch: false, folded: `${trimPieces(folded)}${flow(values)}`, raw }
}

/** The pieces, each between borders. A NUL inside one would be a border that the caller set. */
function joinPieces(pieces: readonly string[]): string {
  const clean = pieces.map((piece) =>
    piece.includes(border) ? piece.replaceAll(border, '') : piece,
  )
  return `${border}${clean.join(border)}${border}`
}

/** Without the spaces next to borders, so that `-rf` begins the piece ` -rf`. */
function trimPieces(folded: string): string {
  return folded.replace(/ ?\0 ?/g, border)
}

/** All values one after the other, as a shell would see an argument vector. */
function flow(values: string): string {
  return values.replaceAll(border, ' ').replace(/ {2,}/g, ' ')
}

function fits(pieces: readonly string[]): boolean {
  let characters = 0
  for (const piece of pieces) characters += piece.length
  // A UTF-16 unit is at least one byte of UTF-8, and at most three.
  if (characters > limits.maxTextBytes) return false
  if (characters * 3 <= limits.maxTextBytes) return true
  let bytes = 0
  for (const piece of pieces) bytes += Buffer.byteLength(piece)
  return bytes <= limits.maxTextBytes
}

interface FoundNeedles {
  readonly folded: Found
  readonly raw: Found
}

/** Whether a needle is among what was found. */
export type NeedleTest = (found: FoundNeedles) => boolean

/**
 * The needles of all guards that look at the same calls; they share one search.
 *
 * A needle of several words also counts as found when the words stand in different values, in any order: a call can
 * give a command as `["rm", "-rf"]`, or its flags before its name.
 */
export class NeedleSet {
  readonly #foldedTexts = new Map<string, number>()
  readonly #rawTexts = new Map<string, number>()
  #folded: Finder | undefined
  #raw: Finder | undefined

  /** Adds a needle; only before the first search. */
  add(needle: string): NeedleTest {
    const raw = indexIn(this.#rawTexts, needle)
    const folded = foldText(needle)
    // Of a needle of nothing but hidden characters only the raw form can be found.
    if (folded === undefined || folded.trim() === '') return (found) => found.raw(raw)
    const whole = indexIn(this.#foldedTexts, folded)
    const splits = splitsOf(folded.trim().split(' ')).map((parts) =>
      parts.map((part) => indexIn(this.#foldedTexts, part)),
    )
    return (found) =>
      found.folded(whole) ||
      found.raw(raw) ||
      splits.some((parts) => parts.every((part) => found.folded(part)))
  }

  get folded(): Finder {
    this.#folded ??= new Finder([...this.#foldedTexts.keys()])
    return this.#folded
  }

  get raw(): Finder {
    this.#raw ??= new Finder([...this.#rawTexts.keys()])
    return this.#raw
  }
}

/**
 * The ways to spread words over values: cut once, or at every space.
 *
 * The first part ends a value, the last begins one, the ones between are values of their own.
 */
function splitsOf(words: readonly string[]): readonly (readonly string[])[] {
  if (words.length < 2) return []
  const cuts = words
    .slice(1)
    .map((_, at) => [
      `${words.slice(0, at + 1).join(' ')}${border}`,
      `${border}${words.slice(at + 1).join(' ')}`,
    ])
  if (words.length === 2) return cuts
  const [first = '', ...rest] = words
  const last = rest.pop() ?? ''
  const apart = [
    `${first}${border}`,
    ...rest.map((word) => `${border}${word}${border}`),
    `${border}${last}`,
  ]
  return [...cuts, apart]
}

function indexIn(texts: Map<string, number>, text: string): number {
  const known = texts.get(text)
  if (known !== undefined) return known
  texts.set(text, texts.size)
  return texts.size - 1
}
