import type { RecordedGrant } from '../../approval/grant-authority.ts'
import type { RecordedApproval } from '../../approval/recorded.ts'
import type { ApprovalRequest } from '../../approval/request.ts'
import type { LogReport } from '../../audit/log-report.ts'
import type { VerifyOptions } from '../../audit/log-verifier.ts'
import type { Disclosure, StoredRecord, StoredRow } from '../../audit/record.ts'
import type {
  LogPage,
  LogQuery,
  LogReader,
  Orphan,
  PotLevel,
  StoredPolicy,
} from '../../runtime/store.ts'
import { systemClock } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { parseDisclosures } from '../disclosure-row.ts'
import { unavailable } from '../failure.ts'
import { matches, snippetCondition } from '../log-filter.ts'
import { corruptRecord, LogQueries, pageOf, rangeOf, recordOf } from '../log-queries.ts'
import type { SeqRange } from '../log-queries.ts'
import { shownAddress } from './address.ts'
import type { PostgresAddress } from './address.ts'
import { Connection } from './connection.ts'
import type { Rows, Value } from './connection.ts'
import { openingError, readingError } from './failure.ts'
import { findVersion, noLog, presenceIn, rollBack } from './open-postgres.ts'
import { SharedLog } from './shared-log.ts'
import { copyOfLog } from './whole-copy.ts'
import { WorkingCopy } from './working-copy.ts'

/** Rows that are looked through at a time. */
const pageRows = 1000

/** The state of a log as it was when it was looked at last. */
interface Looked {
  readonly copy: WorkingCopy
  readonly shared: SharedLog
  readonly queries: LogQueries
}

/** A log in PostgreSQL opened for reading: it changes nothing, and waits for no writer. */
export class PostgresLog implements LogReader {
  readonly #connection: Connection
  readonly #address: PostgresAddress
  readonly #clock: Clock
  /** A connection answers one question after the other. */
  #turn: Promise<unknown> = Promise.resolve()
  #looked: Looked | undefined
  #isClosed = false

  /** @param address of a log that there is */
  constructor(address: PostgresAddress, clock: Clock = systemClock) {
    this.#address = address
    this.#clock = clock
    this.#connection = new Connection(address, 'capfence reader')
  }

