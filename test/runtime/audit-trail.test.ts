import { afterEach, beforeEach, describe, expect, it } from 'vitest'
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

  it('names the first record that does not follow, and looks no further', async () => {
    const { runtime } = gate({ store })
    for (let amount = 0; amount < 5; amount += 1) await runtime.execute(payment(amount))
    const damaged = {
      rows: async (from: number, count: number) => {
        const rows = await store.rows(from, count)
        return rows.map((row) => (row.seq === 4 ? { ...row, body: row.body.map((b) => b) } : row))
      },
    }
    const flipped = {
      rows: async (from: number, count: number) => {
        const rows = await store.rows(from, count)
        return rows.map((row) => {
          if (row.seq !== 4) return row
          const body = row.body.slice()
          body[20] = (body[20] ?? 0) ^ 1
          return { ...row, body }
        })
      },
    }
    const verify = (log: object): ReturnType<AuditTrail['verify']> =>
      new AuditTrail(log as ConstructorParameters<typeof AuditTrail>[0]).verify()
    expect((await verify(damaged)).bad).toBeNull()
    expect(await verify(flipped)).toMatchObject({ bad: { seq: 4 }, size: 4 })
  })
})
