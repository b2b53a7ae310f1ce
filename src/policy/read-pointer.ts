import { printable } from '../event/printable.ts'
import { limits } from '../limits.ts'
import { parsePointer } from './pointer.ts'
import type { Pointer } from './pointer.ts'
import { readText } from './read-value.ts'
import type { Source } from './read-value.ts'
import type { YamlEntry } from './yaml.ts'

/**
 * A JSON Pointer that stands as a value, or undefined after saying what is wrong.
 *
 * @param places whether `*` may stand in it for any element
 */
export function readPointerValue(
  source: Source,
  entry: YamlEntry,
  places: 'one' | 'several',
): Pointer | undefined {
  const text = readText(source, entry, 'a JSON Pointer such as `/amount`')
  if (text === undefined) return undefined
  const pointer = text.length > limits.maxPointerCharacters ? undefined : parsePointer(text)
  const isPointer = pointer !== undefined && pointer.tokens.length > 0
  if (isPointer && (places === 'several' || !pointer.tokens.includes(undefined))) return pointer
  source.report.add({
    offset: entry.value.start,
    code: 'policy-value',
    message: `\`${entry.key}: ${printable(text)}\` is no JSON Pointer${isPointer ? ' to one value' : ''}`,
    hint: 'write `/` before each name: `/amount`, `/order/id`',
  })
  return undefined
}
