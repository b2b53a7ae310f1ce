import type Database from 'better-sqlite3'
import { logOrigin } from '../audit/fields.ts'
import { logOpenRecord, procStartRecord } from '../audit/log-drafts.ts'
import { ulid } from '../crypto/ids.ts'
import type { RandomSource } from '../crypto/random.ts'
import { CapFenceError } from '../errors.ts'
import { createSchema, isFresh, upgradeSchema } from './database-file.ts'
import type { WriterPlace } from './log-end.ts'
import { LogQueries } from './log-queries.ts'
import { LogTransaction } from './log-transaction.ts'
import type { WriterPresence } from './writer-presence.ts'
import { enterWriter, recordLostCalls } from './writers.ts'

/** What a log is opened with. */
export interface OpeningFacts {
  readonly random: RandomSource
  readonly nowMs: number
  readonly software: string
  readonly presence: WriterPresence
}

/** A log, ready for its writer. */
export interface OpenedLog {
  readonly transaction: LogTransaction
  /** Whose records follow. */
  readonly writer: Omit<WriterPlace, 'nowMs'>
  /** 32 random bytes, made once per database. */
  readonly argumentKey: Uint8Array
}

const argumentKeyName = 'argument-key'

/**
 * Makes a fresh database a log, or finds the log in it, and enters a new writer: all of it or nothing.
 *
 * Calls that a writer left open which no longer runs get the outcome `unknown`.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` when head and records do not agree, or origin or key are gone
 */
export function openLog(db: Database.Database, facts: OpeningFacts): OpenedLog {
  const writerId = ulid(facts.nowMs, facts.random)
  try {
    return db.transaction(() => enterLog(db, facts, writerId)).immediate()
  } catch (error) {
    facts.presence.release(writerId)
    throw error
  }
}

function enterLog(db: Database.Database, facts: OpeningFacts, writerId: string): OpenedLog {
  const isNew = isFresh(db)
  if (isNew) makeLog(db, facts)
  else upgradeSchema(db)
  const transaction = new LogTransaction(db)
  const writer = { log: originOf(db), w: writerId }
  const place = { ...writer, nowMs: facts.nowMs }
  transaction.begin()
  enterWriter(db, facts.presence, place)
  const start = procStartRecord({ software: facts.software, pid: process.pid })
  const records = isNew ? [logOpenRecord(facts), start] : [start]
  transaction.store({ records, result: undefined }, place)
  recordLostCalls({ db, presence: facts.presence, transaction, queries: new LogQueries(db), place })
  transaction.finish()
  // The caller's COMMIT can still fail; then this transaction is never used.
  transaction.committed()
  return { transaction, writer, argumentKey: argumentKeyOf(db) }
}

function makeLog(db: Database.Database, { random, nowMs }: OpeningFacts): void {
  createSchema(db)
  const origin = logOrigin(ulid(nowMs, random))
  db.prepare('INSERT INTO log (id, origin, opened_ms) VALUES (1, ?, ?)').run(origin, nowMs)
  db.prepare('INSERT INTO secrets (name, value) VALUES (?, ?)').run(argumentKeyName, random(32))
  new LogTransaction(db).create()
}

function originOf(db: Database.Database): string {
  const origin = db.prepare<[], string>('SELECT origin FROM log').pluck().get()
  if (origin === undefined) throw damaged('origin')
  return origin
}

function argumentKeyOf(db: Database.Database): Uint8Array {
  const key = db.prepare<[string], Buffer>('SELECT value FROM secrets WHERE name = ?').pluck()
  const bytes = key.get(argumentKeyName)
  if (bytes?.length !== 32) throw damaged('argument key')
  return new Uint8Array(bytes)
}

function damaged(what: string): CapFenceError {
  return new CapFenceError('AUDIT_CORRUPT', `the audit log is damaged: it has lost its ${what}`, {
    hint: 'keep a copy of the file as it is, and restore the log from a copy that verifies',
  })
}
