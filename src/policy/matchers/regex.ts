import type { MatcherKind } from '../matcher.ts'
import { costs } from '../matcher.ts'
import { compilePattern, isFoundIn, isWhole, regexFault } from '../pattern.ts'
import { readChecked } from '../read-needles.ts'
import { isOneLine } from '../text.ts'
import { anyOf } from '../truth.ts'

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
      check: regexFault,
    }),
  compile: (patterns) => {
    const pairs = patterns.map(compilePattern)
    return {
      may: (argument) => {
        const { text, folded } = argument
        if (text === undefined || folded === undefined) return 'indeterminate'
        return anyOf(pairs.map((pair) => isFoundIn(pair, text, folded)))
      },
      must: ({ text }) => {
        if (text === undefined) return 'indeterminate'
        if (!isOneLine(text)) return 'false'
        return anyOf(pairs.map((pair) => isWhole(pair, text)))
      },
    }
  },
  cost: costs.text,
}
