import { Decimal } from '../json/decimal.ts'
import { isJsonArray } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'

/** Freezes an object and all it holds, and returns it. */
export function freezeObject(object: JsonObject): JsonObject {
  for (const value of Object.values(object)) freezeValue(value)
  return Object.freeze(object)
}

function freezeValue(value: JsonValue): void {
  if (typeof value !== 'object' || value === null) return
  if (value instanceof Decimal) {
    Object.freeze(value)
  } else if (isJsonArray(value)) {
    for (const item of value) freezeValue(item)
    Object.freeze(value)
  } else {
    freezeObject(value)
  }
}
