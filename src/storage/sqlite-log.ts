import { resolve } from 'node:path'
import type { RecordedGrant } from '../approval/grant-authority.ts'
import type { RecordedApproval } from '../approval/recorded.ts'
import type { ApprovalRequest } from '../approval/request.ts'
import type { LogReport } from '../audit/log-report.ts'
import type { VerifyOptions } from '../audit/log-verifier.ts'
import type { Disclosure, StoredRecord, StoredRow } from '../audit/record.ts'
import { limits } from '../limits.ts'
import type {
  LogPage,
  LogQuery,
  LogReader,
  Orphan,
  PotLevel,
  StoredPolicy,
} from '../runtime/store.ts'
import { pause, systemClock } from './clock.ts'
import { inMemory, openForReading } from './database-file.ts'
import type { DatabaseFile, OpenContext } from './database-file.ts'
import { isBusy, unavailable, unreadable } from './failure.ts'
import { nodeFiles } from './files.ts'
import { LogQueries } from './log-queries.ts'
import { presenceBeside } from './writer-presence.ts'
import type { WriterPresence } from './writer-presence.ts'

/** A log opened for reading: it makes nothing and changes nothing, and gates may write meanwhile. */
export class SQLiteLog implements LogReader {
  readonly #file: DatabaseFile
  readonly #context: OpenContext
  readonly #presence: WriterPresence
  readonly #queries: LogQueries

  /** Reads through a database that is open already, and closes it in the end. */
  constructor(file: DatabaseFile, context: OpenContext, presence: WriterPresence) {
    this.#file = file
    this.#context = context
    this.#presence = presence
    this.#queries = new LogQueries(file.db)
  }

  /**
   * Opens a log that exists.
   *
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when there is none, or it is another program's or a newer version's;
   *   `AUDIT_CORRUPT` when it is damaged
   */
  static open(path: string): SQLiteLog {
    const context = { files: nodeFiles, clock: systemClock, maxLockWaitMs: limits.maxLockWaitMs }
    const file = openForReading(resolve(path), context)
    return new SQLiteLog(file, context, presenceBeside(file.path, nodeFiles))
  }

  size(): Promise<number> {
    return this.#read(() => this.#queries.size())
  }

  records(fromSeq: number, count: number): Promise<readonly StoredRecord[]> {
    return this.#read(() => this.#queries.records(fromSeq, count))
  }

  rows(fromSeq: number, count: number): Promise<readonly StoredRow[]> {
    return this.#read(() => this.#queries.rows(fromSeq, count))
  }

  async verify(options: VerifyOptions): Promise<LogReport> {
    const { db, path } = this.#file
    // Loaded only then: a gate that starts does not need it.
    const { verifyCopy, verifyLog } = await import('./verify-log.ts')
    // Through a connection of its own, so that commits need not wait; a log in memory has none but this.
    const found =
      path === inMemory ? await verifyCopy(db.serialize(), options) : await verifyLog(path, options)
    return found.report
  }

  find(query: LogQuery): Promise<LogPage> {
    return this.#read(() => this.#queries.find(query))
  }

  orphans(): Promise<readonly Orphan[]> {
    return this.#read(() => this.#queries.orphans((writer) => this.#presence.isAlive(writer)))
  }

  call(callId: string): Promise<readonly StoredRecord[]> {
    return this.#read(() => this.#queries.call(callId))
  }

  disclosures(seq: number): Promise<readonly Disclosure[]> {
    return this.#read(() => this.#queries.disclosures(seq))
  }

  approvalRequests(): Promise<readonly ApprovalRequest[]> {
    return this.#read(() => this.#queries.approvalRequests(this.#context.clock.nowMs()))
  }

  approval(id: string): Promise<RecordedApproval | undefined> {
    return this.#read(() => this.#queries.approval(id, this.#context.clock.nowMs()))
  }

  grants(): Promise<readonly RecordedGrant[]> {
    return this.#read(() => this.#queries.grants())
  }

  policy(hash: string): Promise<StoredPolicy | undefined> {
    return this.#read(() => this.#queries.policy(hash))
  }

  pots(nowMs: number): Promise<readonly PotLevel[]> {
    return this.#read(() => this.#queries.pots(nowMs))
  }

  async close(): Promise<void> {
    this.#file.db.close()
  }

  /** Readers wait for nobody but for the moment in which a process opens the database as the first, or closes it as the last. */
  async #read<T>(question: () => T): Promise<T> {
    const { clock, maxLockWaitMs } = this.#context
    const endMs = clock.elapsedMs() + maxLockWaitMs
    for (;;) {
      if (!this.#file.db.open) throw unavailable({ reason: 'closed', what: 'it is closed' })
      try {
        return question()
      } catch (error) {
        if (!isBusy(error) || clock.elapsedMs() >= endMs) throw unreadable(error)
      }
      // oxlint-disable-next-line no-await-in-loop -- the next try comes after the pause
      await pause(Math.random())
    }
  }
}
