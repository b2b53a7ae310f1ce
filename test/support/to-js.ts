import { isJsonArray, isJsonObject } from '../../src/json/value.ts'
import type { JsonValue } from '../../src/json/value.ts'

/**
 * The value as `JSON.parse` would give it: ordinary objects, and numbers as the nearest doubles.
 *
 * For people and logs. It can lose digits, so nothing that was judged may be run from it; `stringify` keeps them.
 */
export function toPlain(value: JsonValue): unknown {
  if (isJsonArray(value)) return value.map(toPlain)
  if (isJsonObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name, toPlain(member)]),
    )
  }
  return typeof value === 'object' && value !== null ? value.toNumber() : value
}

/** The value as JSON text without white space, with every number exactly as it was written. */
export function stringify(value: JsonValue): string {
  if (isJsonArray(value)) return `[${value.map(stringify).join(',')}]`
  if (isJsonObject(value)) {
    const members = Object.entries(value)
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${stringify(member)}`).join(',')}}`
  }
  return typeof value === 'object' && value !== null ? value.text : JSON.stringify(value)
}
