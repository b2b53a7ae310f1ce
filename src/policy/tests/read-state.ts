import { printable } from '../../event/printable.ts'
import { canonicalizeExact } from '../../json/canonical.ts'
import { Decimal } from '../../json/decimal.ts'
import { isAddable } from '../../json/decimal-sum.ts'
import { readBoolean, readNumber, readText, unknownKey, wrongType } from '../read-value.ts'
import type { Source } from '../read-value.ts'
import type { YamlEntry, YamlNode } from '../yaml.ts'
import { jsonOf } from './read-arguments.ts'
import type { TestLabel, TestState } from './test-state.ts'

/**
 * What `state` of a case holds.
 *
 * @internal Exported for tests only.
 */
export const stateKeys: readonly string[] = ['now', 'labels', 'used']

/**
 * What a label of `state` holds that is more than a name.
 *
 * @internal Exported for tests only.
 */
export const stateLabelKeys: readonly string[] = ['name', 'bind', 'proven']

const example =
  'a mapping such as `{now: 2026-11-25T14:00:00Z, labels: [untrusted], used: {spend: 450}}`'

/** Reads `state`: the clock and earlier calls; undefined after saying everything that is wrong. */
export function readState(source: Source, entry: YamlEntry): TestState | undefined {
  const { value } = entry
  if (value.kind !== 'map' || value.entries.length === 0) {
    source.report.add(wrongType(entry, example))
    return undefined
  }
  const reader = new StateReader(source)
  const sound = value.entries.map((inner) => reader.read(inner)).every((isSound) => isSound)
  return sound ? reader : undefined
}

/** Reads the entries of one state. */
class StateReader implements TestState {
  readonly #source: Source
  nowMs: number = Number.NaN
  labels: readonly TestLabel[] = []
  used: ReadonlyMap<string, Decimal> = new Map()

  constructor(source: Source) {
    this.#source = source
  }

  /** Whether the entry is sound. */
  read(entry: YamlEntry): boolean {
    switch (entry.key) {
      case 'now':
        this.nowMs = readInstant(this.#source, entry) ?? Number.NaN
        return !Number.isNaN(this.nowMs)
      case 'labels':
        return this.#readLabels(entry)
      case 'used':
        return this.#readUsed(entry)
      default:
        this.#source.report.add(unknownKey(entry, '`state`', stateKeys))
        return false
    }
  }

  #readLabels(entry: YamlEntry): boolean {
    const { value } = entry
    const nodes = value.kind === 'list' ? value.items : [value]
    const labels = nodes.flatMap((node) => readLabel(this.#source, entry, node) ?? [])
    this.labels = labels
    return labels.length === nodes.length
  }

  #readUsed(entry: YamlEntry): boolean {
    const { value } = entry
    if (value.kind !== 'map' || value.entries.length === 0) {
      this.#source.report.add(wrongType(entry, 'a mapping such as `{spend: 450}`'))
      return false
    }
    const read = value.entries.map(({ key, ...rest }) => {
      return [key, readUsedAmount(this.#source, { key, ...rest })] as const
    })
    const known = read.flatMap(([key, amount]) =>
      amount === undefined ? [] : [[key, amount] as const],
    )
    this.used = new Map(known)
    return known.length === read.length
  }
}

function readUsedAmount(source: Source, entry: YamlEntry): Decimal | undefined {
  const amount = readNumber(source, entry)
  if (amount === undefined || (isAddable(amount) && amount.compare(nothing) >= 0)) return amount
  source.report.add({
    offset: entry.value.start,
    code: 'policy-value',
    message: `\`${entry.key}\` is \`${printable(amount.text)}\`; expected what can be used up, written out`,
  })
  return undefined
}

const nothing = new Decimal('0')

function readLabel(source: Source, entry: YamlEntry, node: YamlNode): TestLabel | undefined {
  const wanted = 'a label, or a mapping such as `{name: looked_up, bind: order-7}`'
  if (node.kind !== 'map') {
    const name = readText(source, { ...entry, value: node }, wanted)
    return name === undefined ? undefined : { name, bind: '', isProven: true }
  }
  const find = (key: string): YamlEntry | undefined => node.entries.find((one) => one.key === key)
  for (const part of node.entries) {
    if (!stateLabelKeys.includes(part.key)) {
      source.report.add(unknownKey(part, 'a label of `state`', stateLabelKeys))
    }
  }
  const [named, bound, proven] = [find('name'), find('bind'), find('proven')]
  if (named === undefined) source.report.add(wrongType({ ...entry, value: node }, wanted))
  const name = named && readText(source, named, 'the name of a label')
  const bind = bound === undefined ? '' : bindOf(source, bound)
  const isProven = proven === undefined ? true : readBoolean(source, proven)
  const isKnown = node.entries.every(({ key }) => stateLabelKeys.includes(key))
  if (!isKnown || name === undefined || bind === undefined || isProven === undefined)
    return undefined
  return { name, bind, isProven }
}

/** What a rule compares the value with that a label is about. */
function bindOf(source: Source, entry: YamlEntry): string | undefined {
  const value = jsonOf(source, entry.value)
  if (value === undefined) return undefined
  try {
    return canonicalizeExact(value)
  } catch {
    source.report.add(wrongType(entry, 'a value that a call can hold'))
    return undefined
  }
}

/** RFC 3339 with the zone: a time without one is another time in every place. */
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/

function readInstant(source: Source, entry: YamlEntry): number | undefined {
  const wanted = 'a time such as `2026-11-25T14:00:00Z`'
  const text = readText(source, entry, wanted)
  if (text === undefined) return undefined
  const ms = instant.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(ms) && dayExists(text)) return ms
  source.report.add({
    offset: entry.value.start,
    code: 'policy-value',
    message: `\`${entry.key}\` is \`${printable(text)}\`; expected ${wanted}`,
    hint: 'the zone is `Z` for UTC, or `+01:00`',
  })
  return undefined
}

/** The language takes 31 February for 3 March. */
function dayExists(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number)
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
}
