import { printJson } from '../audit/redacted-json.ts'
import { scanStrict, wanted } from '../json/scan.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { isJsonArray, isJsonObject } from '../json/value.ts'
import { CapFenceError } from '../errors.ts'
import { shownJson } from './shown.ts'

/**
 * What a command prints with `--json`, as the page reads it: what came from a call stands in it as text (`argumentsText`,
 * `text`), because a browser reads numbers as doubles and would show others than were sent.
 *
 * @param more members that are added
 */
export function pageText(line: string, more: Readonly<Record<string, JsonValue>> = {}): string {
  const { value } = scanStrict(new TextEncoder().encode(line), wanted({}))
  if (!isJsonObject(value)) throw new CapFenceError('JSON_INVALID', 'a command printed no object')
  const members: Record<string, JsonValue> = { __proto__: null }
  for (const [name, member] of Object.entries(value)) {
    if (name === 'arguments') {
      members['argumentsText'] = member === null ? null : shownJson(printJson(member))
    } else if (name === 'sealed' && isJsonArray(member)) members[name] = member.map(sealedText)
    else members[name] = member
  }
  return shownJson(printJson(Object.assign(members, more)))
}

function sealedText(value: JsonValue): JsonObject {
  if (!isJsonObject(value)) throw new CapFenceError('JSON_INVALID', 'a kept value is no object')
  const { member = null, name = null, value: kept = null } = value
  return { member, name, text: shownJson(printJson(kept)) }
}
