import type Database from 'better-sqlite3'
import { decodeRecord } from '../audit/codec.ts'
import { namedEpochKey } from '../audit/log-keys.ts'
import type { NamedEpochKey } from '../audit/log-keys.ts'
import { corrupt } from './failure.ts'

interface EpochRow {
  readonly epoch: number
  readonly seq: number
}

/** The key of an epoch, and since when it signs. */
export interface EpochKey extends NamedEpochKey {
  /** As the clock of its writer had it. */
  readonly sinceMs: number
}

/** Which keys the log itself names; the table only says where, so that nothing in it can contradict the log. */
export class EpochRows {
  readonly #first: Database.Statement<[], EpochRow>
  readonly #newest: Database.Statement<[], EpochRow>
  readonly #body: Database.Statement<[number], Uint8Array>
  readonly #insert: Database.Statement<[number, number]>

  constructor(db: Database.Database) {
    this.#first = db.prepare('SELECT epoch, seq FROM epochs WHERE epoch = 1')
    this.#newest = db.prepare('SELECT epoch, seq FROM epochs ORDER BY epoch DESC LIMIT 1')
    this.#body = db.prepare<[number], Uint8Array>('SELECT body FROM records WHERE seq = ?').pluck()
    this.#insert = db.prepare('INSERT INTO epochs (epoch, seq) VALUES (?, ?)')
  }

  /**
   * The log's stable key.
   *
   * @throws CapFenceError `AUDIT_CORRUPT` when no record names it
   */
  stable(): string {
    const { stable } = this.#keyAt(this.#first.get())
    if (stable === undefined) throw corrupt('no record names its keys')
    return stable
  }

  /**
   * The key of the epoch that runs.
   *
   * @throws CapFenceError `AUDIT_CORRUPT` when no record names it
   */
  current(): EpochKey {
    return this.#keyAt(this.#newest.get())
  }

  /** Notes which record names an epoch's key. */
  add(epoch: number, seq: number): void {
    this.#insert.run(epoch, seq)
  }

  #keyAt(row: EpochRow | undefined): EpochKey {
    const body = row === undefined ? undefined : this.#body.get(row.seq)
    const record = body === undefined ? undefined : decodeRecord(body)
    const key = record === undefined ? undefined : namedEpochKey(record)
    if (record === undefined || key === undefined || key.epoch !== row?.epoch) {
      throw corrupt('no record names its keys')
    }
    return { ...key, sinceMs: Date.parse(record.ts) }
  }
}
