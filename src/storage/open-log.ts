import type Database from 'better-sqlite3'
import type { HighWaterFile } from '../anchor/high-water.ts'
import { isObject, logOrigin } from '../audit/fields.ts'
import {
  keyAddRecord,
  logOpenRecord,
  logRecoverRecord,
  procStartRecord,
  stateRebuildRecord,
} from '../audit/log-drafts.ts'
import type { RecordDraft } from '../audit/record.ts'
import { ulid } from '../crypto/ids.ts'
import { CapFenceError } from '../errors.ts'
import type { RandomSource } from '../crypto/random.ts'
import type { KeyFiles } from '../crypto/key-folder.ts'
import { createSchema, isFresh, upgradeSchema, versionOf } from './database-file.ts'
import { NotHere } from './batch-attempt.ts'
import { EpochRows } from './epoch-rows.ts'
import { corrupt } from './failure.ts'
import { breakSince, rolledBack } from './high-water.ts'
import type { Recovery } from './high-water.ts'
import type { WriterPlace } from './log-end.ts'
import { LogQueries } from './log-queries.ts'
import { LogSigner } from './log-signer.ts'
import { LogTransaction } from './log-transaction.ts'
import { rebuildState } from './state-rebuild.ts'
import { carriedEffects } from './succession.ts'
import type { Succession } from './succession.ts'
import type { WriterPresence } from './writer-presence.ts'
import { enterWriter, recordLostCalls } from './writers.ts'

/** What a log is opened with. */
export interface OpeningFacts {
  readonly random: RandomSource
  readonly nowMs: number
  readonly software: string
  readonly presence: WriterPresence
  readonly keys: KeyFiles
  /** How long an epoch of keys lasts, milliseconds; 0 when only a person ends it. */
  readonly rotateMs: number
  /** Undefined for a log that leaves nothing behind. */
  readonly highWater: HighWaterFile | undefined
  /** A person's word that a break is known; undefined to refuse one. */
  readonly recovery: Recovery | undefined
  /** What a log that is made takes over; undefined for one that succeeds none. */
  readonly succession: Succession | undefined
  /** Changes whenever another writer has written; SQLite's own when absent. */
  readonly version?: () => number
  /** Whether only some records are at hand: then `NotHere` is thrown when all are needed. */
  readonly isPartial?: boolean
}

/** A log, ready for its writer. */
export interface OpenedLog {
  readonly transaction: LogTransaction
  readonly signer: LogSigner
  readonly highWater: HighWaterFile | undefined
  /** Whose records follow. */
  readonly writer: Omit<WriterPlace, 'nowMs'>
  /** 32 random bytes, made once per database. */
  readonly argumentKey: Uint8Array
}

const argumentKeyName = 'argument-key'
/** The version of the schema from which on logs are signed. */
const firstSignedVersion = 4

/**
 * Makes a fresh database a log, or finds the log in it, and enters a new writer: all of it or nothing.
 *
 * Calls that a writer left open which no longer runs get the outcome `unknown`.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` when head, signatures and records do not agree, or origin or argument key are gone;
 *   `AUDIT_UNAVAILABLE` when the log's private keys cannot be used
 */
export function openLog(db: Database.Database, facts: OpeningFacts): OpenedLog {
  const writerId = ulid(facts.nowMs, facts.random)
  try {
    // Keys of a new log get their final name after COMMIT: a power cut must not leave keys without their log.
    if (versionOf(db) < firstSignedVersion || facts.recovery !== undefined)
      db.pragma('synchronous = FULL')
    const log = db.transaction(() => enterLog(db, facts, writerId)).immediate()
    log.transaction.committed()
    return log
  } catch (error) {
    facts.presence.release(writerId)
    throw error
  }
}

/**
 * The same inside a transaction that the caller has begun and ends, with `committed` or `rolledBack` of what it gives.
 *
 * @param writerId a ULID
 */
export function enterLog(db: Database.Database, facts: OpeningFacts, writerId: string): OpenedLog {
  const { transaction, signer, origin, firstRecords, isUnmarked } = startOf(db, facts)
  const writer = { log: origin, w: writerId }
  const place = { ...writer, nowMs: facts.nowMs }
  enterWriter(db, facts.presence, place)
  const start = procStartRecord({ software: facts.software, pid: process.pid })
  transaction.store({ records: firstRecords, result: undefined }, place)
  if (facts.succession !== undefined) takeOver(transaction, facts.succession, facts, place)
  transaction.store({ records: [start], result: undefined }, place)
  recordLostCalls({ db, presence: facts.presence, transaction, queries: new LogQueries(db), place })
  const head = transaction.finish()
  // Before COMMIT: a log without its high-water file is refused. If COMMIT fails, the file is of no log, or refused again.
  if (isUnmarked && head !== undefined) facts.highWater?.make(head.note)
  return {
    transaction,
    signer,
    highWater: facts.highWater,
    writer,
    argumentKey: argumentKeyOf(db),
  }
}

/** A log that takes records, and those it has to take first. */
interface LogStart {
  readonly transaction: LogTransaction
  readonly signer: LogSigner
  readonly origin: string
  readonly firstRecords: readonly RecordDraft[]
  /** Whether the high-water file is yet to be made, or says something else on purpose. */
  readonly isUnmarked: boolean
}

