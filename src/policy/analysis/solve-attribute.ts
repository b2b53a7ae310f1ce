import type { Ask } from './ask.ts'
import type { Attribute } from './attribute.ts'
import type { Assumption, Box } from './box.ts'
import { elementLiteral } from './element.ts'
import type { Candidate, Domain, ElementLiteral } from './element.ts'
import { isOfEvery, linkedLiterals } from './links.ts'
import { findingImplies, scatterings } from './needles.ts'
import type { ElementSolver } from './solve-element.ts'

/** What may stand where an attribute looks. */
export type AttributeAnswer =
  | 'none'
  | {
      /** The first is the most likely to be right, all of them are tries. */
      readonly tries: readonly (readonly Candidate[])[]
      /** Whether more than the first element is asked for, so that one that stands there anyway does not do. */
      readonly needsOwn: boolean
    }

/** Finds what may stand where an attribute looks, for everything that a box assumes of it. */
export function solveAttribute(
  attribute: Attribute,
  box: Box,
  solver: ElementSolver,
): AttributeAnswer {
  const assumptions = box.of(attribute.key)
  if (isOpposed(assumptions)) return 'none'
  if (attribute.kind === 'free') return { tries: [], needsOwn: false }
  const { domain } = attribute
  if (attribute.kind === 'unaimed') {
    return attribute.of === 'texts'
      ? solveTexts(assumptions, domain, solver)
      : solveSet(assumptions, domain, solver, linkedLiterals(attribute, box))
  }
  const literals = linkedLiterals(attribute, box)
  return attribute.kind === 'argument' && attribute.pointer.tokens.includes(undefined)
    ? solveSet(assumptions, domain, solver, literals)
    : solveOne(assumptions, domain, solver, literals)
}

/** The same is assumed to be so and not to be so; or of what is only a name, that it is surely so and perhaps not. */
function isOpposed(assumptions: readonly Assumption[]): boolean {
  return assumptions.some(({ atom, holds }) => {
    if (!holds) return false
    return assumptions.some((other) => {
      if (other.holds) return false
      if (other.atom.key === atom.key) return true
      return atom.attribute.kind === 'free' && atom.role === 'grant'
    })
  })
}

function solveOne(
  assumptions: readonly Assumption[],
  domain: Domain,
  solver: ElementSolver,
  links: readonly ElementLiteral[],
): AttributeAnswer {
  const literals = assumptions.map(({ atom, holds }) => elementLiteral(atom, holds))
  const answer = solver.solve(domain, [...literals, ...links])
  if (answer === 'none') return 'none'
  return { tries: answer === 'unknown' ? [] : [[answer]], needsOwn: true }
}

/**
 * A set of elements: what a guard misses, or a grant gets, is so of all of them and there is one; everything else may be
 * so of one of them each.
 */
function solveSet(
  assumptions: readonly Assumption[],
  domain: Domain,
  solver: ElementSolver,
  links: readonly ElementLiteral[] = [],
): AttributeAnswer {
  const every = [...literalsOf(assumptions.filter(isOfEvery)), ...links]
  const some = literalsOf(assumptions.filter((one) => !isOfEvery(one)))
  const isFilled = assumptions.some(isOfEvery)
  const together = solver.solve(domain, [...every, ...some])
  const apart = some.map((one) => solver.solve(domain, [...every, one]))
  if (isFilled) {
    const least = solver.solve(domain, every)
    if (least === 'none' || apart.includes('none')) return 'none'
  }
  const found = apart.filter((one) => typeof one === 'object')
  const tries = [
    ...(typeof together === 'object' ? [[together]] : []),
    ...(found.length === some.length && found.length > 1 ? [found] : []),
    ...(isFilled ? [] : [[]]),
  ]
  return { tries, needsOwn: some.length > 0 }
}

function literalsOf(assumptions: readonly Assumption[]): readonly ElementLiteral[] {
  return assumptions.map(({ atom, holds }) => elementLiteral(atom, holds))
}

/**
 * The texts of a call. A guard finds its texts in all of them together, and a grant looks at each value alone.
 */
function solveTexts(
  assumptions: readonly Assumption[],
  domain: Domain,
  solver: ElementSolver,
): AttributeAnswer {
  const every = literalsOf(assumptions.filter(isOfEvery))
  const isGrant = ({ atom }: Assumption): boolean => atom.role === 'grant'
  const missing = assumptions.filter((one) => !isGrant(one) && !one.holds).flatMap(needlesOf)
  const wanted = assumptions.filter((one) => !isGrant(one) && one.holds)
  const open = wanted.map((one) =>
    needlesOf(one).filter((needle) => !missing.some((other) => findingImplies(needle, other))),
  )
  if (missing.length > 0 && open.some((needles) => needles.length === 0)) return 'none'
  const isGranted = assumptions.some((one) => isGrant(one) && one.holds)
  if (isGranted && solver.solve(domain, every) === 'none') return 'none'
  const ungranted = literalsOf(assumptions.filter((one) => isGrant(one) && !one.holds))
  if (isGranted && ungranted.some((one) => solver.solve(domain, [...every, one]) === 'none')) {
    return 'none'
  }
  return { tries: textTries({ every, open, ungranted, isGranted }, domain, solver), needsOwn: true }
}

interface Wanted {
  readonly every: readonly ElementLiteral[]
  /** For each guard the texts of which one has to be found. */
  readonly open: readonly (readonly string[])[]
  readonly ungranted: readonly ElementLiteral[]
  readonly isGranted: boolean
}

function textTries(
  { every, open, ungranted, isGranted }: Wanted,
  domain: Domain,
  solver: ElementSolver,
): readonly (readonly Candidate[])[] {
  const solve = (more: readonly ElementLiteral[]): Candidate | undefined => {
    const answer = solver.solve(domain, [...every, ...more])
    return typeof answer === 'object' ? answer : undefined
  }
  const found = open.map((needles) => needles.map((one) => solve([holding(one)])).find(isThere))
  const others = ungranted.map((one) => solve([one]))
  const least = isGranted || open.length === 0 ? [solve([])] : []
  const elements = [...found, ...others].filter(isThere)
  const [needle = ''] = open.flat()
  const plain = elements.length > 0 ? elements : least.filter(isThere)
  return [
    ...(isGranted || open.length > 0 ? [] : [[]]),
    plain,
    ...scatterings(needle).map((pieces) =>
      pieces.map((value): Candidate => ({ kind: 'value', value })),
    ),
  ]
}

function isThere(one: Candidate | undefined): one is Candidate {
  return one !== undefined
}

function holding(needle: string): ElementLiteral {
  const ask: Ask = { kind: 'contains', data: [needle] }
  return elementLiteral({ asks: [ask], role: 'grant' }, true)
}

function needlesOf({ atom }: Assumption): readonly string[] {
  return atom.asks.flatMap((ask) => (ask.kind === 'contains' ? ask.data : []))
}
