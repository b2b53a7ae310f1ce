import type { LabelState, PolicyState } from '../../src/policy/state.ts'
import { usageOf } from '../../src/policy/usage.ts'

export const now: number = Date.UTC(2026, 10, 25, 12)

/** A state in which pots have these charges, oldest first, and the session these labels. */
export function stateWith(
  charges: Readonly<Record<string, readonly (readonly [agoMs: number, amount: string])[]>> = {},
  labels: Readonly<Record<string, 'held' | 'proven'>> = {},
): PolicyState {
  return {
    nowMs: now,
    usage: (pot, sinceMs) =>
      usageOf(
        (charges[pot] ?? [])
          .map(([agoMs, amount]) => ({ atMs: now - agoMs, amount }))
          .filter(({ atMs }) => atMs > sinceMs),
      ),
    label: (name, bind): LabelState => {
      const found =
        bind === undefined
          ? Object.entries(labels).flatMap(([key, how]) =>
              key.split(' ')[0] === name ? [how] : [],
            )
          : [labels[name], labels[`${name} ${bind}`]]
      return {
        held: found.some((how) => how !== undefined),
        proven: found.includes('proven'),
      }
    },
  }
}
