import type Database from 'better-sqlite3'
import { logOpenRecord } from '../audit/log-drafts.ts'
import type { RecordDraft } from '../audit/record.ts'
import { ulid } from '../crypto/ids.ts'
import type { RandomSource } from '../crypto/random.ts'
import { CapFenceError } from '../errors.ts'
import { createSchema, isFresh } from './database-file.ts'
import { LogTransaction } from './log-transaction.ts'

/** What a log is opened with. */
export interface OpeningFacts {
  readonly random: RandomSource
  readonly nowMs: number
  readonly software: string
}

/** A log, ready for its writer. */
export interface OpenedLog {
  /** `capfence.local/<ULID>`. */
  readonly origin: string
  /** 32 random bytes, made once per database. */
  readonly argumentKey: Uint8Array
  /** What a new log begins with; nothing for one that has begun. */
  readonly drafts: readonly RecordDraft[]
}

const argumentKeyName = 'argument-key'

/**
 * Makes tables, origin and key in a fresh database, or finds them; only inside a write transaction.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` when a log has lost its origin or key
 */
export function openLog(db: Database.Database, facts: OpeningFacts): OpenedLog {
  const isNew = isFresh(db)
  if (isNew) makeLog(db, facts)
  const origin = db.prepare<[], string>('SELECT origin FROM log WHERE id = 1').pluck().get()
  const argumentKey = db
    .prepare<[string], Buffer>('SELECT value FROM secrets WHERE name = ?')
    .pluck()
    .get(argumentKeyName)
  if (origin === undefined || argumentKey?.length !== 32) {
    throw new CapFenceError('AUDIT_CORRUPT', 'the audit log has lost its origin or its key', {
      hint: 'keep a copy of the file as it is, and restore the log from a copy that verifies',
    })
  }
  const isEmpty = db.prepare<[], number>('SELECT size FROM head').pluck().get() === 0
  return { origin, argumentKey, drafts: isEmpty ? [logOpenRecord(facts)] : [] }
}

function makeLog(db: Database.Database, { random, nowMs }: OpeningFacts): void {
  createSchema(db)
  const origin = `capfence.local/${ulid(nowMs, random)}`
  db.prepare('INSERT INTO log (id, origin, opened_ms) VALUES (1, ?, ?)').run(origin, nowMs)
  db.prepare('INSERT INTO secrets (name, value) VALUES (?, ?)').run(argumentKeyName, random(32))
  new LogTransaction(db).create()
}
