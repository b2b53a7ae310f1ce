import type { ChainReport } from '../audit/chain.ts'
import { ChainVerifier } from '../audit/chain.ts'
import type { Disclosure, StoredRecord } from '../audit/record.ts'
import type { LogPage, LogQuery, LogReader, Orphan } from './store.ts'

/** Rows that are read at a time while verifying. */
const rowsAtOnce = 1000

/** The tamper-evident log, for reading: nothing here writes, and nothing that was written is ever changed. */
export class AuditTrail {
  readonly #log: LogReader

  constructor(log: LogReader) {
    this.#log = log
  }

  /** How many records there are. */
  async size(): Promise<number> {
    return this.#log.size()
  }

  /** Records from `fromSeq` on, oldest first, at most `count`. */
  async records(fromSeq: number, count: number): Promise<readonly StoredRecord[]> {
    return this.#log.records(fromSeq, count)
  }

  /** One page of the records that a query matches. */
  async find(query: LogQuery): Promise<LogPage> {
    return this.#log.find(query)
  }

  /** The decision about a call and, if there is one, its outcome. */
  async call(callId: string): Promise<readonly StoredRecord[]> {
    return this.#log.call(callId)
  }

  /** What the salted digests of a record stand for, as far as it was kept. */
  async disclosures(seq: number): Promise<readonly Disclosure[]> {
    return this.#log.disclosures(seq)
  }

  /** Calls that were let through and whose outcome nobody knows. */
  async orphans(): Promise<readonly Orphan[]> {
    return this.#log.orphans()
  }

  /**
   * Recomputes every leaf and every link from the stored bytes.
   *
   * `bad` names the first record that does not follow. That the newest records are all there is more than the records
   * can prove by themselves.
   */
  async verify(): Promise<ChainReport> {
    const verifier = new ChainVerifier()
    let seq = 0
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- each step checks what the one before led to
      const rows = await this.#log.rows(seq, rowsAtOnce)
      if (rows.length === 0 || !rows.every((row) => verifier.push(row))) return verifier.report()
      seq += rows.length
    }
  }
}
