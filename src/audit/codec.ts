import { sha256Hex as digest } from '../crypto/sha256.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import { canonicalJson } from './canonical.ts'
import {
  count,
  field,
  fitsInOrder,
  isObject,
  origin,
  sha256Hex,
  shape,
  shapeComplaint,
  text,
  ulid,
} from './fields.ts'
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
  if (body.length >= hashedLeaf.length) return digest(Buffer.concat([Buffer.of(0), body]))
  hashedLeaf.set(body, 1)
  return digest(hashedLeaf.subarray(0, body.length + 1))
}

/** Filled anew by every call, which is synchronous; its first byte stays zero. */
const hashedLeaf = new Uint8Array(limits.maxRecordBytes + 1)

const envelope = shape({
  d: field('an object', isObject),
  log: origin,
  prev: sha256Hex,
  seq: count,
  t: text,
  ts: field(
    'RFC 3339 in UTC with milliseconds',
    (value) => typeof value === 'string' && isTimestamp(value),
  ),
  v: field(`${version}`, (value) => value === version),
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
  const { t, d, ...place } = quickly(body) ?? closely(body)
  return { type: t, data: d, ...place, body, leaf: leafHash(body) }
}

/**
 * Reads a record whose spelling and shape are seen to be right without looking at every piece; undefined when they
 * are not, or that needs a closer look.
 *
 * `JSON.stringify` writes what RFC 8785 has but for three things: it keeps the order of members, it writes numbers that
 * are no integers, and it escapes lone surrogates. A shape fixes the first two; the third begins with `\\ud`.
 */
function quickly(body: Uint8Array): TypedEnvelope | undefined {
  const json = textOf(body)
  // Bytes that are not UTF-8 became U+FFFD on the way in.
  if (json.includes('\uFFFD') || json.includes(String.raw`\ud`)) return undefined
  let record: RecordValue
  try {
    record = parseJson(json)
  } catch {
    return undefined
  }
  if (!isObject(record) || !fitsInOrder(record, envelope)) return undefined
  const { d, log, prev, seq, t, ts, w, wn } = asEnvelope(record)
  if (!isRecordType(t) || !fitsInOrder(d, recordShapes[t])) return undefined
  return JSON.stringify(record) === json ? { t, d, log, prev, seq, ts, w, wn } : undefined
}

/**
 * The same by the rules one after the other.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` saying which of them is broken
 *
 * @internal Exported for tests only.
 */
export function closely(body: Uint8Array): TypedEnvelope {
  const record = parseCanonical(body)
  const complaint = isObject(record) ? shapeComplaint(record, envelope) : 'not an object'
  if (complaint !== undefined) throw corrupt(complaint)
  const { d, log, prev, seq, t, ts, w, wn } = asEnvelope(record)
  if (!isRecordType(t)) throw corrupt(`unknown type \`${t}\``)
  const inner = shapeComplaint(d, recordShapes[t])
  if (inner !== undefined) throw corrupt(`a \`${t}\` record: ${inner}`)
  return { t, d, log, prev, seq, ts, w, wn }
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

/** The same of a type that is known. */
interface TypedEnvelope extends Envelope {
  readonly t: RecordType
}

/** The one spelling rule: parsing and printing again must give back the same bytes, so that no two bodies mean the same. */
function parseCanonical(body: Uint8Array): RecordValue {
  const bytes = bytesOf(body)
  const json = textOf(body)
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

function textOf(body: Uint8Array): string {
  return bytesOf(body).toString('utf8')
}

function bytesOf(body: Uint8Array): Buffer {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
}

function parseJson(json: string): RecordValue {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON.parse makes nothing but JSON values
  return JSON.parse(json) as RecordValue
}

function asEnvelope(record: RecordValue): Envelope {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller compared it with `envelope`
  return record as unknown as Envelope
}

const timestampPattern = /^(\d{4}-\d{2}-\d{2})T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/

/** The date that was found to exist last: that of most records. */
let knownDate = '1970-01-01'

function isTimestamp(ts: string): boolean {
  const [, date] = timestampPattern.exec(ts) ?? []
  if (date === undefined) return false
  if (date === knownDate) return true
  if (!isDate(date)) return false
  knownDate = date
  return true
}

/** `Date.parse` alone takes the 31st of February for the 3rd of March. */
function isDate(date: string): boolean {
  const ms = Date.parse(date)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date)
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
