import { isScope } from '../event/capability.ts'
import { riskLevels } from '../event/capability.ts'
import { printable } from '../event/printable.ts'
import { limits } from '../limits.ts'
import { amountKeys, contextKeys, textKeys } from './language.ts'
import { prefixFault } from './path.ts'
import { nearestHint } from './problem.ts'
import { readNumber, readTexts } from './read-value.ts'
import type { ReadText, Source } from './read-value.ts'
import type { Condition, ContextField } from './rule.ts'
import type { YamlEntry } from './yaml.ts'

/** Whether a key of a rule is a condition. */
export function isConditionKey(key: string): boolean {
  return textKeys.has(key) || amountKeys.has(key) || key === 'path_prefix' || contextKeys.has(key)
}

/** The condition that an entry of a rule states, or undefined after saying everything that is wrong with it. */
export function readCondition(source: Source, entry: YamlEntry): Condition | undefined {
  if (textKeys.has(entry.key)) return readNeedles(source, entry)
  if (entry.key === 'path_prefix') return readPrefixes(source, entry)
  const comparison = amountKeys.get(entry.key)
  if (comparison !== undefined) {
    const threshold = readNumber(source, entry)
    return threshold === undefined ? undefined : { kind: 'amount', comparison, threshold }
  }
  const field = contextKeys.get(entry.key)
  return field === undefined ? undefined : readContext(source, entry, field)
}

function readNeedles(source: Source, entry: YamlEntry): Condition | undefined {
  const needles = readTexts(source, entry, 'a text to look for, or a list of them')
  if (needles === undefined) return undefined
  const sound = checkAll(source, entry, needles, ({ value }) => needleFault(value))
  return sound ? { kind: 'text', needles: valuesOf(needles) } : undefined
}

function needleFault(needle: string): WrittenFault | undefined {
  if (needle.length > limits.maxNeedleCharacters) {
    return { says: `is longer than ${limits.maxNeedleCharacters} characters` }
  }
  return needle.includes('\0') ? { says: 'holds a NUL' } : undefined
}

function readPrefixes(source: Source, entry: YamlEntry): Condition | undefined {
  const prefixes = readTexts(source, entry, 'a path, or a list of them')
  if (prefixes === undefined) return undefined
  const sound = checkAll(source, entry, prefixes, ({ value }) => {
    const fault = prefixFault(value)
    return fault === undefined ? undefined : { says: fault }
  })
  return sound ? { kind: 'path', prefixes: valuesOf(prefixes) } : undefined
}

function readContext(source: Source, entry: YamlEntry, field: ContextField): Condition | undefined {
  const patterns = readTexts(source, entry, 'a text, or a list of them')
  if (patterns === undefined) return undefined
  const sound = checkAll(source, entry, patterns, ({ value }) => patternFault(field, value))
  return sound ? { kind: 'context', field, patterns: valuesOf(patterns) } : undefined
}

/** Refuses what could never match: a rule that is silently dead is a control that somebody believes in. */
function patternFault(field: ContextField, pattern: string): WrittenFault | undefined {
  if (field === 'risk') {
    if (riskLevels.some((level) => level === pattern)) return undefined
    const hint = nearestHint(pattern, riskLevels) ?? `risk levels are ${riskLevels.join(', ')}`
    return { says: 'is no risk level', hint }
  }
  if (field === 'environment') {
    // Any name may stand where a star does.
    return isScope(pattern.replaceAll('*', 'x'))
      ? undefined
      : { says: 'can be no environment; its characters are `A-Z a-z 0-9 _ - .`, and `*` for any' }
  }
  if (/\p{Cc}/u.test(pattern)) return { says: 'holds a control character' }
  if (pattern !== pattern.trim()) return { says: 'begins or ends with white space' }
  if (/[?[\]{}]/.test(pattern)) {
    return {
      says: 'holds a wildcard of another language; `*` is the only one',
      hint: 'write `*` where any characters may stand',
    }
  }
  return undefined
}

interface WrittenFault {
  readonly says: string
  readonly hint?: string | undefined
}

function checkAll(
  source: Source,
  entry: YamlEntry,
  texts: readonly ReadText[],
  check: (text: ReadText) => WrittenFault | undefined,
): boolean {
  let sound = true
  for (const text of texts) {
    const fault = check(text)
    if (fault === undefined) continue
    sound = false
    source.report.add({
      offset: text.node.start,
      code: 'policy-value',
      message: `\`${entry.key}: ${printable(text.value)}\` ${fault.says}`,
      hint: fault.hint,
    })
  }
  return sound
}

function valuesOf(texts: readonly ReadText[]): readonly string[] {
  return texts.map(({ value }) => value)
}
