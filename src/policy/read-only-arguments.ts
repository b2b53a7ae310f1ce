import type { OnlyCondition } from './condition.ts'
import { parsePointer } from './pointer.ts'
import { readChecked } from './read-needles.ts'
import { wrongType } from './read-value.ts'
import type { Source } from './read-value.ts'
import type { YamlEntry } from './yaml.ts'

const wanted = 'a list of JSON Pointers such as `[/path, /options/mode]`, or `[]` for no arguments'

/** Reads `only_args`: a list of pointers, which may be empty; undefined after saying everything that is wrong with it. */
export function readOnlyArguments(source: Source, entry: YamlEntry): OnlyCondition | undefined {
  const { value } = entry
  if (value.kind !== 'list') {
    source.report.add(wrongType(entry, wanted))
    return undefined
  }
  if (value.items.length === 0) return { kind: 'only', pointers: [] }
  const texts = readChecked(source, entry, {
    wanted,
    check: (text) =>
      (parsePointer(text)?.tokens.length ?? 0) > 0
        ? undefined
        : { says: 'is no JSON Pointer', hint: 'write `/` before each name: `/path`, `/paths/*`' },
  })
  const pointers = texts?.flatMap((text) => parsePointer(text) ?? [])
  return pointers === undefined ? undefined : { kind: 'only', pointers }
}
