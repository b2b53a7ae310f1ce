import type Database from 'better-sqlite3'
import type { RecordedGrant } from '../approval/grant-authority.ts'
import type { RecordedApproval } from '../approval/recorded.ts'
import type { ApprovalRequest } from '../approval/request.ts'
import { decodeRecord } from '../audit/codec.ts'
import { discloseNothing } from '../audit/disclosure.ts'
import { outcomeRecord } from '../audit/drafts.ts'
import type { Disclosure, RecordDraft, StoredRecord, StoredRow } from '../audit/record.ts'
import { CapFenceError } from '../errors.ts'
import type { LogPage, LogQuery, Orphan, PotLevel, StoredPolicy } from '../runtime/store.ts'
import { ApprovalRows } from './approval-rows.ts'
import { versionOf } from './database-file.ts'
import { parseDisclosures } from './disclosure-row.ts'
import { corrupt } from './failure.ts'
import { GrantReader } from './grant-rows.ts'
import { matches, snippetCondition } from './log-filter.ts'

/** The version of the schema that has them. */
const firstWithGrants = 6
/** Records one query looks at, at most; see `LogPage.next`. */
const maxRecordsLookedAt = 50_000

interface CallRow {
  readonly decision_seq: number
  readonly outcome_seq: number | null
}

interface PotRow {
  readonly pot: string
  readonly atMs: number
  readonly amount: string
  readonly expiresAtMs: number
}

/** Every question about a log, answered from one connection, each from one state of the log. */
export class LogQueries {
  readonly #db: Database.Database
  readonly #rows: Database.Statement<[number, number], StoredRow>
  readonly #size: Database.Statement<[], number>
  readonly #head: Database.Statement<[], { readonly size: number; readonly root: Buffer }>
  readonly #call: Database.Statement<[{ readonly call: string }], CallRow>
  readonly #open: Database.Statement<[], CallRow>
  readonly #disclosures: Database.Statement<[number], string>
  readonly #approvals: ApprovalRows
  readonly #policy: Database.Statement<
    [string],
    { readonly path: string; readonly bytes: Uint8Array }
  >

  constructor(db: Database.Database) {
    this.#db = db
    this.#rows = db.prepare(
      'SELECT seq, leaf, body FROM records WHERE seq >= ? ORDER BY seq LIMIT ?',
    )
    this.#head = db.prepare('SELECT size, root FROM head')
    this.#size = db.prepare<[], number>('SELECT size FROM head').pluck()
    this.#call = db.prepare(
      `SELECT decision_seq, outcome_seq FROM calls WHERE call = $call
       UNION ALL SELECT decision_seq, unknown_seq FROM open_calls WHERE call = $call`,
    )
    this.#open = db.prepare(
      'SELECT decision_seq, unknown_seq AS outcome_seq FROM open_calls ORDER BY decision_seq',
    )
    this.#disclosures = db
      .prepare<[number], string>('SELECT encoded FROM disclosures WHERE seq = ?')
      .pluck()
    this.#approvals = new ApprovalRows(db)
    this.#policy = db.prepare('SELECT path, bytes FROM policies WHERE hash = ? ORDER BY position')
  }

  size(): number {
    return this.#size.get() ?? 0
  }

  /** How long the log is and its root, hex, as it says itself. */
  head(): { readonly size: number; readonly root: string } {
    const row = this.#head.get()
    if (row === undefined) throw corrupt('its head is missing')
    return { size: row.size, root: row.root.toString('hex') }
  }

  rows(fromSeq: number, count: number): readonly StoredRow[] {
    return this.#rows.all(fromSeq, count)
  }

  records(fromSeq: number, count: number): readonly StoredRecord[] {
    return this.rows(fromSeq, count).map(recordOf)
  }

  find(query: LogQuery): LogPage {
    return this.#atOnce(() => {
      const size = this.size()
      const range = rangeOf(query, size)
      return pageOf(query, { ...range, records: this.#matching(query, range), size })
    })
  }

  call(callId: string): readonly StoredRecord[] {
    return this.#atOnce(() => {
      const row = this.#call.get({ call: callId })
      const seqs = [row?.decision_seq, row?.outcome_seq].filter((seq) => typeof seq === 'number')
      return seqs.map((seq) => this.#record(seq))
    })
  }

  /** @param isAlive whether the writer of a record still runs */
  orphans(isAlive: (writer: string) => boolean): readonly Orphan[] {
    return this.#atOnce(() =>
      this.#open.all().map(({ decision_seq, outcome_seq }) => {
        const decision = this.#record(decision_seq)
        if (outcome_seq !== null) return { ...decision, state: 'unknown' }
        return { ...decision, state: isAlive(decision.w) ? 'in_flight' : 'lost' }
      }),
    )
  }

  /**
   * The outcomes `unknown` of open calls that have none.
   *
   * @param isAlive whether the writer of a record still runs, and may know better
   */
  unknownOutcomes(isAlive: (writer: string) => boolean): readonly RecordDraft[] {
    return this.#open.all().flatMap(({ decision_seq, outcome_seq }) => {
      if (outcome_seq !== null) return []
      const decision = this.#record(decision_seq)
      return isAlive(decision.w) ? [] : [unknownOutcome(decision)]
    })
  }

  disclosures(seq: number): readonly Disclosure[] {
    return parseDisclosures(this.#disclosures.get(seq) ?? '')
  }

  approvalRequests(nowMs: number): readonly ApprovalRequest[] {
    return this.#approvals.all(nowMs)
  }

  approval(id: string, nowMs: number): RecordedApproval | undefined {
    return this.#atOnce(() => this.#approvals.ofId(id, nowMs))
  }

  grants(): readonly RecordedGrant[] {
    // A database of an older version that no gate has opened since has none.
    if (versionOf(this.#db) < firstWithGrants) return []
    return this.#atOnce(() => new GrantReader(this.#db).all())
  }

  policy(hash: string): StoredPolicy | undefined {
    const files = this.#policy.all(hash)
    return files.length === 0 ? undefined : { hash, files }
  }

  pots(nowMs: number): readonly PotLevel[] {
    // A database of an older version that no gate has opened since has none.
    if (versionOf(this.#db) < 2) return []
    const rows = this.#db
      .prepare<[number], PotRow>(
        `SELECT pot, at_ms AS atMs, amount, expires_ms AS expiresAtMs FROM limit_charges
         WHERE expires_ms > ? ORDER BY pot, at_ms, decision_seq`,
      )
      .all(nowMs)
    const pots = new Map<string, Omit<PotRow, 'pot'>[]>()
    for (const { pot, ...charge } of rows) {
      const charges = pots.get(pot)
      if (charges === undefined) pots.set(pot, [charge])
      else charges.push(charge)
    }
    return [...pots].map(([pot, charges]) => ({ pot, charges }))
  }

  #record(seq: number): StoredRecord {
    const [row] = this.rows(seq, 1)
    if (row?.seq !== seq) throw corruptRecord(seq, 'it is missing')
    return recordOf(row)
  }

  #matching(query: LogQuery, { low, high }: SeqRange): readonly StoredRecord[] {
    const { sql, snippets } = snippetCondition(query)
    const direction = query.order === 'oldest' ? 'ASC' : 'DESC'
    const statement = this.#db.prepare<unknown[], StoredRow>(
      `SELECT seq, leaf, body FROM records WHERE seq BETWEEN ? AND ? AND ${sql} ORDER BY seq ${direction}`,
    )
    const found: StoredRecord[] = []
    if (query.count <= 0) return found
    for (const row of statement.iterate(low, high, ...snippets)) {
      const record = recordOf(row)
      if (!matches(query, record)) continue
      found.push(record)
      if (found.length === query.count) break
    }
    return found
  }

  /** Several statements that must see the same state. */
  #atOnce<T>(read: () => T): T {
    return this.#db.inTransaction ? read() : this.#db.transaction(read).deferred()
  }
}

