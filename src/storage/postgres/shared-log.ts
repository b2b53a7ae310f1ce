import { createHash } from 'node:crypto'
import { CapFenceError } from '../../errors.ts'
import { FormatChanged, corrupt } from '../failure.ts'
import type { Connection, Rows } from './connection.ts'
import { ownVersion } from './layout.ts'
import {
  batchTable,
  callsOf,
  columnsOf,
  isOlderDisclosure,
  logValues,
  seqOf,
  stateRows,
  sweptTable,
  writeStatement,
} from './flush.ts'
import type { Flush } from './flush.ts'
import type { MirroredRow, WorkingCopy } from './working-copy.ts'

/** How many commits a row that is gone is remembered for, so that others hear of it. */
const tombstoneCommits = 5000
/** How often those that are older are swept away, commits. */
const sweepEvery = 1000

/**
 * The log in its schema of the database, and how a working copy follows it.
 *
 * Every commit happens under one advisory lock and has a number, so that whoever has seen one asks for what came later.
 */
export class SharedLog {
  readonly #copy: WorkingCopy
  readonly #schema: string
  readonly #lock: string
  /** The number of the newest commit that the working copy has. */
  #seen = 0
  /** Counts the commits of others that it has taken in. */
  #foreign = 0
  readonly #writes: string
  readonly #channel: string

  constructor(copy: WorkingCopy, schema: string) {
    this.#copy = copy
    this.#schema = `"${schema}"`
    this.#lock = lockKeys('log', schema).join(', ')
    this.#writes = writeStatement(this.#schema)
    this.#channel = channelOf(schema)
  }

  /** Changes whenever something of others was taken in. */
  get foreign(): number {
    return this.#foreign
  }

