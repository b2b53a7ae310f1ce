import Database from 'better-sqlite3'
import type { StoredCheckpoint, StoredHead } from '../audit/log-verifier.ts'
import type { RowWithDisclosures } from '../audit/read-row.ts'
import { versionOf } from './database-file.ts'
import { schemaOfVersion } from './schema.ts'

/**
 * One state of a log, as it is stored: a read transaction of a connection that cannot write.
 *
 * Gates may write on meanwhile: SQLite shows this connection the log as it was when the transaction began.
 */
export class LogSnapshot {
  readonly #db: Database.Database

  private constructor(db: Database.Database) {
    this.#db = db
  }

  /** Begins the transaction on a connection that nobody else uses; it ends when that is closed. */
  static of({ db }: { readonly db: Database.Database }): LogSnapshot {
    db.exec('BEGIN')
    // A transaction begins with its first look.
    db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get()
    return new LogSnapshot(db)
  }

  /** The log at its end, as stored; undefined when the row is gone. */
  head(): StoredHead | undefined {
    const row = this.#db
      .prepare<[], HeadRow>('SELECT size, root, frontier, note FROM head WHERE id = 1')
      .get()
    const origin = this.#db.prepare<[], string>('SELECT origin FROM log WHERE id = 1').pluck().get()
    if (row === undefined) return undefined
    const { size, note } = row
    const [root, frontier] = [row.root.toString('hex'), row.frontier.toString('hex')]
    return { origin, size, root, frontier, note }
  }

  /** Rows from a seq on, in their order, with what was kept beside each. */
  rows(fromSeq: number): IterableIterator<RowWithDisclosures> {
    return this.#db
      .prepare<[number], RowWithDisclosures>(
        `SELECT r.seq, r.leaf, r.body, coalesce(d.encoded, '') AS disclosures
         FROM records AS r LEFT JOIN disclosures AS d ON d.seq = r.seq
         WHERE r.seq >= ? ORDER BY r.seq`,
      )
      .iterate(fromSeq)
  }

  /** Kept checkpoints of more than so many records, in their order. */
  checkpoints(fromSize: number): IterableIterator<StoredCheckpoint> {
    return this.#db
      .prepare<[number], StoredCheckpoint>(
        'SELECT size, note FROM checkpoints WHERE size > ? ORDER BY size',
      )
      .iterate(fromSize)
  }

  /** The files of all policies that the log keeps, those of one policy in their order. */
  policyFiles(): IterableIterator<StoredPolicyRow> {
    return this.#db
      .prepare<[], StoredPolicyRow>(
        'SELECT hash, path, bytes FROM policies ORDER BY hash, position',
      )
      .iterate()
  }

  /** The leaf of a record, hex; undefined when there is no such record. */
  leaf(seq: number): string | undefined {
    return this.#db
      .prepare<[number], Buffer>('SELECT leaf FROM records WHERE seq = ?')
      .pluck()
      .get(seq)
      ?.toString('hex')
  }

  /**
   * What stands beside the log and does not belong there, and whether pages are damaged that verifying does not read.
   *
   * @param size records of the log
   */
  complaint(size: number): string | undefined {
    return this.#strayComplaint(size) ?? this.#pageComplaint()
  }

  /**
   * What the database defines that no gate has made.
   *
   * The texts, which are compared when it is opened, do not say under which name and for which table SQLite knows them.
   */
  schemaComplaint(): string | undefined {
    const statements = schemaOfVersion(versionOf(this.#db)) ?? []
    const reference = new Database(':memory:')
    try {
      for (const statement of statements) reference.exec(statement)
      return schemaOf(reference) === schemaOf(this.#db)
        ? undefined
        : 'the database holds tables, indexes, triggers or views that no gate has made'
    } finally {
      reference.close()
    }
  }

  #strayComplaint(size: number): string | undefined {
    const one = (sql: string): boolean => this.#db.prepare<[number]>(sql).get(size) !== undefined
    if (one('SELECT 1 FROM records WHERE seq < 0 OR seq >= ? LIMIT 1')) {
      return 'records stand outside the log'
    }
    if (one('SELECT 1 FROM disclosures WHERE seq < 0 OR seq >= ? LIMIT 1')) {
      return 'disclosures of records that are not there'
    }
    return undefined
  }

  /** Pages that verifying does not read: indexes, and the tables that gates look things up in. */
  #pageComplaint(): string | undefined {
    const [found] = this.#db.prepare<[], string>('PRAGMA integrity_check(1)').pluck().all()
    return found === 'ok' ? undefined : `the database is damaged: ${found ?? 'nothing is said'}`
  }
}

/** A file of a policy as it is stored. */
export interface StoredPolicyRow {
  /** Hex, of the whole policy. */
  readonly hash: string
  readonly path: string
  readonly bytes: Uint8Array
}

interface HeadRow {
  readonly size: number
  readonly root: Buffer
  readonly frontier: Buffer
  readonly note: string | null
}

function schemaOf(db: Database.Database): string {
  const rows = db
    .prepare<[], unknown[]>('SELECT type, name, tbl_name, sql FROM sqlite_schema')
    .raw()
    .all()
  return rows
    .map((row) => JSON.stringify(row))
    .toSorted()
    .join('\n')
}
