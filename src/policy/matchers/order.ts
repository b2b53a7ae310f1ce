import type { Decimal } from '../../json/decimal.ts'
import { passes } from '../amount.ts'
import type { Comparison } from '../condition.ts'
import type { MatcherKind } from '../matcher.ts'
import { costs } from '../matcher.ts'
import { readNumber } from '../read-value.ts'
import { numberTest } from './scalar.ts'

/** `gt`, `gte`, `lt` and `lte`: the argument is a number on that side of this one. */
export function order(comparison: Comparison): MatcherKind<Decimal> {
  return {
    read: readNumber,
    compile: (threshold) => numberTest((number) => passes(number, comparison, threshold)),
    cost: costs.number,
  }
}