function startOf(db: Database.Database, facts: OpeningFacts): LogStart {
  const isNew = isFresh(db)
  const hasKeys = !isNew && versionOf(db) >= firstSignedVersion
  if (isNew) makeLog(db, facts)
  else upgradeSchema(db)
  const origin = originOf(db)
  const epochs = new EpochRows(db)
  requireOpenEnd(db)
  const { keys: files, random, rotateMs, succession } = facts
  const context = { origin, files, epochs, random, rotateMs }
  if (hasKeys) {
    const signer = LogSigner.load(context)
    const transaction = new LogTransaction(db, signer, facts.version)
    const isSound = transaction.beginWithState()
    const recovered = recoveryOf(facts, transaction, signer)
    if (!isSound && facts.isPartial === true) throw new NotHere()
    const rebuilt = isSound ? [] : [rebuildRows(db, transaction, facts.nowMs)]
    const firstRecords = [...recovered, ...rebuilt]
    return { transaction, signer, origin, firstRecords, isUnmarked: recovered.length > 0 }
  }
  const signer =
    succession === undefined
      ? LogSigner.make(context, facts.nowMs)
      : LogSigner.adopt(context, facts.nowMs)
  const transaction = new LogTransaction(db, signer, facts.version)
  if (isNew) transaction.create()
  else beginSigning(db, transaction, facts.nowMs)
  epochs.add(1, transaction.nextSeq)
  const keys = signer.firstKeys()
  const { software } = facts
  const continues = succession?.continues
  const first = isNew ? logOpenRecord({ software, ...keys, continues }) : keyAddRecord(keys)
  return { transaction, signer, origin, firstRecords: [first], isUnmarked: true }
}

/** Stores what a new log takes over, right behind its first record. */
function takeOver(
  transaction: LogTransaction,
  { carried }: Succession,
  { random }: OpeningFacts,
  place: WriterPlace,
): void {
  const { records, disclosures, state } = carriedEffects(carried, transaction.nextSeq, random)
  transaction.store({ records, disclosures, result: undefined }, place)
  transaction.replaceState(state)
}

/**
 * Nothing follows the record of the archive.
 *
 * @throws CapFenceError `AUDIT_UNAVAILABLE`
 */
function requireOpenEnd(db: Database.Database): void {
  const size = new LogQueries(db).size()
  const [last] = size === 0 ? [] : new LogQueries(db).records(size - 1, 1)
  if (last?.type !== 'log.archive') return
  const { next } = last.data
  const origin = isObject(next) && typeof next['log'] === 'string' ? next['log'] : 'another log'
  throw new CapFenceError('AUDIT_UNAVAILABLE', 'this log was archived: nothing is added to it', {
    hint: `${origin} goes on in its place; name that one as \`storage\``,
  })
}

/**
 * What has to be recorded before a log goes on that does not continue what was known of it.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` unless a person has confirmed it
 */
function recoveryOf(
  { highWater, recovery }: OpeningFacts,
  transaction: LogTransaction,
  signer: LogSigner,
): readonly RecordDraft[] {
  if (highWater === undefined) return []
  const found = breakSince(highWater, transaction.head, signer)
  if (found === undefined) return []
  if (recovery === undefined) throw rolledBack(found)
  return [logRecoverRecord({ ...recovery, lost: found.lost })]
}

/**
 * Makes the rows of limits, labels and grants again from the records; gives the record that says so.
 *
 * Rows of a version that did not seal them are not taken as they are either: whoever changed them could have taken the
 * seal away with them.
 */
function rebuildRows(
  db: Database.Database,
  transaction: LogTransaction,
  nowMs: number,
): RecordDraft {
  const state = rebuildState(db, nowMs)
  transaction.replaceState(state)
  return stateRebuildRecord({
    charges: state.charges.length,
    labels: state.labels.length,
    grants: state.grants.rows.length,
  })
}

function makeLog(db: Database.Database, { random, nowMs, succession }: OpeningFacts): void {
  createSchema(db)
  const origin = succession?.origin ?? logOrigin(ulid(nowMs, random))
  const argumentKey = succession?.argumentKey ?? random(32)
  db.prepare('INSERT INTO log (id, origin, opened_ms) VALUES (1, ?, ?)').run(origin, nowMs)
  db.prepare('INSERT INTO secrets (name, value) VALUES (?, ?)').run(argumentKeyName, argumentKey)
}

/**
 * Begins in a log of a version that did not sign.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` when it says itself that it is signed: somebody has taken that away
 */
function beginSigning(db: Database.Database, transaction: LogTransaction, nowMs: number): void {
  const [first] = new LogQueries(db).records(0, 1)
  if (first?.type !== 'log.open') throw corrupt('its first record is missing')
  if (first.data['vkey'] !== null) throw corrupt('its signatures are gone')
  transaction.beginUnsigned()
  rebuildRows(db, transaction, nowMs)
}

function originOf(db: Database.Database): string {
  const origin = db.prepare<[], string>('SELECT origin FROM log').pluck().get()
  if (origin === undefined) throw corrupt('it has lost its origin')
  return origin
}

/**
 * The key of argument digests, 32 bytes.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` when it is not there
 */
export function argumentKeyOf(db: Database.Database): Uint8Array {
  const key = db.prepare<[string], Buffer>('SELECT value FROM secrets WHERE name = ?').pluck()
  const bytes = key.get(argumentKeyName)
  if (bytes?.length !== 32) throw corrupt('it has lost its argument key')
  return new Uint8Array(bytes)
}
