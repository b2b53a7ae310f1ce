import { Decimal } from '../../json/decimal.ts'
import { limits } from '../../limits.ts'
import { textsOf } from './ask.ts'
import type { Ask } from './ask.ts'
import { longTextKey, textFormula } from './ask-text.ts'
import type { Budget } from './budget.ts'
import { elementLiteral, isMet } from './element.ts'
import type { Domain, ElementLiteral } from './element.ts'
import {
  all,
  atom,
  atomsOf,
  canHold,
  constant,
  negate,
  replaceAtoms,
  replaceLiterals,
} from './formula.ts'
import type { Formula } from './formula.ts'
import { languageOf } from './language.ts'
import type { Expression } from './language.ts'
import type { LanguageAtoms } from './language-atoms.ts'
import { numberSamples } from './number-samples.ts'
import { isNormalPath, isReading, pathFormula, pathHint, windingPaths } from './path-languages.ts'
import type { NumberAtom, PathAtom, PlainAtom, TextAtom, UrlAtom } from './text-atom.ts'
import { fractionsNear, oneOfTexts, plainNumber } from './text-languages.ts'
import { searchText } from './text-search.ts'
import { isPlainUrl, urlFormula } from './url-languages.ts'

/** What solving for a text needs. */
export interface TextTools {
  readonly atoms: LanguageAtoms
  readonly budget: Budget
}

/**
 * Looks for a text that meets literals: calls `isRight` with texts that may do, until one does.
 *
 * @returns a text that is right; null when there is none, which is certain; undefined when that could not be found out
 */
export function solveText(
  domain: Domain,
  literals: readonly ElementLiteral[],
  tools: TextTools,
  isRight: (text: string) => boolean,
): string | null | undefined {
  const few = onlyTexts(literals)
  if (few !== undefined) return few.find(isRight) ?? null
  const solver = new TextSolver(domain, literals, tools)
  let isOpen = false
  for (const question of solver.questions()) {
    const { texts, isNone } = question()
    const right = texts.find(isRight)
    if (right !== undefined) return right
    if (isNone === 'all') return null
    isOpen ||= isNone !== 'own'
  }
  return isOpen ? undefined : null
}

/** The only texts that there can be where a grant names all of them. */
function onlyTexts(literals: readonly ElementLiteral[]): readonly string[] | undefined {
  for (const { asks, role, holds } of literals) {
    if (role !== 'grant' || !holds) continue
    for (const ask of asks) {
      if (isCountable(ask)) return textsOf(ask)
    }
  }
  return undefined
}

/** Numbers may be written in many ways. */
function isCountable(ask: Ask): boolean {
  if (ask.kind === 'eq') return !(ask.data instanceof Decimal)
  return ask.kind === 'in' && !ask.data.some((one) => one instanceof Decimal)
}

const maxNumericTexts = 5

/** What makes a text longer; several, because one may be what the text must not hold. */
const fillers = ['a', 'z', '0', '_'] as const

interface Step {
  readonly texts: readonly string[]
  /** `own`: of the texts it is about there are none; `all`: there are none at all. */
  readonly isNone: 'own' | 'all' | undefined
}

type Question = () => Step
type Statement = Formula<TextAtom>
type Plain = Formula<PlainAtom>
type Interpret = (one: TextAtom) => Plain

/** Nothing was found out, and nothing left open that was not open before. */
const nothing: Step = { texts: [], isNone: 'own' }

class TextSolver {
  readonly #tools: TextTools
  readonly #statement: Statement
  readonly #domain: Plain
  readonly #kinds: ReadonlySet<TextAtom['kind']>
  readonly #most: number

  constructor(domain: Domain, literals: readonly ElementLiteral[], tools: TextTools) {
    const { atoms } = tools
    this.#tools = tools
    this.#statement = all(literals.map((literal) => statementOf(literal, atoms)))
    const { texts } = domain
    this.#domain =
      texts === undefined
        ? constant(true)
        : atom(
            atoms.get({ side: 'raw', key: `domain ${texts.key}` }, () =>
              languageOf(texts.language),
            ),
          )
    this.#kinds = new Set(atomsOf(this.#statement).map(({ kind }) => kind))
    this.#most = mostOf(this.#statement)
  }