  /**
   * Opens a log that exists.
   *
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when there is none, or it is a newer version's, or the database is out of reach
   */
  static async open(address: PostgresAddress): Promise<PostgresLog> {
    const log = new PostgresLog(address)
    try {
      await log.#connection.open()
      if ((await findVersion(log.#connection, address.schema)) === undefined) throw noLog(address)
      return log
    } catch (error) {
      await log.close()
      throw openingError(shownAddress(address), error)
    }
  }

  size(): Promise<number> {
    return this.#ask(() => this.#size())
  }

  async records(fromSeq: number, count: number): Promise<readonly StoredRecord[]> {
    return (await this.rows(fromSeq, count)).map(recordOf)
  }

  rows(fromSeq: number, count: number): Promise<readonly StoredRow[]> {
    const sql = `SELECT seq, leaf, body FROM ${this.#at('records')} WHERE seq >= $1 ORDER BY seq LIMIT $2`
    return this.#ask(async () => rowsOf(await this.#connection.query(sql, [fromSeq, count])))
  }

  verify(options: VerifyOptions): Promise<LogReport> {
    return this.#ask(async () => {
      const { verifyIn } = await import('../verify-log.ts')
      const open = (): ReturnType<typeof copyOfLog> => copyOfLog(this.#connection, this.#address)
      const { report } = await verifyIn(open, options)
      return report
    })
  }

  find(query: LogQuery): Promise<LogPage> {
    return this.#ask(async () => {
      const size = await this.#size()
      const range = rangeOf(query, size)
      return pageOf(query, { ...range, records: await this.#matching(query, range), size })
    })
  }

  orphans(): Promise<readonly Orphan[]> {
    return this.#look(async ({ copy, shared, queries }) => {
      const open = copy.db.prepare<[], number>('SELECT decision_seq FROM open_calls').pluck().all()
      await shared.fetchRecords(this.#connection, open)
      const presence = await presenceIn(this.#connection, this.#address.schema, undefined)
      return queries.orphans((writer) => presence.isAlive(writer))
    })
  }

  call(callId: string): Promise<readonly StoredRecord[]> {
    return this.#ask(async () => {
      const seqs = await this.#seqsOf(callId)
      const rows = rowsOf(
        await this.#connection.query(
          `SELECT seq, leaf, body FROM ${this.#at('records')} WHERE seq = ANY($1) ORDER BY seq`,
          [seqs],
        ),
      )
      return seqs.map((seq) => {
        const row = rows.find((one) => one.seq === seq)
        if (row === undefined) throw corruptRecord(seq, 'it is missing')
        return recordOf(row)
      })
    })
  }

  disclosures(seq: number): Promise<readonly Disclosure[]> {
    return this.#ask(async () => {
      const sql = `SELECT encoded FROM ${this.#at('disclosures')} WHERE seq = $1`
      const [row] = await this.#connection.query(sql, [seq])
      return parseDisclosures(typeof row?.['encoded'] === 'string' ? row['encoded'] : '')
    })
  }

  approvalRequests(): Promise<readonly ApprovalRequest[]> {
    return this.#look(({ queries }) => queries.approvalRequests(this.#clock.nowMs()))
  }

  approval(id: string): Promise<RecordedApproval | undefined> {
    return this.#look(async ({ copy, shared, queries }) => {
      const from = copy.db
        .prepare<[string], number>('SELECT decision_seq FROM approvals WHERE id = ?')
        .pluck()
        .get(id)
      if (from === undefined) return undefined
      await shared.fetchAbout(this.#connection, id, from)
      return queries.approval(id, this.#clock.nowMs())
    })
  }

  grants(): Promise<readonly RecordedGrant[]> {
    return this.#look(({ queries }) => queries.grants())
  }

  policy(hash: string): Promise<StoredPolicy | undefined> {
    return this.#ask(async () => {
      const sql = `SELECT path, bytes FROM ${this.#at('policies')} WHERE hash = $1 ORDER BY position`
      const rows = await this.#connection.query(sql, [hash])
      const files = rows.map(({ path, bytes }) => ({ path: String(path), bytes: bytesOf(bytes) }))
      return files.length === 0 ? undefined : { hash, files }
    })
  }

  pots(nowMs: number): Promise<readonly PotLevel[]> {
    return this.#look(({ queries }) => queries.pots(nowMs))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#turn
    this.#looked?.copy.close()
    await this.#connection.close()
  }

  /** Where calls stand: their decision, and their outcome if there is one. */
  async #seqsOf(callId: string): Promise<readonly number[]> {
    const [ended] = await this.#connection.query(
      `SELECT decision_seq, outcome_seq FROM ${this.#at('calls')} WHERE call = $1`,
      [callId],
    )
    const [open] = await this.#connection.query(
      `SELECT row::json ->> 'decision_seq' AS decision_seq, row::json ->> 'unknown_seq' AS outcome_seq
       FROM ${this.#at('state')} WHERE tbl = 'open_calls' AND key = $1 AND row IS NOT NULL`,
      [JSON.stringify([callId])],
    )
    const found = ended ?? open
    return [found?.['decision_seq'], found?.['outcome_seq']].flatMap((seq) =>
      seq === null || seq === undefined ? [] : [Number(seq)],
    )
  }

  async #size(): Promise<number> {
    const [row] = await this.#connection.query(
      `SELECT row::json ->> 'size' AS size FROM ${this.#at('state')} WHERE tbl = 'head'`,
    )
    return Number(row?.['size'] ?? 0)
  }

  async #matching(query: LogQuery, { low, high }: SeqRange): Promise<readonly StoredRecord[]> {
    const { sql, snippets } = snippetCondition(query)
    let parameter = 2
    const condition = sql.replaceAll(
      'instr(body, ?)',
      () => `position($${(parameter += 1)}::bytea in body)`,
    )
    const isOldest = query.order === 'oldest'
    const statement = `SELECT seq, leaf, body FROM ${this.#at('records')}
      WHERE seq BETWEEN $1 AND $2 AND ${condition} ORDER BY seq ${isOldest ? 'ASC' : 'DESC'} LIMIT ${pageRows}`
    const found: StoredRecord[] = []
    let [from, to] = [low, high]
    while (found.length < query.count) {
      const rows = rowsOf(
        // oxlint-disable-next-line no-await-in-loop -- page after page
        await this.#connection.query(statement, [
          from,
          to,
          ...snippets.map((one) => Buffer.from(one)),
        ]),
      )
      const records = rows.map(recordOf).filter((record) => matches(query, record))
      found.push(...records.slice(0, query.count - found.length))
      const last = rows.at(-1)?.seq
      if (last === undefined || rows.length < pageRows) break
      if (isOldest) from = last + 1
      else to = last - 1
    }
    return found
  }

  /** A question about the state: as it is now, with the records that it is about. */
  #look<T>(question: (looked: Looked) => T | Promise<T>): Promise<T> {
    return this.#ask(async () => {
      const looked = (this.#looked ??= await this.#firstLook())
      try {
        await looked.shared.look(this.#connection)
        return await question(looked)
      } catch (error) {
        // Whatever was wrong with it, the next question begins anew.
        this.#looked = undefined
        looked.copy.close()
        throw error
      } finally {
        await rollBack(this.#connection)
        if (this.#looked !== undefined) looked.copy.prune()
      }
    })
  }

  async #firstLook(): Promise<Looked> {
    const { schema } = this.#address
    const found = await findVersion(this.#connection, schema)
    if (found === undefined) throw noLog(this.#address)
    const copy = new WorkingCopy()
    copy.makeTables(found.tables)
    copy.watch()
    return { copy, shared: new SharedLog(copy, schema), queries: new LogQueries(copy.db) }
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    const answer = this.#turn.then(async () => {
      if (this.#isClosed) throw unavailable({ reason: 'closed', what: 'it is closed' })
      try {
        await this.#connection.open()
        return await question()
      } catch (error) {
        throw readingError(error)
      }
    })
    this.#turn = answer.catch(() => undefined)
    return answer
  }

  #at(table: string): string {
    return `"${this.#address.schema}".${table}`
  }
}

function rowsOf(rows: Rows): readonly StoredRow[] {
  return rows.map(({ seq, leaf, body }) => ({
    seq: Number(seq),
    leaf: bytesOf(leaf),
    body: bytesOf(body),
  }))
}

function bytesOf(value: Value | undefined): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0)
}
