import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Decimal } from '../../src/json/decimal.ts'
import { AuditTrail } from '../../src/runtime/audit-trail.ts'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { SQLiteLog } from '../../src/storage/sqlite-log.ts'
import { gate, payment } from './fixtures.ts'

let folder: string
let path: string
const open: { close(): Promise<void> }[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'capfence-runtime-'))
  path = join(folder, 'log.db')
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
  rmSync(folder, { recursive: true, force: true })
})

function engine(): SQLiteEngine {
  const store = SQLiteEngine.open({ path, software: 'test/1', maxLockWaitMs: 50 })
  open.push(store)
  return store
}

/** What another process sees in the file. */
async function seenFromOutside(seq: number): Promise<{ [name: string]: unknown } | undefined> {
  const log = SQLiteLog.open(path)
  try {
    return (await log.records(seq, 1))[0]?.data
  } finally {
    await log.close()
  }
}

describe('on a database', () => {
  it('an allow can be read by another process before the verdict is out', async () => {
    const { runtime } = gate({ store: engine(), durability: 'process' })
    const amounts = fc.oneof(
      fc.integer({ min: -5, max: 2000 }),
      fc.constantFrom(new Decimal('1000.00000000000000001'), 'x', undefined, 2n ** 53n + 1n),
    )
    await fc.assert(
      fc.asyncProperty(amounts, async (amount) => {
        const verdict = await runtime.execute(payment(amount))
        const record = await seenFromOutside(verdict.decisionSeq ?? -1)
        expect(record).toMatchObject({
          call: verdict.callId,
          forwarded: verdict.authorized,
          decision: verdict.decision,
        })
      }),
      { numRuns: 50 },
    )
  })

  it('two gates that are asked the same at the same time leave one request', async () => {
    const [one, other] = [gate({ store: engine() }), gate({ store: engine() })]
    const verdicts = await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        (at % 2 === 0 ? one : other).runtime.execute(payment(5000)),
      ),
    )
    const ids = verdicts.map((said) =>
      said.decision === 'require_approval' ? said.approvalId : '',
    )
    expect(new Set(ids).size).toBe(1)
    expect(ids[0]).toMatch(/^apr_/)
  })

  it('1000 and 1000.00000000000000001, 2^53 and 2^53+1 are different calls (B13, B21)', async () => {
    const { runtime } = gate({ store: engine() })
    const texts = ['1000.00000000000000001', '1000.00000000000000002', '9007199254740992']
    const ids = new Set<string>()
    for (const text of [...texts, '9007199254740993', texts[0] ?? '']) {
      const verdict = await runtime.execute(payment(new Decimal(text)))
      if (verdict.decision === 'require_approval') ids.add(verdict.approvalId)
    }
    expect(ids.size).toBe(4)
    expect((await runtime.execute(payment(1000))).decision).toBe('allow')
  })

  it('one that somebody else holds makes denials, which the log counts when it is free', async () => {
    const store = engine()
    const { runtime } = gate({ store })
    await runtime.start()
    const other = new Database(path)
    other.exec('BEGIN IMMEDIATE')
    const during = await Promise.all([
      runtime.execute(payment(1)),
      runtime.execute(payment(5000)),
      runtime.execute(payment(undefined)),
    ])
    other.exec('COMMIT')
    other.close()
    expect(during.map(({ reasonCode }) => reasonCode)).toEqual([
      'audit_unavailable',
      'audit_unavailable',
      'default',
    ])
    expect((await runtime.execute(payment(1))).authorized).toBe(true)
    const trail = new AuditTrail(store)
    const gaps = await trail.find({ order: 'oldest', count: 10, types: ['audit.gap'] })
    expect(gaps.records.map(({ data }) => data['unrecorded'])).toEqual([3])
    expect((await trail.verify()).bad).toBeNull()
  })

  it('one whose file was taken away allows nothing', async () => {
    const { runtime } = gate({ store: engine() })
    expect((await runtime.execute(payment(1))).authorized).toBe(true)
    renameSync(path, `${path}.taken`)
    expect(await runtime.execute(payment(1))).toMatchObject({ reasonCode: 'audit_unavailable' })
    renameSync(`${path}.taken`, path)
  })

  it('an outcome that could not be written comes before the next allow', async () => {
    const store = engine()
    const { runtime } = gate({ store })
    const first = await runtime.execute(payment(1))
    renameSync(path, `${path}.taken`)
    if (first.decision === 'allow') runtime.settle(first, { status: 'ok' })
    expect((await runtime.execute(payment(1))).authorized).toBe(false)
    renameSync(`${path}.taken`, path)
    const next = await runtime.execute(payment(1))
    expect(next.authorized).toBe(true)
    const outcome = (await new AuditTrail(store).call(first.callId)).at(-1)
    expect(outcome?.type).toBe('outcome')
    expect(outcome?.seq).toBeLessThan(next.decisionSeq ?? 0)
  })
})
