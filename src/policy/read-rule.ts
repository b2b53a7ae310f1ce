import { printable } from '../event/printable.ts'
import { limits } from '../limits.ts'
import type { Effect } from './answer.ts'
import { parseCapabilityPattern } from './capability-pattern.ts'
import type { Condition } from './condition.ts'
import { refusedRuleKeys, ruleKeys } from './language.ts'
import { readApproval } from './read-approval.ts'
import { isConditionKey, readConditions } from './read-condition.ts'
import { contentName, nameLimit, readLimits } from './read-limit.ts'
import { readCapability, readPattern } from './read-pattern.ts'
import type { ReadPattern } from './read-pattern.ts'
import { nodeKind, readText, refusedKey, unknownKey } from './read-value.ts'
import type { Source } from './read-value.ts'
import type { ApprovalTerms, PolicyRule, RuleSource } from './rule.ts'
import { wholeEntry, writtenEntry } from './written.ts'
import type { YamlEntry, YamlNode } from './yaml.ts'

/** Where a rule stands: in which list, and as which of its items, from zero. */
export interface RulePlace {
  readonly effect: Effect
  /** The key of the list. */
  readonly list: string
  readonly index: number
  /** What the rule is about when it does not say so. */
  readonly capability?: string
}

/** Reads one item of a list; undefined after saying everything that is wrong with it. */
export function readRule(source: Source, node: YamlNode, place: RulePlace): RuleSource | undefined {
  if (node.kind === 'text') return readBareRule(source, node, place)
  if (node.kind === 'map') return new RuleReader(source, place).read(node.entries, node.start)
  source.report.add({
    offset: node.start,
    code: node.kind === 'null' ? 'policy-empty' : 'policy-type',
    message: `a rule of \`${place.list}\` is ${nodeKind(node)}; expected a capability or a mapping`,
    hint: 'write `- filesystem.read.workspace` or `- {capability: filesystem.read.workspace}`',
  })
  return undefined
}

/** A capability on its own is a rule without conditions. */
function readBareRule(
  source: Source,
  node: YamlNode & { readonly kind: 'text' },
  place: RulePlace,
): RuleSource | undefined {
  const read = readPattern(source, node.value, node.start)
  if (read === undefined) return undefined
  const rule = {
    id: positionalId(place),
    effect: place.effect,
    capability: node.value,
    position: source.report.position(node.start),
    predicates: [],
  }
  return { rule, pattern: read.pattern, conditions: [] }
}

function positionalId({ list, index }: RulePlace): string {
  return `${list}[${index}]`
}

/** Reads the entries of one rule. */
class RuleReader {
  readonly #source: Source
  readonly #place: RulePlace
  #sound = true
  #id: string | undefined
  #capability: ReadPattern | undefined
  #message: string | undefined
  #description: string | undefined
  #approval: ApprovalTerms | undefined
  // A list of one is made as such: most rules have no more than one condition, and a list that grows takes room for many.
  #predicates: readonly string[] = []
  #conditions: readonly Condition[] = []
  #hasLimit = false
  /** The conditions that are no limits. */
  #contents: readonly YamlEntry[] = []

  constructor(source: Source, place: RulePlace) {
    this.#source = source
    this.#place = place
  }

