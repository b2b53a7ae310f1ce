import type { LogReport } from '../audit/log-report.ts'
import type { VerifyOptions } from '../audit/log-verifier.ts'
import { parsePin } from '../audit/pin.ts'
import type { Disclosure, StoredRecord } from '../audit/record.ts'
import type { LogPage, LogQuery, LogReader, Orphan } from './store.ts'

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
   * Checks every record, signature and disclosure from the stored bytes, in one state of the log.
   *
   * Only a pin that was kept elsewhere proves whose log it is: without one the verdict is `cannot_verify` at best. `bad`
   * names the first record that is not as it must be; what records themselves prove, it says without a pin as well.
   *
   * @throws CapFenceError `NOTE_INVALID` when `pin` is none
   */
  async verify(options: TrailVerifyOptions = {}): Promise<LogReport> {
    const { pin, ...rest } = options
    return this.#log.verify(pin === undefined ? rest : { ...rest, pin: parsePin(pin) })
  }
}

/** What is known from elsewhere than the log. */
export interface TrailVerifyOptions extends Omit<VerifyOptions, 'pin'> {
  /** The two keys of the log, a line each, as `capfence audit key` prints them. */
  readonly pin?: string
}
