import type { ActionEvent } from '../event/action-event.ts'
import { isScope, isSegment } from '../event/capability.ts'
import type { RiskLevel } from '../event/capability.ts'
import { limits } from '../limits.ts'
import type {
  AnswerReason,
  DeterminingRule,
  Effect,
  PolicyAnswer,
  PredicateValue,
  Truth,
} from './answer.ts'
import { NameRoles } from './argument-name.ts'
import { CallFacts } from './call-facts.ts'
import type { CapabilityPattern } from './capability-pattern.ts'
import { allOf, grantTest, guardTest } from './compile-condition.ts'
import type { Test } from './compile-condition.ts'
import type { RiskActions } from './read-policy.ts'
import { RuleIndex } from './rule-index.ts'
import type { PolicyRule, RuleSource } from './rule.ts'
import { NeedleSet } from './text.ts'

/** A rule ready to be asked; `order` is its place in the policy. */
interface CompiledRule {
  readonly rule: PolicyRule
  readonly pattern: CapabilityPattern
  readonly order: number
  tests: readonly Test[]
}

/** What one rule, whose capability fits, makes of an event. */
export interface RuleAccount {
  readonly rule: PolicyRule
  readonly value: Truth
  readonly predicates: readonly PredicateValue[]
  /** Whether the rule takes part: a guard unless it is false, a grant only if it is true. */
  readonly applies: boolean
}

type Applying = readonly [rule: CompiledRule, value: Truth]

/** Files that were loaded together and compiled; the same event always gets the same answer. */
export class Policy {
  /** In the order of the files. */
  readonly rules: readonly PolicyRule[]
  readonly #guards: Readonly<Record<Exclude<Effect, 'allow'>, RuleIndex<CompiledRule>>>
  readonly #grants: RuleIndex<CompiledRule>
  readonly #risks: RiskActions
  readonly #names = new NameRoles()

