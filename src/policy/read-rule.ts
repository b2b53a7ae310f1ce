import { printable } from '../event/printable.ts'
import { limits } from '../limits.ts'
import type { Effect } from './answer.ts'
import { parseCapabilityPattern } from './capability-pattern.ts'
import type { CapabilityPattern } from './capability-pattern.ts'
import type { Condition } from './condition.ts'
import { refusedRuleKeys, ruleKeys } from './language.ts'
import { readApproval } from './read-approval.ts'
import { isConditionKey, readConditions } from './read-condition.ts'
import { nodeKind, readText, refusedKey, unknownKey } from './read-value.ts'
import type { Source } from './read-value.ts'
import type { ApprovalTerms, PolicyRule, RuleSource } from './rule.ts'
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
  const pattern = readPattern(source, node.value, node.start)
  if (pattern === undefined) return undefined
  const rule = {
    id: positionalId(place),
    effect: place.effect,
    capability: node.value,
    position: source.report.position(node.start),
    predicates: [],
  }
  return { rule, pattern, conditions: [] }
}

function positionalId({ list, index }: RulePlace): string {
  return `${list}[${index}]`
}

function readPattern(source: Source, text: string, offset: number): CapabilityPattern | undefined {
  const pattern = parseCapabilityPattern(text)
  if (pattern !== undefined) return pattern
  source.report.add({
    offset,
    code: 'policy-capability',
    message: `\`${printable(text)}\` is no capability`,
    hint: 'write `resource.action.scope` with letters, digits, `_`, `-` and `*` for any; missing names mean any',
  })
  return undefined
}

/** Reads the entries of one rule. */
class RuleReader {
  readonly #source: Source
  readonly #place: RulePlace
  #sound = true
  #id: string | undefined
  #capability: { readonly text: string; readonly pattern: CapabilityPattern } | undefined
  #message: string | undefined
  #description: string | undefined
  #approval: ApprovalTerms | undefined
  readonly #predicates: string[] = []
  readonly #conditions: Condition[] = []

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
    return { rule: this.#rule(text, start), pattern, conditions: this.#conditions }
  }

  #rule(capability: string, start: number): PolicyRule {
    return {
      id: this.#id ?? positionalId(this.#place),
      effect: this.#place.effect,
      capability,
      position: this.#source.report.position(start),
      predicates: this.#predicates,
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
        return this.#readCapability(entry)
      case 'id':
        return (this.#id = this.#readId(entry)) !== undefined
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
    this.#conditions.push(...read.map(({ condition }) => condition))
    this.#predicates.push(...read.map(({ written }) => written))
    return true
  }

  #readCapability(entry: YamlEntry): boolean {
    const text = readText(this.#source, entry, 'a capability such as `filesystem.delete.workspace`')
    if (text === undefined) return false
    const pattern = readPattern(this.#source, text, entry.value.start)
    if (pattern === undefined) return false
    this.#capability = { text, pattern }
    return true
  }

  #readId(entry: YamlEntry): string | undefined {
    const id = readText(this.#source, entry, 'a name for the rule')
    if (id === undefined || /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(id)) return id
    this.#source.report.add({
      offset: entry.value.start,
      code: 'policy-id',
      message: `\`id\` is \`${printable(id)}\`; expected up to 64 of \`A-Z a-z 0-9 . _ -\`, a letter or digit first`,
    })
    return undefined
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
