import { isJsonArray, isJsonObject } from '../json/value.ts'
import type { JsonValue } from '../json/value.ts'
import { looksSecret } from './secret-names.ts'

/** The texts that stand, at any depth, in members of a value that look like secrets by their names. */
export function secretTexts(value: JsonValue, isSecret = false): readonly string[] {
  if (typeof value === 'string') return isSecret ? [value] : []
  if (isJsonArray(value)) return value.flatMap((one) => secretTexts(one, isSecret))
  if (!isJsonObject(value)) return []
  return Object.entries(value).flatMap(([name, one]) => {
    return secretTexts(one, isSecret || looksSecret(name))
  })
}
