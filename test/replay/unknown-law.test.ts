import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { missingArguments, nothingMissing } from '../../src/replay/missing.ts'
import type { TraceCall, TraceEntry } from '../../src/replay/trace.ts'
import { call, ended, policyOf, replayed } from './a-call.ts'

describe('what is not known never becomes another answer', () => {
  const policy = policyOf(
    `deny:
  - {id: memo, capability: payment, contains: secret}
  - {id: tainted, capability: payment, args: {/to: {eq: x}}, session: {has: [seen]}}
allow:
  - {id: pay, capability: payment, amount_gte: 0, limit: {max: 300, window: 8s, sum: /amount}}
  - {id: bound, capability: mail, session: {has: [seen], bind: /to}}
  - {id: look, capability: orders, limit: {max: 3, window: 5s, per: [actor]}}
labels:
  - {capability: orders, adds: seen, bind: /to, ttl: 9s}
  - {capability: mail, args: {/memo: {contains: a}}, adds: seen, ttl: 3s}
`,
  )

  const actors = fc.constantFrom('a', 'b')
  const args = fc.record(
    {
      to: fc.constantFrom('x', 'y'),
      amount: fc.constantFrom(50, 100, 200),
      memo: fc.constantFrom('a', 'secret', 'b'),
    },
    { requiredKeys: [] },
  )
  const step = fc.record({
    resource: fc.constantFrom('payment', 'orders', 'mail'),
    actor: actors,
    args,
    waitMs: fc.constantFrom(0, 1000, 3000),
    forwarded: fc.boolean(),
    status: fc.constantFrom<'ok' | 'tool_error' | undefined>('ok', 'ok', 'tool_error', undefined),
    /** What of it is taken away. */
    hides: fc.constantFrom<'nothing' | 'clock' | 'to' | 'amount' | 'memo' | 'all'>(
      ...(['nothing', 'nothing', 'nothing', 'clock', 'to', 'amount', 'memo', 'all'] as const),
    ),
  })
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

  function entriesOf(steps: readonly Step[], hides: (step: Step) => Step['hides']): TraceEntry[] {
    let atMs = 1_000_000
    return steps.flatMap((one, seq) => {
      atMs += one.waitMs
      const hidden = hides(one)
      const made = call({
        seq,
        event: { actor: one.actor, resource: one.resource, arguments: shownOf(one.args, hidden) },
        atMs: hidden === 'clock' ? null : atMs,
        missing: missingOf(one.args, hidden),
        verdict: { forwarded: one.forwarded },
      })
      const isKnown = one.forwarded && one.status !== undefined
      return isKnown ? [made, { ...ended(seq, one.status), atMs: atMs + 1 } as TraceEntry] : [made]
    })
  }

  function shownOf(all: Step['args'], hides: Step['hides']): Record<string, unknown> {
    if (hides === 'all') return {}
    const isThere = hides !== 'nothing' && hides !== 'clock' && all[hides] !== undefined
    return isThere ? { ...all, [hides]: '[hidden]' } : all
  }

  function missingOf(all: Step['args'], hides: Step['hides']): TraceCall['missing'] {
    if (hides === 'all') return missingArguments([], 'any')
    const isThere = hides !== 'nothing' && hides !== 'clock' && all[hides] !== undefined
    return isThere ? missingArguments([`/${hides}`], 'none') : nothingMissing
  }

  /** Whether a replay that knows less says nothing else; how much it still knows. */
  function agrees(whole: readonly string[], part: readonly string[]): void {
    for (const [at, answer] of part.entries()) {
      if (!answer.startsWith('?')) expect(answer, `call ${at}`).toBe(whole[at])
    }
  }

  test('what is taken out of calls', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
        const whole = replayed(
          policy,
          entriesOf(steps, () => 'nothing'),
        )
        expect(whole.filter((one) => one.startsWith('?') && one !== '?state')).toEqual([])
        const part = replayed(
          policy,
          entriesOf(steps, ({ hides }) => hides),
        )
        agrees(whole, part)
      }),
      { seed: 11, numRuns: 1500 },
    )
  })

  test('what stood before the trace', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 30 }), fc.nat(29), (steps, cut) => {
        const entries = entriesOf(steps, () => 'nothing')
        const whole = replayed(policy, entries)
        const from = Math.min(cut, steps.length - 1)
        const rest = entries.filter((one) => seqOf(one) >= from)
        agrees(whole.slice(from), replayed(policy, rest, { isComplete: false }))
      }),
      { seed: 12, numRuns: 1500 },
    )
  })

  function seqOf(entry: TraceEntry): number {
    if (entry.kind === 'call') return entry.seq
    return entry.kind === 'outcome' ? entry.of : 0
  }
})
