import type { Truth } from './answer.ts'

/** True if all are, false if one is. */
export function allOf(values: readonly Truth[]): Truth {
  if (values.includes('false')) return 'false'
  return values.includes('indeterminate') ? 'indeterminate' : 'true'
}

/** True if one is, false if all are. */
export function anyOf(values: readonly Truth[]): Truth {
  if (values.includes('true')) return 'true'
  return values.includes('indeterminate') ? 'indeterminate' : 'false'
}

/** What is not known stays so. */
export function opposite(value: Truth): Truth {
  if (value === 'indeterminate') return value
  return value === 'true' ? 'false' : 'true'
}

/** A yes or no that is certain. */
export function truthOf(holds: boolean): Truth {
  return holds ? 'true' : 'false'
}
