import { ActionEvent } from '../event/action-event.ts'
import type { Capability, RiskLevel } from '../event/capability.ts'
import { limits } from '../limits.ts'
import type { Effect, PolicyAnswer, PredicateValue, Truth } from './answer.ts'
import { NameRoles } from './argument-name.ts'
import { CompiledRule } from './compiled-rule.ts'
import { Facts } from './facts.ts'
import { grantPredicate, guardPredicate } from './predicate.ts'
import type { RiskActions } from './read-policy.ts'
import { RuleIndex } from './rule-index.ts'
import type { PolicyRule, RuleSource } from './rule.ts'
import { NeedleSet } from './text.ts'

/** The guards of one capability pattern; they look for their texts together. */
interface GuardBucket {
  readonly deny: CompiledRule[]
  readonly approval: CompiledRule[]
  readonly needles: NeedleSet
}

/** What one rule, whose capability fits, makes of a call. */
export interface RuleAccount {
  readonly rule: PolicyRule
  readonly value: Truth
  readonly predicates: readonly PredicateValue[]
  /** Whether the rule takes part: a guard unless it is false, a grant only if it is true. */
  readonly applies: boolean
}

/**
 * The rules that govern: what is not allowed is denied, and the stricter rule always wins (POLICY.md 1).
 *
 * Deciding asks nobody and keeps nothing: the same event gets the same answer next year.
 */
export class Policy {
  /** In the order of the files. */
  readonly rules: readonly PolicyRule[]
  readonly #guards: RuleIndex<GuardBucket>
  readonly #grants: RuleIndex<CompiledRule[]>
  readonly #risks: RiskActions
  readonly #unknownRisk: Exclude<Effect, 'allow'> | undefined
  readonly #names = new NameRoles()

  /** For rules that were read and found right; `loadPolicy` makes a policy of files. */
  constructor(sources: readonly RuleSource[], risks: RiskActions) {
    this.rules = Object.freeze(sources.map(({ rule }) => Object.freeze(rule)))
    this.#guards = new RuleIndex(() => ({ deny: [], approval: [], needles: new NeedleSet() }))
    this.#grants = new RuleIndex(() => [])
    this.#risks = risks
    this.#unknownRisk = strictest([...risks.values()])
    for (const [order, source] of sources.entries()) this.#add(source, order)
  }

  get ruleCount(): number {
    return this.rules.length
  }

  /** Answers for one event. It never throws: what cannot be decided is denied. */
  decide(event: ActionEvent): PolicyAnswer {
    try {
      return ActionEvent.isEvent(event) ? this.#decide(event) : undecidable
    } catch {
      return undecidable
    }
  }

  /** What every rule whose capability fits makes of an event, in the order of the files; dearer than `decide`. */
  explain(event: ActionEvent): readonly RuleAccount[] {
    if (!ActionEvent.isEvent(event)) return []
    const facts = new Facts(event, this.#names)
    const guards = this.#guards.find(folded(event.capability))
    const rules = [
      ...guards.flatMap(({ deny, approval }) => [...deny, ...approval]),
      ...this.#grants.find(event.capability).flat(),
    ]
    return rules.toSorted(byOrder).map((rule) => accountOf(rule, facts))
  }

  #add(source: RuleSource, order: number): void {
    if (source.rule.effect === 'allow') {
      const rule = new CompiledRule(source, order, grantPredicate)
      this.#grants.bucketOf(source.pattern).push(rule)
      return
    }
    const bucket = this.#guards.bucketOf(folded(source.pattern))
    const rule = new CompiledRule(source, order, (condition) =>
      guardPredicate(condition, bucket.needles),
    )
    if (source.rule.effect === 'deny') bucket.deny.push(rule)
    else bucket.approval.push(rule)
  }

  #decide(event: ActionEvent): PolicyAnswer {
    const facts = new Facts(event, this.#names)
    const guards = this.#guards.find(folded(event.capability))
    const denied = firstTier(
      guards.map(({ deny }) => deny),
      facts,
    )
    if (denied !== undefined) return denied
    const risk = this.#riskAction(event.risk)
    if (risk === 'deny') return riskAnswer('deny', event.risk)
    const held = firstTier(
      guards.map(({ approval }) => approval),
      facts,
    )
    if (held !== undefined) return held
    const granted = grantTier(this.#grants.find(event.capability), facts)
    if (granted === undefined) return byDefault
    // Risk only tightens: what no rule allows is not worth a question either (POLICY.md 7).
    return risk === undefined ? granted : riskAnswer(risk, event.risk)
  }

  #riskAction(risk: RiskLevel | undefined): Exclude<Effect, 'allow'> | undefined {
    return risk === undefined ? this.#unknownRisk : this.#risks.get(risk)
  }
}

const byDefault: PolicyAnswer = Object.freeze({
  decision: 'deny',
  reason: 'default',
  rules: Object.freeze([]),
})

const undecidable: PolicyAnswer = Object.freeze({
  decision: 'deny',
  reason: 'indeterminate',
  rules: Object.freeze([]),
})

/** Guards ignore case; names of capabilities are ASCII, so that lower case is all there is to it. */
function folded({ resource, action, scope }: Capability): Capability {
  return {
    resource: resource.toLowerCase(),
    action: action.toLowerCase(),
    scope: scope.toLowerCase(),
  }
}

/** A risk that nobody stated may be any, so the strictest action stands. */
function strictest(
  actions: readonly Exclude<Effect, 'allow'>[],
): Exclude<Effect, 'allow'> | undefined {
  return actions.includes('deny') ? 'deny' : actions[0]
}

function riskAnswer(decision: Effect, risk: RiskLevel | undefined): PolicyAnswer {
  return { decision, reason: 'risk', rules: [], ...(risk === undefined ? {} : { risk }) }
}

function firstTier(
  tier: readonly (readonly CompiledRule[])[],
  facts: Facts,
): PolicyAnswer | undefined {
  const applied: CompiledRule[] = []
  let certain = false
  for (const rules of tier) {
    for (const rule of rules) {
      const value = rule.evaluate(facts)
      if (value === 'false') continue
      applied.push(rule)
      certain ||= value === 'true'
    }
  }
  return answerOf(applied, certain, facts)
}

function grantTier(
  tier: readonly (readonly CompiledRule[])[],
  facts: Facts,
): PolicyAnswer | undefined {
  const applied: CompiledRule[] = []
  for (const rules of tier) {
    for (const rule of rules) {
      if (rule.evaluate(facts) === 'true') applied.push(rule)
    }
  }
  return answerOf(applied, true, facts)
}

function answerOf(
  applied: readonly CompiledRule[],
  certain: boolean,
  facts: Facts,
): PolicyAnswer | undefined {
  const [first, ...others] = applied
  if (first === undefined) return undefined
  if (others.length === 0 && certain) return first.certainAnswer
  const named = applied.toSorted(byOrder).slice(0, limits.maxDeterminingRules)
  const omittedRules = applied.length - named.length
  return {
    decision: first.source.rule.effect,
    reason: certain ? 'rule' : 'indeterminate',
    rules: named.map((rule) => rule.account(facts)),
    ...(omittedRules === 0 ? {} : { omittedRules }),
  }
}

function accountOf(compiled: CompiledRule, facts: Facts): RuleAccount {
  const { rule } = compiled.source
  const { value, predicates } = compiled.account(facts)
  const applies = rule.effect === 'allow' ? value === 'true' : value !== 'false'
  return { rule, value, predicates, applies }
}

function byOrder(one: CompiledRule, other: CompiledRule): number {
  return one.order - other.order
}
