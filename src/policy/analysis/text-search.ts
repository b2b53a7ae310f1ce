import { lettersFor } from './alphabet.ts'
import type { Letter } from './alphabet.ts'
import type { CharSet } from './char-set.ts'
import type { Budget } from './budget.ts'
import { atomsOf, canHold, replaceLiterals } from './formula.ts'
import type { Formula } from './formula.ts'
import type { LanguageAtom, PlainAtom } from './text-atom.ts'

/** What was found out about the texts of which a formula is true. */
export type TextAnswer =
  /** Texts that should do; whoever asked looks at them. */
  | { readonly kind: 'some'; readonly texts: readonly string[] }
  | { readonly kind: 'none' }
  /** There may be some, and none that could be written down was found. */
  | { readonly kind: 'unknown'; readonly texts: readonly string[] }

/**
 * Looks for a text of which a formula is true, the shortest first.
 *
 * Texts of printable ASCII are gone through exactly. Beyond them folding may turn a run of characters, and the letter
 * before it, into anything, so that `none` is true of every text there is.
 *
 * @param most how many characters a text may have
 */
export function searchText(
  formula: Formula<PlainAtom>,
  budget: Budget,
  most: number = Number.POSITIVE_INFINITY,
): TextAnswer {
  const problem = new TextProblem(formula, most)
  // What is only looked at as it is needs no guesses.
  const plain = problem.search(problem.isExact ? 'exact' : 'plain', budget)
  if (plain.kind === 'found') return { kind: 'some', texts: [plain.letters.map(textOf).join('')] }
  if (plain.kind === 'none' && problem.isExact) return { kind: 'none' }
  const wild = problem.search('wild', budget)
  if (wild.kind === 'found') return { kind: 'unknown', texts: spellings(wild.letters) }
  return plain.kind === 'none' && wild.kind === 'none'
    ? { kind: 'none' }
    : { kind: 'unknown', texts: [] }
}

function textOf({ text }: Letter): string {
  return text
}

/** What may stand where folding is not known: marks that compose, letters that become others, hidden characters. */
const wildTexts = [
  ...['\u0301', '\u0307', '\u0327', '\u0338', '\u00e9', '\u00df', '\u200b', '\u2028'],
  // So many marks that nobody folds the text.
  '\u0301'.repeat(65),
]

function spellings(letters: readonly Letter[]): readonly string[] {
  const asFound = letters.map(textOf).join('')
  const others = wildTexts.map((wild) =>
    letters.map(({ folded, text }) => (folded === undefined ? wild : text)).join(''),
  )
  return [asFound, ...others]
}

/** Which letters a text is made of: those that fold by themselves, or all; with `exact` nothing is folded. */
type Mode = 'plain' | 'wild' | 'exact'

/** How far a text has been gone through. */
interface Place {
  /** The state of the machine of each atom. */
  readonly states: readonly number[]
  /** Whether what a guard compares ends in a space, or would if that were not dropped. */
  readonly isSpace: boolean
  readonly isStarted: boolean
  /** Whether the last letter is one of which it is not known what it folds to: there anything may follow. */
  readonly isLoose: boolean
  readonly isWild: boolean
  /** Whether the text is one that cannot be folded. */
  readonly isFlooded: boolean
  readonly length: number
  readonly from: Place | undefined
  /** Undefined where only what is compared went on. */
  readonly letter: Letter | undefined
}

type Found =
  | { readonly kind: 'found'; readonly letters: readonly Letter[] }
  | { readonly kind: 'none' | 'over' }

/** No question about one text is worth more. */
const maxPlaces = 20_000

class TextProblem {
  readonly #formula: Formula<PlacedAtom>
  readonly #most: number
  readonly #atoms: readonly LanguageAtom[]
  readonly #letters: readonly Letter[]
  readonly #compared: readonly Compared[]
  readonly #hasVague: boolean

  constructor(formula: Formula<PlainAtom>, most: number) {
    this.#most = most
    const languages = atomsOf(formula).filter((one) => one.kind === 'language')
    this.#atoms = [...new Set(languages)]
    this.#hasVague = languages.some(({ isVague }) => isVague)
    const placed = new Map(this.#atoms.map((one, index) => [one, { one, index }]))
    this.#formula = replaceLiterals(formula, (one, holds) => {
      return { kind: 'atom', atom: one.kind === 'free' ? free : (placed.get(one) ?? free), holds }
    })
    const sets = (isRaw: boolean): readonly CharSet[] =>
      this.#atoms.filter(({ side }) => (side === 'raw') === isRaw).flatMap(({ dfa }) => dfa.sets)
    this.#letters = lettersFor(distinct(sets(true)), distinct(sets(false)))
    const compared = new Set(this.#letters.map((one) => one.folded ?? one.codePoint))
    this.#compared = [...compared].map((folded) => ({ folded, isSpace: folded === space }))
  }

