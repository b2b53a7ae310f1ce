import type Database from 'better-sqlite3'
import { timingSafeEqual } from 'node:crypto'
import type { RecordedGrant } from '../approval/grant-authority.ts'
import { decodeRecord } from '../audit/codec.ts'
import type { RecordDraft } from '../audit/record.ts'
import { hmacSha256Hex } from '../crypto/sha256.ts'
import { assert } from '../errors.ts'
import { StateSeal } from './state-seal.ts'
import type { SealedRow } from './state-seal.ts'

/** A grant as it stands in its table; `ended` is empty while it has not. */
export interface GrantRow {
  readonly id: string
  readonly created_seq: number
  readonly created_ms: number
  readonly expires_ms: number
  readonly used: number
  readonly ended: '' | 'revoked' | 'expired'
  readonly envelope: string
}

/** What follows from the records of a log about grants: the rows, and the time that counts for them. */
export interface GrantState {
  readonly rows: readonly GrantRow[]
  /** The latest time that a record bears since a grant was last recorded. */
  readonly latestMs: number
}

/** Of a log that has none. */
export const noGrants: GrantState = { rows: [], latestMs: 0 }

/**
 * What a record does to the grants of a log; the same when it is stored and when the rows are made again.
 *
 * @param before the row of the grant that the record is about
 * @returns the row as it is afterwards; undefined when the record changes none
 */
export function grantAfter(
  { type, data }: RecordDraft,
  before: GrantRow | undefined,
  { seq, atMs }: { readonly seq: number; readonly atMs: number },
): GrantRow | undefined {
  const { grant: id, envelope, expires_ms: expiresMs } = data
  if (type === 'grant.create') {
    const isGrant = typeof id === 'string' && typeof envelope === 'string'
    if (!isGrant || typeof expiresMs !== 'number') return undefined
    const row = { id, created_seq: seq, created_ms: atMs, expires_ms: expiresMs, envelope }
    return { ...row, used: 0, ended: '' }
  }
  if (before === undefined) return undefined
  if (type === 'grant.use') return { ...before, used: before.used + 1 }
  if (type === 'grant.revoke') return { ...before, ended: 'revoked' }
  return type === 'grant.expire' ? { ...before, ended: 'expired' } : undefined
}

const sealBytes = 72
const sumBytes = 32
const macAt = 40

/**
 * The grants of a log, in rows under a seal of their own (`StateSeal`): who has not the log's private key can put none in,
 * set back no use and no revocation, and make no clock forget what time it was (THREATS B37).
 *
 * All of them are looked at whenever another connection has written; there are few.
 */
export class GrantRows {
  readonly #reader: GrantReader
  readonly #key: Uint8Array
  readonly #seal: StateSeal
  readonly #put: Database.Statement<[object]>
  readonly #deleteAll: Database.Statement<[]>
  #latestMs = 0

