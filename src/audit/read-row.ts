import { CapFenceError } from '../errors.ts'
import { decodeRecord } from './codec.ts'
import { checkDisclosures } from './disclosed.ts'
import type { RecordData, RecordPlace, RecordType, StoredRecord, StoredRow } from './record.ts'

/** A row with what was kept beside it. */
export interface RowWithDisclosures extends StoredRow {
  /** As stored, each followed by `~`; empty when there are none. */
  readonly disclosures: string
}

/**
 * What other records depend on, of a record that is sound by itself.
 *
 * Small and plain, so that one thread can read rows for another.
 */
export interface ReadRecord extends RecordPlace {
  readonly type: RecordType
  /** Hex. */
  readonly leaf: string
  /** Those members of `d` that other records are held against. */
  readonly said: RecordData
  /** Digests that it lists, whose disclosure should be there and is not. */
  readonly missing: readonly string[]
}

/** A row that is no record of this log, whatever stands around it. */
export interface UnsoundRow {
  readonly seq: number
  readonly reason: string
}

/** What became of reading a row. */
export type ReadRow = ReadRecord | UnsoundRow

/** Whether a row could not be read. */
export function isUnsound(read: ReadRow | StoredRecord): read is UnsoundRow {
  return 'reason' in read
}

/** Checks everything about a row that can be told from the row alone. */
export function readRow(row: RowWithDisclosures): ReadRow {
  const record = readBody(row)
  if (isUnsound(record)) return record
  const check = checkDisclosures(record.data, row.disclosures)
  if ('reason' in check) return { seq: row.seq, reason: check.reason }
  return readRecord(record, check.missing)
}

/** The same of a row alone: what was kept beside it is not looked at. */
export function readRowAlone(row: StoredRow): ReadRow {
  const record = readBody(row)
  return isUnsound(record) ? record : readRecord(record, [])
}

function readBody(row: StoredRow): StoredRecord | UnsoundRow {
  let record: StoredRecord
  try {
    record = decodeRecord(row.body)
  } catch (error) {
    if (error instanceof CapFenceError) return { seq: row.seq, reason: error.message }
    throw error
  }
  const { seq } = row
  if (record.seq !== seq) return { seq, reason: `the record calls itself ${record.seq}` }
  if (record.leaf !== hexOf(row.leaf)) {
    return { seq, reason: 'the stored leaf is not the hash of the record' }
  }
  return record
}

/** Of every other type nothing but its place matters to the rest of the log. */
const told: Readonly<Partial<Record<RecordType, readonly string[]>>> = {
  'log.open': ['vkey', 'epoch_vkey'],
  decision: ['call', 'forwarded'],
  outcome: ['call', 'decision_seq', 'status'],
  'approval.request': ['decision_seq'],
  'approval.use': ['decision_seq'],
  'grant.use': ['decision_seq', 'created_seq'],
  'audit.gap': ['unrecorded'],
  'key.add': ['vkey', 'epoch_vkey'],
  'key.rotate': ['epoch', 'previous', 'next'],
  redact: ['seq', 'digests'],
}

function readRecord(record: StoredRecord, missing: readonly string[]): ReadRecord {
  const { type, data, log, seq, prev, ts, w, wn, leaf } = record
  const said: Record<string, RecordData[string]> = {}
  for (const name of told[type] ?? []) {
    const value = data[name]
    if (value !== undefined) said[name] = value
  }
  return { type, log, seq, prev, ts, w, wn, leaf, said, missing }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
