import { lettersFor } from './alphabet.ts'
import type { Letter } from './alphabet.ts'
import type { Budget } from './budget.ts'
import { atomsOf, canHold } from './formula.ts'
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
  const plain = problem.search('plain', budget)
  if (plain.kind === 'found') return { kind: 'some', texts: [plain.letters.map(textOf).join('')] }
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
const wildTexts = ['\u0301', '\u0307', '\u0327', '\u0338', '\u00e9', '\u00df', '\u200b', '\u2028']

function spellings(letters: readonly Letter[]): readonly string[] {
  const asFound = letters.map(textOf).join('')
  const others = wildTexts.map((wild) =>
    letters.map(({ folded, text }) => (folded === undefined ? wild : text)).join(''),
  )
  return [asFound, ...others]
}

type Mode = 'plain' | 'wild'

/** How far a text has been gone through. */
interface Place {
  /** For each atom the states in which its machine may be. */
  readonly states: readonly (readonly number[])[]
  /** The same before the last letter, where that one may still become another. */
  readonly before: readonly (readonly number[])[]
  readonly isSpace: boolean | undefined
  readonly isStarted: boolean
  readonly isWild: boolean
  readonly length: number
  readonly from: Place | undefined
  readonly letter: Letter | undefined
}

type Found =
  | { readonly kind: 'found'; readonly letters: readonly Letter[] }
  | { readonly kind: 'none' | 'over' }

/** No question about one text is worth more. */
const maxPlaces = 20_000

class TextProblem {
  readonly #formula: Formula<PlainAtom>
  readonly #most: number
  readonly #atoms: readonly LanguageAtom[]
  readonly #index = new Map<LanguageAtom, number>()
  readonly #letters: readonly Letter[]
  readonly #compared: readonly number[]

  constructor(formula: Formula<PlainAtom>, most: number) {
    this.#formula = formula
    this.#most = most
    const languages = atomsOf(formula).filter((one) => one.kind === 'language')
    this.#atoms = [...new Set(languages)]
    for (const [index, one] of this.#atoms.entries()) this.#index.set(one, index)
    const sets = (isRaw: boolean) =>
      this.#atoms.filter(({ side }) => (side === 'raw') === isRaw).flatMap(({ dfa }) => dfa.sets)
    const [raw, folded] = [distinct(sets(true)), distinct(sets(false))]
    this.#letters = lettersFor(raw, folded)
    this.#compared = [...new Set(this.#letters.map((one) => one.folded ?? one.codePoint))]
    for (const { dfa } of this.#atoms) dfa.forgetReachable()
  }

  search(mode: Mode, budget: Budget): Found {
    const letters = this.#letters.filter((one) => mode === 'wild' || one.folded !== undefined)
    const start = this.#atoms.map(({ dfa }) => [dfa.start])
    const queue: Place[] = [
      {
        ...{ states: start, before: start, isSpace: false, isStarted: false, isWild: false },
        ...{ length: 0, from: undefined, letter: undefined },
      },
    ]
    const seen = new Set<string>()
    for (const place of queue) {
      if (this.#holdsAt(place)) return { kind: 'found', letters: lettersTo(place) }
      if (place.length >= this.#most) continue
      if (!budget.spend(1) || queue.length > maxPlaces) return { kind: 'over' }
      for (const letter of letters) {
        const next = this.#advance(place, letter, mode)
        if (!this.#canHoldBehind(next)) continue
        const key = keyOf(next)
        if (seen.has(key)) continue
        seen.add(key)
        queue.push(next)
      }
    }
    return { kind: 'none' }
  }

  #holdsAt(place: Place): boolean {
    return this.#can(place, ({ dfa }, state, holds) => dfa.accepts(state) === holds)
  }

  #canHoldBehind(place: Place): boolean {
    return this.#can(place, ({ dfa }, state, holds) =>
      holds ? !dfa.isDead(state) : !dfa.isFinal(state),
    )
  }

  #can(
    place: Place,
    test: (one: LanguageAtom, state: number, holds: boolean) => boolean,
  ): boolean {
    return canHold(this.#formula, (one, holds) => {
      if (one.kind === 'free') return true
      // Text that cannot be folded at all is what a guard is not sure of.
      if (place.isWild && (one.isVague || (one.side !== 'raw' && holds))) return true
      const states = place.states[this.#index.get(one) ?? 0] ?? []
      return states.some((state) => test(one, state, holds))
    })
  }

  #advance(place: Place, letter: Letter, mode: Mode): Place {
    const isWild = letter.folded === undefined
    const states = this.#atoms.map((one, index) => {
      const here = place.states[index] ?? []
      if (one.side === 'raw') return here.map((state) => one.dfa.step(state, letter.codePoint))
      return isWild
        ? this.#anywhere(one, [...here, ...(place.before[index] ?? [])])
        : stepFolded(one, here, { ...letter, folded: letter.folded }, place)
    })
    return {
      states,
      before: mode === 'wild' && letter.composes ? place.states : states,
      isSpace: isWild ? undefined : letter.isSpace,
      isStarted: place.isStarted || !letter.isSpace,
      isWild: place.isWild || isWild,
      length: place.length + 1,
      from: place,
      letter,
    }
  }

  #anywhere({ dfa }: LanguageAtom, states: readonly number[]): readonly number[] {
    return sorted(states.flatMap((state) => dfa.reachable(state, this.#compared)))
  }
}

/** One more letter, for a form in which runs of spaces are one and those at an end perhaps none. */
function stepFolded(
  { dfa, side }: LanguageAtom,
  states: readonly number[],
  letter: { readonly folded: number; readonly isSpace: boolean },
  { isSpace, isStarted }: Place,
): readonly number[] {
  const dropsStart = side === 'foldedTrimmed' || side === 'foldedStart'
  const waits = side === 'foldedTrimmed' || side === 'foldedEnd'
  const withSpace = (): readonly number[] => states.map((state) => dfa.step(state, 0x20))
  if (letter.isSpace) {
    if (waits || isSpace === true || (dropsStart && !isStarted)) return states
    return isSpace === undefined ? sorted([...states, ...withSpace()]) : withSpace()
  }
  const mayOwe = waits && isSpace !== false && (isStarted || !dropsStart)
  const from = !mayOwe ? states : isSpace === true ? withSpace() : [...states, ...withSpace()]
  return sorted(from.map((state) => dfa.step(state, letter.folded)))
}

function sorted(states: readonly number[]): readonly number[] {
  return states.length === 1
    ? states
    : [...new Set(states)].toSorted((one, other) => one - other)
}

function keyOf({ states, before, isSpace, isStarted, isWild }: Place): string {
  const flags = `${Number(isStarted)}${Number(isWild)}${String(isSpace)}`
  const past = before === states ? '' : before.map((one) => one.join()).join(';')
  return `${flags}|${states.map((one) => one.join()).join(';')}|${past}`
}

function lettersTo(end: Place): readonly Letter[] {
  const letters: Letter[] = []
  for (let place = end; place.from !== undefined; place = place.from) {
    if (place.letter !== undefined) letters.push(place.letter)
  }
  return letters.toReversed()
}

function distinct<Item extends { readonly key: string }>(items: readonly Item[]): readonly Item[] {
  return [...new Map(items.map((item) => [item.key, item])).values()]
}
