import Database from 'better-sqlite3'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { schemaOfVersion, schemaStatements, schemaVersion } from '../../src/storage/schema.ts'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { SQLiteLog } from '../../src/storage/sqlite-log.ts'
import { typesOf, verified } from './contract-context.ts'
import { decisionOn, newCall, storing } from './drafts.ts'
import { closedLog, commitOne } from './log-files.ts'
import { asVersion, olderLog } from './older-log.ts'
import { expectSigned } from './signed-log.ts'
import { newSQLitePlace } from './sqlite-subject.ts'

/** The versions that databases may still have. */
const older = Array.from({ length: schemaVersion - 1 }, (_, at) => at + 1)
/** Those that did not sign. */
const unsigned = older.filter((version) => version < 4)

test.each(unsigned)('a log of format %d is read as it is', async (version) => {
  const { path } = olderLog(version)
  const before = readFileSync(path)
  const reader = SQLiteLog.open(path)
  expect(await reader.size()).toBe(4)
  expect(await reader.pots(Date.now())).toEqual([])
  await verified(reader)
  await reader.close()
  expect(readFileSync(path).equals(before)).toBe(true)
})

test.each(unsigned)(
  'whoever writes makes a log of format %d one of this, with all that it holds',
  async (version) => {
    const { path } = olderLog(version)
    const store = SQLiteEngine.open({ path, software: 'capfence/test' })
    await store.commit(storing(decisionOn(newCall(), { decision: 'deny' })), 'process')
    await verified(store)
    expect((await typesOf(store)).slice(3)).toEqual([
      'proc.stop',
      'key.add',
      'proc.start',
      'decision',
    ])
    await store.close()
    const db = new Database(path)
    expect(db.pragma('user_version', { simple: true })).toBe(schemaVersion)
    const stored = db.prepare('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL').pluck().all()
    db.close()
    expect(new Set(stored)).toEqual(new Set(schemaStatements))
  },
)

test.each([4, 5])(
  'a signed log of format %d is read as it is, and goes on with its keys',
  async (version) => {
    const path = await closedLog()
    asVersion(path, version)
    const reader = SQLiteLog.open(path)
    const size = await reader.size()
    expect(await reader.grants()).toEqual([])
    await reader.close()
    const store = SQLiteEngine.open({ path, software: 'capfence/test' })
    await commitOne(store)
    await verified(store)
    expect((await typesOf(store)).slice(size)).toEqual(['state.rebuild', 'proc.start', 'decision'])
    await store.close()
    expectSigned(path)
  },
)

test('every version from the first one on is known, and no other', () => {
  const known = Array.from({ length: schemaVersion + 3 }, (_, version) => schemaOfVersion(version))
  expect(known.map((statements) => statements !== undefined)).toEqual([
    false,
    ...Array.from({ length: schemaVersion }, () => true),
    ...[false, false],
  ])
})

test('a gate stores nothing more once a newer one has changed the format under it, and says so', async () => {
  const place = newSQLitePlace()
  const store = place.open()
  const commit = (): Promise<unknown> =>
    store.commit(storing(decisionOn(newCall(), { decision: 'deny' })), 'process')
  await commit()
  const db = new Database(place.path)
  db.pragma(`user_version = ${schemaVersion + 1}`)
  const size = await store.size()
  await expect(commit()).rejects.toMatchObject({
    code: 'AUDIT_UNAVAILABLE',
    message: `the audit log cannot be written: it has format ${schemaVersion + 1} now, and this gate writes ${schemaVersion}`,
    hint: expect.stringContaining('restart this gate') as unknown,
  })
  await store.close()
  expect(db.prepare('SELECT count(*) FROM records').pluck().get()).toBe(size)
  db.close()
})
