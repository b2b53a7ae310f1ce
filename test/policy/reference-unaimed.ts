// Texts and tables anywhere in the arguments, in the reference evaluator; see reference.ts.

import { and, isList, isObject, or } from './reference-json.ts'
import type { Json, Truth } from './reference-json.ts'
import { readingsAsJson } from './reference-text.ts'
import { fold, isFound, oneLine, star } from './reference-value.ts'

/** Guards: any candidate; grants: all, and one at least. */
export function quantify(values: readonly Truth[], guard: boolean): Truth {
  if (values.length === 0) return 'indeterminate'
  return guard ? or(values) : and(values)
}

export interface Named {
  readonly name: string
  readonly value: Json
}

/** Every value below a name, also objects and lists, in the order of the text; list elements have the list's name. */
export function everything(value: Json, name: string): readonly Named[] {
  const inner = isList(value)
    ? value.flatMap((item) => everything(item, name))
    : isObject(value)
      ? Object.entries(value).flatMap(([key, one]) => everything(one, key))
      : []
  return [{ name, value }, ...inner]
}

function namesIn(value: Json): readonly string[] {
  if (isList(value)) return value.flatMap(namesIn)
  return isObject(value)
    ? Object.entries(value).flatMap(([key, inner]) => [key, ...namesIn(inner)])
    : []
}

/** What a server may find in the texts of a call: as they stand, and read as JSON once, twice and so on. */
function readingsOf(root: Json): ReturnType<typeof readingsAsJson> {
  const values = leavesOf(root).map((value) =>
    typeof value === 'object' && value !== null && 'number' in value
      ? String(value.number)
      : String(value),
  )
  return readingsAsJson({ values, names: namesIn(root) })
}

function leavesOf(root: Json): readonly Json[] {
  return everything(root, '')
    .map(({ value }) => value)
    .filter((value) => !isObject(value) && !isList(value))
}

export function containsValue(needles: readonly string[], root: Json, guard: boolean): Truth {
  if (guard) {
    const readings = readingsOf(root)
    if (readings === undefined) return 'indeterminate'
    return readings.some(({ values, names }) => {
      return needles.some((needle) => isFound(needle, values, names))
    })
      ? 'true'
      : 'false'
  }
  return eachText(root, (text) => needles.some((needle) => text.includes(needle)))
}

/** A pattern that the generator writes means the same to JavaScript as to RE2; every candidate is tried with it. */
export function regexValue(patterns: readonly string[], root: Json, guard: boolean): Truth {
  if (guard) {
    const readings = readingsOf(root)
    if (readings === undefined) return 'indeterminate'
    const candidates = readings.flatMap(({ values, names }) => {
      return [...values, ...names, values.join(' ')].map((text) => text.replaceAll('\0', ''))
    })
    const isHit = candidates
      .flatMap((text) => [text, fold(text)])
      .some((text) => patterns.some((pattern) => new RegExp(pattern, 'i').test(text)))
    return isHit ? 'true' : 'false'
  }
  return eachText(root, (text) => {
    return patterns.some((pattern) => new RegExp(`^(?:${pattern})$`).test(text))
  })
}

/** For grants: what holds of every text of a call, of which there is one, and each is one line. */
function eachText(root: Json, holds: (text: string) => boolean): Truth {
  const texts = leavesOf(root).filter((value) => typeof value === 'string')
  return quantify(
    texts.map((text) => (oneLine(text) && holds(text) ? 'true' : 'false')),
    false,
  )
}

/** Names of the generator under which a call names a table. */
const tableNames: ReadonlySet<string> = new Set(['table', 'Tables', 'tableName'])

export function tableValue(patterns: readonly string[], root: Json, guard: boolean): Truth {
  const tables = everything(root, '').filter(
    ({ name, value }) => tableNames.has(name) && !isList(value),
  )
  return quantify(
    tables.map(({ value }) => oneTable(value, patterns, guard)),
    guard,
  )
}

function oneTable(value: Json, patterns: readonly string[], guard: boolean): Truth {
  if (typeof value !== 'string') return 'indeterminate'
  const plain = (text: string): boolean => /^[\p{L}\p{N}_$.-]+$/u.test(text)
  if (!guard) {
    if (!plain(value)) return 'indeterminate'
    return patterns.some((pattern) => star(pattern, value)) ? 'true' : 'false'
  }
  const bare = (text: string): string =>
    fold(text)
      .trim()
      .replace(/["'`[\]]/g, '')
  const names = bare(value).split('.')
  const values = patterns.map((pattern): Truth => {
    const parts = bare(pattern).split('.')
    if (names.some((_, at) => star(parts.join('.'), names.slice(at).join('.')))) return 'true'
    const isShort = names.length < parts.length && star(parts.at(-1) ?? '', names.at(-1) ?? '')
    return isShort ? 'indeterminate' : 'false'
  })
  // A NUL may end the name to one server and not to another.
  const isName = plain(bare(value)) && !value.includes('\0')
  return or(isName ? values : [...values, 'indeterminate'])
}
