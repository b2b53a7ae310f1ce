import type { Condition, ContextField } from '../condition.ts'
import type { Policy } from '../policy.ts'
import type { Problem } from '../problem.ts'
import type { RuleSource } from '../rule.ts'
import { Analyst } from './analyst.ts'
import type { Cause, PolicyClause } from './subject.ts'
import { Subject } from './subject.ts'
import { isNeverTrue } from './unstated.ts'

/**
 * What is right in a policy and hardly meant, in the order of its rules; each with code `policy-lint`.
 *
 * A rule that is said to do nothing is proven to: where that cannot be found out, nothing is said.
 *
 * @param unstated what is not known of any call that the policy is asked about
 */
export function lintPolicy(
  policy: Policy,
  unstated: readonly ContextField[] = [],
): readonly Problem[] {
  const idle = new IdleRules(policy)
  return policy.sources.flatMap((source) => {
    const message = idle.complaint(source)
    const found = [
      message,
      doubt(source, unstated),
      ...(source.rule.effect === 'allow' ? allowComplaints(source) : []),
    ]
    return found.flatMap((one) =>
      one === undefined ? [] : [{ position: source.rule.position, code: lint, ...one }],
    )
  })
}

const lint = 'policy-lint'

interface Complaint {
  readonly message: string
  readonly hint: string
}

/** What is said of a rule that waits for what nobody says. */
function doubt(
  { rule, conditions }: RuleSource,
  unstated: readonly ContextField[],
): Complaint | undefined {
  const field = unstated.find((one) => conditions.some((condition) => isNeverTrue(condition, one)))
  if (field === undefined) return undefined
  const does =
    rule.effect === 'allow'
      ? 'never applies'
      : 'can only be indeterminate, and applies unless another condition is false'
  return {
    message: `rule \`${rule.id}\` ${does}: no call has a \`${field}\` behind \`capfence run\``,
    hint: `only who calls the library states a \`${field}\`; ask for the \`actor\` or the \`environment\``,
  }
}

function allowComplaints({ rule, pattern, conditions }: RuleSource): readonly Complaint[] {
  const { resource, action, scope } = pattern
  const isAny = [resource, action, scope].every((name) => name === '*')
  const found: Complaint[] = []
  if (isAny) {
    found.push({
      message: `rule \`${rule.id}\` allows every capability, also those of servers that are added later`,
      hint: 'name the resources that may be used, one rule each',
    })
  }
  if (conditions.some(looksForText)) {
    found.push({
      message: `rule \`${rule.id}\` allows by a text that may stand anywhere in the arguments`,
      hint: 'aim at the argument that is meant, such as `args: {/command: {in: […]}}`',
    })
  }
  return found
}

/** Whether a text is looked for that is aimed at no argument; under `not` that only makes a rule stricter. */
function looksForText(condition: Condition): boolean {
  if (condition.kind === 'any') return condition.branches.flat().some(looksForText)
  return condition.kind === 'text' || condition.kind === 'pattern'
}

/** Finds rules that never apply, and rules whose every call is decided by stricter ones. */
class IdleRules {
  readonly #subject: Subject
  readonly #analyst = new Analyst()
  readonly #clauses: ReadonlyMap<RuleSource, PolicyClause>

  constructor(policy: Policy) {
    this.#subject = new Subject(policy)
    const { deny, approval, allow } = this.#subject
    this.#clauses = new Map(
      [...deny, ...approval, ...allow].flatMap((clause) =>
        clause.name.kind === 'rule' ? [[clause.name.source, clause] as const] : [],
      ),
    )
  }

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
