import type { Condition, ContextField } from '../condition.ts'
import type { Role } from '../predicate.ts'
import type { RuleSource } from '../rule.ts'
import type { Analyst } from './analyst.ts'
import type { Complaint } from './complaint.ts'
import { isNeverTrue } from './outlook.ts'
import type { Outlook } from './outlook.ts'

/**
 * What is said of a rule one of whose conditions is true of no call: a grant that never applies, or a guard that only
 * applies because nobody can tell.
 *
 * @param unstated what is not known of any call
 */
export function doubtComplaint(
  { rule, conditions }: RuleSource,
  unstated: readonly ContextField[],
  analyst: Analyst,
): Complaint | undefined {
  const isGuard = rule.effect !== 'allow'
  const role = isGuard ? 'guard' : 'grant'
  const field = unstated.find((one) =>
    conditions.some((condition) => isNeverTrue(condition, role, withoutField(one))),
  )
  if (field !== undefined) {
    const does = isGuard
      ? 'can only be indeterminate, and applies unless another condition is false'
      : 'never applies'
    return {
      message: `rule \`${rule.id}\` ${does}: no call has a \`${field}\` behind \`capfence run\``,
      hint: `only who calls the library states a \`${field}\`; ask for the \`actor\` or the \`environment\``,
    }
  }
  const outlook = valuesSoughtBy(analyst)
  const at = conditions.findIndex((condition) => isNeverTrue(condition, role, outlook))
  if (at === -1) return undefined
  const does = isGuard
    ? 'is certain of no call, and applies only where it cannot be told'
    : 'never applies'
  return {
    message: `rule \`${rule.id}\` ${does}: nothing makes \`${rule.predicates[at] ?? ''}\` true`,
    hint: 'all that is asked of an argument has to be so of one value; for one of several write `any`, or two rules',
  }
}

/** Nobody knows of any call what the field is. */
function withoutField(field: ContextField): Outlook {
  const isAsked = (condition: Condition): boolean =>
    condition.kind === 'context' && condition.field === field
  return { isNeverTrue: isAsked, isNeverFalse: isAsked }
}

/** What no value at a pointer, nor its absence, can be. */
function valuesSoughtBy(analyst: Analyst): Outlook {
  return {
    isNeverTrue: (condition: Condition, role: Role) => {
      if (condition.kind !== 'argument') return false
      return !analyst.canBe(condition.matchers, role === 'guard' ? 'certain' : role)
    },
    // A name that is known is one of any.
    isNeverFalse: (condition) =>
      condition.kind === 'context' && condition.patterns.some((one) => /^\*+$/.test(one)),
  }
}
