import type { Truth } from './answer.ts'
import { allOf, anyOf } from './truth.ts'

/** For guards: whether any candidate will do; not known without one, or when they could not be looked at. */
export function anyCandidate<Item>(
  items: readonly Item[] | undefined,
  test: (item: Item) => Truth,
): Truth {
  return items === undefined || items.length === 0 ? 'indeterminate' : anyOf(items.map(test))
}

/** For grants: whether all candidates do; not known without one, or when they could not be looked at. */
export function everyCandidate<Item>(
  items: readonly Item[] | undefined,
  test: (item: Item) => Truth,
): Truth {
  return items === undefined || items.length === 0 ? 'indeterminate' : allOf(items.map(test))
}