  /**
   * Begins a transaction, takes the lock and fetches what others have stored, in one round trip if they are few.
   *
   * @param waitMs for the lock, at most
   * @returns whether others have stored something
   * @throws CapFenceError `AUDIT_CORRUPT` when the database has lost something that was stored; FormatChanged
   */
  async begin(connection: Connection, waitMs: number): Promise<boolean> {
    return this.#follow(connection, [
      'BEGIN',
      `SET LOCAL lock_timeout = ${Math.max(1, Math.ceil(waitMs))}`,
      `SELECT pg_advisory_xact_lock(${this.#lock})`,
    ])
  }

  /** The same for a reader, who waits for nobody and writes nothing. */
  async look(connection: Connection): Promise<boolean> {
    return this.#follow(connection, ['BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'])
  }

  async #follow(connection: Connection, beginning: readonly string[]): Promise<boolean> {
    const last = this.#copy.lastRecord()
    const found = await connection.script(
      [
        ...beginning,
        `SELECT layout, tables FROM ${this.#schema}.version`,
        `SELECT max(changed) AS newest FROM ${this.#schema}.state`,
        `SELECT leaf FROM ${this.#schema}.records WHERE seq = ${last?.seq ?? -1}`,
        `SELECT tbl, key, row, changed FROM ${this.#schema}.state WHERE changed > ${this.#seen}`,
        ...this.#endStatements(),
      ].join('; '),
    )
    const [version, newest, leaf, news = [], end = [], checkpoint = []] = found.slice(
      beginning.length,
    )
    requireVersion(version, this.#copy.version)
    const isShorter = Number(newest?.[0]?.['newest'] ?? 0) < this.#seen
    if (isShorter || (last !== undefined && !last.leaf.equals(leafOf(leaf)))) throw lostRecords()
    return this.#takeIn(connection, news, [...end, ...checkpoint])
  }

  #endStatements(): readonly string[] {
    const last = this.#copy.lastRecord()?.seq ?? -1
    return [
      `SELECT seq, leaf, body FROM ${this.#schema}.records WHERE seq > ${last} ORDER BY seq DESC LIMIT 1`,
      `SELECT size, note FROM ${this.#schema}.checkpoints WHERE size > ${last + 1} ORDER BY size DESC LIMIT 1`,
    ]
  }

  /** Fetches all of the state into a copy whose tables are there and empty; inside a transaction. */
  async load(connection: Connection): Promise<void> {
    this.#seen = 0
    const [news = [], end = [], checkpoint = []] = await connection.script(
      [`SELECT tbl, key, row, changed FROM ${this.#schema}.state`, ...this.#endStatements()].join(
        '; ',
      ),
    )
    await this.#takeIn(connection, news, [...end, ...checkpoint])
  }

  async #takeIn(connection: Connection, news: Rows, end: Rows): Promise<boolean> {
    if (news.length === 0 && end.length === 0) return false
    const swept = news.find(({ tbl }) => tbl === sweptTable)
    if (this.#seen > 0 && swept !== undefined && Number(swept['row']) > this.#seen) {
      // What has gone in the meantime is not remembered any more.
      this.#copy.clear()
      await this.load(connection)
      return true
    }
    this.#copy.apply(news.map(mirroredRow))
    for (const row of end) this.#copy.put('body' in row ? 'records' : 'checkpoints', row)
    await this.fetchRecords(connection, this.#copy.missingRecords())
    this.#copy.forget()
    this.#seen = news.reduce((most, { changed }) => Math.max(most, Number(changed)), this.#seen)
    this.#foreign += 1
    return true
  }

  /**
   * Fetches records with what they disclose.
   *
   * @throws CapFenceError `AUDIT_CORRUPT` when one that has to be there is not
   */
  async fetchRecords(connection: Connection, seqs: readonly number[]): Promise<void> {
    if (seqs.length === 0) return
    const rows = await connection.query(
      `SELECT r.seq, r.leaf, r.body, d.encoded FROM ${this.#schema}.records r
       LEFT JOIN ${this.#schema}.disclosures d ON d.seq = r.seq WHERE r.seq = ANY($1)`,
      [seqs],
    )
    this.#putRecords(rows)
  }

  /** Fetches everything that the log says of a request, from its question on, and the record of the latest time since. */
  async fetchAbout(connection: Connection, id: string, fromSeq: number): Promise<void> {
    const rows = await connection.query(
      `SELECT r.seq, r.leaf, r.body, d.encoded FROM ${this.#schema}.records r
       LEFT JOIN ${this.#schema}.disclosures d ON d.seq = r.seq
       WHERE r.seq >= $1 AND position($2::bytea in r.body) > 0
       UNION ALL
       (SELECT seq, leaf, body, NULL FROM ${this.#schema}.records WHERE seq >= $1
        ORDER BY substr(body, position('","v":'::bytea in body) - 24, 24) DESC LIMIT 1)`,
      [fromSeq, Buffer.from(id, 'utf8')],
    )
    this.#putRecords(rows)
  }

  /** Fetches where calls stand that nothing more will come of. */
  async fetchCalls(connection: Connection, calls: readonly string[]): Promise<void> {
    const rows = await connection.query(
      `SELECT * FROM ${this.#schema}.calls WHERE call = ANY($1)`,
      [calls],
    )
    for (const row of rows) this.#copy.put('calls', row)
    this.#copy.forget()
  }

  #putRecords(rows: Rows): void {
    for (const { encoded, ...record } of rows) {
      this.#copy.put('records', record)
      if (typeof encoded === 'string') {
        this.#copy.put('disclosures', { seq: Number(record['seq']), encoded })
      }
    }
    this.#copy.forget()
  }

  /**
   * Sends what has changed; nothing of it counts before COMMIT.
   *
   * @returns calls that were settled before and that something was stored of all the same: then it must be rolled back
   */
  async flush(connection: Connection, flush: Flush): Promise<readonly string[]> {
    const version = this.#seen + 1
    const sweeps = version % sweepEvery === 0
    const state = stateRows(flush, sweeps ? version - tombstoneCommits : undefined)
    await this.#changeDisclosures(connection, flush)
    const values = [...logValues(flush), ...columnsOf(state, ['tbl', 'key', 'row']), version]
    const found = await connection.query(
      this.#writes,
      [...values, callsOf(flush)],
      'capfence-flush',
    )
    if (sweeps) {
      const gone = `DELETE FROM ${this.#schema}.state WHERE row IS NULL AND changed <= $1`
      await connection.query(gone, [version - tombstoneCommits])
    }
    if (flush.notifies) await connection.query('SELECT pg_notify($1, $2)', [this.#channel, ''])
    return found.map(({ call }) => String(call))
  }

  /** COMMIT has answered. */
  committed(): void {
    this.#seen += 1
  }

  /** The number of the last batch of a writer that was stored; 0 when there is none. */
  async lastBatch(connection: Connection, writer: string): Promise<number> {
    const [row] = await connection.query(
      `SELECT row FROM ${this.#schema}.state WHERE tbl = $1 AND key = $2`,
      [batchTable, writer],
    )
    return row === undefined ? 0 : Number(row['row'])
  }

  /** Takes the lock, which waits for a transaction of this log that is still being committed. */
  async lock(connection: Connection): Promise<void> {
    await connection.script(`BEGIN; SELECT pg_advisory_xact_lock(${this.#lock})`)
  }

  /** The number of the newest commit, for whoever waits for the lock to see that others get on. */
  async newestCommit(connection: Connection): Promise<number> {
    const [row] = await connection.query(`SELECT max(changed) AS newest FROM ${this.#schema}.state`)
    return Number(row?.['newest'] ?? 0)
  }

  /** Only redaction changes what stands there; a gate needs no right to do so. */
  async #changeDisclosures(connection: Connection, { changes, beginSize }: Flush): Promise<void> {
    for (const { key, row } of changes.filter((change) => isOlderDisclosure(change, beginSize))) {
      const seq = seqOf(key)
      const table = `${this.#schema}.disclosures`
      // oxlint-disable-next-line no-await-in-loop -- few, and in their order
      await (row === undefined
        ? connection.query(`DELETE FROM ${table} WHERE seq = $1`, [seq])
        : connection.query(`UPDATE ${table} SET encoded = $2 WHERE seq = $1`, [
            seq,
            String(row['encoded']),
          ]))
    }
  }
}

