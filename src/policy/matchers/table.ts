import type { Decimal } from '../../json/decimal.ts'
import type { Cost, MatcherKind, MatcherTest } from '../matcher.ts'
import type { Source } from '../read-value.ts'
import type { YamlEntry } from '../yaml.ts'
import { cidr } from './cidr.ts'
import { among, equal, notAmong } from './equal.ts'
import { exists } from './exists.ts'
import { glob } from './glob.ts'
import { host } from './host.ts'
import { maxLength } from './length.ts'
import { order } from './order.ts'
import { contains, endsWith, startsWith } from './part.ts'
import { regex } from './regex.ts'
import type { Scalar } from './scalar.ts'
import { scheme } from './scheme.ts'
import { shell } from './shell.ts'
import type { ShellData } from './shell-read.ts'
import { sql } from './sql.ts'
import type { SqlData } from './sql-read.ts'
import { type } from './type.ts'
import type { TypeName } from './type.ts'
import { notUnder, under } from './under.ts'

/** What each matcher asks, under its name in the language. */
export interface MatcherData {
  readonly eq: Scalar
  readonly in: readonly Scalar[]
  readonly not_in: readonly Scalar[]
  readonly gt: Decimal
  readonly gte: Decimal
  readonly lt: Decimal
  readonly lte: Decimal
  readonly contains: readonly string[]
  readonly starts_with: readonly string[]
  readonly ends_with: readonly string[]
  readonly glob: readonly string[]
  readonly regex: readonly string[]
  readonly under: readonly string[]
  readonly not_under: readonly string[]
  readonly host: readonly string[]
  readonly scheme: readonly string[]
  readonly cidr: readonly string[]
  readonly shell: ShellData
  readonly sql: SqlData
  readonly type: readonly TypeName[]
  readonly exists: boolean
  readonly max_length: number
}

/** A matcher's name. */
export type MatcherName = keyof MatcherData

/** A matcher as plain data: its name, and what it asks. */
export type Matcher<Name extends MatcherName = MatcherName> = {
  readonly [N in Name]: { readonly kind: N; readonly data: MatcherData[N] }
}[Name]

type MatcherTable = { readonly [Name in MatcherName]: MatcherKind<MatcherData[Name]> }

/** One row here, one in `MatcherData` and one file make a matcher. */
const table: MatcherTable = {
  eq: equal,
  in: among,
  not_in: notAmong,
  gt: order('gt'),
  gte: order('gte'),
  lt: order('lt'),
  lte: order('lte'),
  contains,
  starts_with: startsWith,
  ends_with: endsWith,
  glob,
  regex,
  under,
  not_under: notUnder,
  host,
  scheme,
  cidr,
  shell,
  sql,
  type,
  exists,
  max_length: maxLength,
}

/** The names of all matchers. */
export const matcherNames: readonly string[] = Object.keys(table)

/** Whether a name is a matcher's. */
export function isMatcherName(name: string): name is MatcherName {
  return Object.hasOwn(table, name)
}

/** Reads the matcher `name`, which is the key of `entry`; undefined after saying everything that is wrong. */
export function readMatcher<Name extends MatcherName>(
  source: Source,
  entry: YamlEntry,
  name: Name,
): Matcher<Name> | undefined {
  const data = table[name].read(source, entry)
  return data === undefined ? undefined : { kind: name, data }
}

/** Prepares the test of a matcher. */
export function compileMatcher<Name extends MatcherName>(matcher: Matcher<Name>): MatcherTest {
  return table[matcher.kind].compile(matcher.data)
}

/** How dear a matcher is. */
export function costOfMatcher({ kind }: Matcher): Cost {
  return table[kind].cost
}
