import { isJsonArray, isJsonObject } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { limits } from '../limits.ts'
import type { Truth } from './answer.ts'
import { wordsOf } from './argument-name.ts'
import { foldText } from './fold.ts'
import { compileGlob } from './glob.ts'
import { anyOf, truthOf } from './truth.ts'

/** The name of a table in the arguments of a call; undefined is one that cannot be read. */
export type TableName = string | undefined

/** Whether a name may be, for a guard, or must be, for a grant, one of a rule's tables. */
export type TableTest = (name: TableName) => Truth

/**
 * Finds what the arguments name as tables, at any depth: texts under names such as `table`, `tableName` or `TABLES`.
 *
 * @returns undefined when the arguments are too large to look at
 */
export function tablesIn(root: JsonObject): readonly TableName[] | undefined {
  const walk = new TableWalk()
  walk.members(root, 0)
  return walk.isTooLarge ? undefined : walk.tables
}

const tableWords = new Set(['table', 'tables', 'tablename', 'tablenames', 'tbl'])

/** Whether what stands under a name is the name of a table. */
export function isTable(name: string): boolean {
  return (
    name.length <= limits.maxNeedleCharacters && wordsOf(name).some((word) => tableWords.has(word))
  )
}

class TableWalk {
  readonly tables: TableName[] = []
  isTooLarge = false
  #visits = 0

  members(object: JsonObject, depth: number): void {
    for (const name of Object.keys(object)) {
      const value = object[name]
      if (value !== undefined) this.#value(value, isTable(name), depth)
    }
  }

  #value(value: JsonValue, isNamed: boolean, depth: number): void {
    this.#visits += 1
    if (depth > limits.maxJsonDepth || this.#visits > limits.maxJsonMembers) this.isTooLarge = true
    if (this.isTooLarge) return
    if (isJsonArray(value)) {
      for (const item of value) this.#value(item, isNamed, depth + 1)
      return
    }
    if (isNamed) this.tables.push(readable(value))
    if (isJsonObject(value)) this.members(value, depth + 1)
  }
}

function readable(value: JsonValue): TableName {
  return typeof value === 'string' && value.length <= limits.maxNeedleCharacters ? value : undefined
}

/** What a name without anything else consists of; what holds more may be a list, a comment or a whole statement. */
const plainName = /^[\p{L}\p{N}_$.-]+$/u

/** For guards: case, quotes and a schema in front aside. */
export function mayBeTable(patterns: readonly string[]): TableTest {
  const tests = patterns.map((pattern) => {
    const parts = unquoted(foldText(pattern) ?? pattern).split('.')
    return { whole: compileGlob(parts.join('.')), last: compileGlob(parts.at(-1) ?? ''), parts }
  })
  return (name) => {
    const folded = name === undefined ? undefined : foldText(name)
    if (folded === undefined) return 'indeterminate'
    const plain = unquoted(folded.trim())
    const found = anyOf(tests.map((test) => tableTruth(test, plain.split('.'))))
    return found === 'false' && !plainName.test(plain) ? 'indeterminate' : found
  }
}

interface PatternTest {
  readonly whole: (text: string) => boolean
  readonly last: (text: string) => boolean
  readonly parts: readonly string[]
}

function tableTruth({ whole, last, parts }: PatternTest, names: readonly string[]): Truth {
  // `public.users` is meant by the pattern `users`.
  const suffixes = names.map((_, at) => names.slice(at).join('.'))
  if (suffixes.some(whole)) return 'true'
  // `users` alone may be `public.users`, as the search path will have it.
  return names.length < parts.length && last(names.at(-1) ?? '') ? 'indeterminate' : 'false'
}

/** For grants: exactly, and nothing but a name. */
export function mustBeTable(patterns: readonly string[]): TableTest {
  const globs = patterns.map(compileGlob)
  return (name) => {
    if (name === undefined || !plainName.test(name)) return 'indeterminate'
    return truthOf(globs.some((glob) => glob(name)))
  }
}

function unquoted(name: string): string {
  return name.replace(/["'`[\]]/g, '')
}
