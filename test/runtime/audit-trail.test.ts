import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StoredRecord } from '../../src/audit/record.ts'
import { AuditTrail } from '../../src/runtime/audit-trail.ts'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { gate, payment } from './fixtures.ts'

let store: SQLiteEngine
beforeEach(() => {
  store = SQLiteEngine.open({ path: ':memory:', software: 'test/1' })
})
afterEach(() => store.close())

describe('the audit trail', () => {
  it('finds a call with its outcome, lists those without one, and verifies', async () => {
    const { runtime } = gate({ store })
    const trail = new AuditTrail(store)
    const [open, ended] = [await runtime.execute(payment(1)), await runtime.execute(payment(2))]
    if (ended.decision === 'allow') runtime.settle(ended, { status: 'ok' })
    await runtime.flush()
    expect((await trail.call(ended.callId)).map(({ type }) => type)).toEqual([
      'decision',
      'outcome',
    ])
    expect((await trail.orphans()).map(({ data }) => data['call'])).toEqual([open.callId])
    const page = await trail.find({ order: 'newest', count: 10, decision: 'allow' })
    expect(page.records).toHaveLength(2)
    const shown = await trail.disclosures(open.decisionSeq ?? -1)
    expect(shown.map(({ encoded }) => Buffer.from(encoded, 'base64url').toString())).toEqual([
      expect.stringMatching(/,"amount",1\]$/),
    ])
    expect(await trail.verify()).toMatchObject({ bad: null, size: await trail.size() })
  })

  it('verifies in memory, against a pin and anchors', async () => {
    const { runtime } = gate({ store })
    for (let amount = 0; amount < 5; amount += 1) await runtime.execute(payment(amount))
    const trail = new AuditTrail(store)
    expect(await trail.verify()).toMatchObject({ verdict: 'cannot_verify', bad: null, size: 8 })
    const [first] = await trail.records(0, 1)
    const pin = `${textIn(first, 'vkey')}\n${textIn(first, 'epoch_vkey')}\n`
    expect(await trail.verify({ pin })).toMatchObject({ verdict: 'ok', reason: null, pinned: true })
    expect(await trail.verify({ pin, strict: true })).toMatchObject({ verdict: 'incomplete' })
    await expect(trail.verify({ pin: 'x' })).rejects.toMatchObject({ code: 'NOTE_INVALID' })
    const anchors = [{ name: 'a', note: 'no note' }]
    expect(await trail.verify({ pin, anchors })).toMatchObject({ verdict: 'cannot_verify' })
  })
})

function textIn(record: StoredRecord | undefined, name: string): string {
  const value = record?.data[name]
  return typeof value === 'string' ? value : ''
}
