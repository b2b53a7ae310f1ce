import type Database from 'better-sqlite3'
import { basename, dirname, join, resolve } from 'node:path'
import process from 'node:process'
import type { ApprovalRequest } from '../approval/request.ts'
import type { AuditGapFacts } from '../audit/log-drafts.ts'
import { auditGapRecord, procStartRecord, procStopRecord } from '../audit/log-drafts.ts'
import type { Disclosure, RecordDraft, StoredRecord, StoredRow } from '../audit/record.ts'
import { ulid } from '../crypto/ids.ts'
import { systemRandom } from '../crypto/random.ts'
import type { RandomSource } from '../crypto/random.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Effects, LogPage, LogQuery, Orphan, StoredPolicy } from '../runtime/store.ts'
import { systemClock } from './clock.ts'
import type { Clock } from './clock.ts'
import { inMemory, openForWriting, retrying } from './database-file.ts'
import type { DatabaseFile, OpenContext } from './database-file.ts'
import { BaseDBEngine } from './engine.ts'
import type { Batch, PendingCommit, WriteResult } from './engine.ts'
import { isBusy, isConstraint, storageFailure } from './failure.ts'
import { nodeFiles } from './files.ts'
import type { Files } from './files.ts'
import type { WriterPlace } from './log-end.ts'
import { LogQueries } from './log-queries.ts'
import { LogTransaction, OutcomeWithoutCall } from './log-transaction.ts'
import { openLog } from './open-log.ts'
import { LockFilePresence, solitaryPresence } from './writer-presence.ts'
import type { WriterPresence } from './writer-presence.ts'

/** How a log in SQLite is opened; what is left out is the machine's own. */
export interface SQLiteOptions {
  /** The database file, or `:memory:`; made when there is none. */
  readonly path: string
  /** Who writes, such as `capfence/0.1.0`; stands in the log. */
  readonly software: string
  /** How long a commit waits for other processes, milliseconds. */
  readonly maxLockWaitMs?: number
  readonly clock?: Clock
  readonly files?: Files
  readonly random?: RandomSource
  readonly presence?: WriterPresence
}

/** Space kept for the record of a full disk, bytes. */
const reserveBytes = 262_144

/**
 * The embedded store: one SQLite file in WAL mode, which several processes on one machine may share.
 *
 * A `power` commit has been synced to disk when it resolves; a `process` commit survives the end of the process.
 */
export class SQLiteEngine extends BaseDBEngine {
  readonly #file: DatabaseFile
  readonly #files: Files
  readonly #clock: Clock
  readonly #presence: WriterPresence
  readonly #place: Omit<WriterPlace, 'nowMs'>
  readonly #transaction: LogTransaction
  readonly #queries: LogQueries
  readonly #key: Uint8Array
  readonly #begin: Database.Statement
  readonly #commit: Database.Statement
  readonly #rollback: Database.Statement
  #isSynced: boolean | undefined

