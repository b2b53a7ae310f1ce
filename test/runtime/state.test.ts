import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ActionEvent } from '../../src/event/action-event.ts'
import type { ActionRuntime } from '../../src/runtime/action-runtime.ts'
import type { AllowVerdict, Verdict } from '../../src/runtime/verdict.ts'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { gate, payment, written } from './fixtures.ts'

let folder: string
const open: { close(): Promise<void> }[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'capfence-state-'))
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
  rmSync(folder, { recursive: true, force: true })
})

/** A gate of its own process would be one more writer of the same file, as this is. */
function engine(name = 'log.db'): SQLiteEngine {
  const store = SQLiteEngine.open({ path: join(folder, name), software: 'test/1' })
  open.push(store)
  return store
}

function allowed(verdict: Verdict): AllowVerdict {
  if (verdict.decision !== 'allow') throw new Error(`not allowed: ${verdict.reason}`)
  return verdict
}

const settle = (
  runtime: ActionRuntime,
  verdict: Verdict,
  status: 'ok' | 'tool_error' = 'ok',
): void => runtime.settle(allowed(verdict), { status })

const spend = written(`
budgets: [{id: spend, limit: 100, window: 1h, from: [{capability: payment, sum: /amount}]}]
allow: [payment]
`)

describe('limits', () => {
  it('are never overspent by gates on one database, whatever they are asked at the same time', async () => {
    let round = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 6000 }), { minLength: 5, maxLength: 30 }),
        async (cents) => {
          round += 1
          const gates = [1, 2, 3].map(() => gate({ store: engine(`${round}.db`), policy: spend }))
          const verdicts = await Promise.all(
            cents.map(async (one, at) => gates[at % 3]?.runtime.execute(payment(one / 100))),
          )
          const passed = cents.filter((_, at) => verdicts[at]?.decision === 'allow')
          const total = passed.reduce((sum, one) => sum + one, 0)
          expect(total).toBeLessThanOrEqual(10_000)
          // What was refused had no room: not even now, when all is done.
          for (const [at, verdict] of verdicts.entries()) {
            if (verdict?.decision !== 'deny') continue
            expect(total + (cents[at] ?? 0)).toBeGreaterThan(10_000)
          }
        },
      ),
      { numRuns: 15 },
    )
  }, 60_000)

  it('say what is used, and when the same call may pass', async () => {
    const { runtime, store } = gate({ policy: spend })
    await runtime.execute(payment(80))
    const verdict = await runtime.execute(payment(30))
    expect(verdict).toMatchObject({
      decision: 'deny',
      reasonCode: 'limit',
      retryable: true,
      retryAtMs: store.nowMs + 3_600_000,
      reason: 'the limit `spend` has no room: 80 of 100 used in 1h',
      suggestion: `there is room for this call again at ${new Date(store.nowMs + 3_600_000).toISOString()}`,
    })
    expect(store.ofType('decision')[1]?.data).toMatchObject({ reason: 'limit', forwarded: false })
    store.nowMs += 3_600_000
    expect(await runtime.execute(payment(30))).toMatchObject({ decision: 'allow' })
    expect(await runtime.execute(payment(101))).toMatchObject({
      retryable: false,
      retryAtMs: undefined,
      suggestion: 'it is more than the limit ever has room for',
    })
  })

  it('are charged whatever the outcome, and given back only when the call was certainly never sent (B38)', async () => {
    const { runtime, store } = gate({ policy: spend })
    const outcomes = [
      { status: 'tool_error' },
      { status: 'cancelled' },
      { status: 'upstream_died' },
      { status: 'cancelled', sent: true },
      { status: 'cancelled', sent: false },
    ] as const
    for (const outcome of outcomes) {
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      runtime.settle(allowed(await runtime.execute(payment(25))), outcome)
      // oxlint-disable-next-line no-await-in-loop -- the same
      await runtime.flush()
      if (outcome.status !== 'tool_error') store.nowMs += 1
      if (store.charges.length === 4) break
    }
    expect(store.charges).toHaveLength(4)
    expect(await runtime.execute(payment(25))).toMatchObject({ reasonCode: 'limit' })
    store.charges = store.charges.slice(1)
    runtime.settle(allowed(await runtime.execute(payment(25))), {
      status: 'cancelled',
      sent: false,
    })
    await runtime.flush()
    expect(store.charges).toHaveLength(3)
    expect(store.ofType('outcome').map(({ data }) => data['sent'])).toEqual([
      ...[undefined, undefined, undefined, undefined, false],
    ])
  })

  it('hold across a reload, and under another policy for what has the same name', async () => {
    const { runtime } = gate({ policy: spend })
    await runtime.execute(payment(80))
    await runtime.reload(
      written(`
allow: [{id: free, capability: payment, args: {/amount: {lt: 1000}}}]
budgets: [{id: spend, limit: 90, window: 2h, from: [{capability: "*.execute", sum: /amount}]}]
`),
    )
    expect(await runtime.execute(payment(20))).toMatchObject({ reasonCode: 'limit' })
    expect(await runtime.execute(payment(10))).toMatchObject({ decision: 'allow' })
  })

  it('hold across a restart', async () => {
    const first = gate({ store: engine(), policy: spend })
    await first.runtime.execute(payment(80))
    await open.pop()?.close()
    const next = gate({ store: engine(), policy: spend })
    expect(await next.runtime.execute(payment(30))).toMatchObject({ reasonCode: 'limit' })
  })

  it('are charged in observe mode too, and not by what is denied or waits', async () => {
    const observed = gate({ policy: spend, mode: 'observe' })
    await observed.runtime.execute(payment(80))
    await observed.runtime.execute(payment(80))
    expect(observed.store.charges).toHaveLength(2)
    const held = gate({
      policy: written(
        'budgets: [{id: s, limit: 9, window: 1h, from: [{capability: payment, sum: /amount}]}]\nrequire_approval: [payment]',
      ),
    })
    expect(await held.runtime.execute(payment(5))).toMatchObject({ decision: 'require_approval' })
    expect(held.store.charges).toEqual([])
  })
})

