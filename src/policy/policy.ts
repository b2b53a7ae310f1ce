import { ActionEvent } from '../event/action-event.ts'
import type { RiskLevel } from '../event/capability.ts'
import type { Effect, PolicyAnswer, PredicateValue, Truth } from './answer.ts'
import { NameRoles } from './argument-name.ts'
import { CompiledRule } from './compiled-rule.ts'
import type { InvariantSource } from './invariant.ts'
import type { Condition } from './condition.ts'
import { Facts } from './facts.ts'
import { anythingParsed, nothingParsed, parsingOfDecision } from './parsing.ts'
import type { Parsing } from './parsing.ts'
import { compileCondition } from './predicate.ts'
import type { Problem } from './problem.ts'
import type { RiskActions } from './read-policy.ts'
import { lowerCased, RuleIndex } from './rule-index.ts'
import type { PolicyRule, RuleSource } from './rule.ts'
import { CompiledLabel } from './label.ts'
import type { LabelSource } from './label.ts'
import type { LimitTerms } from './limit.ts'
import { NeedleSet } from './needle.ts'
import { asksState } from './state.ts'
import type { PolicyState } from './state.ts'
import {
  addLabel,
  addRule,
  byOrder,
  consequencesOf,
  grantTier,
  guardTier,
  newBucket,
  spentTier,
} from './tiers.ts'
import type { Bucket } from './tiers.ts'

/** What a policy says besides its rules. */
export interface PolicyTerms {
  readonly risks: RiskActions
  readonly notes: readonly Problem[]
  readonly labels: readonly LabelSource[]
  readonly invariants: readonly InvariantSource[]
}

/** What one rule, whose capability fits, makes of a call. */
export interface RuleAccount {
  readonly rule: PolicyRule
  readonly value: Truth
  readonly predicates: readonly PredicateValue[]
  /** What each predicate asks, as plain data. */
  readonly conditions: readonly Condition[]
  /** Whether the rule takes part: a guard unless it is false, a grant only if it is true. */
  readonly applies: boolean
}

/**
 * The rules that govern: what is not allowed is denied, and the stricter rule always wins (POLICY.md 1).
 *
 * Deciding asks nobody and keeps nothing: the same event and state get the same answer next year.
 */
export class Policy {
  /** In the order of the files. */
  readonly rules: readonly PolicyRule[]
  /** What each of the rules was read from, in the same order. */
  readonly sources: readonly RuleSource[]
  readonly risks: RiskActions
  /** What calls do to their sessions. */
  readonly labels: readonly LabelSource[]
  /** What has to hold for it; whoever lets it govern has it proven first: `requireInvariants`. */
  readonly invariants: readonly InvariantSource[]
  /** What its authors should know, in the order of the files. */
  readonly notes: readonly Problem[]
  /** Each once, in the order of the files. */
  readonly limits: readonly LimitTerms[]
  /** The labels that calls can add to their session. */
  readonly labelNames: ReadonlySet<string>
  readonly #index: RuleIndex<Bucket> = new RuleIndex(newBucket)
  readonly #unknownRisk: Exclude<Effect, 'allow'> | undefined
  readonly #names = new NameRoles()
  #asksState = false

  /** For rules that were read and found right; `loadPolicy` makes a policy of files. */
  constructor(sources: readonly RuleSource[], { risks, notes, labels, invariants }: PolicyTerms) {
    this.invariants = invariants
    this.notes = notes
    this.labelNames = new Set(labels.flatMap(({ adds }) => adds))
    this.rules = Object.freeze(sources.map(({ rule }) => Object.freeze(rule)))
    this.sources = sources
    this.risks = risks
    this.labels = labels
    this.limits = limitsOf(sources)
    this.#unknownRisk = strictest([...risks.values()])
    for (const [order, source] of sources.entries()) this.#add(source, order)
    for (const source of labels) this.#addLabel(source)
  }

  get ruleCount(): number {
    return this.rules.length
  }

