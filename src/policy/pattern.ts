import type { RE2JS } from 're2js'
import { assert } from '../errors.ts'
import { printable } from '../event/printable.ts'
import { limits } from '../limits.ts'
import type { Truth } from './answer.ts'
import { regexEngine } from './parsers.ts'
import type { WrittenFault } from './read-needles.ts'
import { truthOf } from './truth.ts'

/** A regular expression as grants and as guards compare it. */
export interface Pattern {
  readonly exact: RE2JS
  readonly generous: RE2JS
}

/** Compiles a pattern that `regexFault` finds nothing wrong with. */
export function compilePattern(pattern: string): Pattern {
  const engine = regexEngine()
  assert(engine !== undefined, 'a pattern that was read has an engine')
  const { RE2JS: Engine } = engine
  return {
    exact: Engine.compile(pattern),
    generous: Engine.compile(pattern, Engine.CASE_INSENSITIVE),
  }
}

/** For guards: whether a pattern matches anywhere, in the text as it is or folded. */
export function isFoundIn({ generous }: Pattern, text: string, folded: string): Truth {
  if (!isAffordable(generous, text.length) || !isAffordable(generous, folded.length)) {
    return 'indeterminate'
  }
  return truthOf(generous.test(text) || (folded !== text && generous.test(folded)))
}

/** For grants: whether a pattern matches the whole text. */
export function isWhole({ exact }: Pattern, text: string): Truth {
  return isAffordable(exact, text.length) ? truthOf(exact.testExact(text)) : 'indeterminate'
}

/** The time is linear in the text, and at worst in the size of the pattern as well. */
export function isAffordable(pattern: RE2JS, characters: number): boolean {
  return pattern.programSize() * characters <= limits.maxRegexSteps
}

/** What makes a text no pattern, or one that would ask for more than linear time (THREATS B24). */
export function regexFault(pattern: string): WrittenFault | undefined {
  if (pattern.length > limits.maxNeedleCharacters) {
    return { says: `is longer than ${limits.maxNeedleCharacters} characters` }
  }
  const engine = regexEngine()
  if (engine === undefined) {
    return { says: 'cannot be checked, because no engine for regular expressions is installed' }
  }
  try {
    const size = engine.RE2JS.compile(pattern, engine.RE2JS.CASE_INSENSITIVE).programSize()
    if (size <= limits.maxRegexSize) return undefined
    return {
      says: `has ${size} steps; at most ${limits.maxRegexSize} are read`,
      hint: 'repeat less: `{1,100}` counts a hundred times',
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const hint =
      'only patterns that take linear time are read: no lookaround, no backreferences, no possessive repeats'
    return { says: `is no regular expression: ${printable(reason)}`, hint }
  }
}