const web = (capability: string, args: object = {}, actor = 'agent'): ActionEvent => {
  const [resource = '', action = ''] = capability.split('.')
  return ActionEvent.create({ actor, resource, action, scope: 'x', arguments: { ...args } })
}

const labels = written(`
deny: [{id: leak, capability: mail.send, session: {has: [untrusted]}}]
allow:
  - {capability: web}
  - {capability: orders}
  - {capability: mail}
  - {id: refund, capability: refund, session: {has: [looked_up], bind: /order}}
labels:
  - {capability: web.fetch, adds: untrusted, ttl: 1h}
  - {capability: orders.lookup, adds: looked_up, bind: /order, ttl: 30m}
`)

describe('labels', () => {
  it('taint the actor from the moment a call is forwarded, for every gate on the store (B38)', async () => {
    const [one, other] = [1, 2].map(() => gate({ store: engine(), policy: labels }).runtime)
    if (one === undefined || other === undefined) throw new Error('two gates')
    expect(await other.execute(web('mail.send'))).toMatchObject({ decision: 'allow' })
    const fetched = await one.execute(web('web.fetch'))
    expect(await other.execute(web('mail.send'))).toMatchObject({
      decision: 'deny',
      reasonCode: 'rule',
    })
    settle(one, fetched, 'tool_error')
    await one.flush()
    expect(await other.execute(web('mail.send'))).toMatchObject({ decision: 'deny' })
    expect(await other.execute(web('mail.send', {}, 'other'))).toMatchObject({ decision: 'allow' })
    expect(await other.execute(web('mail.read'))).toMatchObject({ decision: 'allow' })
  })

  it('prove only with an outcome without an error, about the same value, and for their time', async () => {
    const { runtime, store } = gate({ policy: labels })
    const refund = async (order: unknown): Promise<string> =>
      (await runtime.execute(web('refund.pay', { order }))).decision
    const failed = await runtime.execute(web('orders.lookup', { order: 'a' }))
    expect(await refund('a')).toBe('deny')
    settle(runtime, failed, 'tool_error')
    await runtime.flush()
    expect(await refund('a')).toBe('deny')
    settle(runtime, await runtime.execute(web('orders.lookup', { order: 'a' })))
    await runtime.flush()
    expect([await refund('a'), await refund('b')]).toEqual(['allow', 'deny'])
    store.nowMs += 30 * 60_000 - 1
    expect(await refund('a')).toBe('allow')
    store.nowMs += 1
    expect(await refund('a')).toBe('deny')
  })

  it('can be relied on by the very next call after the outcome', async () => {
    const { runtime } = gate({ store: engine(), policy: labels })
    settle(runtime, await runtime.execute(web('orders.lookup', { order: 'a' })))
    expect(await runtime.execute(web('refund.pay', { order: 'a' }))).toMatchObject({
      decision: 'allow',
    })
  })

  it('are kept without the value that they are about', async () => {
    const { runtime, store } = gate({ policy: labels })
    settle(runtime, await runtime.execute(web('orders.lookup', { order: 'secret-4711' })))
    await runtime.flush()
    await runtime.execute(web('refund.pay', { order: 'secret-4711' }))
    expect(store.labels.map(({ bind }) => bind)).toEqual([
      expect.stringMatching(/^[0-9a-f]{64}$/),
      expect.stringMatching(/^[0-9a-f]{64}$/),
    ])
    const states = store.disclosed
      .map(({ encoded }) => Buffer.from(encoded, 'base64url').toString())
      .filter((text) => text.includes('"state"'))
    expect(states).toHaveLength(2)
    expect(states.join('')).not.toContain('4711')
  })
})

describe('the record', () => {
  it('holds, sealed, what the policy was told and what the call changes, within its bound', async () => {
    const store = engine()
    const { runtime } = gate({ store, policy: spend })
    await runtime.execute(payment(80))
    const verdict = await runtime.execute(payment(30))
    const [record] = await store.records(verdict.decisionSeq ?? -1, 1)
    const disclosed = (await store.disclosures(verdict.decisionSeq ?? -1)).map(
      ({ encoded }) => JSON.parse(Buffer.from(encoded, 'base64url').toString()) as unknown[],
    )
    const nowMs = Number(record?.data['clock_ms'])
    expect(disclosed.find(([, name]) => name === 'state')?.[2]).toEqual({
      added: [],
      charged: [],
      labels: [],
      pots: [{ pot: '["budget:spend sum"]', since_ms: nowMs - 3_600_000, used: '80' }],
    })
    expect(JSON.stringify(record?.data)).not.toContain('budget:spend sum')
  })

  it('of a call that asks for nothing has none of it', async () => {
    const { runtime, store } = gate()
    await runtime.execute(payment(1))
    expect(store.ofType('decision')[0]?.data).not.toHaveProperty('state')
    expect(store.ofType('decision')[0]?.data).not.toHaveProperty('clock_ms')
  })
})
