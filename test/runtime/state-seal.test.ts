import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ActionEvent } from '../../src/event/action-event.ts'
import type { ActionRuntime } from '../../src/runtime/action-runtime.ts'
import type { Verdict } from '../../src/runtime/verdict.ts'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { asVersion } from '../storage/older-log.ts'
import { gate, payment, written } from './fixtures.ts'

let folder: string
let path: string
const open: SQLiteEngine[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'capfence-seal-'))
  path = join(folder, 'log.db')
})
afterEach(async () => {
  await closeAll()
  rmSync(folder, { recursive: true, force: true })
})

async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((one) => one.close()))
}

const policy = written(`
budgets: [{id: spend, limit: 100, window: 1h, from: [{capability: payment, sum: /amount}]}]
labels: [{capability: web.fetch, adds: untrusted}, {capability: order.lookup, adds: looked_up, ttl: 1h}]
deny: [{id: leak, capability: mail.send, session: {has: [untrusted]}}]
allow:
  - payment
  - web.fetch
  - order.lookup
  - mail.send
  - {id: refund, capability: refund, session: {has: [looked_up]}}
`)

function start(): { readonly store: SQLiteEngine; readonly runtime: ActionRuntime } {
  const store = SQLiteEngine.open({ path, software: 'test/1', maxLockWaitMs: 50 })
  open.push(store)
  return { store, runtime: gate({ store, policy, clock: () => Date.now() }).runtime }
}

const event = (capability: string): ActionEvent => {
  const [resource = '', action = 'any'] = capability.split('.')
  return ActionEvent.create({
    actor: 'agent',
    resource,
    action,
    environment: 'production',
    arguments: {},
  })
}

async function pass(runtime: ActionRuntime, asked: ActionEvent): Promise<Verdict> {
  const verdict = await runtime.execute(asked)
  if (verdict.decision === 'allow') runtime.settle(verdict, { status: 'ok' })
  return verdict
}

const decisionOf = async (runtime: ActionRuntime, asked: ActionEvent): Promise<string> =>
  (await pass(runtime, asked)).decision

/** Behind the gate's back, as anyone can who may write the file. */
function change(sql: string): void {
  const db = new Database(path)
  db.exec(sql)
  db.close()
}

/** A log in which 90 of 100 are spent, the session is tainted, and an order was looked up. */
async function spent(): Promise<ReturnType<typeof start>> {
  const made = start()
  for (const asked of [payment(60), payment(30), event('web.fetch'), event('order.lookup')]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as a session does
    expect(await decisionOf(made.runtime, asked)).toBe('allow')
  }
  return made
}

async function typesOf(store: SQLiteEngine): Promise<readonly string[]> {
  return (await store.records(0, 1000)).map(({ type }) => type)
}

const attacks = [
  ['charges deleted', 'DELETE FROM limit_charges'],
  ['one charge deleted', 'DELETE FROM limit_charges WHERE amount = 30'],
  ['a charge made smaller', "UPDATE limit_charges SET amount = '1' WHERE amount = '60'"],
  ['a charge made older', 'UPDATE limit_charges SET at_ms = at_ms - 3700000'],
  ['a charge that ends at once', 'UPDATE limit_charges SET expires_ms = 1'],
  [
    'a negative charge put in',
    "INSERT INTO limit_charges VALUES ('budget spend', 1, 2, '-50', 9007199254740991, 'settled')",
  ],
  ['labels deleted', 'DELETE FROM labels'],
  ['a label that ends at once', "UPDATE labels SET held_until_ms = 1 WHERE label = 'untrusted'"],
  ['a label of somebody else', `UPDATE labels SET subject = '["actor","other"]'`],
] as const

