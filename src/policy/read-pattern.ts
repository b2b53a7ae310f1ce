import { printable } from '../event/printable.ts'
import { parseCapabilityPattern } from './capability-pattern.ts'
import type { CapabilityPattern } from './capability-pattern.ts'
import { readText } from './read-value.ts'
import type { Source } from './read-value.ts'
import type { YamlEntry } from './yaml.ts'

/** A capability as it is written, and what it matches. */
export interface ReadPattern {
  readonly text: string
  readonly pattern: CapabilityPattern
}

/** Reads `capability`; undefined after saying what is wrong. */
export function readCapability(source: Source, entry: YamlEntry): ReadPattern | undefined {
  const text = readText(source, entry, 'a capability such as `filesystem.delete.workspace`')
  return text === undefined ? undefined : readPattern(source, text, entry.value.start)
}

/** The same for a text that stands at `offset`. */
export function readPattern(source: Source, text: string, offset: number): ReadPattern | undefined {
  const pattern = parseCapabilityPattern(text)
  if (pattern !== undefined) return { text, pattern }
  source.report.add({
    offset,
    code: 'policy-capability',
    message: `\`${printable(text)}\` is no capability`,
    hint: 'write `resource.action.scope` with letters, digits, `_`, `-` and `*` for any; missing names mean any',
  })
  return undefined
}
