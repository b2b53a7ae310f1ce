import type { AnyCondition, Condition, NotCondition } from './condition.ts'
import { amountKeys, conditionKeys, contextKeys, textKeys } from './language.ts'
import { prefixFault } from './path.ts'
import { regexFault } from './pattern.ts'
import { readArguments } from './read-args.ts'
import { patternFault, wordFault } from './read-context.ts'
import { readChecked, readNeedles } from './read-needles.ts'
import { readOnlyArguments } from './read-only-arguments.ts'
import { readSession } from './read-session.ts'
import { readTime } from './read-time.ts'
import { readNumber, unknownKey, wrongType } from './read-value.ts'
import type { Source } from './read-value.ts'
import { writtenEntry, writtenNode } from './written.ts'
import type { YamlEntry } from './yaml.ts'

/** A condition of a rule, and how the file writes it. */
export interface ReadCondition {
  readonly condition: Condition
  readonly written: string
}

const knownKeys: ReadonlySet<string> = new Set(conditionKeys)

/** Whether a key of a rule is a condition. */
export function isConditionKey(key: string): boolean {
  return knownKeys.has(key)
}

/**
 * The conditions that an entry of a rule states: one, or one for each pointer of `args`.
 *
 * @returns undefined after saying everything that is wrong with it
 */
export function readConditions(
  source: Source,
  entry: YamlEntry,
): readonly ReadCondition[] | undefined {
  if (entry.key === 'args') {
    return readArguments(source, entry)?.map(({ condition, entry: { key, value } }) => ({
      condition,
      written: `args: {${key}: ${writtenNode(source.text, value)}}`,
    }))
  }
  const condition = readCondition(source, entry)
  if (condition === undefined) return undefined
  return [{ condition, written: writtenEntry(source.text, entry) }]
}

function readCondition(source: Source, entry: YamlEntry): Condition | undefined {
  if (entry.key === 'not') return readNot(source, entry)
  if (entry.key === 'any') return readAny(source, entry)
  if (entry.key === 'only_args') return readOnlyArguments(source, entry)
  if (textKeys.has(entry.key)) {
    const needles = readNeedles(source, entry)
    return needles === undefined ? undefined : { kind: 'text', needles }
  }
  if (entry.key === 'match_regex') return readPatterns(source, entry)
  if (entry.key === 'path_prefix') return readPrefixes(source, entry)
  if (entry.key === 'table') return readTables(source, entry)
  if (entry.key === 'time') return readTime(source, entry)
  const comparison = amountKeys.get(entry.key)
  if (comparison !== undefined) {
    const threshold = readNumber(source, entry)
    return threshold === undefined ? undefined : { kind: 'amount', comparison, threshold }
  }
  if (entry.key === 'session' && entry.value.kind === 'map') return readSession(source, entry)
  return readContext(source, entry)
}

function readPatterns(source: Source, entry: YamlEntry): Condition | undefined {
  const wanted = 'a regular expression, or a list of them'
  const patterns = readChecked(source, entry, { wanted, check: regexFault })
  return patterns === undefined ? undefined : { kind: 'pattern', patterns }
}

function readPrefixes(source: Source, entry: YamlEntry): Condition | undefined {
  const prefixes = readChecked(source, entry, {
    wanted: 'a path, or a list of them',
    check: (prefix) => {
      const fault = prefixFault(prefix)
      return fault === undefined ? undefined : { says: fault }
    },
  })
  return prefixes === undefined ? undefined : { kind: 'path', prefixes }
}

function readTables(source: Source, entry: YamlEntry): Condition | undefined {
  const wanted = 'the name of a table, or a list of them'
  const patterns = readChecked(source, entry, { wanted, check: wordFault })
  return patterns === undefined ? undefined : { kind: 'table', patterns }
}

function readContext(source: Source, entry: YamlEntry): Condition | undefined {
  const field = contextKeys.get(entry.key)
  if (field === undefined) return undefined
  const patterns = readChecked(source, entry, {
    wanted: 'a text, or a list of them',
    check: (pattern) => patternFault(field, pattern),
  })
  return patterns === undefined ? undefined : { kind: 'context', field, patterns }
}

function readNot(source: Source, entry: YamlEntry): NotCondition | undefined {
  const conditions = readAll(source, entry)
  return conditions === undefined ? undefined : { kind: 'not', conditions }
}

function readAny(source: Source, entry: YamlEntry): AnyCondition | undefined {
  const { value } = entry
  if (value.kind !== 'list' || value.items.length === 0) {
    const wanted = 'a list of alternatives such as `[{amount_gt: 100}, {environment: live}]`'
    source.report.add(wrongType(entry, wanted))
    return undefined
  }
  const branches = value.items.flatMap((item) => {
    const conditions = readAll(source, { ...entry, value: item })
    return conditions === undefined ? [] : [conditions]
  })
  return branches.length === value.items.length ? { kind: 'any', branches } : undefined
}

/** A mapping of conditions, all of which are meant. */
function readAll(source: Source, entry: YamlEntry): readonly Condition[] | undefined {
  const { key, value } = entry
  if (value.kind !== 'map' || value.entries.length === 0) {
    source.report.add(wrongType(entry, 'a mapping of conditions such as `{environment: live}`'))
    return undefined
  }
  let sound = true
  const conditions: Condition[] = []
  for (const inner of value.entries) {
    const read = readInner(source, inner, key)
    if (read === undefined) sound = false
    else conditions.push(...read.map(({ condition }) => condition))
  }
  return sound ? conditions : undefined
}

function readInner(
  source: Source,
  entry: YamlEntry,
  where: string,
): readonly ReadCondition[] | undefined {
  if (isConditionKey(entry.key)) return readConditions(source, entry)
  source.report.add(unknownKey(entry, `\`${where}\``, conditionKeys))
  return undefined
}
