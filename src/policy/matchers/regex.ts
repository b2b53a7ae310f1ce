import type { RE2JS } from 're2js'
import { assert } from '../../errors.ts'
import { printable } from '../../event/printable.ts'
import { limits } from '../../limits.ts'
import type { Truth } from '../answer.ts'
import type { MatcherKind } from '../matcher.ts'
import { costs } from '../matcher.ts'
import { regexEngine } from '../parsers.ts'
import { readChecked } from '../read-needles.ts'
import type { WrittenFault } from '../read-needles.ts'
import { isOneLine } from '../text.ts'
import { anyOf, truthOf } from '../truth.ts'

/**
 * `regex`: the argument is a text that one of these patterns matches.
 *
 * A guard looks for the pattern anywhere in the text, case aside, in the text as it is and as guards compare it. A grant
 * needs the whole text, exactly and on one line, so that what stands before or behind a match is never allowed with it.
 */
export const regex: MatcherKind<readonly string[]> = {
  read: (source, entry) =>
    readChecked(source, entry, {
      wanted: 'a regular expression, or a list of them',
      check: faultOf,
    }),
  compile: (patterns) => {
    const pairs = patterns.map(compiled)
    return {
      may: (argument) => {
        const { text, folded } = argument
        if (text === undefined || folded === undefined) return 'indeterminate'
        return anyOf(pairs.map(({ generous }) => finds(generous, text, folded)))
      },
      must: ({ text }) => {
        if (text === undefined) return 'indeterminate'
        if (!isOneLine(text)) return 'false'
        return anyOf(
          pairs.map(({ exact }) =>
            isAffordable(exact, text) ? truthOf(exact.testExact(text)) : 'indeterminate',
          ),
        )
      },
    }
  },
  cost: costs.text,
}

interface Pair {
  readonly exact: RE2JS
  readonly generous: RE2JS
}

function compiled(pattern: string): Pair {
  const engine = regexEngine()
  assert(engine !== undefined, 'a pattern that was read has an engine')
  const { RE2JS: Pattern } = engine
  return {
    exact: Pattern.compile(pattern),
    generous: Pattern.compile(pattern, Pattern.CASE_INSENSITIVE),
  }
}

function finds(pattern: RE2JS, text: string, folded: string): Truth {
  if (!isAffordable(pattern, text) || !isAffordable(pattern, folded)) return 'indeterminate'
  return truthOf(pattern.test(text) || (folded !== text && pattern.test(folded)))
}

/** The time is linear in the text, and at worst in the size of the pattern as well. */
function isAffordable(pattern: RE2JS, text: string): boolean {
  return pattern.programSize() * text.length <= limits.maxRegexSteps
}

/** What makes a text no pattern, or one that would ask for more than linear time (THREATS B24). */
function faultOf(pattern: string): WrittenFault | undefined {
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