  read(entries: readonly YamlEntry[], start: number): RuleSource | undefined {
    for (const entry of entries) {
      if (!this.#readEntry(entry)) this.#sound = false
    }
    if (!entries.some(({ key }) => key === 'capability')) this.#assumeCapability(start)
    if (!this.#sound || this.#capability === undefined) return undefined
    const { text, pattern } = this.#capability
    const conditions = this.#hasLimit
      ? this.#conditions.map((condition) => this.#named(condition))
      : this.#conditions
    return { rule: this.#rule(text, start), pattern, conditions }
  }

  #rule(capability: string, start: number): PolicyRule {
    const rule: PolicyRule = {
      id: this.#id ?? positionalId(this.#place),
      effect: this.#place.effect,
      capability,
      position: this.#source.report.position(start),
      predicates: this.#predicates,
    }
    const says = this.#message ?? this.#description ?? this.#approval
    if (says === undefined) return rule
    return {
      ...rule,
      ...(this.#message === undefined ? {} : { message: this.#message }),
      ...(this.#description === undefined ? {} : { description: this.#description }),
      ...(this.#approval === undefined ? {} : { approval: this.#approval }),
    }
  }

  #assumeCapability(start: number): void {
    const text = this.#place.capability
    const pattern = text === undefined ? undefined : parseCapabilityPattern(text)
    if (text !== undefined && pattern !== undefined) {
      this.#capability = { text, pattern }
      return
    }
    this.#source.report.add({
      offset: start,
      code: 'policy-capability',
      message: `a rule of \`${this.#place.list}\` has no \`capability\``,
      hint: 'write `capability: "*"` if it is about every call',
    })
  }

  /** Whether the entry is sound. */
  #readEntry(entry: YamlEntry): boolean {
    if (isConditionKey(entry.key)) return this.#readCondition(entry)
    switch (entry.key) {
      case 'capability':
        return (this.#capability = readCapability(this.#source, entry)) !== undefined
      case 'id':
        return (this.#id = readId(this.#source, entry)) !== undefined
      case 'limit':
        return this.#readLimit(entry)
      case 'message':
        return (this.#message = readWords(this.#source, entry)) !== undefined
      case 'description':
        return (this.#description = readWords(this.#source, entry)) !== undefined
      case 'approval':
        return (this.#approval = this.#readApproval(entry)) !== undefined
      default:
        return this.#refuseKey(entry)
    }
  }

  #readCondition(entry: YamlEntry): boolean {
    const read = readConditions(this.#source, entry)
    if (read === undefined) return false
    this.#conditions = joined(
      this.#conditions,
      read.map(({ condition }) => condition),
    )
    this.#predicates = joined(
      this.#predicates,
      read.map(({ written }) => written),
    )
    this.#contents = joined(this.#contents, [entry])
    return true
  }

  #readLimit(entry: YamlEntry): boolean {
    const read = readLimits(this.#source, entry)
    if (read === undefined) return false
    this.#hasLimit = true
    const written = writtenEntry(this.#source.text, entry)
    this.#conditions = joined(this.#conditions, read)
    this.#predicates = joined(
      this.#predicates,
      read.map(() => written),
    )
    return true
  }

  /** Charges are kept under the rule's own id; without one, under what it says besides its limits. */
  #named(condition: Condition): Condition {
    if (condition.kind !== 'limit') return condition
    const { effect } = this.#place
    const whole = this.#contents.map((entry) => wholeEntry(this.#source.text, entry))
    const content = [effect, this.#capability?.text ?? '', ...whole]
    const owner = this.#id === undefined ? `content:${contentName(content)}` : `rule:${this.#id}`
    const { sum } = condition.terms
    const identity = sum === undefined ? owner : `${owner} ${sum.text}`
    return nameLimit(condition, { identity, name: this.#id ?? positionalId(this.#place) })
  }

  #readApproval(entry: YamlEntry): ApprovalTerms | undefined {
    if (this.#place.effect !== 'require_approval') {
      this.#source.report.add({
        offset: entry.keyStart,
        code: 'policy-value',
        message: `\`approval\` on a rule of \`${this.#place.effect}\`, which asks nobody`,
        hint: 'move the rule to `require_approval`, or remove the key',
      })
      return undefined
    }
    return readApproval(this.#source, entry)
  }

  #refuseKey(entry: YamlEntry): boolean {
    const refused = refusedRuleKeys.get(entry.key)
    this.#source.report.add(
      refused === undefined ? unknownKey(entry, 'a rule', ruleKeys) : refusedKey(entry, refused),
    )
    return false
  }
}

/** One of them where the other is empty. */
function joined<Item>(some: readonly Item[], more: readonly Item[]): readonly Item[] {
  return some.length === 0 ? more : [...some, ...more]
}

/** Reads `id`; undefined after saying what is wrong. */
export function readId(source: Source, entry: YamlEntry): string | undefined {
  const id = readText(source, entry, 'a name for the rule')
  if (id === undefined || /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(id)) return id
  source.report.add({
    offset: entry.value.start,
    code: 'policy-id',
    message: `\`id\` is \`${printable(id)}\`; expected up to 64 of \`A-Z a-z 0-9 . _ -\`, a letter or digit first`,
  })
  return undefined
}

/** Words for people: bounded, and without what could move a cursor. */
export function readWords(source: Source, entry: YamlEntry): string | undefined {
  const words = readText(source, entry, 'a text')?.trim()
  if (words === undefined) return undefined
  const most = limits.maxRuleMessageCharacters
  const fault =
    words.length > most
      ? `has ${words.length} characters; at most ${most} are read`
      : /(?!\n)\p{Cc}/u.test(words)
        ? 'holds a control character'
        : undefined
  if (fault === undefined) return words
  source.report.add({
    offset: entry.value.start,
    code: 'policy-value',
    message: `\`${entry.key}\` ${fault}`,
  })
  return undefined
}
