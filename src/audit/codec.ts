import { sha256Hex as digest } from '../crypto/sha256.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import { canonicalJson } from './canonical.ts'
import { count, isObject, origin, sha256Hex, shape, shapeComplaint, text, ulid } from './fields.ts'
import type {
  RecordData,
  RecordDraft,
  RecordPlace,
  RecordType,
  RecordValue,
  StoredRecord,
} from './record.ts'
import { isRecordType, recordShapes } from './shapes.ts'

/** The `prev` of the first record. */
export const noLeaf: string = '0'.repeat(64)

const version = 1

/** What is stored for a record. */
export interface EncodedRecord {
  /** UTF-8 of the RFC 8785 form. */
  readonly body: Uint8Array
  /** Hex of SHA-256(0x00 || body). */
  readonly leaf: string
}

/**
 * The bytes of a record at its place.
 *
 * @throws CapFenceError `RECORD_INVALID` when the data has another shape than its type, or the record outgrows its bound
 */
export function encodeRecord(draft: RecordDraft, place: RecordPlace): EncodedRecord {
  const complaint = shapeComplaint(draft.data, recordShapes[draft.type])
  if (complaint !== undefined) throw invalid(`a \`${draft.type}\` record: ${complaint}`)
  // The members around `d` have no character that JSON escapes, and stand in the order of RFC 8785.
  const json =
    `{"d":${canonicalJson(draft.data)},"log":"${place.log}","prev":"${place.prev}","seq":${place.seq}` +
    `,"t":"${draft.type}","ts":"${place.ts}","v":${version},"w":"${place.w}","wn":${place.wn}}`
  // One byte more in front, because that is what is hashed: RFC 6962, section 2.1.
  const leafInput = Buffer.from(`\0${json}`, 'utf8')
  const body = leafInput.subarray(1)
  if (body.length > limits.maxRecordBytes) throw tooLong(draft.type, body.length)
  return { body, leaf: digest(leafInput) }
}

/** Hex of SHA-256(0x00 || body): RFC 6962, section 2.1. */
export function leafHash(body: Uint8Array): string {
  const input = new Uint8Array(body.length + 1)
  input.set(body, 1)
  return digest(input)
}

const envelope = shape({
  d: { expects: 'an object', optional: false, holds: isObject },
  log: origin,
  prev: sha256Hex,
  seq: count,
  t: text,
  ts: {
    expects: 'RFC 3339 in UTC with milliseconds',
    optional: false,
    holds: (value) => typeof value === 'string' && isTimestamp(value),
  },
  v: { expects: `${version}`, optional: false, holds: (value) => value === version },
  w: ulid,
  wn: count,
})

/**
 * Reads a record's stored bytes, and accepts only what `encodeRecord` writes.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` for anything else: another spelling of the same JSON, an unknown type or
 *   version, a field more or less, a wrong type, a size out of bounds
 */
export function decodeRecord(body: Uint8Array): StoredRecord {
  if (body.length < 2 || body.length > limits.maxRecordBytes) {
    throw corrupt(`a record of ${body.length} bytes, bounds are 2 and ${limits.maxRecordBytes}`)
  }
  const record = parseCanonical(body)
  const complaint = isObject(record) ? shapeComplaint(record, envelope) : 'not an object'
  if (complaint !== undefined) throw corrupt(complaint)
  const { d, log, prev, seq, t, ts, w, wn } = asEnvelope(record)
  if (!isRecordType(t)) throw corrupt(`unknown type \`${t}\``)
  const inner = shapeComplaint(d, recordShapes[t])
  if (inner !== undefined) throw corrupt(`a \`${t}\` record: ${inner}`)
  return { type: t, data: d, log, seq, prev, ts, w, wn, body, leaf: leafHash(body) }
}

/** The members of a record whose shape has been checked. */
interface Envelope {
  readonly d: RecordData
  readonly log: string
  readonly prev: string
  readonly seq: number
  readonly t: string
  readonly ts: string
  readonly w: string
  readonly wn: number
}

/** The one spelling rule: parsing and printing again must give back the same bytes, so that no two bodies mean the same. */
function parseCanonical(body: Uint8Array): RecordValue {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const json = bytes.toString('utf8')
  let value: RecordValue
  let again: string
  try {
    value = parseJson(json)
    again = canonicalJson(value)
  } catch (cause) {
    throw corrupt('not I-JSON as records use it', cause)
  }
  // Bytes that are not UTF-8 became U+FFFD on the way in, so that the text alone may agree.
  if (again !== json || !Buffer.from(again, 'utf8').equals(bytes)) {
    throw corrupt('not spelled as RFC 8785 has it')
  }
  return value
}

function parseJson(json: string): RecordValue {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON.parse makes nothing but JSON values
  return JSON.parse(json) as RecordValue
}

function asEnvelope(record: RecordValue): Envelope {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller compared it with `envelope`
  return record as unknown as Envelope
}

const timestampPattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/

/** `Date.parse` alone takes the 31st of February for the 3rd of March. */
function isTimestamp(ts: string): boolean {
  if (!timestampPattern.test(ts)) return false
  const ms = Date.parse(ts)
  return !Number.isNaN(ms) && new Date(ms).toISOString() === ts
}

function tooLong(type: RecordType, bytes: number): CapFenceError {
  return new CapFenceError(
    'RECORD_INVALID',
    `a \`${type}\` record of ${bytes} bytes, the bound is ${limits.maxRecordBytes}`,
    { hint: 'call the tool with shorter names or fewer arguments' },
  )
}

function invalid(what: string): CapFenceError {
  return new CapFenceError('RECORD_INVALID', what)
}

function corrupt(what: string, cause?: unknown): CapFenceError {
  return new CapFenceError('AUDIT_CORRUPT', `the log holds a damaged record: ${what}`, { cause })
}
