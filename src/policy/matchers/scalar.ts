import { printable } from '../../event/printable.ts'
import { Decimal } from '../../json/decimal.ts'
import { limits } from '../../limits.ts'
import { readingsOf } from '../amount.ts'
import type { Truth } from '../answer.ts'
import type { Argument } from '../argument.ts'
import { foldText } from '../fold.ts'
import type { MatcherTest } from '../matcher.ts'
import { readNumber, wrongType } from '../read-value.ts'
import type { Source } from '../read-value.ts'
import { truthOf } from '../truth.ts'
import type { YamlEntry, YamlNode } from '../yaml.ts'

/** A value that a rule compares an argument with. */
export type Scalar = string | boolean | Decimal

const wanted = 'a text, a number, `true` or `false`'

/** Reads one value, or undefined after saying what is wrong with it. */
export function readScalar(source: Source, entry: YamlEntry, node: YamlNode): Scalar | undefined {
  switch (node.kind) {
    case 'boolean':
      return node.value
    case 'number':
      return readNumber(source, { ...entry, value: node })
    case 'text':
      return readBounded(source, entry, node)
    case 'null': {
      const hint = 'write `{type: "null"}` for an argument that is null'
      source.report.add(wrongType(entry, wanted, node, hint))
      return undefined
    }
    case 'list':
    case 'map':
      source.report.add(wrongType(entry, wanted, node))
      return undefined
  }
}

function readBounded(
  source: Source,
  entry: YamlEntry,
  node: YamlNode & { readonly kind: 'text' },
): string | undefined {
  const { value } = node
  const fault =
    value.length > limits.maxNeedleCharacters
      ? `is longer than ${limits.maxNeedleCharacters} characters`
      : foldText(value) === undefined
        ? 'is no text that can be compared'
        : undefined
  if (fault === undefined) return value
  source.report.add({
    offset: node.start,
    code: 'policy-value',
    message: `\`${entry.key}: ${printable(value)}\` ${fault}`,
  })
  return undefined
}

/** Whether an argument is one of some values; each is compared with arguments of its own type only. */
export function oneOf(scalars: readonly Scalar[]): MatcherTest {
  const texts = scalars.filter((scalar) => typeof scalar === 'string')
  const numbers = scalars.filter((scalar) => scalar instanceof Decimal)
  const booleans = scalars.filter((scalar) => typeof scalar === 'boolean')
  const tests = [
    ...(texts.length === 0 ? [] : [oneOfTexts(texts)]),
    ...(numbers.length === 0 ? [] : [oneOfNumbers(numbers)]),
    ...(booleans.length === 0 ? [] : [oneOfBooleans(booleans)]),
  ]
  return {
    may: (argument) => any(tests, argument, 'may'),
    must: (argument) => any(tests, argument, 'must'),
  }
}

function any(tests: readonly MatcherTest[], argument: Argument, role: 'may' | 'must'): Truth {
  let truth: Truth = 'false'
  for (const test of tests) {
    const value = test[role](argument)
    if (value === 'true') return 'true'
    if (value === 'indeterminate') truth = 'indeterminate'
  }
  return truth
}

function oneOfTexts(texts: readonly string[]): MatcherTest {
  const exact = new Set(texts)
  const folded = new Set(texts.map((text) => (foldText(text) ?? text).trim()))
  return {
    may: (argument) => {
      if (argument.text === undefined) return 'indeterminate'
      if (exact.has(argument.text)) return 'true'
      const plain = argument.folded
      return plain === undefined ? 'indeterminate' : truthOf(folded.has(plain.trim()))
    },
    must: ({ text }) => (text === undefined ? 'indeterminate' : truthOf(exact.has(text))),
  }
}

function oneOfNumbers(numbers: readonly Decimal[]): MatcherTest {
  const canonical = new Set(numbers.map((number) => number.canonical))
  return numberTest((number) => canonical.has(number.canonical))
}

/** A test of every number that an argument may be to one server or another (POLICY.md 8). */
export function numberTest(holds: (number: Decimal) => boolean): MatcherTest {
  return {
    may: ({ value }) => {
      const numbers = readingsOf(value)
      return numbers.length === 0 ? 'indeterminate' : truthOf(numbers.some(holds))
    },
    must: ({ value }) => {
      const numbers = readingsOf(value)
      return numbers.length === 0 ? 'indeterminate' : truthOf(numbers.every(holds))
    },
  }
}

function oneOfBooleans(booleans: readonly boolean[]): MatcherTest {
  const test = ({ value }: Argument): Truth =>
    typeof value === 'boolean' ? truthOf(booleans.includes(value)) : 'indeterminate'
  return { may: test, must: test }
}
