import { printable } from '../event/printable.ts'
import { limits } from '../limits.ts'
import type { ProblemCode } from './problem.ts'
import { readTexts, unknownKey, wrongType } from './read-value.ts'
import type { ReadText, Source } from './read-value.ts'
import type { YamlEntry } from './yaml.ts'

/** What is wrong with a text of the file, as the end of a sentence. */
export interface WrittenFault {
  readonly says: string
  readonly hint?: string | undefined
  /** `policy-value` when it is not said. */
  readonly code?: ProblemCode
}

/** One text to look for, or several; undefined after saying everything that is wrong. */
export function readNeedles(source: Source, entry: YamlEntry): readonly string[] | undefined {
  return readChecked(source, entry, {
    wanted: 'a text to look for, or a list of them',
    check: needleFault,
  })
}

/** What a text or a list of texts has to be. */
export interface TextCheck {
  readonly wanted: string
  readonly check: (text: string) => WrittenFault | undefined
}

/** One text or a list of them, each of which passes a check; undefined after saying everything that is wrong. */
export function readChecked(
  source: Source,
  entry: YamlEntry,
  { wanted, check }: TextCheck,
): readonly string[] | undefined {
  const texts = readTexts(source, entry, wanted)
  if (texts === undefined) return undefined
  const faults = texts.map((text) => reportFault(source, entry, text, check(text.value)))
  return faults.includes(true) ? undefined : texts.map(({ value }) => value)
}

/** A mapping of some known keys to such texts, by key; undefined after saying everything that is wrong. */
export function readCheckedMap<Key extends string>(
  source: Source,
  entry: YamlEntry,
  wanted: string,
  checks: ReadonlyMap<Key, TextCheck>,
): ReadonlyMap<Key, readonly string[]> | undefined {
  const { value } = entry
  if (value.kind !== 'map' || value.entries.length === 0) {
    source.report.add(wrongType(entry, wanted))
    return undefined
  }
  const read = new Map<Key, readonly string[]>()
  for (const inner of value.entries) {
    const [key, check] = [...checks].find(([known]) => known === inner.key) ?? []
    if (key === undefined || check === undefined) {
      source.report.add(unknownKey(inner, `\`${entry.key}\``, [...checks.keys()]))
      continue
    }
    const texts = readChecked(source, inner, check)
    if (texts !== undefined) read.set(key, texts)
  }
  return read.size === value.entries.length ? read : undefined
}

function needleFault(needle: string): WrittenFault | undefined {
  if (needle.length > limits.maxNeedleCharacters) {
    return { says: `is longer than ${limits.maxNeedleCharacters} characters` }
  }
  return needle.includes('\0') ? { says: 'holds a NUL' } : undefined
}

function reportFault(
  source: Source,
  entry: YamlEntry,
  { value, node }: ReadText,
  fault: WrittenFault | undefined,
): boolean {
  if (fault === undefined) return false
  source.report.add({
    offset: node.start,
    code: fault.code ?? 'policy-value',
    message: `\`${entry.key}: ${printable(value)}\` ${fault.says}`,
    hint: fault.hint,
  })
  return true
}
