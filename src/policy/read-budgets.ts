import type { Decimal } from '../json/decimal.ts'
import type { Position } from './answer.ts'
import type { Condition, ContextField } from './condition.ts'
import { conditionKeys } from './language.ts'
import type { LimitTerms } from './limit.ts'
import type { Pointer } from './pointer.ts'
import { isConditionKey, readConditions } from './read-condition.ts'
import type { ReadCondition } from './read-condition.ts'
import { readDuration } from './read-duration.ts'
import { readMostAmount, readPer } from './read-limit.ts'
import { ruleNodes } from './read-list.ts'
import { readCapability } from './read-pattern.ts'
import type { ReadPattern } from './read-pattern.ts'
import { readPointerValue } from './read-pointer.ts'
import { readId, readWords } from './read-rule.ts'
import { nodeKind, readName, unknownKey, wrongType } from './read-value.ts'
import type { Source } from './read-value.ts'
import type { RuleSource } from './rule.ts'
import { writtenEntry } from './written.ts'
import type { YamlEntry, YamlNode } from './yaml.ts'

/**
 * A pot that several capabilities share: one guard for each of them, which applies when a call does not fit into it.
 *
 * A call that is in several pots is charged to all of them or, when one of its guards denies or holds it, to none.
 */
export interface Budget {
  readonly id: string
  readonly position: Position
  readonly rules: readonly RuleSource[]
}

/**
 * What an item of `budgets` holds.
 *
 * @internal Exported for tests only.
 */
export const budgetKeys: readonly string[] = [
  'id',
  'limit',
  'window',
  'per',
  'on_exceed',
  'from',
  'message',
  'description',
]
const fromKeys: readonly string[] = ['capability', 'sum', ...conditionKeys]
const exceedActions = ['deny', 'require_approval'] as const
const example = '- {id: spend, limit: 500, window: 24h, from: [{capability: pay, sum: /amount}]}'

/** Reads `budgets`. */
export function readBudgets(source: Source, entry: YamlEntry): readonly Budget[] {
  return ruleNodes(source, entry).flatMap((node) => {
    if (node.kind === 'map') return new BudgetReader(source).read(node.entries, node.start) ?? []
    source.report.add({
      offset: node.start,
      code: node.kind === 'null' ? 'policy-empty' : 'policy-type',
      message: `a budget is ${nodeKind(node)}; expected a mapping`,
      hint: `write \`${example}\``,
    })
    return []
  })
}

/** One capability that a budget is spent by. */
interface Spender {
  readonly capability: ReadPattern
  readonly sum: Pointer | undefined
  readonly conditions: readonly Condition[]
  readonly written: readonly string[]
  readonly position: Position
}

/** Reads the entries of one budget. */
class BudgetReader {
  readonly #source: Source
  #id: string | undefined
  #limit: Decimal | undefined
  #windowMs: number | undefined
  #per: readonly ContextField[] | undefined = []
  #onExceed: (typeof exceedActions)[number] | undefined = 'deny'
  #spenders: readonly Spender[] | undefined
  #message: string | undefined
  readonly #written: string[] = []

  constructor(source: Source) {
    this.#source = source
  }