  /** From the cheapest to the dearest; only the plain one and the long one may leave texts open. */
  *questions(): Iterable<Question> {
    if (this.#isLikePath()) yield () => this.#impossiblePath()
    if (this.#isLikeUrl()) yield () => this.#impossibleUrl()
    yield () => this.#plain()
    if (this.#kinds.has('number')) yield () => this.#numeric()
    if (this.#isLikePath()) yield () => this.#asPath()
    if (this.#isLikePath()) yield () => this.#winding()
    if (this.#isLikeUrl()) yield () => this.#asUrl()
    if (this.#hasLong()) yield () => this.#long()
    if (this.#kinds.has('length')) yield () => this.#padded()
  }

  #isLikePath(): boolean {
    return this.#kinds.has('path')
  }

  #isLikeUrl(): boolean {
    return this.#kinds.has('host') || this.#kinds.has('scheme')
  }

  #urlAtoms(): readonly UrlAtom[] {
    return atomsOf(this.#statement).flatMap((one) =>
      one.kind === 'host' || one.kind === 'scheme' ? [one] : [],
    )
  }

  #hasLong(): boolean {
    return atomsOf(this.#statement).some((one) => one.kind === 'free' && one.key === longTextKey)
  }

  #search(formula: Plain): Step {
    const answer = searchText(all([this.#domain, formula]), this.#tools.budget, this.#most)
    return answer.kind === 'none'
      ? { texts: [], isNone: 'own' }
      : { texts: answer.texts, isNone: undefined }
  }

  /** Texts that are no numbers and not too long for anything. */
  #plain(): Step {
    const plain = notLong(notNumeric)
    const statement = replaceLiterals(this.#statement, (one, holds): Plain => {
      const hint = one.kind === 'path' ? pathHint(one, holds, this.#tools.atoms) : undefined
      if (hint !== undefined) return hint
      return holds ? plain(one) : negate(plain(one))
    })
    return this.#search(
      this.#kinds.has('number') ? all([statement, negate(this.#number())]) : statement,
    )
  }

  #number(): Plain {
    return this.#in('plain number', () => plainNumber)
  }

  /** Texts that are numbers: some for each answer that numbers can give to everything that is asked of them. */
  #numeric(): Step {
    const asked = atomsOf(this.#statement).flatMap((one) => (one.kind === 'number' ? [one] : []))
    const { numbers, isComplete } = numberSamples(asked.map(({ ask }) => ask))
    const answers = new Map<string, Decimal>()
    for (const number of numbers) {
      const answer = asked.map((one) => Number(isAsked(number, one))).join('')
      if (!answers.has(answer)) answers.set(answer, number)
    }
    const steps = [...answers.values()].map((number) => this.#numericAs(number))
    const texts = steps.flatMap((one) => one.texts)
    const isNone = isComplete && steps.every((one) => one.isNone !== undefined)
    return {
      texts: [...numbers.map(({ text }) => text), ...texts],
      isNone: isNone ? 'own' : undefined,
    }
  }

  /** Texts that are numbers of which everything is so that is so of one. */
  #numericAs(number: Decimal): Step {
    const { atoms } = this.#tools
    const statement = replaceAtoms(
      this.#statement,
      notLong((one): Plain => {
        if (one.kind === 'number') return constant(isAsked(number, one))
        // A number is a path as well, and has one reading.
        return one.kind === 'path' ? pathFormula(one, atoms) : free(one)
      }),
    )
    const numeric = all([statement, this.#number()])
    // Between two thresholds there may be no whole number that does.
    const near = this.#in(`near ${number.text}`, () => fractionsNear(number.text))
    const found = [...this.#search(all([numeric, near])).texts]
    // Which number a text is, the search does not see: a few texts, one of which may do.
    for (let round = 0; round < maxNumericTexts; round += 1) {
      const known = this.#in(`in ${JSON.stringify(found)}`, () => oneOfTexts(found))
      const { texts, isNone } = this.#search(all([numeric, negate(known)]))
      if (isNone !== undefined)
        return { texts: found, isNone: found.length === 0 ? isNone : undefined }
      found.push(...texts)
    }
    return { texts: found, isNone: undefined }
  }

  #in(key: string, make: () => Expression): Plain {
    return atom(this.#tools.atoms.get({ side: 'raw', key }, () => languageOf(make())))
  }

  #long(): Step {
    const statement = replaceAtoms(this.#statement, (one): Plain =>
      isLong(one) ? constant(true) : notNumeric(one),
    )
    const { texts, isNone } = this.#search(statement)
    return { texts: texts.flatMap(lengthened), isNone }
  }

  #padded(): Step {
    const bounds = atomsOf(this.#statement).flatMap((one) =>
      one.kind === 'length' ? [one.most] : [],
    )
    const { texts } = this.#isLikePath()
      ? this.#asPath()
      : this.#isLikeUrl()
        ? this.#asUrl()
        : this.#plain()
    const lengths = bounds.filter((bound) => bound < limits.maxTextBytes)
    const padded = texts.flatMap((text) =>
      lengths.flatMap((length) =>
        fillers.flatMap((one) => [text.padEnd(length + 1, one), text.padStart(length + 1, one)]),
      ),
    )
    return { texts: padded, isNone: 'own' }
  }

  #asPath(): Step {
    const { atoms } = this.#tools
    const statement = replaceAtoms(this.#statement, (one): Plain =>
      one.kind === 'path' ? pathFormula(one, atoms) : notLong(notNumeric)(one),
    )
    return { ...this.#search(all([statement, isNormalPath(atoms)])), isNone: 'own' }
  }

  #asUrl(): Step {
    const { atoms } = this.#tools
    const statement = replaceAtoms(this.#statement, (one): Plain => {
      if (one.kind === 'host' || one.kind === 'scheme') return urlFormula(one, atoms)
      return notLong(notNumeric)(one)
    })
    return { ...this.#search(all([statement, isPlainUrl(this.#urlAtoms(), atoms)])), isNone: 'own' }
  }

  /** Whether no URL, and nothing that is none, does what is asked of it as a URL, whatever else is asked. */
  #impossibleUrl(): Step {
    const { atoms, budget } = this.#tools
    const isUrlAtom = (one: TextAtom) => one.kind === 'host' || one.kind === 'scheme'
    const unclear = canHold(this.#statement, (one, holds) =>
      isUrlAtom(one) ? ('role' in one && one.role === 'guard') === holds : true,
    )
    if (unclear) return nothing
    const statement = replaceAtoms(this.#statement, (one): Plain =>
      one.kind === 'host' || one.kind === 'scheme' ? urlFormula(one, atoms) : unknown,
    )
    const answer = searchText(all([statement, isPlainUrl(this.#urlAtoms(), atoms)]), budget)
    return answer.kind === 'none' ? { texts: [], isNone: 'all' } : nothing
  }

  /** Whether no path, and nothing that is none, does what is asked of it as a path, whatever else is asked. */
  #impossiblePath(): Step {
    const demands = demandsOf(this.#statement)
    if (demands.every.length === 0) return nothing
    const isPossible = (wanted: readonly Plain[]): boolean => {
      const { atoms, budget } = this.#tools
      return searchText(all([...wanted, isReading(atoms)]), budget).kind !== 'none'
    }
    const every = this.#readings(demands.every)
    const passed = this.#readings(demands.every.filter(({ one }) => one.role === 'guard'))
    const isNone =
      !isPossible(every) ||
      this.#demanded(demands.some).some(({ wanted, canPass }) => {
        return !isPossible([...every, wanted]) && !(canPass && isPossible([...passed, wanted]))
      })
    return isNone ? { texts: [], isNone: 'all' } : nothing
  }

  /** Paths that pass by one place on their way to another, or are read in two ways. */
  #winding(): Step {
    const { atoms, budget } = this.#tools
    const demands = demandsOf(this.#statement)
    const find = (wanted: readonly Plain[]): readonly string[] => {
      const answer = searchText(all([...wanted, isNormalPath(atoms)]), budget)
      return answer.kind === 'none' ? [] : answer.texts.slice(0, 1)
    }
    const every = this.#readings(demands.every)
    const some = this.#demanded(demands.some)
    const ends = [find(every), ...some.map(({ wanted }) => find([...every, wanted]))].flat()
    const peaks = some.flatMap(({ wanted }) => find([wanted]))
    return { texts: [...windingPaths(ends, [...ends, ...peaks]), '~/a'], isNone: 'own' }
  }

  #readings(demands: readonly Demand[]): readonly Plain[] {
    return demands.map(({ one, holds }) => {
      const formula = pathFormula(one, this.#tools.atoms, holds)
      return holds ? formula : negate(formula)
    })
  }

  #demanded(
    demands: readonly Demand[],
  ): readonly { readonly wanted: Plain; readonly canPass: boolean }[] {
    const wanted = this.#readings(demands)
    return demands.map(({ one }, index) => ({
      wanted: wanted[index] ?? constant(true),
      canPass: one.role === 'guard',
    }))
  }
}

interface Demand {
  readonly one: PathAtom
  readonly holds: boolean
}

/** What is asked for certain of every reading of a path, and of some reading. */
function demandsOf(statement: Statement): {
  readonly every: readonly Demand[]
  readonly some: readonly Demand[]
} {
  const demands = certain(statement).flatMap(({ atom: one, holds }) =>
    one.kind === 'path' ? [{ one, holds }] : [],
  )
  const isEvery = ({ one, holds }: Demand): boolean => (one.role === 'grant') === holds
  return { every: demands.filter(isEvery), some: demands.filter((one) => !isEvery(one)) }
}

/** The atoms that have to be so in any case. */
function certain(
  formula: Statement,
): readonly { readonly atom: TextAtom; readonly holds: boolean }[] {
  if (formula.kind === 'atom') return [formula]
  if (formula.kind === 'all') return formula.parts.flatMap(certain)
  const [alone, ...others] = formula.parts
  return alone !== undefined && others.length === 0 ? certain(alone) : []
}

function statementOf({ asks, role, holds }: ElementLiteral, atoms: LanguageAtoms): Statement {
  const applies = all(asks.map((ask) => textFormula(ask, role, atoms)))
  return holds ? applies : negate(applies)
}

function mostOf(statement: Statement): number {
  const bounds = certain(statement).flatMap(({ atom: one, holds }) =>
    one.kind === 'length' && holds ? [one.most] : [],
  )
  return Math.min(...bounds, Number.POSITIVE_INFINITY)
}

function isAsked(value: Decimal, { ask, role }: NumberAtom): boolean {
  return isMet({ kind: 'value', value }, elementLiteral({ asks: [ask], role }, true))
}

function isLong(one: TextAtom): boolean {
  return one.kind === 'free' && one.key === longTextKey
}

function notLong(otherwise: Interpret): Interpret {
  return (one) => (isLong(one) ? constant(false) : otherwise(one))
}

/** What is asked of numbers, of a text that is none: a guard is not sure, and a grant is not given. */
const notNumeric: Interpret = (one) =>
  one.kind === 'number' ? constant(one.role === 'guard') : free(one)

const free: Interpret = (one) => (one.kind === 'language' ? atom(one) : unknown)

const unknown: Plain = atom({ kind: 'free', key: '' })

/** The text with so much behind, or before it, that patterns are not tried any more. */
function lengthened(text: string): readonly string[] {
  const length = limits.maxTextBytes
  return [text.padEnd(length, 'a'), text.padStart(length, 'a')]
}