/** The name under which gates hear of approvals. */
function channelOf(schema: string): string {
  return `capfence_${createHash('sha256').update(schema).digest('hex').slice(0, 16)}`
}

/** Two numbers for an advisory lock: what it is for, and whose it is. */
export function lockKeys(purpose: string, name: string): readonly [number, number] {
  const hash = createHash('sha256').update(`capfence ${purpose} ${name}`).digest()
  return [hash.readInt32BE(0), hash.readInt32BE(4)]
}

/**
 * Whether this program may write to a log.
 *
 * @throws FormatChanged
 */
function requireVersion(rows: Rows | undefined, expected: number): void {
  const [found] = rows ?? []
  if (found === undefined) throw corrupt('its version is missing')
  const [layout, tables] = [Number(found['layout']), Number(found['tables'])]
  if (layout === ownVersion.layout && tables === expected) return
  throw new FormatChanged(
    `it has format ${layout}.${tables} now, and this gate works with ${ownVersion.layout}.${expected}`,
  )
}

function leafOf(rows: Rows | undefined): Buffer {
  const leaf = rows?.[0]?.['leaf']
  return Buffer.isBuffer(leaf) ? leaf : Buffer.alloc(0)
}

function lostRecords(): CapFenceError {
  return new CapFenceError(
    'AUDIT_CORRUPT',
    'the database has lost records that it had stored, or holds others in their place',
    {
      hint: 'it may have failed over to a server that lagged behind, or a copy was put back; put the newest one back, then start the gate again',
    },
  )
}

function mirroredRow(row: Rows[number]): MirroredRow {
  const text = row['row']
  return {
    tbl: String(row['tbl']),
    key: String(row['key']),
    row: typeof text === 'string' ? text : null,
  }
}
