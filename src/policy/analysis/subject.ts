import type { ActionEvent } from '../../event/action-event.ts'
import type { RiskLevel } from '../../event/capability.ts'
import type { Effect, PolicyAnswer } from '../answer.ts'
import type { CapabilityPattern } from '../capability-pattern.ts'
import type { Policy } from '../policy.ts'
import { lowerCased } from '../rule-index.ts'
import type { PolicyRule, RuleSource } from '../rule.ts'
import { claimOf, contentOf, riskClaim } from './claim.ts'
import type { PolicyState } from '../state.ts'
import type { Clause } from './search.ts'

/** What decides about a call: a rule, or what the policy says of risks. */
export type Cause =
  | {
      readonly kind: 'rule'
      readonly source: RuleSource
      readonly content: string
      /** Its pattern, case aside. */
      readonly lowered: CapabilityPattern
    }
  | {
      readonly kind: 'risk'
      readonly action: Exclude<Effect, 'allow'>
      readonly levels: readonly RiskLevel[]
      readonly content: string
    }

/** A cause as a clause of questions. */
export type PolicyClause = Clause<Cause>

/** A policy as the analysis sees it. */
export class Subject {
  readonly deny: readonly PolicyClause[]
  readonly approval: readonly PolicyClause[]
  readonly allow: readonly PolicyClause[]
  readonly riskDeny: readonly PolicyClause[]
  readonly riskApproval: readonly PolicyClause[]
  readonly #policy: Policy
  readonly #byRule = new Map<PolicyRule, PolicyClause>()
  readonly #contents: ReadonlySet<string>

  constructor(policy: Policy) {
    this.#policy = policy
    const labels = JSON.stringify(
      policy.labels.map(({ pattern, conditions, adds, bind, ttlMs }) => [
        ...[pattern, conditions, adds],
        ...[bind ?? null, ttlMs ?? null],
      ]),
    )
    const clauses = policy.sources.map((source) => ruleClause(source, labels))
    for (const [index, clause] of clauses.entries()) {
      const rule = policy.rules[index]
      if (rule !== undefined) this.#byRule.set(rule, clause)
    }
    const withEffect = (effect: Effect): readonly PolicyClause[] =>
      clauses.filter((_, index) => policy.rules[index]?.effect === effect)
    this.deny = withEffect('deny')
    this.approval = withEffect('require_approval')
    this.allow = withEffect('allow')
    this.riskDeny = riskClauses(policy, 'deny')
    this.riskApproval = riskClauses(policy, 'require_approval')
    this.#contents = new Set(
      [...clauses, ...this.riskDeny, ...this.riskApproval].map(contentOfClause),
    )
  }

  decide(event: ActionEvent, state?: PolicyState): PolicyAnswer {
    return this.#policy.decide(event, state)
  }

  /** Whether the answer for a call may depend on the clock or the store. */
  asksState(event: ActionEvent): boolean {
    return this.#policy.asksState(event)
  }

  /** Whether it has a clause that says the same. */
  has(clause: PolicyClause): boolean {
    return this.#contents.has(contentOfClause(clause))
  }

  /** The clauses that the gate itself finds to be so of a call. */
  applied(event: ActionEvent): readonly PolicyClause[] {
    const rules = this.#policy.explain(event).flatMap(({ rule, applies }) => {
      const clause = applies ? this.#byRule.get(rule) : undefined
      return clause === undefined ? [] : [clause]
    })
    const risks = [...this.riskDeny, ...this.riskApproval].filter(({ name }) => {
      if (name.kind !== 'risk') return false
      return event.risk === undefined
        ? isUnknownRisk(this.#policy, name.action)
        : name.levels.includes(event.risk)
    })
    return [...rules, ...risks]
  }
}

function ruleClause(source: RuleSource, labels: string): PolicyClause {
  const lowered = lowerCased(source.pattern)
  const name: Cause = { kind: 'rule', source, content: contentOf(source, labels), lowered }
  return { name, claim: claimOf(source, labels) }
}

/** A text that is the same for clauses that say the same. */
export function contentOfClause({ name }: PolicyClause): string {
  return name.content
}

function riskClauses(policy: Policy, action: Exclude<Effect, 'allow'>): readonly PolicyClause[] {
  const levels = [...policy.risks].filter(([, does]) => does === action).map(([level]) => level)
  if (levels.length === 0) return []
  const isSure = !isUnknownRisk(policy, action)
  const content = `risk ${action} ${levels.toSorted().join(' ')} ${String(isSure)}`
  return [{ name: { kind: 'risk', action, levels, content }, claim: riskClaim(levels, isSure) }]
}

/** A risk that nobody stated may be any, so the strictest action stands. */
function isUnknownRisk(policy: Policy, action: Exclude<Effect, 'allow'>): boolean {
  const actions = [...policy.risks.values()]
  return action === 'deny' ? actions.includes('deny') : !actions.includes('deny')
}
