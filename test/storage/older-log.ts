import Database from 'better-sqlite3'
import { procStartRecord, procStopRecord } from '../../src/audit/log-drafts.ts'
import type { RecordDraft } from '../../src/audit/record.ts'
import { rootOf } from '../../src/audit/tree.ts'
import { logStart, placeRecords } from '../../src/storage/log-end.ts'
import { applicationId, schemaOfVersion } from '../../src/storage/schema.ts'
import { decisionOn, newCall } from './drafts.ts'
import { newSQLitePlace } from './sqlite-subject.ts'
import type { SQLitePlace } from './sqlite-subject.ts'

const originOfTests = 'capfence.local/01JD0000000000000000000000'

/** A log with a decision, closed, as a version wrote it that did not sign. */
export function olderLog(version: number): SQLitePlace {
  const place = newSQLitePlace()
  const db = new Database(place.path)
  for (const statement of schemaOfVersion(version) ?? []) db.exec(statement)
  db.pragma(`application_id = ${applicationId}`)
  db.pragma(`user_version = ${version}`)
  db.prepare('INSERT INTO log (id, origin, opened_ms) VALUES (1, ?, 0)').run(originOfTests)
  db.prepare(`INSERT INTO secrets (name, value) VALUES ('argument-key', zeroblob(32))`).run()
  storeUnsigned(db, [
    {
      type: 'log.open',
      data: { continues: null, format: 'capfence-log/1', software: 'capfence/old', vkey: null },
    },
    procStartRecord({ software: 'capfence/old', pid: 1 }),
    decisionOn(newCall(), { decision: 'deny' }),
    procStopRecord('closed'),
  ])
  db.close()
  return place
}

/** Takes from a log of today what a version did not have; the version must be one that signed. */
export function asVersion(path: string, version: number): void {
  const db = new Database(path)
  const columns = 'id, size, root, frontier, note'
  db.exec(`CREATE TEMP TABLE kept AS SELECT ${columns} FROM main.head`)
  db.exec('DROP TABLE main.head')
  db.exec('DROP TABLE main.grants')
  const schema = schemaOfVersion(version) ?? []
  const renewed = /^CREATE (?:TABLE (?:head|grants)|INDEX grants_active)\b/
  for (const statement of schema.filter((one) => renewed.test(one))) db.exec(statement)
  db.exec(`INSERT INTO main.head (${columns}) SELECT ${columns} FROM kept`)
  db.pragma(`user_version = ${version}`)
  db.close()
}

function storeUnsigned(db: Database.Database, drafts: readonly RecordDraft[]): void {
  const at = { log: originOfTests, w: '01JD1111111111111111111111', nowMs: 0 }
  const { records, end } = placeRecords(drafts, logStart, at)
  const insert = db.prepare('INSERT INTO records (seq, leaf, body) VALUES (?, ?, ?)')
  for (const { seq, leaf, body } of records) insert.run(seq, Buffer.from(leaf, 'hex'), body)
  db.prepare('INSERT INTO head (id, size, root, frontier) VALUES (1, ?, ?, ?)').run(
    end.tree.size,
    Buffer.from(rootOf(end.tree), 'hex'),
    Buffer.from(end.tree.frontier.join(''), 'hex'),
  )
}