/** The records that one query looks at. */
export interface SeqRange {
  readonly low: number
  readonly high: number
}

/** Which records a query looks at in a log of a size. */
export function rangeOf({ order, from }: LogQuery, size: number): SeqRange {
  const start = from ?? (order === 'oldest' ? 0 : size - 1)
  if (order === 'oldest')
    return { low: start, high: Math.min(start + maxRecordsLookedAt, size) - 1 }
  return { low: Math.max(Math.min(start, size - 1) - maxRecordsLookedAt + 1, 0), high: start }
}

/** The answer to a query, once those that match have been found. */
export function pageOf(
  { order, count }: LogQuery,
  { low, high, records, size }: SeqRange & Omit<LogPage, 'next'>,
): LogPage {
  const [stop, step] = order === 'oldest' ? [high, 1] : [low, -1]
  const last = records.length === count ? records.at(-1)?.seq : undefined
  const next = (last ?? stop) + step
  return { records, next: next >= 0 && next < size ? next : null, size }
}

/**
 * A record as it was stored.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` when it is damaged, or stands in another's place
 */
export function recordOf(row: StoredRow): StoredRecord {
  let record: StoredRecord
  try {
    record = decodeRecord(row.body)
  } catch (error) {
    throw error instanceof CapFenceError ? corruptRecord(row.seq, error.message, error) : error
  }
  if (record.seq !== row.seq || !Buffer.from(record.leaf, 'hex').equals(row.leaf)) {
    throw corruptRecord(row.seq, 'it is not the record whose hash was stored')
  }
  return record
}

function unknownOutcome({ seq, data }: StoredRecord): RecordDraft {
  const call = data['call']
  if (typeof call !== 'string') throw corruptRecord(seq, 'it is not a decision')
  const result = discloseNothing('none').digests
  return outcomeRecord({ call, decisionSeq: seq, status: 'unknown', ms: null, bytes: null, result })
}

/** The error of a record that is not as it was stored. */
export function corruptRecord(seq: number, what: string, cause?: unknown): CapFenceError {
  return new CapFenceError('AUDIT_CORRUPT', `record ${seq} of the audit log is damaged: ${what}`, {
    hint: 'keep a copy of the file as it is, and restore the log from a copy that verifies',
    cause,
  })
}
