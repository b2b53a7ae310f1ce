import { describe, expect, it } from 'vitest'
import type { AllowVerdict } from '../../src/runtime/verdict.ts'
import { toJsonObject } from '../../src/json/from-js.ts'
import { gate, payment } from './fixtures.ts'

type Gate = ReturnType<typeof gate>

async function pass({ runtime }: Gate): Promise<AllowVerdict> {
  const verdict = await runtime.execute(payment(1))
  if (verdict.decision !== 'allow') throw new Error(verdict.reason)
  return verdict
}

describe('the outcome of a call', () => {
  it('follows its decision, without being waited for', async () => {
    const all = gate()
    const verdict = await pass(all)
    all.store.nowMs += 42
    all.runtime.settle(verdict, { status: 'tool_error', bytes: 17 })
    expect(all.store.ofType('outcome')).toEqual([])
    await all.runtime.flush()
    expect(all.store.ofType('outcome')[0]?.data).toEqual({
      bytes: 17,
      call: verdict.callId,
      decision_seq: verdict.decisionSeq,
      ms: 42,
      result: { _sd: [], mode: 'args', withheld: [] },
      status: 'tool_error',
    })
    expect(all.store.commits.at(-1)).toBe('lazy')
  })

  it('takes the caller’s own measure when there is one, and never a negative one', async () => {
    const all = gate()
    const [one, two] = [await pass(all), await pass(all)]
    all.runtime.settle(one, { status: 'ok', ms: 7.6 })
    all.store.nowMs -= 1000
    all.runtime.settle(two, { status: 'ok' })
    await all.runtime.flush()
    expect(all.store.ofType('outcome').map(({ data }) => data['ms'])).toEqual([8, 0])
  })

  it('seals the result: its bytes never stand in the record', async () => {
    const all = gate()
    const secret = new TextEncoder().encode('the code of the vault is 4711')
    all.runtime.settle(await pass(all), { status: 'ok', result: secret })
    await all.runtime.flush()
    const [outcome] = all.store.ofType('outcome')
    expect(outcome?.data['bytes']).toBe(secret.length)
    expect(outcome?.data['result']).toMatchObject({ _sd: [expect.any(String)] })
    expect(Buffer.from(outcome?.body ?? []).toString()).not.toContain('vault')
  })

  it('keeps the result beside the log only where everything is kept', async () => {
    const value = (): ReturnType<typeof toJsonObject> => toJsonObject({ answer: 'yes' })
    const full = gate({ disclosure: 'full' })
    full.runtime.settle(await pass(full), { status: 'ok', value })
    await full.runtime.flush()
    const shown = full.store.disclosed.map(({ encoded }) => Buffer.from(encoded, 'base64url'))
    expect(shown.some((text) => text.includes('"answer":"yes"'))).toBe(true)
    const usual = gate()
    usual.runtime.settle(await pass(usual), {
      status: 'ok',
      value: () => {
        throw new Error('nobody asked for the value')
      },
    })
    await usual.runtime.flush()
    expect(usual.failures).toEqual([])
  })

  it('can be told once: a second telling changes nothing', async () => {
    const all = gate()
    const verdict = await pass(all)
    all.runtime.settle(verdict, { status: 'ok' })
    all.runtime.settle(verdict, { status: 'upstream_died' })
    await all.runtime.flush()
    expect(all.store.ofType('outcome')).toHaveLength(1)
    expect(all.failures).toHaveLength(1)
  })

  it('can be told only of a verdict that this runtime gave', async () => {
    const all = gate()
    const verdict = await pass(all)
    all.runtime.settle({ ...verdict }, { status: 'ok' })
    gate().runtime.settle(verdict, { status: 'ok' })
    await all.runtime.flush()
    expect(all.store.ofType('outcome')).toEqual([])
  })

  it('that cannot be put into a record is reported, and the call stays open in the log (B34)', async () => {
    const all = gate({ disclosure: 'full' })
    const verdict = await pass(all)
    const value = (): never => {
      throw new Error('no JSON')
    }
    expect(() => all.runtime.settle(verdict, { status: 'ok', value })).not.toThrow()
    await all.runtime.flush()
    expect(all.failures).toHaveLength(1)
    expect((await pass(all)).authorized).toBe(true)
  })
})