describe('B37: rows of limits and labels', () => {
  test('that nobody has touched are gone on with, and the log says nothing of it', async () => {
    await spent()
    await closeAll()
    const { store, runtime } = start()
    expect(await decisionOf(runtime, payment(20))).toBe('deny')
    expect(await decisionOf(runtime, payment(10))).toBe('allow')
    expect(await decisionOf(runtime, event('mail.send'))).toBe('deny')
    expect(await decisionOf(runtime, event('refund'))).toBe('allow')
    expect(await typesOf(store)).not.toContain('state.rebuild')
  })

  test.each(attacks)(
    '%s between two runs give nothing: they are made again from the log',
    async (_, sql) => {
      await spent()
      await closeAll()
      change(sql)
      const { store, runtime } = start()
      expect(await decisionOf(runtime, payment(20))).toBe('deny')
      expect(await decisionOf(runtime, payment(10))).toBe('allow')
      expect(await decisionOf(runtime, event('mail.send'))).toBe('deny')
      expect(await typesOf(store)).toContain('state.rebuild')
      await closeAll()
      const types = await typesOf(start().store)
      expect(types.filter((type) => type === 'state.rebuild')).toHaveLength(1)
    },
  )

  test.each(attacks)(
    '%s while the gate runs block every call until it is started again',
    async (_, sql) => {
      const { runtime } = await spent()
      change(sql)
      for (const asked of [payment(1), event('web.fetch')]) {
        // oxlint-disable-next-line no-await-in-loop -- the second must be blocked too
        expect(await pass(runtime, asked)).toMatchObject({ decision: 'deny', authorized: false })
      }
      await closeAll()
      const again = start()
      expect(await decisionOf(again.runtime, payment(20))).toBe('deny')
      expect(await decisionOf(again.runtime, payment(10))).toBe('allow')
    },
  )

  test('put in as evidence are no evidence', async () => {
    const { runtime } = start()
    expect(await decisionOf(runtime, event('refund'))).toBe('deny')
    await closeAll()
    change(
      `INSERT INTO labels VALUES ('["actor","agent"]', 'looked_up', '', 1, 9007199254740991, 9007199254740991)`,
    )
    expect(await decisionOf(start().runtime, event('refund'))).toBe('deny')
  })

  test('are not brought back from an earlier time with their seal', async () => {
    const made = start()
    await pass(made.runtime, payment(10))
    await closeAll()
    copyFileSync(path, join(folder, 'earlier.db'))
    const { runtime } = start()
    await pass(runtime, payment(80))
    await closeAll()
    change(`ATTACH '${join(folder, 'earlier.db')}' AS earlier;
      DELETE FROM limit_charges; INSERT INTO limit_charges SELECT * FROM earlier.limit_charges;
      UPDATE head SET state = (SELECT state FROM earlier.head)`)
    expect(await decisionOf(start().runtime, payment(50))).toBe('deny')
  })

  test('of a log that was made one of an older version are not taken as they are', async () => {
    await spent()
    await closeAll()
    change('DELETE FROM limit_charges')
    asVersion(path, 4)
    expect(await decisionOf(start().runtime, payment(20))).toBe('deny')
  })

  test.each(['NULL', "x''", 'zeroblob(64)'])(
    'without their seal (%s) are made again',
    async (seal) => {
      await spent()
      await closeAll()
      change(`DELETE FROM limit_charges; UPDATE head SET state = ${seal}`)
      const { store, runtime } = start()
      expect(await decisionOf(runtime, payment(20))).toBe('deny')
      expect(await typesOf(store)).toContain('state.rebuild')
    },
  )

  test('of which the log has lost what they were are not guessed', async () => {
    await spent()
    await closeAll()
    change('DELETE FROM limit_charges; DELETE FROM disclosures')
    expect(() => start()).toThrow(/cannot be rebuilt/)
  })

  test('are not rebuilt from records that do not give the signed root', async () => {
    await spent()
    await closeAll()
    change(`DELETE FROM limit_charges;
      UPDATE records SET body = CAST(replace(CAST(body AS TEXT), '"forwarded":true', '"forwarded":false') AS BLOB)`)
    expect(() => start()).toThrow(/signed root/)
  })

  test('given back once are not given back by the rebuilding, and those returned are not charged', async () => {
    const { runtime } = start()
    const verdict = await runtime.execute(payment(60))
    if (verdict.decision === 'allow') runtime.settle(verdict, { status: 'cancelled', sent: false })
    await pass(runtime, payment(30))
    await closeAll()
    change('DELETE FROM limit_charges')
    const again = start()
    expect(await decisionOf(again.runtime, payment(71))).toBe('deny')
    expect(await decisionOf(again.runtime, payment(70))).toBe('allow')
  })

  test('of gates that share a log are theirs all', async () => {
    const [one, other] = [start(), start()]
    for (const asked of [1, 2, 3, 4]) {
      // oxlint-disable-next-line no-await-in-loop -- in turns
      for (const { runtime } of [one, other]) await pass(runtime, payment(asked))
    }
    expect(await decisionOf(one.runtime, payment(81))).toBe('deny')
    expect(await decisionOf(other.runtime, payment(80))).toBe('allow')
    expect(await typesOf(one.store)).not.toContain('state.rebuild')
  })
})
