import { foldText } from '../fold.ts'
import { globMatches } from '../glob.ts'
import type { MatcherTest } from '../matcher.ts'
import { compileMatcher } from '../matchers/table.ts'
import type { Matcher } from '../matchers/table.ts'
import { mayBeTable, mustBeTable } from '../table-name.ts'
import { truthOf } from '../truth.ts'

/** One thing that a rule asks of a value: a matcher, or what conditions besides `args` ask of theirs. */
export type Ask =
  | Matcher
  /** The name of a table. */
  | { readonly kind: 'table'; readonly data: readonly string[] }
  /** What the proxy knows, such as an actor. */
  | { readonly kind: 'pattern'; readonly data: readonly string[] }
  /** One name of a capability. */
  | { readonly kind: 'name'; readonly data: string }

/** The test that the gate itself makes. */
export function testOf(ask: Ask): MatcherTest {
  if (ask.kind === 'table') return tableTest(ask.data)
  if (ask.kind === 'pattern') return patternTest(ask.data)
  return ask.kind === 'name' ? nameTest(ask.data) : compileMatcher(ask)
}

function tableTest(patterns: readonly string[]): MatcherTest {
  const [may, must] = [mayBeTable(patterns), mustBeTable(patterns)]
  return { may: ({ text }) => may(text), must: ({ text }) => must(text) }
}

function patternTest(patterns: readonly string[]): MatcherTest {
  const folded = patterns.map((pattern) => foldText(pattern) ?? pattern)
  const isExact = (text: string): boolean => patterns.some((one) => globMatches(one, text))
  return {
    may: ({ text, folded: plain }) => {
      if (text === undefined) return 'indeterminate'
      if (isExact(text)) return 'true'
      if (plain === undefined) return 'indeterminate'
      return truthOf(folded.some((one) => globMatches(one, plain.trim())))
    },
    must: ({ text }) => (text === undefined ? 'indeterminate' : truthOf(isExact(text))),
  }
}

function nameTest(pattern: string): MatcherTest {
  const lower = pattern.toLowerCase()
  return {
    may: ({ text }) => truthOf(text !== undefined && globMatches(lower, text.toLowerCase())),
    must: ({ text }) => truthOf(text !== undefined && globMatches(pattern, text)),
  }
}

/** A text that is the same for asks that mean the same. */
export function keyOfAsk({ kind, data }: Ask): string {
  return `${kind} ${JSON.stringify(data)}`
}

/** The texts that an ask names: of what it is about, or near to it. */
export function textsOf(ask: Ask): readonly string[] {
  const { data } = ask
  if (typeof data === 'string') return [data]
  if (!Array.isArray(data)) return []
  return data.filter((one) => typeof one === 'string')
}