  /** Whether everything that is asked is asked of the text as it is. */
  get isExact(): boolean {
    return this.#atoms.every(({ side, isVague }) => side === 'raw' && !isVague)
  }

  search(mode: Mode, budget: Budget): Found {
    const letters = this.#letters.filter((one) => mode !== 'plain' || one.folded !== undefined)
    const queue: Place[] = [this.#start()]
    // What was reached by as many letters or fewer leads everywhere that this does.
    const seen = new Map<string, number>()
    for (const place of queue) {
      if (this.#holdsAt(place)) return { kind: 'found', letters: lettersTo(place) }
      if (!budget.spend(1) || queue.length > maxPlaces) return { kind: 'over' }
      for (const next of this.#after(place, letters, mode)) {
        if (!this.#canHoldBehind(next)) continue
        const key = keyOf(next, mode)
        const known = seen.get(key)
        if (known !== undefined && (known <= next.length || this.#most === Infinity)) continue
        seen.set(key, next.length)
        queue.push(next)
      }
    }
    return { kind: 'none' }
  }

  #start(): Place {
    return {
      states: this.#atoms.map(({ dfa }) => dfa.start),
      isSpace: false,
      isStarted: false,
      isLoose: false,
      isWild: false,
      isFlooded: false,
      length: 0,
      from: undefined,
      letter: undefined,
    }
  }

  #after(place: Place, letters: readonly Letter[], mode: Mode): readonly Place[] {
    const places: Place[] = []
    if (place.length < this.#most) {
      for (const letter of letters) {
        const { folded, isSpace } = letter
        if (folded !== undefined) places.push(this.#plain(place, letter, { folded, isSpace }))
        else if (mode === 'exact') places.push(this.#raw(place, place, letter, {}))
        else this.#wild(place, letter, places)
      }
    }
    if (!place.isLoose) return places
    for (const compared of this.#compared) {
      places.push({ ...this.#folded(place, compared), from: place, letter: undefined })
    }
    return places
  }

  /** A letter that is read as it is and as what it folds to. */
  #plain(place: Place, letter: Letter, compared: Compared): Place {
    // Written out, because nearly all of the work is here.
    const { isFlooded } = place
    const states = this.#atoms.map((one, index) => {
      const state = place.states[index] ?? 0
      if (one.side === 'raw') return one.dfa.step(state, letter.codePoint)
      return isFlooded ? state : stepFolded(one, state, compared, place)
    })
    return {
      states,
      isSpace: isFlooded ? place.isSpace : compared.isSpace,
      isStarted: place.isStarted || !(isFlooded || compared.isSpace),
      isLoose: false,
      isWild: place.isWild,
      isFlooded,
      length: place.length + 1,
      from: place,
      letter,
    }
  }

  /** A letter that folds to anything, together with the one before it, or makes that the text cannot be folded. */
  #wild(place: Place, letter: Letter, places: Place[]): void {
    places.push(this.#raw(place, place, letter, { isWild: true, isLoose: true }))
    if (place.letter?.composes === true && place.from !== undefined) {
      const { isWild, isFlooded } = place
      const start = { ...place.from, isWild, isFlooded }
      places.push(this.#raw(place, start, letter, { isWild: true, isLoose: true }))
    }
    if (!place.isFlooded) {
      places.push(this.#raw(place, place, letter, { isWild: true, isFlooded: true }))
    }
  }

  /** The letter is read by what looks at the text as it is; everything else is as in `folded`. */
  #raw(
    place: Place,
    folded: Place,
    letter: Letter,
    { isLoose, isWild, isFlooded }: Partial<Place>,
  ): Place {
    const states = this.#atoms.map(({ side, dfa }, index) =>
      side === 'raw'
        ? dfa.step(place.states[index] ?? 0, letter.codePoint)
        : (folded.states[index] ?? 0),
    )
    return {
      states,
      isSpace: folded.isSpace,
      isStarted: folded.isStarted,
      isLoose: isLoose ?? folded.isLoose,
      isWild: isWild ?? folded.isWild,
      isFlooded: isFlooded ?? folded.isFlooded,
      length: place.length + 1,
      from: place,
      letter,
    }
  }

  #folded(place: Place, compared: Compared): Place {
    if (place.isFlooded) return place
    const states = this.#atoms.map((one, index) => {
      const state = place.states[index] ?? 0
      return one.side === 'raw' ? state : stepFolded(one, state, compared, place)
    })
    const { isSpace } = compared
    return { ...place, states, isSpace, isStarted: place.isStarted || !isSpace }
  }

  #holdsAt(place: Place): boolean {
    return this.#can(place, ({ dfa }, state, holds) => dfa.accepts(state) === holds)
  }

