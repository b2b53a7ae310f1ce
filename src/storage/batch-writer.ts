import type Database from 'better-sqlite3'
import { logArchiveRecord, procStopRecord } from '../audit/log-drafts.ts'
import type { AuditGapFacts, LogArchiveFacts } from '../audit/log-drafts.ts'
import type { SignedHead } from '../runtime/store.ts'
import type { Clock } from './clock.ts'
import type { DatabaseFile } from './database-file.ts'
import { BatchAttempt, failureOf, gapRecords } from './batch-attempt.ts'
import type { Batch, WriteResult } from './engine.ts'
import { FormatChanged, isBusy, unavailable } from './failure.ts'
import type { StorageFailure } from './failure.ts'
import { HighWaterMark } from './high-water.ts'
import type { WriterPlace } from './log-end.ts'
import type { OpenedLog } from './open-log.ts'
import { schemaVersion } from './schema.ts'
import { leaveWriter } from './writers.ts'

/** Stores batches in SQLite: each in one transaction, in the foreground, without waiting for a lock. */
export class BatchWriter {
  readonly #file: DatabaseFile
  readonly #log: OpenedLog
  readonly #clock: Clock
  readonly #begin: Database.Statement
  readonly #commit: Database.Statement
  readonly #rollback: Database.Statement
  readonly #format: Database.Statement<[], number>
  readonly #highWater: HighWaterMark
  #isPowerSafe: boolean | undefined
  #isArchived = false
  #syncedHead: SignedHead | undefined
  /** Changes when another connection has stored something. */
  #dataVersion: unknown

  constructor(file: DatabaseFile, log: OpenedLog, clock: Clock) {
    this.#file = file
    this.#log = log
    this.#clock = clock
    this.#highWater = new HighWaterMark(log.highWater)
    this.#begin = file.db.prepare('BEGIN IMMEDIATE')
    this.#commit = file.db.prepare('COMMIT')
    this.#rollback = file.db.prepare('ROLLBACK')
    this.#format = file.db.prepare<[], number>('PRAGMA user_version').pluck()
  }

  /** See `Store.syncedHead`. */
  get syncedHead(): SignedHead | undefined {
    return this.#syncedHead
  }

  /** Stores every commit that is not refused for a fault of its own, or none. */
  write(batch: Batch): WriteResult {
    let commits = batch.commits
    for (;;) {
      const failure = this.#complaint()
      if (failure !== undefined) return { kind: 'failed', failure }
      const place = this.#placeNow()
      const attempt = new BatchAttempt(this.#log.transaction, place)
      const isOld = this.#log.transaction.isEpochOld(place.nowMs)
      try {
        this.#inTransaction(batch.power || isOld, () => {
          attempt.store(commits, batch.gap)
          if (isOld) this.#endOldEpoch(place)
        })
        return { kind: 'stored', othersWrote: this.#log.transaction.othersWrote }
      } catch (error) {
        const culprit = attempt.culprit(error)
        if (culprit === undefined && isBusy(error)) return this.#busy()
        if (culprit === undefined) return { kind: 'failed', failure: failureOf(error) }
        // Its statements ran before it turned out that they must not: the others go again, without it.
        commits = attempt.withoutRefused(commits)
      }
    }
  }

  /** What stands in the way of every commit. */
  #complaint(): StorageFailure | undefined {
    if (this.#isArchived) return { reason: 'closed', what: 'it was archived' }
    return this.#file.complaint() ?? this.#highWater.complaint()
  }

  /**
   * Stores the last records of this writer, so that they survive a power cut, and lets go of its files.
   *
   * @throws whatever SQLite throws; then they are not stored
   */
  writeLast(gap: AuditGapFacts | undefined): void {
    if (this.#isArchived) this.#highWater.close()
    if (this.#isArchived || this.#file.complaint() !== undefined) return
    const place = this.#placeNow()
    const records = [...gapRecords(gap), procStopRecord('closed')]
    this.#inTransaction(true, () => {
      this.#log.transaction.store({ records, result: undefined }, place)
      leaveWriter(this.#file.db, place)
      this.#log.transaction.keepCheckpoint()
    })
    this.#highWater.close()
  }

  /**
   * Begins a new epoch of keys.
   *
   * @throws whatever SQLite throws, or CapFenceError `AUDIT_UNAVAILABLE`; then nothing has changed
   */
  rotate(): void {
    const failure = this.#complaint()
    if (failure !== undefined) throw unavailable(failure)
    const place = this.#placeNow()
    this.#inTransaction(true, () => this.#log.transaction.rotate('operator', place))
  }

  /**
   * Ends the log with a record that names its successor, so that it survives a power cut; nothing is stored after it.
   *
   * @param requireReady runs before it in the same transaction; what it throws keeps the log as it is
   * @throws whatever SQLite throws, or CapFenceError `AUDIT_UNAVAILABLE`; then nothing has changed
   */
  archive(facts: LogArchiveFacts, requireReady: () => void): void {
    const failure = this.#complaint()
    if (failure !== undefined) throw unavailable(failure)
    const place = this.#placeNow()
    this.#inTransaction(true, () => {
      requireReady()
      this.#log.transaction.store({ records: [logArchiveRecord(facts)], result: undefined }, place)
      leaveWriter(this.#file.db, place)
      this.#log.transaction.keepCheckpoint()
    })
    this.#isArchived = true
  }

  /** Another writer may have ended it in the meantime. */
  #endOldEpoch(place: WriterPlace): void {
    const { transaction } = this.#log
    if (transaction.isEpochOld(place.nowMs)) transaction.rotate('daily', place)
  }

  #busy(): WriteResult {
    const before = this.#dataVersion
    try {
      this.#dataVersion = this.#file.db.pragma('data_version', { simple: true })
    } catch {
      // Nothing is known of the others then; the time for the lock goes on.
      return { kind: 'busy', othersWrote: false }
    }
    return { kind: 'busy', othersWrote: before !== undefined && before !== this.#dataVersion }
  }

  #inTransaction(power: boolean, store: () => void): void {
    const { transaction } = this.#log
    this.#synchronous(power)
    this.#begin.run()
    let head: SignedHead | undefined
    try {
      this.#requireFormat()
      transaction.begin()
      this.#log.signer.requireKeys()
      store()
      head = transaction.finish()
      this.#commit.run()
    } catch (error) {
      // SQLite has rolled back by itself after some errors.
      if (this.#file.db.inTransaction) this.#rollback.run()
      transaction.rolledBack()
      throw error
    }
    transaction.committed()
    // No head leaves the process before a synced commit covers it, and a transaction that writes nothing syncs nothing.
    if (!power || head === undefined) return
    this.#syncedHead = head
    this.#highWater.raise(head.note)
  }

  #requireFormat(): void {
    const version = this.#format.get()
    if (version === schemaVersion) return
    throw new FormatChanged(`it has format ${version} now, and this gate writes ${schemaVersion}`)
  }

  /** How much COMMIT waits for: a setting of the connection, changed only when it has to be. */
  #synchronous(power: boolean): void {
    if (this.#isPowerSafe === power) return
    this.#file.db.exec(`PRAGMA synchronous = ${power ? 'FULL' : 'NORMAL'}`)
    this.#isPowerSafe = power
  }

  #placeNow(): WriterPlace {
    return { ...this.#log.writer, nowMs: this.#clock.nowMs() }
  }
}
