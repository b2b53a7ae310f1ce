import fc from 'fast-check'
import { expect, test } from 'vitest'
import { comparePolicies } from '../../../src/policy/analysis/compare.ts'
import type { Comparison, Region } from '../../../src/policy/analysis/compare.ts'
import type { Policy } from '../../../src/policy/policy.ts'
import { policy } from '../support.ts'
import { pairOfLists, textOf, world } from './generate.ts'

/** `CAPFENCE_FUZZ_RUNS=20000` looks longer. */
const numRuns = Number(process.env['CAPFENCE_FUZZ_RUNS'] ?? 2000)

const kinds = { allow: 'allowed', require_approval: 'approvable', deny: 'denied' } as const

function every({ allowed, approvable, denied }: Comparison): readonly Region[] {
  return [...allowed, ...approvable, ...denied]
}

/** The decisions that some call of the small world gets from the second policy, and not from the first one. */
function changesInWorld(before: Policy, now: Policy): ReadonlySet<keyof typeof kinds> {
  const changes = new Set<keyof typeof kinds>()
  for (const event of world) {
    const { decision } = now.decide(event)
    if (before.decide(event).decision !== decision) changes.add(decision)
  }
  return changes
}

test('what is found in a small world is found by the analysis, and what it finds is so', () => {
  fc.assert(
    fc.property(pairOfLists, ([one, other]) => {
      const [before, now] = [policy(textOf(one)), policy(textOf(other))]
      const comparison = comparePolicies(before, now)
      for (const decision of changesInWorld(before, now)) {
        expect(comparison[kinds[decision]], decision).not.toEqual([])
      }
      for (const { example, decision } of every(comparison)) {
        // Everything that these policies ask can be decided.
        if (example === undefined) throw new Error('not proven')
        expect(now.decide(example.event).decision).toBe(decision)
        expect(before.decide(example.event).decision).not.toBe(decision)
      }
    }),
    { numRuns },
  )
}, 600_000)