  #canHoldBehind(place: Place): boolean {
    if (!place.isWild && !place.isFlooded) return canGoOn(this.#formula, place.states)
    return this.#can(place, ({ dfa, side }, state, holds) => {
      // What follows may yet make the text one that cannot be folded.
      if (holds && side !== 'raw' && place.isWild) return true
      return holds ? !dfa.isDead(state) : !dfa.isFinal(state)
    })
  }

  #can(place: Place, test: (one: LanguageAtom, state: number, holds: boolean) => boolean): boolean {
    const canWith = (vague: boolean | undefined): boolean =>
      canHold(this.#formula, ({ one, index }, holds) => {
        if (one === undefined) return true
        if (one.isVague && vague !== undefined) return holds === vague
        // Text that cannot be folded at all is what a guard is not sure of.
        if (place.isFlooded && one.side !== 'raw') return holds && !one.alwaysFolds
        return test(one, place.states[index] ?? 0, holds)
      })
    // What is not known beyond ASCII is so, or is not, wherever it is asked.
    return place.isWild && this.#hasVague ? canWith(true) || canWith(false) : canWith(undefined)
  }
}

/** An atom, with its place among the states; without one where it may be so or not. */
interface PlacedAtom {
  readonly one: LanguageAtom | undefined
  readonly index: number
}

const free: PlacedAtom = { one: undefined, index: 0 }

/** Whether a formula may hold of what follows, where no letter was read of which it is not known what it folds to. */
function canGoOn(formula: Formula<PlacedAtom>, states: readonly number[]): boolean {
  if (formula.kind !== 'atom') {
    const isAll = formula.kind === 'all'
    for (const part of formula.parts) if (canGoOn(part, states) !== isAll) return !isAll
    return isAll
  }
  const { one, index } = formula.atom
  if (one === undefined) return true
  const state = states[index] ?? 0
  return formula.holds ? !one.dfa.isDead(state) : !one.dfa.isFinal(state)
}

/** What a guard compares of a letter. */
interface Compared {
  readonly folded: number
  readonly isSpace: boolean
}

const space = 0x20

/** One more letter, for a form in which runs of spaces are one and those at an end perhaps none. */
function stepFolded(
  { dfa, side }: LanguageAtom,
  state: number,
  letter: Compared,
  { isSpace, isStarted }: Place,
): number {
  const dropsStart = side === 'foldedTrimmed' || side === 'foldedStart'
  const waits = side === 'foldedTrimmed' || side === 'foldedEnd'
  const counts = isStarted || !dropsStart
  if (letter.isSpace) return waits || isSpace || !counts ? state : dfa.step(state, space)
  const owed = waits && isSpace && counts ? dfa.step(state, space) : state
  return dfa.step(owed, letter.folded)
}

function keyOf(place: Place, mode: Mode): string {
  const { states, isSpace, isStarted, isLoose, isWild, isFlooded, letter, from } = place
  const flags =
    (isSpace ? 1 : 0) |
    (isStarted ? 2 : 0) |
    (isLoose ? 4 : 0) |
    (isWild ? 8 : 0) |
    (isFlooded ? 16 : 0)
  const mayCompose = mode === 'wild' && letter?.composes === true && from !== undefined
  return `${flags};${states.join()}${mayCompose ? `|${from.states.join()}` : ''}`
}

function lettersTo(end: Place): readonly Letter[] {
  const letters: Letter[] = []
  for (let place: Place | undefined = end; place !== undefined; place = place.from) {
    if (place.letter !== undefined) letters.push(place.letter)
  }
  return letters.toReversed()
}

function distinct<Item extends { readonly key: string }>(items: readonly Item[]): readonly Item[] {
  return [...new Map(items.map((item) => [item.key, item])).values()]
}
