import type { ActionEvent } from '../../event/action-event.ts'
import type { Attribute } from './attribute.ts'
import { Box } from './box.ts'
import type { Assumption } from './box.ts'
import type { Budget } from './budget.ts'
import type { Claim, ClaimAtom } from './claim.ts'
import { buildEvent } from './event-builder.ts'
import type { Choice } from './event-builder.ts'
import { atomsOf, negate } from './formula.ts'
import { holdsNeedle, isOfEvery, missingNeedles } from './links.ts'
import { solveAttribute } from './solve-attribute.ts'
import type { AttributeAnswer } from './solve-attribute.ts'
import type { ElementSolver } from './solve-element.ts'

/** Something that calls do or do not, with its name for people. */
export interface Clause<Name = unknown> {
  readonly name: Name
  readonly claim: Claim
}

/** What is asked: is there a call of which all of `required` is so, and nothing of `excluded`? */
export interface Question<Name> {
  readonly required: readonly Clause<Name>[]
  readonly excluded: readonly Clause<Name>[]
  /** Of the excluded ones, those that the gate itself finds to be so of a call. */
  readonly broken: (event: ActionEvent) => readonly Clause<Name>[]
  /** Whether the gate itself agrees that a call is one that was asked for. */
  readonly confirms: (event: ActionEvent) => boolean
}

/** An answer is `yes` only with a call that the gate confirms, and `no` only if there is none. */
export type Answer<Name> =
  | { readonly kind: 'yes'; readonly event: ActionEvent }
  /** `used`: of what was excluded, what it took to see that there is none. */
  | { readonly kind: 'no'; readonly used: ReadonlySet<Clause<Name>> }
  | { readonly kind: 'unproven' }

/** Asks for a call. */
export function search<Name>(
  question: Question<Name>,
  solver: ElementSolver,
  budget: Budget,
): Answer<Name> {
  return new Search(question, solver, budget).run()
}

type Outcome = ActionEvent | 'no' | 'unproven'

/** Splits the calls in question until each part is empty, or holds a call that will do. */
class Search<Name> {
  readonly #question: Question<Name>
  readonly #solver: ElementSolver
  readonly #budget: Budget
  readonly #used = new Set<Clause<Name>>()

  constructor(question: Question<Name>, solver: ElementSolver, budget: Budget) {
    this.#question = question
    this.#solver = solver
    this.#budget = budget
  }

