import { assert } from '../errors.ts'
import { allAmounts, anyAmount } from './amount.ts'
import type { Truth } from './answer.ts'
import { allMust, anyMay } from './argument-test.ts'
import type {
  AmountCondition,
  AnyCondition,
  ArgumentCondition,
  Condition,
  ContextCondition,
  LabelsCondition,
  LimitCondition,
  NotCondition,
  OnlyCondition,
  PathCondition,
  PatternCondition,
  TableCondition,
  TextCondition,
  TimeCondition,
} from './condition.ts'
import type { Facts } from './facts.ts'
import { foldText } from './fold.ts'
import { compileGlob } from './glob.ts'
import { costs } from './matcher.ts'
import { compileMatcher, costOfMatcher } from './matchers/table.ts'
import { mayBeUnder, mustBeUnder, readPrefix } from './path.ts'
import type { PathPrefix } from './path.ts'
import { compileOnly } from './only.ts'
import { compilePattern } from './pattern.ts'
import { anyCandidate, everyCandidate } from './quantify.ts'
import { compileWindows } from './time-window.ts'
import { mayBeTable, mustBeTable } from './table-name.ts'
import type { NeedleSet } from './needle.ts'
import { allOf, opposite, truthOf } from './truth.ts'

/** A condition, compiled: its value for one call. */
export type Predicate = (facts: Facts) => Truth

/** Which side an error must fall on: a guard applies unless it is false, a grant only if it is true. */
export type Role = 'guard' | 'grant'

/** Gives the set in which a rule's texts are looked for together with those of its neighbours. */
export type NeedlesOf = () => NeedleSet

/**
 * Compiles a condition for a role (POLICY.md 2, 3).
 *
 * A guard takes any candidate, compared generously; a grant needs every candidate and at least one, compared exactly.
 * What stands under `not` is compiled for the other role.
 */
export function compileCondition(
  condition: Condition,
  role: Role,
  needlesOf: NeedlesOf,
): Predicate {
  switch (condition.kind) {
    case 'context':
      return role === 'guard' ? foldedContext(condition) : exactContext(condition)
    case 'text':
      return role === 'guard' ? anyText(condition, needlesOf()) : allTexts(condition)
    case 'pattern':
      return regexes(condition, role)
    case 'amount':
      return amounts(condition, role === 'guard' ? anyAmount : allAmounts)
    case 'path':
      return role === 'guard' ? anyPath(condition) : allPaths(condition)
    case 'table':
      return tables(condition, role)
    case 'argument':
      return argument(condition, role === 'guard' ? anyMay : allMust)
    case 'only':
      return onlyArguments(condition, role)
    case 'time':
      return time(condition)
    case 'limit':
      return limit(condition, role)
    case 'labels':
      return labels(condition, role)
    case 'not':
      return not(condition, role, needlesOf)
    case 'any':
      return any(condition, role, needlesOf)
  }
}

/** How much work a condition is: cheap ones are asked first, and the dear ones often not at all. */
export function costOf(condition: Condition): number {
  switch (condition.kind) {
    case 'context':
      return costs.compare
    case 'amount':
    case 'only':
      return costs.number
    case 'path':
    case 'table':
      return costs.path
    case 'text':
    case 'pattern':
      return costs.text
    case 'time':
      return costs.number
    case 'limit':
    case 'labels':
      return costs.store
    case 'argument':
      return Math.max(...condition.matchers.map(costOfMatcher))
    case 'not':
      return Math.max(...condition.conditions.map(costOf))
    case 'any':
      return Math.max(...condition.branches.flat().map(costOf))
  }
}

function not({ conditions }: NotCondition, role: Role, needlesOf: NeedlesOf): Predicate {
  const inner = all(conditions, role === 'guard' ? 'grant' : 'guard', needlesOf)
  return (facts) => opposite(inner(facts))
}

function any({ branches }: AnyCondition, role: Role, needlesOf: NeedlesOf): Predicate {
  const inner = branches.map((conditions) => all(conditions, role, needlesOf))
  return (facts) => {
    let truth: Truth = 'false'
    for (const branch of inner) {
      const value = branch(facts)
      if (value === 'true') return 'true'
      if (value === 'indeterminate') truth = 'indeterminate'
    }
    return truth
  }
}

/** Several conditions as one, the cheap ones first. */
function all(conditions: readonly Condition[], role: Role, needlesOf: NeedlesOf): Predicate {
  const predicates = conditions
    .toSorted((one, other) => costOf(one) - costOf(other))
    .map((condition) => compileCondition(condition, role, needlesOf))
  return (facts) => allInTurn(predicates, facts)
}

/** The value of several predicates together, of which those behind one that is false are not asked. */
export function allInTurn(predicates: readonly Predicate[], facts: Facts): Truth {
  let truth: Truth = 'true'
  for (const predicate of predicates) {
    const value = valueOf(predicate, facts)
    if (value === 'false') return 'false'
    if (value === 'indeterminate') truth = 'indeterminate'
  }
  return truth
}

/** The value of a predicate, which is not known when it fails; that denies or holds, and never allows (POLICY.md 2). */
export function valueOf(predicate: Predicate, facts: Facts): Truth {
  try {
    return predicate(facts)
  } catch {
    return 'indeterminate'
  }
}

