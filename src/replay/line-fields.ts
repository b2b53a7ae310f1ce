import { CapFenceError } from '../errors.ts'
import { nearestName } from '../event/nearest.ts'
import { Decimal } from '../json/decimal.ts'
import { excerpt } from '../json/json-error.ts'
import type { JsonArray, JsonObject, JsonValue } from '../json/value.ts'
import { isJsonArray, isJsonObject } from '../json/value.ts'

/** Says what is wrong with a line; whoever knows its number adds that. */
export function badLine(what: string, hint?: string): CapFenceError {
  return new CapFenceError('TRACE_INVALID', what, hint === undefined ? {} : { hint })
}

/**
 * The fields of one line of a trace, each of which must be known and of its type.
 *
 * @throws CapFenceError `TRACE_INVALID`, without the number of the line
 */
export class LineFields {
  readonly #object: JsonObject
  readonly #at: string

  /** @param at where the object stands in the line, such as `verdict.` */
  constructor(object: JsonObject, known: ReadonlySet<string>, at = '') {
    this.#object = object
    this.#at = at
    for (const name of Object.keys(object)) {
      if (known.has(name)) continue
      const near = nearestName(name, known)
      throw badLine(
        `unknown field ${excerpt(at + name)}`,
        near === undefined ? `known are ${[...known].join(', ')}` : `did you mean \`${near}\`?`,
      )
    }
  }

  has(name: string): boolean {
    return this.#object[name] !== undefined
  }

  text(name: string): string {
    const value = this.#object[name]
    return typeof value === 'string' ? value : this.#wrong(name, 'text')
  }

  /** Null stands for absent here too. */
  textOrNull(name: string): string | null {
    const value = this.#object[name] ?? null
    return value === null || typeof value === 'string' ? value : this.#wrong(name, 'text')
  }

  flag(name: string, usual: boolean): boolean {
    const value = this.#object[name] ?? usual
    return typeof value === 'boolean' ? value : this.#wrong(name, '`true` or `false`')
  }

  flagOrNull(name: string): boolean | null {
    const value = this.#object[name] ?? null
    return value === null || typeof value === 'boolean'
      ? value
      : this.#wrong(name, '`true` or `false`')
  }

  /** A whole number from 0 to 2^53-1. */
  count(name: string): number {
    return this.countOrNull(name) ?? this.#wrong(name, 'a whole number')
  }

  countOrNull(name: string): number | null {
    const value = this.#object[name] ?? null
    if (value === null) return null
    if (!(value instanceof Decimal) || !/^(?:0|[1-9][0-9]{0,15})$/.test(value.text)) {
      return this.#wrong(name, 'a whole number')
    }
    const number = value.toNumber()
    return Number.isSafeInteger(number) ? number : this.#wrong(name, 'a whole number below 2^53')
  }

  oneOf<T extends string>(name: string, known: readonly T[]): T {
    const value = this.#object[name]
    const found = known.find((one) => one === value)
    return found ?? this.#wrong(name, known.map((one) => `\`${one}\``).join(' or '))
  }

  object(name: string): JsonObject {
    const value = this.#object[name]
    return isJsonObject(value) ? value : this.#wrong(name, 'an object')
  }

  /** An empty list when it is absent. */
  list(name: string): JsonArray {
    const value = this.#object[name]
    if (value === undefined) return []
    return isJsonArray(value) ? value : this.#wrong(name, 'a list')
  }

  texts(name: string): readonly string[] {
    return this.list(name).map((value) =>
      typeof value === 'string' ? value : this.#wrong(name, 'a list of texts'),
    )
  }

  objects(name: string): readonly JsonObject[] {
    return this.list(name).map((value) =>
      isJsonObject(value) ? value : this.#wrong(name, 'a list of objects'),
    )
  }

  hash(name: string): string {
    const value = this.text(name)
    return isHash(value) ? value : this.#wrong(name, '64 lower-case hex digits')
  }

  hashOrNull(name: string): string | null {
    return this.textOrNull(name) === null ? null : this.hash(name)
  }

  #wrong(name: string, wanted: string): never {
    const value = this.#object[name]
    const is = value === undefined ? 'is missing' : `is ${shortly(value)}`
    throw badLine(`\`${this.#at}${name}\` ${is}; expected ${wanted}`)
  }
}

/** Whether a text is a SHA-256 as it is written here. */
function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}

function shortly(value: JsonValue): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return excerpt(value)
  if (value instanceof Decimal) return excerpt(value.text).slice(1, -1)
  return isJsonArray(value) ? 'a list' : 'an object'
}
