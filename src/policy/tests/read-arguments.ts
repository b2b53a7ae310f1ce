import { CapFenceError } from '../../errors.ts'
import { printable } from '../../event/printable.ts'
import { Decimal } from '../../json/decimal.ts'
import { toJsonObject } from '../../json/from-js.ts'
import type { JsonObject, JsonValue } from '../../json/value.ts'
import { wrongType } from '../read-value.ts'
import type { Source } from '../read-value.ts'
import type { YamlEntry, YamlNode } from '../yaml.ts'

/** Reads the arguments of a call as the gate would have them; undefined after saying everything that is wrong. */
export function readCallArguments(source: Source, entry: YamlEntry): JsonObject | undefined {
  if (entry.value.kind !== 'map') {
    source.report.add(wrongType(entry, 'a mapping such as `{path: notes.txt}`'))
    return undefined
  }
  const value = jsonOf(source, entry.value)
  if (value === undefined) return undefined
  try {
    // What no message could hold, such as two names that differ in case only, is no call either.
    return toJsonObject(value)
  } catch (error) {
    if (!(error instanceof CapFenceError)) throw error
    source.report.add({
      offset: entry.value.start,
      code: 'policy-value',
      message: `\`${entry.key}\`: ${error.message}`,
      hint: error.hint,
    })
    return undefined
  }
}

/** A node as a call would hold it; undefined after saying what is wrong with it. */
export function jsonOf(source: Source, node: YamlNode): JsonValue | undefined {
  switch (node.kind) {
    case 'null':
      return null
    case 'boolean':
    case 'text':
      return node.value
    case 'number':
      return numberOf(source, node.text, node.start)
    case 'list': {
      const items = node.items.map((item) => jsonOf(source, item))
      const known = items.filter((item) => item !== undefined)
      return known.length === items.length ? known : undefined
    }
    case 'map':
      return objectOf(source, node.entries)
  }
}

function objectOf(source: Source, entries: readonly YamlEntry[]): JsonObject | undefined {
  const object: Record<string, JsonValue> = { __proto__: null }
  let isWhole = true
  for (const { key, value } of entries) {
    const json = jsonOf(source, value)
    if (json === undefined) isWhole = false
    else object[key] = json
  }
  return isWhole ? object : undefined
}

function numberOf(source: Source, text: string, offset: number): Decimal | undefined {
  const number = Decimal.parse(text)
  if (number === undefined) {
    source.report.add({
      offset,
      code: 'policy-value',
      message: `\`${printable(text)}\` is no number of JSON, so that no call can hold it`,
      hint: 'write it as JSON does: `0.5`, `-1`, `1e3`; in quotes it is a text',
    })
  }
  return number
}
