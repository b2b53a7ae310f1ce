import { printable } from '../event/printable.ts'
import { Decimal } from '../json/decimal.ts'
import { isAddable } from '../json/decimal-sum.ts'
import type { ContextField, LimitCondition } from './condition.ts'
import { contextKeys } from './language.ts'
import type { LimitTerms } from './limit.ts'
import type { Pointer } from './pointer.ts'
import { readDuration } from './read-duration.ts'
import { readPointerValue } from './read-pointer.ts'
import { readCount, readNames, readNumber, unknownKey, wrongType } from './read-value.ts'
import type { Source } from './read-value.ts'
import type { YamlEntry } from './yaml.ts'

/**
 * What `limit` holds.
 *
 * @internal Exported for tests only.
 */
export const limitKeys: readonly string[] = ['max', 'window', 'per', 'sum']

/** What a limit may be counted apart for. */
export const perKeys: readonly ContextField[] = [
  'actor',
  'environment',
  'role',
  'tenant',
  'server',
  'tool',
  'session',
]

const wantedLimit = 'a mapping such as `{max: 60, window: 1h, per: [actor]}`, or a list of them'
const mostCalls = { least: 1, most: 1_000_000_000 }

/**
 * Reads `limit` of a rule: one limit or a list of them, all of which are meant.
 *
 * Their names are those of the rule, which may stand further down: `nameLimits` puts them in.
 */
export function readLimits(
  source: Source,
  entry: YamlEntry,
): readonly LimitCondition[] | undefined {
  const { value } = entry
  const nodes = value.kind === 'list' ? value.items : [value]
  if (nodes.length === 0) source.report.add(wrongType(entry, wantedLimit))
  const read = nodes.flatMap((node) => {
    const terms = new LimitReader(source).read({ ...entry, value: node })
    return terms === undefined ? [] : [{ kind: 'limit' as const, terms }]
  })
  return nodes.length > 0 && read.length === nodes.length ? read : undefined
}

/** Reads what a limit counts apart for; undefined after saying everything that is wrong. */
export function readPer(source: Source, entry: YamlEntry): readonly ContextField[] | undefined {
  const names = readNames(source, entry, perKeys)
  return names?.map((name) => contextKeys.get(name) ?? name)
}

/** Reads the greatest sum of amounts: positive, and written out. */
export function readMostAmount(source: Source, entry: YamlEntry): Decimal | undefined {
  const max = readNumber(source, entry)
  if (max === undefined || (isAddable(max) && max.compare(zero) > 0)) return max
  source.report.add({
    offset: entry.value.start,
    code: 'policy-value',
    message: `\`${entry.key}\` is \`${printable(max.text)}\`; expected a number above 0, written out`,
    hint: 'to allow nothing at all write a `deny` rule',
  })
  return undefined
}

const zero = new Decimal('0')

/** Reads the entries of one limit. */
class LimitReader {
  readonly #source: Source
  #max: YamlEntry | undefined
  #windowMs: number | undefined
  #per: readonly ContextField[] | undefined = []
  #sum: Pointer | undefined

  constructor(source: Source) {
    this.#source = source
  }

  read(entry: YamlEntry): LimitTerms | undefined {
    if (entry.value.kind !== 'map' || entry.value.entries.length === 0) {
      this.#source.report.add(wrongType(entry, wantedLimit))
      return undefined
    }
    const { entries } = entry.value
    const missing = (['max', 'window'] as const).filter(
      (name) => !entries.some(({ key }) => key === name),
    )
    const sound = entries.map((part) => this.#readPart(part)).every((isSound) => isSound)
    const max = this.#readMax()
    for (const name of missing) this.#complain(entry, name)
    if (!sound || max === undefined) return undefined
    if (this.#windowMs === undefined || this.#per === undefined) return undefined
    const [windowMs, per, sum] = [this.#windowMs, this.#per, this.#sum]
    return { identity: '', name: '', max, windowMs, per, sum }
  }

  /** Whether the entry is sound. */
  #readPart(entry: YamlEntry): boolean {
    switch (entry.key) {
      case 'max':
        this.#max = entry
        return true
      case 'window':
        return (this.#windowMs = readDuration(this.#source, entry)) !== undefined
      case 'per':
        return (this.#per = readPer(this.#source, entry)) !== undefined
      case 'sum':
        return (this.#sum = readPointerValue(this.#source, entry, 'several')) !== undefined
      default:
        this.#source.report.add(unknownKey(entry, '`limit`', limitKeys))
        return false
    }
  }

  /** Calls are counted in whole numbers, amounts are not. */
  #readMax(): Decimal | undefined {
    if (this.#max === undefined) return undefined
    if (this.#sum !== undefined) return readMostAmount(this.#source, this.#max)
    const most = readCount(this.#source, this.#max, mostCalls)
    return most === undefined ? undefined : new Decimal(String(most))
  }

  #complain(entry: YamlEntry, name: 'max' | 'window'): void {
    this.#source.report.add({
      offset: entry.value.start,
      code: 'policy-empty',
      message: `\`limit\` has no \`${name}\``,
      hint: 'write `{max: 60, window: 1h}`',
    })
  }
}

/** A limit with the names under which its charges are kept and shown. */
export function nameLimit(
  condition: LimitCondition,
  names: Pick<LimitTerms, 'identity' | 'name'>,
): LimitCondition {
  return { kind: 'limit', terms: { ...condition.terms, ...names } }
}

/**
 * A name made of what a rule says, for a rule that has none: it stays the same when other rules move.
 *
 * Two sums of 32 bits; nobody gains by rules that share one, because then they share what is left too.
 */
export function contentName(parts: readonly string[]): string {
  let [one, other] = [0x811c9dc5, 0x9747b28c]
  for (const character of JSON.stringify(parts)) {
    const code = character.codePointAt(0) ?? 0
    one = Math.imul(one ^ code, 0x01000193)
    other = Math.imul(other ^ code, 0x5bd1e995)
    other ^= other >>> 13
  }
  return [one, other].map((sum) => (sum >>> 0).toString(16).padStart(8, '0')).join('')
}
