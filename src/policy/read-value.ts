import { printable } from '../event/printable.ts'
import { Decimal } from '../json/decimal.ts'
import { isInRange } from './amount.ts'
import type { RefusedKey } from './language.ts'
import { nearestHint } from './problem.ts'
import type { Fault, Report } from './report.ts'
import type { YamlEntry, YamlNode } from './yaml.ts'

/** The file that is being read: its text, for quoting, and where faults go. */
export interface Source {
  readonly text: string
  readonly report: Report
}

/** What `node` is, in words for a message. */
export function nodeKind(node: YamlNode): string {
  switch (node.kind) {
    case 'map':
      return node.entries.length === 0 ? 'an empty mapping' : 'a mapping'
    case 'list':
      return node.items.length === 0 ? 'an empty list' : 'a list'
    case 'text':
      return `the text \`${printable(node.value)}\``
    case 'number':
      return `the number \`${printable(node.text)}\``
    case 'boolean':
      return `\`${String(node.value)}\``
    case 'null':
      return 'empty'
  }
}

/** The fault of a key whose value has the wrong type. */
export function wrongType(
  entry: YamlEntry,
  wanted: string,
  node: YamlNode = entry.value,
  hint?: string,
): Fault {
  const empty = node.kind === 'null'
  return {
    offset: empty ? entry.keyStart : node.start,
    code: empty ? 'policy-empty' : 'policy-type',
    message: empty
      ? `\`${entry.key}\` has no value; expected ${wanted}`
      : `\`${entry.key}\` is ${nodeKind(node)}; expected ${wanted}`,
    hint,
  }
}

/** The fault of a key that nobody knows. */
export function unknownKey(entry: YamlEntry, where: string, known: readonly string[]): Fault {
  return {
    offset: entry.keyStart,
    code: 'policy-key',
    message: `unknown key \`${printable(entry.key)}\` in ${where}`,
    hint: nearestHint(entry.key, known) ?? `known are ${known.join(', ')}`,
  }
}

/** The fault of a key that is known, or was known to the original, and cannot be honoured. */
export function refusedKey({ key, keyStart }: YamlEntry, { reason, hint }: RefusedKey): Fault {
  return {
    offset: keyStart,
    code: 'policy-unsupported',
    message: `\`${printable(key)}\` ${reason}`,
    hint,
  }
}

/** A text, or undefined after saying what is wrong. */
export function readText(source: Source, entry: YamlEntry, wanted: string): string | undefined {
  const { value } = entry
  if (value.kind === 'text' && value.value.trim() !== '') return value.value
  if (value.kind === 'text') {
    source.report.add({
      offset: value.start,
      code: 'policy-empty',
      message: `\`${entry.key}\` is an empty text; expected ${wanted}`,
    })
    return undefined
  }
  source.report.add(wrongType(entry, wanted, value, quoteHint(value)))
  return undefined
}

/** One text of a list, with the node that holds it. */
export interface ReadText {
  readonly value: string
  readonly node: YamlNode
}

/** One text or a list of them, or undefined after saying everything that is wrong. */
export function readTexts(
  source: Source,
  entry: YamlEntry,
  wanted: string,
): readonly ReadText[] | undefined {
  const { value } = entry
  const nodes = value.kind === 'list' ? value.items : [value]
  if (nodes.length === 0) {
    source.report.add({
      offset: value.start,
      code: 'policy-empty',
      message: `\`${entry.key}\` is an empty list, which nothing can match; expected ${wanted}`,
    })
    return undefined
  }
  const texts = nodes.flatMap((node) => {
    const text = readText(source, { ...entry, value: node }, wanted)
    return text === undefined ? [] : [{ value: text, node }]
  })
  return texts.length === nodes.length ? texts : undefined
}

/** An exact number, or undefined after saying what is wrong. */
export function readNumber(source: Source, entry: YamlEntry): Decimal | undefined {
  const { value } = entry
  const wanted = 'a plain number such as `1000` or `0.5`'
  if (value.kind === 'number') {
    const number = Decimal.parse(value.text)
    if (number !== undefined && isInRange(number)) return number
    source.report.add({
      offset: value.start,
      code: 'policy-value',
      message: `\`${entry.key}\` is \`${printable(value.text)}\`; expected ${wanted}`,
    })
    return undefined
  }
  const unquoted = value.kind === 'text' && Decimal.parse(value.value) !== undefined
  source.report.add(wrongType(entry, wanted, value, unquoted ? 'remove the quotes' : undefined))
  return undefined
}

/** The least and the greatest number that something may be, both included. */
export interface Bounds {
  readonly least: number
  readonly most: number
}

/** A whole number between two bounds, both included, or undefined after saying what is wrong. */
export function readCount(
  source: Source,
  entry: YamlEntry,
  { least, most }: Bounds,
): number | undefined {
  const wanted = `a whole number from ${least} to ${most}`
  const { value } = entry
  if (value.kind !== 'number') {
    source.report.add(wrongType(entry, wanted))
    return undefined
  }
  const number = /^[0-9]{1,15}$/.test(value.text) ? Number(value.text) : Number.NaN
  if (number >= least && number <= most) return number
  source.report.add({
    offset: value.start,
    code: 'policy-value',
    message: `\`${entry.key}\` is \`${printable(value.text)}\`; expected ${wanted}`,
  })
  return undefined
}

/** One of some names, or undefined after saying what is wrong. */
export function readName<Name extends string>(
  source: Source,
  entry: YamlEntry,
  names: readonly Name[],
): Name | undefined {
  const { value } = entry
  const wanted = `one of ${names.map((name) => `\`${name}\``).join(', ')}`
  if (value.kind !== 'text') {
    source.report.add(wrongType(entry, wanted))
    return undefined
  }
  const known = names.find((name) => name === value.value)
  if (known !== undefined) return known
  source.report.add({
    offset: value.start,
    code: 'policy-value',
    message: `\`${entry.key}\` is \`${printable(value.value)}\`; expected ${wanted}`,
    hint: nearestHint(value.value, names),
  })
  return undefined
}

/** One of some names or a list of them, or undefined after saying everything that is wrong. */
export function readNames<Name extends string>(
  source: Source,
  entry: YamlEntry,
  names: readonly Name[],
): readonly Name[] | undefined {
  const wanted = `one of ${names.map((name) => `\`${name}\``).join(', ')}, or a list of them`
  const written = readTexts(source, entry, wanted)
  if (written === undefined) return undefined
  const known = written.flatMap(
    ({ node }) => readName(source, { ...entry, value: node }, names) ?? [],
  )
  return known.length === written.length ? known : undefined
}

/** `true` or `false`, or undefined after saying what is wrong. */
export function readBoolean(source: Source, entry: YamlEntry): boolean | undefined {
  const { value } = entry
  if (value.kind === 'boolean') return value.value
  source.report.add(wrongType(entry, '`true` or `false`'))
  return undefined
}

/** A number or `yes` that was meant as text stands in quotes. */
function quoteHint(node: YamlNode): string | undefined {
  return node.kind === 'number' || node.kind === 'boolean' ? 'put it in quotes' : undefined
}
