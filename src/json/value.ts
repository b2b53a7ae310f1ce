import { Decimal } from './decimal.ts'

/**
 * A JSON value as policy sees it.
 *
 * Numbers are exact decimals, never doubles: `JSON.parse` turns 1000.00000000000000001 into 1000.
 * Objects have no prototype, so that `constructor` and `__proto__` are ordinary absent names (THREATS B31).
 */
export type JsonValue = null | boolean | string | Decimal | JsonArray | JsonObject

/** The elements, in the order of the message. */
export type JsonArray = readonly JsonValue[]

/** Own properties only; `Object.getPrototypeOf(object) === null` always holds. */
export interface JsonObject {
  readonly [name: string]: JsonValue
}

/** Whether a value is an object, and neither an array nor a number. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !isJsonArray(value) &&
    !(value instanceof Decimal)
  )
}

/** Whether a value is an array. */
export function isJsonArray(value: JsonValue | undefined): value is JsonArray {
  return Array.isArray(value)
}