function amounts(
  { comparison, threshold }: AmountCondition,
  quantified: typeof anyAmount,
): Predicate {
  return ({ amounts: found }) =>
    found === undefined ? 'indeterminate' : quantified(found, comparison, threshold)
}

function argument({ pointer, matchers }: ArgumentCondition, quantified: typeof anyMay): Predicate {
  const tests = matchers
    .toSorted((one, other) => costOfMatcher(one) - costOfMatcher(other))
    .map((matcher) => compileMatcher(matcher))
  return (facts) => quantified(facts.at(pointer), tests)
}

function onlyArguments({ pointers }: OnlyCondition, role: Role): Predicate {
  const isWithin = compileOnly(pointers, role === 'guard' ? 'folded' : 'exact')
  return (facts) => truthOf(isWithin(facts.arguments))
}

function time({ windows }: TimeCondition): Predicate {
  const isInside = compileWindows(windows)
  return ({ nowMs }) => isInside(nowMs)
}

/** A grant holds while there is room for the call, and a guard when there is none. */
function limit({ terms }: LimitCondition, role: Role): Predicate {
  const wanted = role === 'guard' ? 'spent' : 'room'
  return (facts) => {
    const { kind } = facts.room(terms)
    return kind === 'unknown' ? 'indeterminate' : truthOf(kind === wanted)
  }
}

/**
 * Whether the session has some labels and not others.
 *
 * A guard takes a label as soon as a call was forwarded that adds it; a grant relies only on what is proven, and under
 * `not` it is the other way round, so that a call under way is never taken for one that went well.
 */
function labels({ has, not: hasNot, bind }: LabelsCondition, role: Role): Predicate {
  const certainty = role === 'guard' ? 'held' : 'proven'
  const doubt = role === 'guard' ? 'proven' : 'held'
  return (facts) => {
    const value = bind === undefined ? undefined : facts.valueAt(bind)
    // A guard takes a label about any value for one about a value that cannot be read; a grant cannot rely on it.
    if (bind !== undefined && value === undefined && role === 'grant') return 'indeterminate'
    return allOf([
      ...has.map((name) => known(facts.label(name, value)?.[certainty])),
      ...hasNot.map((name) => {
        // Nothing is proven about a value that cannot be read.
        if (bind !== undefined && value === undefined) return 'true'
        return opposite(known(facts.label(name, value)?.[doubt]))
      }),
    ])
  }
}

function known(holds: boolean | undefined): Truth {
  return holds === undefined ? 'indeterminate' : truthOf(holds)
}

function allTexts({ needles }: TextCondition): Predicate {
  return ({ text }) => (text === undefined ? 'indeterminate' : text.allHold(needles))
}

function regexes(condition: PatternCondition, role: Role): Predicate {
  const compiled = condition.patterns.map(compilePattern)
  return ({ text }) => {
    if (text === undefined) return 'indeterminate'
    return role === 'guard' ? text.anyMatches(compiled) : text.allMatch(compiled)
  }
}

function anyText(condition: TextCondition, needles: NeedleSet): Predicate {
  const tests = condition.needles.map((needle) => needles.add(needle))
  return ({ text }) => {
    const found = text?.find(needles)
    if (found === undefined) return 'indeterminate'
    return truthOf(tests.some((test) => test(found)))
  }
}

function prefixesOf(condition: PathCondition): readonly PathPrefix[] {
  return condition.prefixes.map((text) => {
    const prefix = readPrefix(text)
    assert(prefix !== undefined, 'the loader refuses path prefixes that cannot be read')
    return prefix
  })
}

function anyPath(condition: PathCondition): Predicate {
  const prefixes = prefixesOf(condition)
  return ({ paths }) => anyCandidate(paths, (path) => mayBeUnder(path, prefixes))
}

function allPaths(condition: PathCondition): Predicate {
  const prefixes = prefixesOf(condition)
  return ({ paths }) => everyCandidate(paths, (path) => mustBeUnder(path, prefixes))
}

function tables({ patterns }: TableCondition, role: Role): Predicate {
  if (role === 'guard') {
    const test = mayBeTable(patterns)
    return (facts) => anyCandidate(facts.tables, test)
  }
  const test = mustBeTable(patterns)
  return (facts) => everyCandidate(facts.tables, test)
}

function foldedContext({ field, patterns }: ContextCondition): Predicate {
  const exact = patterns.map(compileGlob)
  const folded = patterns.map((pattern) => compileGlob(foldText(pattern) ?? pattern))
  return (facts) => {
    const value = facts.context(field)
    if (value === undefined) return 'indeterminate'
    const plain = facts.foldedContext(field)
    if (exact.some((glob) => glob(value))) return 'true'
    if (plain === undefined) return 'indeterminate'
    return truthOf(folded.some((glob) => glob(plain)))
  }
}

function exactContext({ field, patterns }: ContextCondition): Predicate {
  const [only = ''] = patterns
  // One name is usual, and a list of globs is a walk through memory for every rule.
  if (patterns.length === 1 && !only.includes('*')) {
    return (facts) => {
      const value = facts.context(field)
      return value === undefined ? 'indeterminate' : truthOf(value === only)
    }
  }
  const globs = patterns.map(compileGlob)
  return (facts) => {
    const value = facts.context(field)
    if (value === undefined) return 'indeterminate'
    return truthOf(globs.some((glob) => glob(value)))
  }
}
