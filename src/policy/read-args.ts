import { printable } from '../event/printable.ts'
import { limits } from '../limits.ts'
import type { ArgumentCondition } from './condition.ts'
import { isMatcherName, matcherNames, readMatcher } from './matchers/table.ts'
import type { Matcher, MatcherName } from './matchers/table.ts'
import { parsePointer } from './pointer.ts'
import type { Pointer } from './pointer.ts'
import { unknownKey, wrongType } from './read-value.ts'
import type { Source } from './read-value.ts'
import type { YamlEntry } from './yaml.ts'

/** What is asked at one pointer, and the entry that says so. */
export interface ReadArgument {
  readonly condition: ArgumentCondition
  readonly entry: YamlEntry
}

/** Reads `args`: a mapping of pointers; undefined after saying everything that is wrong with it. */
export function readArguments(
  source: Source,
  args: YamlEntry,
): readonly ReadArgument[] | undefined {
  if (args.value.kind !== 'map' || args.value.entries.length === 0) {
    source.report.add(wrongType(args, 'a mapping of pointers such as `{/path: {under: /srv}}`'))
    return undefined
  }
  const { entries } = args.value
  const read = entries.flatMap((entry) => {
    const pointer = readPointer(source, entry)
    const matchers = readMatchers(source, entry)
    if (pointer === undefined || matchers === undefined) return []
    const condition: ArgumentCondition = { kind: 'argument', pointer, matchers }
    return [{ condition, entry }]
  })
  return read.length === entries.length ? read : undefined
}

function readPointer(source: Source, { key, keyStart }: YamlEntry): Pointer | undefined {
  const pointer = key.length > limits.maxPointerCharacters ? undefined : parsePointer(key)
  if (pointer !== undefined && pointer.tokens.length > 0) return pointer
  source.report.add({
    offset: keyStart,
    code: 'policy-value',
    message: `\`${printable(key)}\` in \`args\` is no JSON Pointer`,
    hint: pointerHint(key),
  })
  return undefined
}

function pointerHint(key: string): string {
  // `command`, `opts.path` and `$.items[0].id` are what people write who know other languages.
  const names = key
    .replace(/^\$\.?/, '')
    .split(/[.[\]]+/)
    .filter((name) => name !== '')
  const isPlain = names.length > 0 && names.every((name) => /^[\w*-]{1,64}$/.test(name))
  return isPlain
    ? `write \`/${names.join('/')}\``
    : 'write `/` before each name: `/command`, `/items/0/id`, `/paths/*` for each element'
}

/** A value is meant to be equal, a list to hold the argument, a mapping has the matchers by their names. */
function readMatchers(source: Source, entry: YamlEntry): readonly Matcher[] | undefined {
  const { value } = entry
  if (value.kind !== 'map') return alone(source, entry, value.kind === 'list' ? 'in' : 'eq')
  if (value.entries.length === 0) {
    source.report.add(wrongType(entry, 'a value, a list of values, or matchers'))
    return undefined
  }
  const matchers = value.entries.flatMap((inner) => readNamed(source, inner) ?? [])
  return matchers.length === value.entries.length ? matchers : undefined
}

function alone(
  source: Source,
  entry: YamlEntry,
  name: MatcherName,
): readonly Matcher[] | undefined {
  const matcher = readMatcher(source, entry, name)
  return matcher === undefined ? undefined : [matcher]
}

function readNamed(source: Source, entry: YamlEntry): Matcher | undefined {
  if (isMatcherName(entry.key)) return readMatcher(source, entry, entry.key)
  source.report.add(unknownKey(entry, '`args`', matcherNames))
  return undefined
}
