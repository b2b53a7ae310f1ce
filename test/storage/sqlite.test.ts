import { existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, expect, test } from 'vitest'
import { verifyChain } from '../../src/audit/chain.ts'
import { discloseNothing } from '../../src/audit/disclosure.ts'
import { decisionRecord, outcomeRecord } from '../../src/audit/drafts.ts'
import type { RecordDraft } from '../../src/audit/record.ts'
import { CapFenceError } from '../../src/errors.ts'
import { ActionEvent } from '../../src/event/action-event.ts'
import type { Effects, LogReader } from '../../src/runtime/store.ts'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { SQLiteLog } from '../../src/storage/sqlite-log.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function newPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-storage-'))
  folders.push(folder)
  return join(folder, 'state', 'log.db')
}

const open = (path: string): SQLiteEngine =>
  SQLiteEngine.open({ path, software: 'test/1', maxLockWaitMs: 300 })
const nothing = discloseNothing('none').digests
let lastCall = 0

function decision(forwarded = true): RecordDraft {
  lastCall += 1
  const event = ActionEvent.create({ actor: 'a', resource: 'fs', action: 'read', scope: 'ws' })
  return decisionRecord({
    call: `00000000-0000-7000-8000-${String(lastCall).padStart(12, '0')}`,
    event,
    decision: forwarded ? 'allow' : 'deny',
    reason: 'rule',
    rules: [],
    policyHash: '0'.repeat(64),
    toolDefinitionHash: null,
    grant: null,
    approval: null,
    args: nothing,
    forwarded,
    mode: 'enforce',
  })
}

const callOf = ({ data }: RecordDraft): string => JSON.stringify(data['call']).slice(1, -1)

const effects =
  (...records: RecordDraft[]): (() => Effects<undefined>) =>
  () => ({ records, result: undefined })

async function verified(log: LogReader): Promise<ReturnType<typeof verifyChain>> {
  return verifyChain(await log.rows(0, 100_000))
}

test('a new log begins with log.open and proc.start, in a file for this user alone', async () => {
  const path = newPath()
  const engine = open(path)
  expect((await engine.records(0, 10)).map(({ type }) => type)).toEqual(['log.open', 'proc.start'])
  expect(statSync(path).mode & 0o777).toBe(0o600)
  await engine.close()
  const log = SQLiteLog.open(path)
  expect((await log.records(0, 10)).map(({ type }) => type)).toEqual([
    'log.open',
    'proc.start',
    'proc.stop',
  ])
  await log.close()
})

test('commits that wait together each see what those before them stored, and share one transaction', async () => {
  const engine = open(newPath())
  const seqs = await Promise.all(
    Array.from({ length: 50 }, () =>
      engine.commit((view) => ({ records: [decision(false)], result: view.nextSeq }), 'power'),
    ),
  )
  expect(seqs).toEqual(Array.from({ length: 50 }, (_, n) => n + 2))
  expect((await verified(engine)).bad).toBeNull()
  await engine.close()
})

test('a decide that throws is refused alone', async () => {
  const engine = open(newPath())
  const good = engine.commit(effects(decision()), 'process')
  const bad = engine.commit(() => {
    throw new Error('mine')
  }, 'process')
  const other = engine.commit(effects(decision()), 'process')
  await expect(bad).rejects.toThrow('mine')
  await Promise.all([good, other])
  expect(await engine.size()).toBe(4)
  await engine.close()
})

test('an outcome without a forwarded decision is refused alone', async () => {
  const engine = open(newPath())
  const draft = decision(false)
  const call = callOf(draft)
  const outcome = outcomeRecord({
    call,
    decisionSeq: 2,
    status: 'ok',
    ms: 1,
    bytes: 1,
    result: nothing,
  })
  const [one, two, three] = await Promise.allSettled([
    engine.commit(effects(draft), 'process'),
    engine.commit(effects(outcome), 'process'),
    engine.commit(effects(decision()), 'process'),
  ])
  expect([one.status, two.status, three.status]).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect((await verified(engine)).bad).toBeNull()
  await engine.close()
})

test('no record, no call: a log that is locked for too long fails closed, and works again afterwards', async () => {
  const path = newPath()
  const engine = open(path)
  const other = new Database(path)
  other.exec('BEGIN IMMEDIATE')
  await expect(engine.commit(effects(decision()), 'power')).rejects.toMatchObject({
    code: 'AUDIT_UNAVAILABLE',
  })
  other.exec('ROLLBACK')
  other.close()
  await engine.commit(effects(decision()), 'power')
  const types = (await engine.records(0, 10)).map(({ type }) => type)
  expect(types).toEqual(['log.open', 'proc.start', 'audit.gap', 'decision'])
  expect((await verified(engine)).bad).toBeNull()
  await engine.close()
})

test.each(['removed', 'replaced'])(
  'a database that was %s under the gate is not written',
  async (how) => {
    const path = newPath()
    const engine = open(path)
    renameSync(path, `${path}.away`)
    if (how === 'replaced') writeFileSync(path, '')
    await expect(engine.commit(effects(decision()), 'power')).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
    })
    renameSync(`${path}.away`, path)
    await engine.commit(effects(decision()), 'power')
    await engine.close()
  },
)

test('two writers on one file build on each other’s records', async () => {
  const path = newPath()
  const [one, two] = [open(path), open(path)]
  await Promise.all(
    Array.from({ length: 200 }, (_, n) =>
      (n % 2 === 0 ? one : two).commit(effects(decision(false)), 'process'),
    ),
  )
  const chain = await verified(one)
  expect(chain.bad).toBeNull()
  expect(await two.size()).toBe(203)
  await one.close()
  await two.close()
})

test('a lazy commit is stored with the next one, or soon by itself', async () => {
  const engine = open(newPath())
  const draft = decision()
  await engine.commit(effects(draft), 'process')
  const outcome = outcomeRecord({
    call: callOf(draft),
    decisionSeq: 2,
    status: 'ok',
    ms: 1,
    bytes: 1,
    result: nothing,
  })
  expect(await engine.orphans()).toMatchObject([{ seq: 2, state: 'in_flight' }])
  await engine.commit(effects(outcome), 'lazy')
  expect(await engine.orphans()).toEqual([])
  await engine.close()
})

test('a foreign database is left as it is', () => {
  const path = newPath()
  open(path)
  const foreign = join(path, '..', 'foreign.db')
  const db = new Database(foreign)
  db.exec('CREATE TABLE mine (x)')
  db.close()
  expect(() => open(foreign)).toThrow(CapFenceError)
  expect(() => SQLiteLog.open(join(path, '..', 'nowhere.db'))).toThrow('there is no audit log')
  expect(existsSync(join(path, '..', 'nowhere.db'))).toBe(false)
})

test('a trigger that somebody added is found when the log is opened', async () => {
  const path = newPath()
  await open(path).close()
  const db = new Database(path)
  db.exec('CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM calls; END')
  db.close()
  expect(() => open(path)).toThrow(expect.objectContaining({ code: 'AUDIT_CORRUPT' }))
})
