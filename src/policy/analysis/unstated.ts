import type { Condition, ContextField } from '../condition.ts'

/** Whether a condition cannot be true of a call of which nobody knows what the field is. */
export function isNeverTrue(condition: Condition, unstated: ContextField): boolean {
  if (condition.kind === 'not') {
    return condition.conditions.every((one) => isNeverFalse(one, unstated))
  }
  if (condition.kind === 'any') {
    return condition.branches.every((branch) => branch.some((one) => isNeverTrue(one, unstated)))
  }
  return condition.kind === 'context' && condition.field === unstated
}

function isNeverFalse(condition: Condition, unstated: ContextField): boolean {
  if (condition.kind === 'not') {
    return condition.conditions.some((one) => isNeverTrue(one, unstated))
  }
  if (condition.kind === 'any') {
    return condition.branches.some((branch) => branch.every((one) => isNeverFalse(one, unstated)))
  }
  return condition.kind === 'context' && condition.field === unstated
}
