import type { Truth } from './answer.ts'
import type { Argument } from './argument.ts'
import type { Source } from './read-value.ts'
import type { YamlEntry } from './yaml.ts'

/**
 * A matcher, compiled: its value for one argument, once for each role in which a rule can stand (POLICY.md 2).
 *
 * Both must be total and take time linear in the argument, or look at a bounded part of it and answer `indeterminate`
 * beyond. One that throws counts as `indeterminate`.
 */
export interface MatcherTest {
  /**
   * For guards, and under `not` for grants: compared generously, and `false` only if no server could take the argument
   * for one that matches.
   */
  readonly may: (argument: Argument) => Truth
  /**
   * For grants, and under `not` for guards: compared exactly, and `true` only if every server must take the argument for
   * one that matches.
   */
  readonly must: (argument: Argument) => Truth
  /** The value for an argument that is not there; `indeterminate` when it is not set. */
  readonly absent?: Truth
}

/**
 * Everything about one matcher; `matchers/table.ts` has one of these under each name.
 *
 * @typeParam Data what the matcher asks, as plain frozen data: numbers are `Decimal`, lists are arrays, no functions, so
 *   that a policy can be compared with another one
 */
export interface MatcherKind<Data> {
  /** Reads the matcher's value from a file; undefined after saying everything that is wrong with it. */
  readonly read: (source: Source, entry: YamlEntry) => Data | undefined
  /** Prepares the test; everything that can be worked out without a call is worked out here. */
  readonly compile: (data: Data) => MatcherTest
  /** How dear a test is; of several conditions the cheap ones are asked first. */
  readonly cost: Cost
}

/**
 * How dear it is to evaluate something: a comparison, a number, a path, a search through text, a parse.
 *
 * Only the order counts.
 */
export const costs = { compare: 0, number: 1, path: 2, text: 3, parse: 4, store: 5 } as const

/** One of `costs`. */
export type Cost = (typeof costs)[keyof typeof costs]
