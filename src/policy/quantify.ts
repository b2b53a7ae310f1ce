import type { Truth } from './answer.ts'

/** For guards: whether any candidate will do; not known without one, or when they could not be looked at. */
export function anyCandidate<Item>(
  items: readonly Item[] | undefined,
  test: (item: Item) => Truth,
): Truth {
  if (items === undefined || items.length === 0) return 'indeterminate'
  let truth: Truth = 'false'
  for (const item of items) {
    const value = test(item)
    if (value === 'true') return 'true'
    if (value === 'indeterminate') truth = 'indeterminate'
  }
  return truth
}

/** For grants: whether all candidates do; not known without one, or when they could not be looked at. */
export function everyCandidate<Item>(
  items: readonly Item[] | undefined,
  test: (item: Item) => Truth,
): Truth {
  if (items === undefined || items.length === 0) return 'indeterminate'
  let truth: Truth = 'true'
  for (const item of items) {
    const value = test(item)
    if (value === 'false') return 'false'
    if (value === 'indeterminate') truth = 'indeterminate'
  }
  return truth
}
