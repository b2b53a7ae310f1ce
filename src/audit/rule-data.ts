import { limits } from '../limits.ts'
import { canonicalJson } from './canonical.ts'
import type { RecordValue } from './record.ts'

/** A rule that took part in an answer; a `DeterminingRule` of the policy room is one. */
export interface RuleFacts {
  readonly id: string
  readonly effect: 'deny' | 'require_approval' | 'allow'
  readonly position: { readonly file: string; readonly line: number; readonly column: number }
  readonly value: 'true' | 'false' | 'indeterminate'
  readonly predicates: readonly {
    readonly predicate: string
    readonly value: 'true' | 'false' | 'indeterminate'
  }[]
}

/** What a decision record says about the rules, and how many of them it does not mention. */
export interface RuleData {
  readonly rules: readonly RecordValue[]
  readonly omitted: number
}

/** A text of a policy file longer than this is cut in the record; the file itself is kept by its hash. */
const maxPolicyTextCharacters = 500

const plain = /^[ -~]*$/

/**
 * The deciding rules within their share of the record, in the order given.
 *
 * A policy may match with hundreds of rules; that must not make its denials unrecordable.
 */
export function ruleData(facts: readonly RuleFacts[]): RuleData {
  const rules: RecordValue[] = []
  let bytesLeft = limits.maxRecordRuleBytes
  for (const fact of facts) {
    const rule = ruleWithin(fact, bytesLeft)
    if (rule === undefined) break
    rules.push(rule.data)
    bytesLeft -= rule.bytes
  }
  return { rules, omitted: facts.length - rules.length }
}

/** Drops a rule's predicates before it drops the rule. */
function ruleWithin(fact: RuleFacts, bytes: number): SizedRule | undefined {
  const full = sized(oneRule(fact, fact.predicates))
  if (full.bytes <= bytes) return full
  const bare = sized(oneRule(fact, []))
  return bare.bytes <= bytes ? bare : undefined
}

function oneRule(fact: RuleFacts, predicates: RuleFacts['predicates']): RecordValue {
  return {
    column: fact.position.column,
    effect: fact.effect,
    file: clip(fact.position.file),
    id: clip(fact.id),
    line: fact.position.line,
    predicates: predicates.map(({ predicate, value }) => ({ predicate: clip(predicate), value })),
    value: fact.value,
  }
}

interface SizedRule {
  readonly data: RecordValue
  readonly bytes: number
}

function sized(data: RecordValue): SizedRule {
  return { data, bytes: Buffer.byteLength(canonicalJson(data), 'utf8') }
}

/** Cuts between characters, and replaces what UTF-8 cannot hold. */
function clip(text: string): string {
  if (text.length <= maxPolicyTextCharacters && plain.test(text)) return text
  const whole = text.replaceAll(/\p{Surrogate}/gu, '\ufffd')
  if (whole.length <= maxPolicyTextCharacters) return whole
  return `${whole.slice(0, maxPolicyTextCharacters).replace(/\p{Surrogate}$/u, '')}…`
}
