import { isJsonObject } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'

export { isJsonObject } from '../json/value.ts'

/** An object without members. */
export const emptyObject: JsonObject = Object.freeze({ __proto__: null })

/** A text member of an object, or undefined. */
export function textMember(value: JsonValue | undefined, name: string): string | undefined {
  const member = isJsonObject(value) ? value[name] : undefined
  return typeof member === 'string' ? member : undefined
}