  read(entries: readonly YamlEntry[], start: number): Budget | undefined {
    const sound = entries.map((entry) => this.#readEntry(entry)).every((isSound) => isSound)
    for (const name of ['id', 'limit', 'window', 'from']) {
      if (entries.some(({ key }) => key === name)) continue
      this.#source.report.add({
        offset: start,
        code: 'policy-empty',
        message: `a budget has no \`${name}\``,
        hint: `write \`${example}\``,
      })
    }
    const [id, max, windowMs, per] = [this.#id, this.#limit, this.#windowMs, this.#per]
    if (!sound || id === undefined || max === undefined || windowMs === undefined) return undefined
    if (per === undefined || this.#spenders === undefined) return undefined
    const sums = this.#spenders.some(({ sum }) => sum !== undefined)
    const identity = `budget:${id}${sums ? ' sum' : ''}`
    const terms = { identity, name: id, max, windowMs, per }
    const rules = this.#spenders.map((spender, at) => this.#ruleOf(spender, terms, at))
    return { id, position: this.#source.report.position(start), rules }
  }

  #ruleOf(spender: Spender, terms: Omit<LimitTerms, 'sum'>, at: number): RuleSource {
    const { capability, conditions, written, position, sum } = spender
    return {
      rule: {
        id: `${terms.name}[${at}]`,
        effect: this.#onExceed ?? 'deny',
        capability: capability.text,
        position,
        predicates: [...written, `budget ${terms.name}: {${this.#written.join(', ')}}`],
        ...(this.#message === undefined ? {} : { message: this.#message }),
      },
      pattern: capability.pattern,
      conditions: [...conditions, { kind: 'limit', terms: { ...terms, sum } }],
    }
  }

  /** Whether the entry is sound. */
  #readEntry(entry: YamlEntry): boolean {
    switch (entry.key) {
      case 'id':
        return (this.#id = readId(this.#source, entry)) !== undefined
      case 'limit':
        this.#written.push(writtenEntry(this.#source.text, entry))
        return (this.#limit = readMostAmount(this.#source, entry)) !== undefined
      case 'window':
        this.#written.push(writtenEntry(this.#source.text, entry))
        return (this.#windowMs = readDuration(this.#source, entry)) !== undefined
      case 'per':
        this.#written.push(writtenEntry(this.#source.text, entry))
        return (this.#per = readPer(this.#source, entry)) !== undefined
      case 'on_exceed':
        return (this.#onExceed = readName(this.#source, entry, exceedActions)) !== undefined
      case 'from':
        return (this.#spenders = this.#readSpenders(entry)) !== undefined
      case 'message':
        return (this.#message = readWords(this.#source, entry)) !== undefined
      case 'description':
        return readWords(this.#source, entry) !== undefined
      default:
        this.#source.report.add(unknownKey(entry, '`budgets`', budgetKeys))
        return false
    }
  }

  #readSpenders(entry: YamlEntry): readonly Spender[] | undefined {
    const { value } = entry
    if (value.kind !== 'list' || value.items.length === 0) {
      this.#source.report.add(
        wrongType(entry, 'a list such as `[{capability: pay, sum: /amount}]`'),
      )
      return undefined
    }
    const spenders = value.items.flatMap((item) => this.#readSpender(entry, item) ?? [])
    if (spenders.length < value.items.length) return undefined
    const sums = spenders.filter(({ sum }) => sum !== undefined).length
    if (sums === 0 || sums === spenders.length) return spenders
    this.#source.report.add({
      offset: value.start,
      code: 'policy-value',
      message: '`from` counts calls in one place and adds up amounts in another',
      hint: 'give every item a `sum`, or none',
    })
    return undefined
  }

  #readSpender(entry: YamlEntry, node: YamlNode): Spender | undefined {
    if (node.kind !== 'map' || node.entries.length === 0) {
      const wanted = 'a mapping such as `{capability: pay, sum: /amount}`'
      this.#source.report.add(wrongType({ ...entry, value: node }, wanted))
      return undefined
    }
    const reader = new SpenderReader(this.#source)
    return reader.read(node.entries, node.start)
  }
}

/** Reads the entries of one item of `from`. */
class SpenderReader {
  readonly #source: Source
  #capability: ReadPattern | undefined
  #sum: Pointer | undefined
  readonly #read: ReadCondition[] = []

  constructor(source: Source) {
    this.#source = source
  }

  read(entries: readonly YamlEntry[], start: number): Spender | undefined {
    const sound = entries.map((entry) => this.#readEntry(entry)).every((isSound) => isSound)
    if (!entries.some(({ key }) => key === 'capability')) {
      this.#source.report.add({
        offset: start,
        code: 'policy-capability',
        message: 'an item of `from` has no `capability`',
        hint: 'write `capability: "*"` if it is about every call',
      })
    }
    if (!sound || this.#capability === undefined) return undefined
    return {
      capability: this.#capability,
      sum: this.#sum,
      conditions: this.#read.map(({ condition }) => condition),
      written: this.#read.map(({ written }) => written),
      position: this.#source.report.position(start),
    }
  }

  /** Whether the entry is sound. */
  #readEntry(entry: YamlEntry): boolean {
    if (isConditionKey(entry.key)) {
      const read = readConditions(this.#source, entry)
      this.#read.push(...(read ?? []))
      return read !== undefined
    }
    switch (entry.key) {
      case 'capability':
        return (this.#capability = readCapability(this.#source, entry)) !== undefined
      case 'sum':
        return (this.#sum = readPointerValue(this.#source, entry, 'several')) !== undefined
      default:
        this.#source.report.add(unknownKey(entry, '`from`', fromKeys))
        return false
    }
  }
}
