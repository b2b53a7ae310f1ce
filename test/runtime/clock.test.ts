import { describe, expect, it } from 'vitest'
import type { GoverningPolicy } from '../../src/runtime/policy.ts'
import { clockAlone } from '../../src/policy/state.ts'
import { gate, payment, written } from './fixtures.ts'

const office = written(`
allow:
  - {id: office, capability: payment, time: {zone: UTC, days: [mon-fri], between: ["09:00", "17:00"]}}
  - {id: always, capability: mail}
`)
const noon = Date.UTC(2026, 10, 25, 12)
const evening = Date.UTC(2026, 10, 25, 17)

/** The same policy, and what it was asked with, call by call. */
function watched(policy: GoverningPolicy): {
  policy: GoverningPolicy
  asked: (number | undefined)[]
} {
  const asked: (number | undefined)[] = []
  return {
    asked,
    policy: {
      ...policy,
      decide: (event, state) => {
        asked.push(state?.nowMs)
        return policy.decide(event, state)
      },
    },
  }
}

describe('what depends on the clock', () => {
  it('is decided by the clock of the transaction, which stands in the record', async () => {
    const { runtime, store } = gate({ policy: office })
    store.nowMs = evening - 1
    // The store can be had only when the office has closed.
    store.queue = async () => {
      store.nowMs = evening
    }
    const late = await runtime.execute(payment(1))
    expect(late).toMatchObject({ decision: 'deny', reasonCode: 'default' })
    expect(store.ofType('decision')[0]?.data).toMatchObject({ clock_ms: evening, decision: 'deny' })
    store.queue = async () => {
      store.nowMs = noon
    }
    const early = await runtime.execute(payment(1))
    expect(early).toMatchObject({ decision: 'allow', reasonCode: 'rule' })
    expect(store.ofType('decision')[1]?.data).toMatchObject({ clock_ms: noon, forwarded: true })
  })

  it('is decided in the same way by the clock that was recorded', async () => {
    const { runtime, store } = gate({ policy: office })
    for (const nowMs of [noon, evening, evening - 1, noon + 3 * 86_400_000]) {
      store.nowMs = nowMs
      // oxlint-disable-next-line no-await-in-loop -- each call has its own time
      await runtime.execute(payment(1))
    }
    for (const { data } of store.ofType('decision')) {
      const replayed = office.decide(payment(1), clockAlone(Number(data['clock_ms'])))
      expect(replayed.decision).toBe(data['decision'])
    }
  })

  it('is asked only in the transaction, and what depends on the call alone only before it', async () => {
    const { policy, asked } = watched(office)
    const { runtime, store } = gate({ policy })
    await runtime.execute(payment(1, { resource: 'mail.x' }))
    expect(asked).toEqual([undefined])
    expect(store.ofType('decision')[0]?.data).not.toHaveProperty('clock_ms')
    await runtime.execute(payment(1))
    // The store in memory runs every transaction twice.
    expect(asked).toEqual([undefined, store.nowMs, store.nowMs])
  })

  it('is denied when the log cannot be read for it: the reason is the log and not the rule', async () => {
    const { runtime, store } = gate({ policy: office })
    await runtime.start()
    store.failure = () => 'before deciding'
    expect(await runtime.execute(payment(1))).toMatchObject({
      decision: 'deny',
      reasonCode: 'audit_unavailable',
      retryable: true,
    })
  })

  it('waits with a policy that cannot say what it depends on, and denies with one that fails', async () => {
    const broken: GoverningPolicy = {
      ...office,
      asksState: () => {
        throw new RangeError('stack')
      },
    }
    const { runtime, store, failures } = gate({ policy: broken })
    store.nowMs = noon
    expect(await runtime.execute(payment(1))).toMatchObject({ decision: 'allow' })
    expect(failures).toHaveLength(1)
  })

  it('is decided by the policy that governs when the transaction begins', async () => {
    const { runtime, store } = gate({ policy: office })
    await runtime.start()
    store.nowMs = noon
    const closed = written('allow: [{capability: mail}]')
    let isReloaded = false
    store.queue = async () => {
      if (isReloaded) return
      isReloaded = true
      await runtime.reload(closed)
    }
    expect(await runtime.execute(payment(1))).toMatchObject({ decision: 'deny' })
    expect(store.ofType('decision')[0]?.data).toMatchObject({ policy_hash: closed.hash })
  })
})
