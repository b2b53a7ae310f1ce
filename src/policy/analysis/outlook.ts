import type { Condition } from '../condition.ts'
import type { Role } from '../predicate.ts'

/** What is known of every call about conditions that hold no others. */
export interface Outlook {
  /** Whether a condition in this role is true of none of them. */
  readonly isNeverTrue: (condition: Condition, role: Role) => boolean
  /** Whether it is false of none of them. */
  readonly isNeverFalse: (condition: Condition, role: Role) => boolean
}

/** Whether a condition, with all that stands inside of it, is true of no call. */
export function isNeverTrue(condition: Condition, role: Role, outlook: Outlook): boolean {
  if (condition.kind === 'not') {
    return condition.conditions.every((one) => isNeverFalse(one, otherThan(role), outlook))
  }
  if (condition.kind === 'any') {
    return condition.branches.every((branch) =>
      branch.some((one) => isNeverTrue(one, role, outlook)),
    )
  }
  return outlook.isNeverTrue(condition, role)
}

function isNeverFalse(condition: Condition, role: Role, outlook: Outlook): boolean {
  if (condition.kind === 'not') {
    return condition.conditions.some((one) => isNeverTrue(one, otherThan(role), outlook))
  }
  if (condition.kind === 'any') {
    return condition.branches.some((branch) =>
      branch.every((one) => isNeverFalse(one, role, outlook)),
    )
  }
  return outlook.isNeverFalse(condition, role)
}

/** What stands under `not` is asked by the other role. */
function otherThan(role: Role): Role {
  return role === 'guard' ? 'grant' : 'guard'
}
