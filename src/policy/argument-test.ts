import type { Truth } from './answer.ts'
import type { Located } from './locate.ts'
import type { MatcherTest } from './matcher.ts'

/**
 * The value of matchers for a guard: whether any argument at the pointer may meet all of them.
 *
 * Where nothing stands at the pointer it is not known what the server will do.
 */
export function anyMay(located: readonly Located[], tests: readonly MatcherTest[]): Truth {
  if (located.length === 0) return 'indeterminate'
  let truth: Truth = 'false'
  for (const one of located) {
    const value = valueOf(one, tests, 'may')
    if (value === 'true') return 'true'
    if (value === 'indeterminate') truth = 'indeterminate'
  }
  return truth
}

/** The value of matchers for a grant: whether every argument at the pointer must meet all of them, and there is one. */
export function allMust(located: readonly Located[], tests: readonly MatcherTest[]): Truth {
  if (located.length === 0) return 'indeterminate'
  let truth: Truth = 'true'
  for (const one of located) {
    // An argument under another server's spelling may be nothing to this one.
    const isSure = one.kind !== 'found' || one.exact
    const value = isSure ? valueOf(one, tests, 'must') : 'indeterminate'
    if (value === 'false') return 'false'
    if (value === 'indeterminate') truth = 'indeterminate'
  }
  return truth
}

function valueOf(one: Located, tests: readonly MatcherTest[], role: 'may' | 'must'): Truth {
  if (one.kind === 'unreadable') return 'indeterminate'
  let truth: Truth = 'true'
  for (const test of tests) {
    const value = one.kind === 'found' ? test[role](one.argument) : absentValue(test)
    if (value === 'false') return 'false'
    if (value === 'indeterminate') truth = 'indeterminate'
  }
  return truth
}

function absentValue({ absent }: MatcherTest): Truth {
  return absent ?? 'indeterminate'
}
