import type { Truth } from './answer.ts'
import { allAmounts, anyAmount } from './amount.ts'
import type { CallFacts } from './call-facts.ts'
import { compileGlob } from './glob.ts'
import { mayBeUnder, mustBeUnder, readPrefix } from './path.ts'
import type { PathFacts, PathPrefix } from './path.ts'
import type { Condition } from './rule.ts'
import type { NeedleSet } from './text.ts'

/** A condition's value for one call; never throws. */
export type Test = (facts: CallFacts) => Truth

/**
 * Compiles a condition of a guard, which looks for any candidate (POLICY.md 3).
 *
 * @param needles of all guards that look at the same calls, so that they share one search
 */
export function guardTest(condition: Condition, needles: NeedleSet): Test {
  switch (condition.kind) {
    case 'text': {
      const tests = condition.needles.map((needle) => needles.add(needle))
      return ({ text }) => {
        const found = text?.find(needles)
        if (found === undefined) return 'indeterminate'
        return tests.some((test) => test(found)) ? 'true' : 'false'
      }
    }
    case 'amount': {
      const { comparison, threshold } = condition
      return ({ amounts }) =>
        amounts === undefined ? 'indeterminate' : anyAmount(amounts, comparison, threshold)
    }
    case 'path': {
      const prefixes = prefixesOf(condition)
      return pathTest((path) => mayBeUnder(path, prefixes), anyOf)
    }
    case 'context':
      return contextTest(condition, (text) => text.trim().toLowerCase())
  }
}

/** Compiles a condition of a grant, which needs every candidate, and one at least. */
export function grantTest(condition: Condition): Test {
  switch (condition.kind) {
    case 'text':
      return ({ text }) => text?.allHold(condition.needles) ?? 'indeterminate'
    case 'amount': {
      const { comparison, threshold } = condition
      return ({ amounts }) =>
        amounts === undefined ? 'indeterminate' : allAmounts(amounts, comparison, threshold)
    }
    case 'path': {
      const prefixes = prefixesOf(condition)
      return pathTest((path) => mustBeUnder(path, prefixes), allOf)
    }
    case 'context':
      return contextTest(condition, (text) => text)
  }
}

function pathTest(
  test: (path: PathFacts | undefined) => Truth,
  combine: (values: readonly Truth[]) => Truth,
): Test {
  return ({ paths: candidates }) => {
    if (candidates === undefined || candidates.tooMany) return 'indeterminate'
    if (candidates.paths.length === 0) return 'indeterminate'
    return combine(candidates.paths.map(test))
  }
}

function prefixesOf(condition: Condition & { readonly kind: 'path' }): readonly PathPrefix[] {
  return condition.prefixes.flatMap((text) => readPrefix(text) ?? [])
}

/** Guards do not care about case and blanks around; grants take what is there. */
function contextTest(
  condition: Condition & { readonly kind: 'context' },
  fold: (text: string) => string,
): Test {
  const globs = condition.patterns.map((pattern) => compileGlob(fold(pattern)))
  return (facts) => {
    const text = facts.context(condition.field)
    if (text === undefined) return 'indeterminate'
    const folded = fold(text)
    return globs.some((matches) => matches(folded)) ? 'true' : 'false'
  }
}

/** Kleene's or. */
function anyOf(values: readonly Truth[]): Truth {
  if (values.includes('true')) return 'true'
  return values.includes('indeterminate') ? 'indeterminate' : 'false'
}

/** Kleene's and. */
export function allOf(values: readonly Truth[]): Truth {
  if (values.includes('false')) return 'false'
  return values.includes('indeterminate') ? 'indeterminate' : 'true'
}