  /** Whether the answer for an event may depend on the clock or the store; otherwise `decide` needs no state. */
  asksState(event: ActionEvent): boolean {
    if (!this.#asksState) return false
    return this.#index.find(lowerCased(event.capability)).some((bucket) => bucket.asksState)
  }

  /**
   * Answers for one event. It never throws: what cannot be decided is denied.
   *
   * @param state what depends on it is indeterminate without: guards apply then, and grants do not
   */
  decide(event: ActionEvent, state?: PolicyState): PolicyAnswer {
    try {
      return ActionEvent.isEvent(event) ? this.#decide(event, state) : undecidable
    } catch {
      return undecidable
    }
  }

  /** What every rule whose capability fits makes of an event, in the order of the files; dearer than `decide`. */
  explain(event: ActionEvent, state?: PolicyState): readonly RuleAccount[] {
    if (!ActionEvent.isEvent(event)) return []
    const isTooMuch = this.#decideOnce(event, state, parsingOfDecision()).parsing.isExceeded
    // Whoever explains looks at more predicates than the decision did, and must see what that one saw.
    const parsing = isTooMuch ? nothingParsed() : anythingParsed()
    const facts = new Facts(event, this.#names, state, parsing)
    const { capability } = event
    const rules = this.#index
      .find(lowerCased(capability))
      .flatMap(({ deny, approval, allow }) => [
        ...deny,
        ...approval,
        ...allow.filter((rule) => rule.fitsExactly(capability)),
      ])
    return rules.toSorted(byOrder).map((rule) => accountOf(rule, facts))
  }

  #add(source: RuleSource, order: number): void {
    const bucket = this.#index.bucketOf(lowerCased(source.pattern))
    const role = source.rule.effect === 'allow' ? 'grant' : 'guard'
    const needlesOf = needlesOfBucket(bucket)
    const rule = new CompiledRule(source, order, (condition) =>
      compileCondition(condition, role, needlesOf),
    )
    addRule(bucket, rule)
    bucket.asksState ||= source.conditions.some(asksState)
    this.#asksState ||= bucket.asksState
  }

  #addLabel(source: LabelSource): void {
    const bucket = this.#index.bucketOf(lowerCased(source.pattern))
    addLabel(bucket, new CompiledLabel(source, needlesOfBucket(bucket)))
    bucket.asksState = true
    this.#asksState = true
  }

  #decide(event: ActionEvent, state: PolicyState | undefined): PolicyAnswer {
    const { answer, parsing } = this.#decideOnce(event, state, parsingOfDecision())
    return parsing.isExceeded ? this.#decideOnce(event, state, nothingParsed()).answer : answer
  }

  #decideOnce(
    event: ActionEvent,
    state: PolicyState | undefined,
    parsing: Parsing,
  ): { readonly answer: PolicyAnswer; readonly parsing: Parsing } {
    const facts = new Facts(event, this.#names, state, parsing)
    const lowered = lowerCased(event.capability)
    const buckets = this.#index.find(lowered)
    const answer = this.#answer(event, { buckets, isLower: lowered === event.capability }, facts)
    if (!this.#asksState || !buckets.some((bucket) => bucket.asksState)) return { answer, parsing }
    const consequences = consequencesOf(buckets, event.capability, facts)
    return { answer: consequences === undefined ? answer : { ...answer, consequences }, parsing }
  }

  #answer(
    { capability, risk: stated }: ActionEvent,
    { buckets, isLower }: { readonly buckets: readonly Bucket[]; readonly isLower: boolean },
    facts: Facts,
  ): PolicyAnswer {
    const denied = guardTier(buckets, 'deny', facts)
    if (denied !== undefined) return denied
    const risk = this.#riskAction(stated)
    if (risk === 'deny') return riskAnswer('deny', stated)
    const held = guardTier(buckets, 'approval', facts)
    if (held !== undefined) return held
    const granted = grantTier(buckets, { capability, isLower }, facts)
    if (granted === undefined) {
      return (this.#asksState ? spentTier(buckets, capability, facts) : undefined) ?? byDefault
    }
    // Risk only tightens: what no rule allows is not worth a question either (POLICY.md 7).
    return risk === undefined ? granted : riskAnswer(risk, stated)
  }

  #riskAction(risk: RiskLevel | undefined): Exclude<Effect, 'allow'> | undefined {
    return risk === undefined ? this.#unknownRisk : this.risks.get(risk)
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

/** A risk that nobody stated may be any, so the strictest action stands. */
function strictest(
  actions: readonly Exclude<Effect, 'allow'>[],
): Exclude<Effect, 'allow'> | undefined {
  return actions.includes('deny') ? 'deny' : actions[0]
}

function riskAnswer(decision: Effect, risk: RiskLevel | undefined): PolicyAnswer {
  return { decision, reason: 'risk', rules: [], ...(risk === undefined ? {} : { risk }) }
}

/** The limits of rules; the guards of a budget share one. */
function limitsOf(sources: readonly RuleSource[]): readonly LimitTerms[] {
  const known = new Map<string, LimitTerms>()
  for (const { conditions } of sources) {
    for (const condition of conditions) {
      if (condition.kind !== 'limit') continue
      const { terms } = condition
      const key = `${terms.windowMs} ${terms.identity}`
      if (!known.has(key)) known.set(key, terms)
    }
  }
  return [...known.values()]
}

function needlesOfBucket(bucket: Bucket): () => NeedleSet {
  return () => (bucket.needles ??= new NeedleSet())
}

function accountOf(compiled: CompiledRule, facts: Facts): RuleAccount {
  const { rule, conditions } = compiled.source
  const { value, predicates } = compiled.account(facts)
  const applies = rule.effect === 'allow' ? value === 'true' : value !== 'false'
  return { rule, value, predicates, conditions, applies }
}
