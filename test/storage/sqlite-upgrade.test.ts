import Database from 'better-sqlite3'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { schemaOfVersion, schemaStatements, schemaVersion } from '../../src/storage/schema.ts'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { SQLiteLog } from '../../src/storage/sqlite-log.ts'
import { verified } from './contract-context.ts'
import { decisionOn, newCall, storing } from './drafts.ts'
import { newSQLitePlace } from './sqlite-subject.ts'

/** A log with a decision, in the format of the first version. */
async function olderLog(): Promise<string> {
  const place = newSQLitePlace()
  const store = place.open()
  await store.commit(storing(decisionOn(newCall(), { decision: 'deny' })), 'process')
  await store.close()
  const tables = (schemaOfVersion(1) ?? []).filter((one) => / (?:limit_charges|labels)/.test(one))
  expect(tables.some((one) => !schemaStatements.includes(one))).toBe(true)
  const db = new Database(place.path)
  db.exec(`DROP TABLE limit_charges; DROP TABLE labels; ${tables.join(';')}`)
  db.pragma('user_version = 1')
  db.close()
  return place.path
}

test('a log of an older format is read as it is', async () => {
  const path = await olderLog()
  const before = readFileSync(path)
  const reader = SQLiteLog.open(path)
  expect(await reader.size()).toBe(4)
  expect(await reader.pots(Date.now())).toEqual([])
  await verified(reader)
  await reader.close()
  expect(readFileSync(path).equals(before)).toBe(true)
})

test('whoever writes makes it one of this format, with all that it holds', async () => {
  const path = await olderLog()
  const store = SQLiteEngine.open({ path, software: 'capfence/test' })
  await store.commit(storing(decisionOn(newCall(), { decision: 'deny' })), 'process')
  await verified(store)
  expect(await store.size()).toBe(6)
  await store.close()
  const db = new Database(path)
  expect(db.pragma('user_version', { simple: true })).toBe(schemaVersion)
  const stored = db.prepare('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL').pluck().all()
  db.close()
  expect(new Set(stored)).toEqual(new Set(schemaStatements))
})

test('every version from the first one on is known, and no other', () => {
  const known = Array.from({ length: schemaVersion + 3 }, (_, version) => schemaOfVersion(version))
  expect(known.map((statements) => statements !== undefined)).toEqual([
    false,
    ...Array.from({ length: schemaVersion }, () => true),
    ...[false, false],
  ])
})
