import type { Policy } from '../policy.ts'
import type { RuleSource } from '../rule.ts'
import type { Analyst } from './analyst.ts'
import type { Complaint } from './complaint.ts'
import { Subject } from './subject.ts'
import type { Cause, PolicyClause } from './subject.ts'

/** Finds rules that never apply, and rules whose every call is decided by stricter ones. */
export class IdleRules {
  readonly #subject: Subject
  readonly #analyst: Analyst
  readonly #clauses: ReadonlyMap<RuleSource, PolicyClause>

  constructor(policy: Policy, analyst: Analyst) {
    this.#analyst = analyst
    this.#subject = new Subject(policy)
    const { deny, approval, allow } = this.#subject
    this.#clauses = new Map(
      [...deny, ...approval, ...allow].flatMap((clause) =>
        clause.name.kind === 'rule' ? [[clause.name.source, clause] as const] : [],
      ),
    )
  }

  /** What is said of a rule that does nothing; undefined as well where that is not proven. */
  complaint(source: RuleSource): Complaint | undefined {
    const clause = this.#clauses.get(source)
    if (clause === undefined) return undefined
    const { rule } = source
    if (this.#stoppedBy(clause, []) !== undefined) {
      return {
        message: `rule \`${rule.id}\` never applies: its conditions exclude each other`,
        hint: 'all conditions of a rule have to hold; for one of several write `any`, or two rules',
      }
    }
    const stricter = this.#stricterThan(source)
    const used = stricter.length === 0 ? undefined : this.#stoppedBy(clause, stricter)
    if (used === undefined) return undefined
    return {
      message: `rule \`${rule.id}\` never decides: every call it is about is decided by ${listed(used)}`,
      hint: 'a stricter rule wins, wherever it stands; narrow that one, or remove this one',
    }
  }

  #stricterThan({ rule }: RuleSource): readonly PolicyClause[] {
    const { deny, riskDeny, approval, riskApproval } = this.#subject
    if (rule.effect === 'deny') return []
    const denying = [...deny, ...riskDeny]
    return rule.effect === 'allow' ? [...denying, ...approval, ...riskApproval] : denying
  }

  /** What leaves nothing of a rule; undefined when there is a call left, or when that could not be found out. */
  #stoppedBy(
    clause: PolicyClause,
    excluded: readonly PolicyClause[],
  ): ReadonlySet<PolicyClause> | undefined {
    const unwanted = new Set(excluded)
    const answer = this.#analyst.ask({
      required: [clause],
      excluded,
      broken: (event) => this.#subject.applied(event).filter((one) => unwanted.has(one)),
      confirms: (event) => {
        const applied = this.#subject.applied(event)
        return applied.includes(clause) && !applied.some((one) => unwanted.has(one))
      },
    })
    return answer.kind === 'no' ? answer.used : undefined
  }
}

const maxNamed = 3

function listed(clauses: ReadonlySet<{ readonly name: Cause }>): string {
  const names = [...clauses].map(({ name }) =>
    name.kind === 'risk' ? '`risk_levels`' : `\`${name.source.rule.id}\``,
  )
  const shown = names.slice(0, maxNamed).join(', ')
  return names.length <= maxNamed ? shown : `${shown} and ${names.length - maxNamed} more`
}
