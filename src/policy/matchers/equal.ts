import type { MatcherKind, MatcherTest } from '../matcher.ts'
import { costs } from '../matcher.ts'
import type { Source } from '../read-value.ts'
import { opposite } from '../truth.ts'
import type { YamlEntry } from '../yaml.ts'
import { oneOf, readScalar } from './scalar.ts'
import type { Scalar } from './scalar.ts'

/** `eq`: the argument is this value. */
export const equal: MatcherKind<Scalar> = {
  read: (source, entry) => readScalar(source, entry, entry.value),
  compile: (scalar) => oneOf([scalar]),
  cost: costs.compare,
}

/** `in`: the argument is one of these values. */
export const among: MatcherKind<readonly Scalar[]> = {
  read: readScalars,
  compile: oneOf,
  cost: costs.compare,
}

/** `not_in`: the argument is none of these values, and is there. */
export const notAmong: MatcherKind<readonly Scalar[]> = {
  read: readScalars,
  compile: (scalars) => negated(oneOf(scalars)),
  cost: costs.compare,
}

/** One value or a list of them. */
function readScalars(source: Source, entry: YamlEntry): readonly Scalar[] | undefined {
  const { value } = entry
  const nodes = value.kind === 'list' ? value.items : [value]
  if (nodes.length === 0) {
    source.report.add({
      offset: value.start,
      code: 'policy-empty',
      message: `\`${entry.key}\` is an empty list, which nothing can match; expected a value`,
    })
    return undefined
  }
  const scalars = nodes.flatMap((node) => readScalar(source, entry, node) ?? [])
  return scalars.length === nodes.length ? scalars : undefined
}

function negated(test: MatcherTest): MatcherTest {
  return {
    may: (argument) => opposite(test.must(argument)),
    must: (argument) => opposite(test.may(argument)),
  }
}
