// Values of the reference evaluator, and what is made of three of them; see reference.ts.

export type Truth = 'true' | 'false' | 'indeterminate'
/** JSON with numbers as the text they are written with. */
export type Json =
  | null
  | boolean
  | string
  | Num
  | readonly Json[]
  | { readonly [name: string]: Json }
export interface Num {
  readonly number: string
}

export const isNum = (value: Json): value is Num =>
  typeof value === 'object' && value !== null && 'number' in value
export const isList = (value: Json): value is readonly Json[] => Array.isArray(value)
export const isObject = (value: Json): value is { readonly [name: string]: Json } =>
  typeof value === 'object' && value !== null && !isNum(value) && !isList(value)

export function and(values: readonly Truth[]): Truth {
  if (values.some((value) => value === 'false')) return 'false'
  return values.some((value) => value === 'indeterminate') ? 'indeterminate' : 'true'
}

export function or(values: readonly Truth[]): Truth {
  if (values.some((value) => value === 'true')) return 'true'
  return values.some((value) => value === 'indeterminate') ? 'indeterminate' : 'false'
}

export function opposite(value: Truth): Truth {
  return value === 'indeterminate' ? value : value === 'false' ? 'true' : 'false'
}