  /** @param key 32 bytes that follow from the log's private key */
  constructor(db: Database.Database, key: Uint8Array) {
    this.#reader = new GrantReader(db)
    this.#key = key
    this.#seal = new StateSeal(key)
    this.#put = db.prepare(
      `INSERT INTO grants (id, created_seq, created_ms, expires_ms, used, ended, envelope)
       VALUES ($id, $created_seq, $created_ms, $expires_ms, $used, $ended, $envelope)
       ON CONFLICT DO UPDATE SET used = excluded.used, ended = excluded.ended`,
    )
    this.#deleteAll = db.prepare('DELETE FROM grants')
  }

  /** Those that have not ended. */
  active(): readonly RecordedGrant[] {
    return this.#reader.active(this.#latestMs)
  }

  /** The grant of an id, whatever became of it. */
  ofId(id: string): RecordedGrant | undefined {
    return this.#reader.ofId(id, this.#latestMs)
  }

  /** Takes in a record that has just been stored; inside its transaction. */
  note(record: RecordDraft, seq: number, atMs: number): void {
    if (!record.type.startsWith('grant.')) return
    const { grant: id } = record.data
    const before = typeof id === 'string' ? this.#reader.row(id) : undefined
    const isNew = record.type === 'grant.create'
    assert(isNew === (before === undefined), 'a grant is recorded once, and then used or ended')
    const after = grantAfter(record, before, { seq, atMs })
    assert(after !== undefined, 'the record of a grant says which')
    if (isNew) this.#latestMs = atMs
    if (before !== undefined) this.#seal.toggle(sealed(before))
    this.#put.run(after)
    this.#seal.toggle(sealed(after))
  }

  /** Something is stored at this time. */
  noteTime(nowMs: number): void {
    this.#latestMs = Math.max(this.#latestMs, nowMs)
  }

  /** Puts grants in the place of all that there are. */
  replace({ rows, latestMs }: GrantState): void {
    this.#deleteAll.run()
    for (const row of rows) this.#put.run(row)
    this.#seal.sum = this.#seal.sumOf(rows.map(sealed))
    this.#latestMs = latestMs
  }

  /** What is kept beside a head of this size: the sum of the rows, the time, and the MAC of both. */
  print(size: number): Buffer {
    const state = Buffer.alloc(macAt)
    this.#seal.sum.copy(state)
    state.writeBigUInt64BE(BigInt(this.#latestMs), sumBytes)
    return Buffer.concat([state, this.#mac(state, size)])
  }

  /**
   * Takes what another writer left, and looks whether the rows are those.
   *
   * @returns false when they are not, or what was left is not this log's, or stood beside a head of another size
   */
  accept(left: Buffer | null, size: number): boolean {
    if (left?.length !== sealBytes) return false
    const state = left.subarray(0, macAt)
    if (!timingSafeEqual(left.subarray(macAt), this.#mac(state, size))) return false
    this.#seal.sum = state.subarray(0, sumBytes)
    this.#latestMs = Number(state.readBigUInt64BE(sumBytes))
    return this.#seal.sumOf(this.#reader.rows().map(sealed)).equals(this.#seal.sum)
  }

  /** As it is, to go back to. */
  get mark(): GrantMark {
    return { sum: this.#seal.sum, latestMs: this.#latestMs }
  }

  set mark({ sum, latestMs }: GrantMark) {
    this.#seal.sum = sum
    this.#latestMs = latestMs
  }

  #mac(state: Uint8Array, size: number): Buffer {
    const text = Buffer.concat([Buffer.from(`grants:${size}:`), state])
    return Buffer.from(hmacSha256Hex(this.#key, text), 'hex')
  }
}

/** What a transaction that is rolled back goes back to. */
export interface GrantMark {
  readonly sum: Buffer
  readonly latestMs: number
}

/** Reads grants; whether their rows are as they were left only a writer can tell. */
export class GrantReader {
  readonly #all: Database.Statement<[], GrantRow>
  readonly #active: Database.Statement<[], GrantRow>
  readonly #ofId: Database.Statement<[string], GrantRow>
  readonly #record: Database.Statement<[number], Uint8Array>
  readonly #left: Database.Statement<[], Buffer | null>

  constructor(db: Database.Database) {
    this.#all = db.prepare('SELECT * FROM grants ORDER BY created_seq')
    this.#active = db.prepare(`SELECT * FROM grants WHERE ended = '' ORDER BY expires_ms, id`)
    this.#ofId = db.prepare('SELECT * FROM grants WHERE id = ?')
    this.#record = db
      .prepare<[number], Uint8Array>('SELECT body FROM records WHERE seq = ?')
      .pluck()
    this.#left = db.prepare<[], Buffer | null>('SELECT grants FROM head').pluck()
  }

  rows(): readonly GrantRow[] {
    return this.#all.all()
  }

  row(id: string): GrantRow | undefined {
    return this.#ofId.get(id)
  }

  /** Every grant, in the order in which they were recorded. */
  all(latestMs: number = this.#shownMs()): readonly RecordedGrant[] {
    return this.rows().map((row) => this.#recorded(row, latestMs))
  }

  active(latestMs: number): readonly RecordedGrant[] {
    return this.#active.all().map((row) => this.#recorded(row, latestMs))
  }

  ofId(id: string, latestMs: number): RecordedGrant | undefined {
    const row = this.row(id)
    return row && this.#recorded(row, latestMs)
  }

  #recorded(row: GrantRow, latestMs: number): RecordedGrant {
    const body = this.#record.get(row.created_seq)
    const record = body && decodeRecord(body)
    const { id, envelope, created_seq: createdSeq, created_ms: createdAtMs } = row
    const expiresAtMs = row.expires_ms
    return {
      id,
      log: record?.log ?? '',
      isRecorded:
        record?.type === 'grant.create' &&
        record.data['grant'] === id &&
        record.data['envelope'] === envelope &&
        Date.parse(record.ts) === createdAtMs,
      createdSeq,
      createdAtMs,
      expiresAtMs,
      useCount: row.used,
      ended: row.ended === '' ? undefined : row.ended,
      envelope,
      latestMs,
    }
  }

  /** What the head says of the time, for people: it is not verified here. */
  #shownMs(): number {
    const left = this.#left.get()
    return left?.length === sealBytes ? Number(left.readBigUInt64BE(sumBytes)) : 0
  }
}

function sealed(row: GrantRow): SealedRow {
  const { id, created_seq, created_ms, expires_ms, used, ended, envelope } = row
  return ['grant', id, created_seq, created_ms, expires_ms, used, ended, envelope]
}