  private constructor(options: SQLiteOptions, context: OpenContext) {
    super({
      clock: context.clock,
      maxLockWaitMs: context.maxLockWaitMs,
      jitter: () => Math.random(),
    })
    const path = options.path === inMemory ? inMemory : resolve(options.path)
    const random = options.random ?? systemRandom
    this.#files = context.files
    this.#clock = context.clock
    this.#file = openForWriting(path, context)
    const { db } = this.#file
    this.#presence = options.presence ?? presenceOf(path, context.files)
    try {
      const writer = ulid(context.clock.nowMs(), random)
      const opened = retrying(context, () =>
        db
          .transaction(() =>
            openLog(db, { random, nowMs: context.clock.nowMs(), software: options.software }),
          )
          .immediate(),
      )
      this.#place = { log: opened.origin, w: writer }
      this.#key = opened.argumentKey
      this.#transaction = new LogTransaction(db)
      this.#queries = new LogQueries(db)
      this.#begin = db.prepare('BEGIN IMMEDIATE')
      this.#commit = db.prepare('COMMIT')
      this.#rollback = db.prepare('ROLLBACK')
      retrying(context, () => this.#enter(opened.drafts, options.software))
    } catch (error) {
      db.close()
      throw error
    }
    this.#file.remember()
    this.restoreReserve()
  }

  /**
   * Opens the log for writing, and makes it when there is none.
   *
   * Calls that a writer left open which no longer runs get the outcome `unknown`, once.
   *
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when that fails, `AUDIT_CORRUPT` when the log is damaged
   */
  static open(options: SQLiteOptions): SQLiteEngine {
    return new SQLiteEngine(options, {
      files: options.files ?? nodeFiles,
      clock: options.clock ?? systemClock,
      maxLockWaitMs: options.maxLockWaitMs ?? limits.maxLockWaitMs,
    })
  }

  async size(): Promise<number> {
    return this.#queries.size()
  }

  async records(fromSeq: number, count: number): Promise<readonly StoredRecord[]> {
    return this.#queries.records(fromSeq, count)
  }

  async rows(fromSeq: number, count: number): Promise<readonly StoredRow[]> {
    return this.#queries.rows(fromSeq, count)
  }

  async find(query: LogQuery): Promise<LogPage> {
    return this.#queries.find(query)
  }

  async orphans(): Promise<readonly Orphan[]> {
    return this.#queries.orphans((writer) => this.#presence.isAlive(writer))
  }

  async call(callId: string): Promise<readonly StoredRecord[]> {
    return this.#queries.call(callId)
  }

  async disclosures(seq: number): Promise<readonly Disclosure[]> {
    return this.#queries.disclosures(seq)
  }

  async approvalRequests(): Promise<readonly ApprovalRequest[]> {
    return this.#queries.approvalRequests(this.#clock.nowMs())
  }

  async policy(hash: string): Promise<StoredPolicy | undefined> {
    return this.#queries.policy(hash)
  }

  argumentKey(): Uint8Array {
    return this.#key
  }

  protected async write(batch: Batch): Promise<WriteResult> {
    const complaint = this.#file.complaint()
    if (complaint !== undefined) return { kind: 'failed', failure: complaint }
    let commits = batch.commits
    for (;;) {
      const result = this.#attempt(batch, commits)
      if (result.kind !== 'culprit') return result
      // Its record was written before it turned out that it must not be: the others go again, without it.
      commits = commits.filter((commit) => commit !== result.commit)
    }
  }

  protected releaseReserve(): boolean {
    const path = this.#reservePath()
    if (path === undefined || !this.#files.exists(path)) return false
    this.#files.remove(path)
    return true
  }

  protected restoreReserve(): void {
    const path = this.#reservePath()
    if (path === undefined || this.#files.exists(path)) return
    try {
      if (this.#files.freeBytes(dirname(path)) < 4 * reserveBytes) return
      this.#files.create(path, new Uint8Array(reserveBytes).fill(0xff))
    } catch {
      // Without the reserve a full disk leaves no record of itself; everything else is as safe as before.
    }
  }

  protected async shutDown(gap: AuditGapFacts | undefined): Promise<void> {
    const { db } = this.#file
    try {
      if (this.#file.complaint() === undefined) {
        const drafts = [...(gap === undefined ? [] : [auditGapRecord(gap)]), procStopRecord('end')]
        this.#append(drafts, () => {
          db.prepare('UPDATE writers SET ended_ms = ? WHERE w = ?').run(
            this.#clock.nowMs(),
            this.#place.w,
          )
        })
      }
    } catch {
      // The log says nothing of this end; the next writer finds that this one no longer runs.
    } finally {
      this.#presence.release(this.#place.w)
      db.close()
    }
  }

  /** The records of a start: who writes, and what writers that no longer run left open. */
  #enter(opening: readonly RecordDraft[], software: string): void {
    const { db } = this.#file
    this.#append([...opening, procStartRecord({ software, pid: process.pid })], () => {
      this.#presence.claim(this.#place.w)
      db.prepare('INSERT INTO writers (w, pid, started_ms) VALUES (?, ?, ?)').run(
        this.#place.w,
        process.pid,
        this.#clock.nowMs(),
      )
      this.#closeDeadWriters()
    })
  }

  #closeDeadWriters(): void {
    const { db } = this.#file
    const dead = db
      .prepare<[string], string>('SELECT w FROM writers WHERE ended_ms IS NULL AND w <> ?')
      .pluck()
      .all(this.#place.w)
      .filter((writer) => !this.#presence.isAlive(writer))
    if (dead.length === 0) return
    const nowMs = this.#clock.nowMs()
    const lost = this.#queries.lostCalls(new Set(dead))
    this.#transaction.store({ records: lost, result: undefined }, { ...this.#place, nowMs })
    const end = db.prepare('UPDATE writers SET ended_ms = ? WHERE w = ?')
    for (const writer of dead) {
      end.run(nowMs, writer)
      this.#presence.forget(writer)
    }
  }

  /** Appends records of the engine's own, with what belongs to them, in a synced transaction. */
  #append(drafts: readonly RecordDraft[], also: () => void): void {
    this.#synchronous(true)
    this.#begin.run()
    try {
      this.#transaction.begin()
      const nowMs = this.#clock.nowMs()
      this.#transaction.store({ records: drafts, result: undefined }, { ...this.#place, nowMs })
      also()
      this.#transaction.finish()
      this.#commit.run()
      this.#transaction.committed()
    } catch (error) {
      this.#undo()
      throw error
    }
  }

  #attempt(
    batch: Batch,
    commits: readonly PendingCommit[],
  ): WriteResult | { readonly kind: 'culprit'; readonly commit: PendingCommit } {
    let current: PendingCommit | undefined
    try {
      this.#synchronous(batch.power)
      this.#begin.run()
      this.#transaction.begin()
      const place = { ...this.#place, nowMs: this.#clock.nowMs() }
      if (batch.gap !== undefined) {
        this.#transaction.store({ records: [auditGapRecord(batch.gap)], result: undefined }, place)
      }
      for (const commit of commits) {
        current = commit
        this.#storeOne(commit, place)
      }
      current = undefined
      this.#transaction.finish()
      this.#commit.run()
      this.#transaction.committed()
      return { kind: 'stored' }
    } catch (error) {
      this.#undo()
      if (isBusy(error)) return { kind: 'busy' }
      if (current !== undefined && (error instanceof OutcomeWithoutCall || isConstraint(error))) {
        current.refuse(
          error instanceof CapFenceError
            ? error
            : new CapFenceError('RECORD_INVALID', 'the log refuses the record', { cause: error }),
        )
        return { kind: 'culprit', commit: current }
      }
      return { kind: 'failed', failure: failureOf(error) }
    }
  }

  /** A commit whose own fault shows before anything was written is refused alone. */
  #storeOne(commit: PendingCommit, place: WriterPlace): void {
    let effects: Effects<unknown>
    try {
      effects = commit.decide(this.#transaction.view(place.nowMs))
    } catch (error) {
      commit.refuse(error)
      return
    }
    try {
      this.#transaction.store(effects, place)
    } catch (error) {
      if (!(error instanceof CapFenceError) || error instanceof OutcomeWithoutCall) throw error
      commit.refuse(error)
    }
  }

  #undo(): void {
    if (this.#file.db.inTransaction) this.#rollback.run()
    this.#transaction.rolledBack()
  }

  /** How much COMMIT waits for; a setting of the connection, changed only when it has to be. */
  #synchronous(power: boolean): void {
    if (this.#isSynced === power) return
    this.#file.db.pragma(`synchronous = ${power ? 'FULL' : 'NORMAL'}`)
    this.#isSynced = power
  }

  #reservePath(): string | undefined {
    const { path } = this.#file
    return path === inMemory ? undefined : `${path}-reserve`
  }
}

function presenceOf(path: string, files: Files): WriterPresence {
  if (path === inMemory) return solitaryPresence()
  return new LockFilePresence(join(dirname(path), `${basename(path)}-writers`), files)
}

function failureOf(error: unknown): Extract<WriteResult, { kind: 'failed' }>['failure'] {
  const failure = storageFailure(error)
  if (failure !== undefined) return failure
  const what = error instanceof Error ? error.message : String(error)
  const isDamaged = error instanceof CapFenceError && error.code === 'AUDIT_CORRUPT'
  return { reason: isDamaged ? 'damaged' : 'io_error', what, cause: error }
}
