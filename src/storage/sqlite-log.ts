import { basename, dirname, join, resolve } from 'node:path'
import type { ApprovalRequest } from '../approval/request.ts'
import type { Disclosure, StoredRecord, StoredRow } from '../audit/record.ts'
import { limits } from '../limits.ts'
import type { LogPage, LogQuery, LogReader, Orphan, StoredPolicy } from '../runtime/store.ts'
import { systemClock } from './clock.ts'
import { openForReading } from './database-file.ts'
import type { DatabaseFile } from './database-file.ts'
import { nodeFiles } from './files.ts'
import { LogQueries } from './log-queries.ts'
import { LockFilePresence } from './writer-presence.ts'

/** A log opened for reading: it makes nothing and changes nothing, and a gate may write meanwhile. */
export class SQLiteLog implements LogReader {
  readonly #file: DatabaseFile
  readonly #queries: LogQueries
  readonly #presence: LockFilePresence

  private constructor(path: string) {
    const context = { files: nodeFiles, clock: systemClock, maxLockWaitMs: limits.maxLockWaitMs }
    this.#file = openForReading(path, context)
    this.#queries = new LogQueries(this.#file.db)
    this.#presence = new LockFilePresence(
      join(dirname(path), `${basename(path)}-writers`),
      nodeFiles,
    )
  }

  /** @throws CapFenceError `AUDIT_UNAVAILABLE` when there is no log at the path, `AUDIT_CORRUPT` when it is damaged */
  static open(path: string): SQLiteLog {
    return new SQLiteLog(resolve(path))
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
    return this.#queries.approvalRequests(Date.now())
  }

  async policy(hash: string): Promise<StoredPolicy | undefined> {
    return this.#queries.policy(hash)
  }

  async close(): Promise<void> {
    this.#file.db.close()
  }
}
