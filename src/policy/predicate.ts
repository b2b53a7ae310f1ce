import { assert } from '../errors.ts'
import { allAmounts, anyAmount } from './amount.ts'
import type { Truth } from './answer.ts'
import type { Facts } from './facts.ts'
import { foldText } from './fold.ts'
import { compileGlob } from './glob.ts'
import { mayBeUnder, mustBeUnder, readPrefix } from './path.ts'
import type { PathFacts, PathPrefix } from './path.ts'
import type { Condition } from './rule.ts'
import type { NeedleSet } from './needle.ts'

/** A condition, compiled: its value for one call. */
export type Predicate = (facts: Facts) => Truth

type ConditionOf<Kind extends Condition['kind']> = Condition & { readonly kind: Kind }

/**
 * Compiles a condition of a guard (`deny`, `require_approval`): any candidate will do, compared generously.
 *
 * @param needlesOf gives the set in which the rule's texts are looked for together with those of its neighbours
 */
export function guardPredicate(condition: Condition, needlesOf: () => NeedleSet): Predicate {
  switch (condition.kind) {
    case 'text':
      return anyText(condition, needlesOf())
    case 'amount': {
      const { comparison, threshold } = condition
      return ({ amounts }) =>
        amounts === undefined ? 'indeterminate' : anyAmount(amounts, comparison, threshold)
    }
    case 'path': {
      const prefixes = prefixesOf(condition)
      return ({ paths }) => anyPath(paths, prefixes)
    }
    case 'context':
      return foldedContext(condition)
  }
}

/** Compiles a condition of a grant (`allow`): every candidate must do, there must be one, compared exactly. */
export function grantPredicate(condition: Condition): Predicate {
  switch (condition.kind) {
    case 'text': {
      const { needles } = condition
      return ({ text }) => (text === undefined ? 'indeterminate' : text.allHold(needles))
    }
    case 'amount': {
      const { comparison, threshold } = condition
      return ({ amounts }) =>
        amounts === undefined ? 'indeterminate' : allAmounts(amounts, comparison, threshold)
    }
    case 'path': {
      const prefixes = prefixesOf(condition)
      return ({ paths }) => allPaths(paths, prefixes)
    }
    case 'context':
      return exactContext(condition)
  }
}

/** How much work a condition is: cheap ones are asked first, and the dear ones often not at all. */
export function costOf(condition: Condition): number {
  return ['context', 'amount', 'path', 'text'].indexOf(condition.kind)
}

function anyText(condition: ConditionOf<'text'>, needles: NeedleSet): Predicate {
  const tests = condition.needles.map((needle) => needles.add(needle))
  return ({ text }) => {
    const found = text?.find(needles)
    if (found === undefined) return 'indeterminate'
    return tests.some((test) => test(found)) ? 'true' : 'false'
  }
}

function prefixesOf(condition: ConditionOf<'path'>): readonly PathPrefix[] {
  return condition.prefixes.map((text) => {
    const prefix = readPrefix(text)
    assert(prefix !== undefined, 'the loader refuses path prefixes that cannot be read')
    return prefix
  })
}

function anyPath(
  paths: readonly (PathFacts | undefined)[] | undefined,
  prefixes: readonly PathPrefix[],
): Truth {
  if (paths === undefined || paths.length === 0) return 'indeterminate'
  const values = paths.map((path) => mayBeUnder(path, prefixes))
  if (values.includes('true')) return 'true'
  return values.includes('indeterminate') ? 'indeterminate' : 'false'
}

function allPaths(
  paths: readonly (PathFacts | undefined)[] | undefined,
  prefixes: readonly PathPrefix[],
): Truth {
  if (paths === undefined || paths.length === 0) return 'indeterminate'
  const values = paths.map((path) => mustBeUnder(path, prefixes))
  if (values.includes('false')) return 'false'
  return values.includes('indeterminate') ? 'indeterminate' : 'true'
}

function foldedContext({ field, patterns }: ConditionOf<'context'>): Predicate {
  const exact = patterns.map(compileGlob)
  const folded = patterns.map((pattern) => compileGlob(foldText(pattern) ?? pattern))
  return (facts) => {
    const value = facts.context(field)
    if (value === undefined) return 'indeterminate'
    const plain = facts.foldedContext(field)
    if (exact.some((glob) => glob(value))) return 'true'
    if (plain === undefined) return 'indeterminate'
    return folded.some((glob) => glob(plain)) ? 'true' : 'false'
  }
}

function exactContext({ field, patterns }: ConditionOf<'context'>): Predicate {
  const globs = patterns.map(compileGlob)
  return (facts) => {
    const value = facts.context(field)
    if (value === undefined) return 'indeterminate'
    return globs.some((glob) => glob(value)) ? 'true' : 'false'
  }
}