describe('an outcome that the log does not take', () => {
  it.each(['before deciding', 'after deciding', 'by throwing at once'] as const)(
    'stops every further allow until it is stored: failing %s',
    async (point) => {
      const all = gate()
      const { runtime, store } = all
      const verdict = await pass(all)
      store.failure = (durability) => (durability === 'lazy' ? point : undefined)
      expect(() => runtime.settle(verdict, { status: 'ok' })).not.toThrow()
      // Let the refused write be known before the log fails altogether.
      await runtime.flush().catch(() => undefined)
      expect(store.ofType('outcome')).toHaveLength(1)

      const next = await pass(all)
      store.failure = () => point
      runtime.settle(next, { status: 'ok' })
      await expect(runtime.flush()).rejects.toMatchObject({
        code: 'AUDIT_UNAVAILABLE',
      })
      expect(await runtime.execute(payment(1))).toMatchObject({ reasonCode: 'audit_unavailable' })
      expect(store.ofType('outcome')).toHaveLength(1)

      store.failure = () => undefined
      const last = await pass(all)
      const kinds = store.stored.map(({ type }) => type)
      expect(kinds.lastIndexOf('outcome')).toBeLessThan(last.decisionSeq)
      expect(store.ofType('outcome')).toHaveLength(2)
    },
  )

  it('is stored once, however many calls wait for it', async () => {
    const all = gate()
    const { runtime, store } = all
    const verdict = await pass(all)
    store.failure = (durability) => (durability === 'lazy' ? 'before deciding' : undefined)
    runtime.settle(verdict, { status: 'ok' })
    await new Promise((resolve) => setImmediate(resolve))
    expect(store.ofType('outcome')).toEqual([])
    await Promise.all(Array.from({ length: 5 }, () => runtime.execute(payment(1))))
    expect(store.ofType('outcome')).toHaveLength(1)
    expect(store.ofType('outcome')[0]?.seq).toBe(2)
  })

  it('does not turn a denial into anything else', async () => {
    const all = gate()
    const { runtime, store } = all
    const verdict = await pass(all)
    store.failure = () => 'before deciding'
    runtime.settle(verdict, { status: 'ok' })
    await new Promise((resolve) => setImmediate(resolve))
    expect(await runtime.execute(payment(undefined))).toMatchObject({ reasonCode: 'default' })
  })

  it('is owed no longer when the log refuses what it says: that would never end', async () => {
    const all = gate()
    const { runtime, store } = all
    const verdict = await pass(all)
    // A record that is no record, as a fault of the program would make it.
    runtime.settle(verdict, { status: 'never heard of' as 'ok' })
    await runtime.flush()
    expect(all.failures).toMatchObject([{ code: 'RECORD_INVALID' }])
    expect(store.ofType('outcome')).toEqual([])
    expect((await pass(all)).authorized).toBe(true)
  })

  it('is nobody else’s trouble: a listener that throws ends nothing', async () => {
    const all = gate({
      onFailure: () => {
        throw new Error('a broken listener')
      },
    })
    const { runtime, store } = all
    const verdict = await pass(all)
    store.failure = () => 'before deciding'
    expect(() => runtime.settle(verdict, { status: 'ok' })).not.toThrow()
    expect(() => runtime.settle(verdict, { status: 'ok' })).not.toThrow()
    expect(await runtime.execute(payment(1))).toMatchObject({ reasonCode: 'audit_unavailable' })
    store.failure = () => undefined
    expect((await pass(all)).authorized).toBe(true)
  })

  it('does not hold back the others that are owed', async () => {
    const all = gate()
    const { runtime, store } = all
    const verdicts = [await pass(all), await pass(all), await pass(all)]
    let refusals = 0
    store.failure = () => (refusals++ < 4 ? 'before deciding' : undefined)
    for (const verdict of verdicts) runtime.settle(verdict, { status: 'ok' })
    await expect(runtime.flush()).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' })
    expect(store.ofType('outcome')).toHaveLength(2)
    await runtime.flush()
    expect(new Set(store.ofType('outcome').map(({ data }) => data['call'])).size).toBe(3)
  })
})