  constructor(sources: readonly RuleSource[], risks: RiskActions) {
    this.rules = sources.map(({ rule }) => rule)
    this.#risks = risks
    const compiled = sources.map((source, order) => ({ source, order }))
    const of = (effect: Effect): readonly { source: RuleSource; order: number }[] =>
      compiled.filter(({ source }) => source.rule.effect === effect)
    this.#guards = {
      deny: guardIndex(of('deny')),
      require_approval: guardIndex(of('require_approval')),
    }
    this.#grants = grantIndex(of('allow'))
  }

  get ruleCount(): number {
    return this.rules.length
  }

  /** Says what becomes of an event; never throws and never hangs, whatever the event (POLICY.md 1). */
  decide(event: ActionEvent): PolicyAnswer {
    if (!isValid(event)) return { decision: 'deny', reason: 'indeterminate', rules: [] }
    const facts = new CallFacts(event, this.#names)
    const denies = applying(this.#guards.deny, facts)
    if (denies.length > 0) return ruleAnswer('deny', denies, facts)
    const risk = this.#riskAction(event.risk)
    const approvals = applying(this.#guards.require_approval, facts)
    if (risk === 'deny') return riskAnswer('deny', event.risk)
    if (approvals.length > 0) return ruleAnswer('require_approval', approvals, facts)
    if (risk === 'require_approval') return riskAnswer('require_approval', event.risk)
    const allows = granting(this.#grants, facts)
    if (allows.length > 0) return ruleAnswer('allow', allows, facts)
    return { decision: 'deny', reason: 'default', rules: [] }
  }

  /** What every rule whose capability fits makes of an event, in the order of the files. */
  explain(event: ActionEvent): readonly RuleAccount[] {
    if (!isValid(event)) return []
    const facts = new CallFacts(event, this.#names)
    const fitting: CompiledRule[] = []
    for (const index of [this.#guards.deny, this.#guards.require_approval, this.#grants]) {
      index.visit(event.capability, (rule) => {
        fitting.push(rule)
        return false
      })
    }
    return fitting
      .toSorted((one, other) => one.order - other.order)
      .map((compiled) => accountOf(compiled, facts))
  }

  /** An unknown risk may be any, so it is treated as the one that is treated most strictly. */
  #riskAction(risk: RiskLevel | undefined): Exclude<Effect, 'allow'> | undefined {
    if (risk !== undefined) return this.#risks.get(risk)
    const actions = [...this.#risks.values()]
    return actions.includes('deny') ? 'deny' : actions[0]
  }
}

function isValid({ capability }: ActionEvent): boolean {
  return isSegment(capability.resource) && isSegment(capability.action) && isScope(capability.scope)
}

type Numbered = readonly { readonly source: RuleSource; readonly order: number }[]

function guardIndex(sources: Numbered): RuleIndex<CompiledRule> {
  const conditions = new Map<CompiledRule, RuleSource['conditions']>()
  const rules = sources.map(({ source, order }) => {
    const compiled: CompiledRule = { rule: source.rule, pattern: source.pattern, order, tests: [] }
    conditions.set(compiled, source.conditions)
    return compiled
  })
  const index = new RuleIndex(rules, true)
  for (const bucket of index.buckets()) {
    const needles = new NeedleSet()
    for (const compiled of bucket) {
      compiled.tests = (conditions.get(compiled) ?? []).map((condition) =>
        guardTest(condition, needles),
      )
    }
  }
  return index
}

function grantIndex(sources: Numbered): RuleIndex<CompiledRule> {
  const rules = sources.map(({ source, order }) => ({
    rule: source.rule,
    pattern: source.pattern,
    order,
    tests: source.conditions.map(grantTest),
  }))
  return new RuleIndex<CompiledRule>(rules, false)
}

/** The guards that apply: all but those that are false. */
function applying(index: RuleIndex<CompiledRule>, facts: CallFacts): readonly Applying[] {
  const found: Applying[] = []
  if (index.isEmpty) return found
  index.visit(facts.event.capability, (rule) => {
    const value = valueOf(rule, facts)
    if (value !== 'false') found.push([rule, value])
    return false
  })
  return found
}

function granting(index: RuleIndex<CompiledRule>, facts: CallFacts): readonly Applying[] {
  const found: Applying[] = []
  index.visit(facts.event.capability, (rule) => {
    if (valueOf(rule, facts) === 'true') found.push([rule, 'true'])
    return false
  })
  return found
}

/** All of a rule's conditions must hold; the first that does not settles it. */
function valueOf({ tests }: CompiledRule, facts: CallFacts): Truth {
  let value: Truth = 'true'
  for (const test of tests) {
    const one = test(facts)
    if (one === 'false') return 'false'
    if (one === 'indeterminate') value = 'indeterminate'
  }
  return value
}

function ruleAnswer(decision: Effect, found: readonly Applying[], facts: CallFacts): PolicyAnswer {
  const inOrder = found.toSorted(([one], [other]) => one.order - other.order)
  const named = inOrder.slice(0, limits.maxDeterminingRules)
  const reason: AnswerReason = found.some(([, value]) => value === 'true')
    ? 'rule'
    : 'indeterminate'
  const omittedRules = inOrder.length - named.length
  return {
    decision,
    reason,
    rules: named.map(([compiled, value]) => determining(compiled, value, facts)),
    ...(omittedRules > 0 && { omittedRules }),
  }
}

function determining(compiled: CompiledRule, value: Truth, facts: CallFacts): DeterminingRule {
  const { id, effect, position, message } = compiled.rule
  return {
    id,
    effect,
    position,
    value,
    predicates: predicateValues(compiled, facts),
    ...(message !== undefined && { message }),
  }
}

function predicateValues(
  { rule, tests }: CompiledRule,
  facts: CallFacts,
): readonly PredicateValue[] {
  return tests.map((test, at) => ({
    predicate: rule.predicates[at] ?? '',
    value: test(facts),
  }))
}

function accountOf(compiled: CompiledRule, facts: CallFacts): RuleAccount {
  const predicates = predicateValues(compiled, facts)
  const value = allOf(predicates.map((predicate) => predicate.value))
  const applies = compiled.rule.effect === 'allow' ? value === 'true' : value !== 'false'
  return { rule: compiled.rule, value, predicates, applies }
}

function riskAnswer(decision: Exclude<Effect, 'allow'>, risk: RiskLevel | undefined): PolicyAnswer {
  return { decision, reason: 'risk', rules: [], ...(risk !== undefined && { risk }) }
}
