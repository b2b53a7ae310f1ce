import type { JsonObject, JsonValue } from '../../json/value.ts'
import { limits } from '../../limits.ts'
import { samplesOf } from './ask-text.ts'
import type { Ask } from './ask.ts'
import { areMet, isMet } from './element.ts'
import type { Candidate, Domain, ElementLiteral } from './element.ts'
import { numberSamples, numbersOf } from './number-samples.ts'
import { solveText } from './solve-text.ts'
import type { TextTools } from './solve-text.ts'

/** An element that does what is asked; or that there is none; or that it could not be found out. */
export type ElementAnswer = Candidate | 'none' | 'unknown'

/** Finds elements that meet literals; the same question is answered once. */
export class ElementSolver {
  readonly #tools: TextTools
  readonly #known = new Map<string, ElementAnswer>()

  constructor(tools: TextTools) {
    this.#tools = tools
  }

  solve(domain: Domain, literals: readonly ElementLiteral[]): ElementAnswer {
    const distinct = [...new Map(literals.map((one) => [one.key, one])).values()]
    const key = `${domain.key} ${distinct
      .map((one) => one.key)
      .toSorted()
      .join('\n')}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const answer = this.#solve(domain, distinct)
    // What ran out of steps may be found out with more.
    if (!this.#tools.budget.isSpent) this.#known.set(key, answer)
    return answer
  }

  #solve(domain: Domain, literals: readonly ElementLiteral[]): ElementAnswer {
    if (isContradiction(literals)) return 'none'
    for (const candidate of candidates(domain, literals)) {
      if (areMet(candidate, literals)) return candidate
    }
    if (domain.isFinite) return 'none'
    const values = domain.isJson ? tryValues(literals) : 'none'
    if (typeof values === 'object') return values
    const text = solveText(domain, literals, this.#tools, (one) => {
      return domain.accepts(one) && areMet({ kind: 'value', value: one }, literals)
    })
    if (typeof text === 'string') return { kind: 'value', value: text }
    if (domain.isJson && areMet(huge, literals)) return huge
    const variant = domain.others.includes('variant') ? this.#variant(domain, literals) : 'none'
    if (typeof variant === 'object') return variant
    return text === null && values === 'none' && variant === 'none' ? 'none' : 'unknown'
  }

  /** Beside a value under another server's name nothing stands under the right one, so that no grant is given. */
  #variant(domain: Domain, literals: readonly ElementLiteral[]): ElementAnswer {
    const absent: Candidate = { kind: 'absent' }
    const guards = literals.filter(({ role }) => role === 'guard')
    const isGranted = literals.some(({ role, holds, of }) => {
      return role === 'grant' && holds && of === 'all'
    })
    const isFixed = guards.some((one) => !one.holds && !isMet(absent, one))
    if (isGranted || isFixed) return 'none'
    const open = literals.filter((one) => {
      if (one.of !== 'all') return true
      return one.role === 'guard' && (!one.holds || !isMet(absent, one))
    })
    const found = this.solve({ ...domain, key: `${domain.key}?`, others: [] }, open)
    if (typeof found === 'string') return found
    return found.kind === 'value' ? { kind: 'variant', value: found.value } : 'none'
  }
}

/** A text that is too long to be looked at. */
const huge: Candidate = { kind: 'value', value: 'a'.repeat(limits.maxTextBytes + 1) }

/** Asks of which nothing but this is known: what is surely so may not surely be otherwise. */
const opaqueKinds: ReadonlySet<string> = new Set(['cidr', 'table', 'under', 'shell', 'sql'])

function isContradiction(literals: readonly ElementLiteral[]): boolean {
  const keys = new Set(literals.map(({ key }) => key))
  return literals.some(({ key, role, holds, of, asks }) => {
    if (!holds || of !== 'all') return false
    if (keys.has(`-${key.slice(1)}`)) return true
    const isOpaque = asks.every(({ kind }) => opaqueKinds.has(kind))
    return role === 'grant' && isOpaque && keys.has(`-guard${key.slice('+grant'.length)}`)
  })
}

function* candidates(domain: Domain, literals: readonly ElementLiteral[]): Iterable<Candidate> {
  const wanted = literals.filter(({ holds }) => holds).flatMap(({ asks }) => asks)
  const others = literals.filter(({ holds }) => !holds).flatMap(({ asks }) => asks)
  const texts = [...wanted.flatMap(samplesOf), ...domain.samples, ...others.flatMap(samplesOf)]
  if (domain.isJson) yield* wanted.flatMap(valuesOf)
  for (const value of texts) {
    if (domain.accepts(value)) yield { kind: 'value', value }
  }
  for (const kind of domain.others) if (kind !== 'variant') yield { kind }
}

/** Values other than texts that an ask names. */
function valuesOf(ask: Ask): readonly Candidate[] {
  const { data } = ask
  const booleans: readonly unknown[] = Array.isArray(data) ? data : [data]
  const values: readonly JsonValue[] = [
    ...numbersOf(ask),
    ...booleans.filter((one) => typeof one === 'boolean'),
  ]
  return values.map((value) => ({ kind: 'value', value }))
}

/** Goes through everything that is no text, one of each kind that matchers tell apart. */
function tryValues(literals: readonly ElementLiteral[]): Candidate | 'none' | 'unknown' {
  const asks = literals.flatMap((one) => one.asks)
  const { numbers, isComplete } = numberSamples(asks)
  const lengths = asks.flatMap((ask) => (ask.kind === 'max_length' ? [ask.data] : []))
  const short = lengths.filter((length) => length <= maxListLength)
  const lists = [0, 1, ...short, ...short.map((length) => length + 1)].map((length) =>
    Array.from({ length }, () => null),
  )
  const values: readonly JsonValue[] = [...[...numbers, true, false, null, emptyObject], ...lists]
  for (const value of values) {
    const candidate: Candidate = { kind: 'value', value }
    if (areMet(candidate, literals)) return candidate
  }
  // What reads other languages may read them in lists as well.
  const isPlain = asks.every(({ kind }) => !parsedKinds.has(kind))
  return isComplete && isPlain && short.length === lengths.length ? 'none' : 'unknown'
}

/** Asks for which a list is a text in parts. */
const parsedKinds: ReadonlySet<string> = new Set(['shell', 'sql'])

const maxListLength = 20_000

const emptyObject: JsonObject = Object.freeze({ __proto__: null })