  run(): Answer<Name> {
    const required = this.#question.required.map(({ claim }) => claim)
    const outcome = this.#assume(required, new Box(), new Map(), new Set())
    if (outcome === 'no') return { kind: 'no', used: this.#used }
    return outcome === 'unproven' ? { kind: 'unproven' } : { kind: 'yes', event: outcome }
  }

  /**
   * Takes statements to be so, one after the other, of the calls of a box.
   *
   * @param past the clauses whose opposite has been taken to be so already
   */
  #assume(
    statements: readonly Claim[],
    box: Box,
    answers: Answers,
    past: ReadonlySet<Clause<Name>>,
  ): Outcome {
    const [first, ...others] = statements
    if (first === undefined) return this.#decide(box, answers, past)
    if (first.kind === 'all') return this.#assume([...first.parts, ...others], box, answers, past)
    if (first.kind === 'any') return this.#either(first.parts, others, { box, answers }, past)
    const known = box.knows(first.atom)
    if (known !== undefined) {
      return known === first.holds ? this.#assume(others, box, answers, past) : 'no'
    }
    if (!this.#budget.spend(1)) return 'unproven'
    const narrower = box.with(first)
    const more = this.#answersFor(first, narrower, answers)
    return more === undefined ? 'no' : this.#assume(others, narrower, more, past)
  }

  /** One part after the other, each without the calls of those before it. */
  #either(
    parts: readonly Claim[],
    others: readonly Claim[],
    { box, answers }: { readonly box: Box; readonly answers: Answers },
    past: ReadonlySet<Clause<Name>>,
  ): Outcome {
    let outcome: Outcome = 'no'
    const earlier: Claim[] = []
    for (const part of parts) {
      const found = this.#assume([...earlier, part, ...others], box, answers, past)
      if (typeof found === 'object') return found
      if (found === 'unproven') outcome = found
      if (this.#budget.isSpent) return 'unproven'
      if (part.kind === 'atom') earlier.push(negate(part))
    }
    return outcome
  }

  /** What can stand where attributes look, after one more assumption; undefined when nothing can. */
  #answersFor({ atom }: Assumption, box: Box, answers: Answers): Answers | undefined {
    const changed = new Map(answers)
    for (const attribute of touched(atom, box)) {
      const answer = solveAttribute(attribute, box, this.#solver)
      if (answer === 'none') return undefined
      changed.set(attribute.key, { attribute, answer })
    }
    return changed
  }

  #decide(box: Box, answers: Answers, past: ReadonlySet<Clause<Name>>): Outcome {
    const { confirms, broken, excluded } = this.#question
    const missing = missingNeedles(box)
    const isFree = (name: string): boolean => missing.every((one) => !holdsNeedle(name, one))
    const isNew = (one: Clause<Name>): boolean => !past.has(one)
    let left: readonly Clause<Name>[] = []
    for (const choices of triesOf(box, answers)) {
      if (!this.#budget.spend(1)) return 'unproven'
      const event = buildEvent(choices, isFree)
      if (event === undefined) continue
      if (confirms(event)) return event
      if (left.length === 0) left = broken(event).filter(isNew)
    }
    // Where no call could be written down, everything that is excluded is gone through.
    const next = simplest(left.length > 0 ? left : excluded.filter(isNew), box)
    if (next === undefined) return 'unproven'
    this.#used.add(next)
    return this.#assume([negate(next.claim)], box, answers, new Set([...past, next]))
  }
}

/** The clause that leaves the least open, so that what cannot be is seen soon. */
function simplest<Name>(clauses: readonly Clause<Name>[], box: Box): Clause<Name> | undefined {
  let best: { readonly clause: Clause<Name>; readonly open: number } | undefined
  for (const clause of clauses) {
    const open = atomsOf(clause.claim).filter((one) => box.knows(one) === undefined).length
    if (best === undefined || open < best.open) best = { clause, open }
  }
  return best?.clause
}

/** For each attribute of which something is assumed, what can stand there. */
type Answers = ReadonlyMap<
  string,
  { readonly attribute: Attribute; readonly answer: AttributeAnswer }
>

/** The attributes of which an assumption may say something. */
function touched({ attribute }: ClaimAtom, box: Box): readonly Attribute[] {
  if (attribute.kind !== 'unaimed') return [attribute]
  const linked: Attribute[] = []
  for (const [first] of box.groups) {
    const other = first?.atom.attribute
    if (other === undefined || other.key === attribute.key) continue
    if (other.kind === 'argument' || (attribute.of === 'texts' && other.kind === 'unaimed')) {
      linked.push(other)
    }
  }
  return [attribute, ...linked]
}

const maxTries = 48

/** Ways to put together what can stand in a call: the likeliest first, then with one thing at a time otherwise. */
function* triesOf(box: Box, answers: Answers): Iterable<readonly Choice[]> {
  const parts = [...answers.values()].flatMap(({ attribute, answer }) =>
    answer === 'none'
      ? []
      : [{ attribute, tries: answer.tries, isSpare: isSpare(attribute, box, answer) }],
  )
  const choose = (pick: (index: number) => number, withSpare: boolean): readonly Choice[] =>
    parts.flatMap(({ attribute, tries, isSpare: spare }, index) => {
      const elements = tries[pick(index)] ?? tries[0]
      return elements === undefined || (spare && !withSpare) ? [] : [{ attribute, elements }]
    })
  let count = 0
  yield choose(() => 0, false)
  if (parts.some(({ isSpare: spare }) => spare)) yield choose(() => 0, true)
  for (const [changed, { tries }] of parts.entries()) {
    for (let at = 1; at < tries.length; at += 1) {
      count += 1
      if (count > maxTries) return
      yield choose((index) => (index === changed ? at : 0), false)
    }
  }
}

/** Whether arguments at pointers may be all the candidates that an unaimed condition needs. */
function isSpare(attribute: Attribute, box: Box, answer: AttributeAnswer): boolean {
  if (attribute.kind !== 'unaimed' || answer === 'none' || answer.needsOwn) return false
  if (!box.of(attribute.key).some(isOfEvery)) return true
  for (const [first] of box.groups) if (first?.atom.attribute.kind === 'argument') return true
  return false
}
