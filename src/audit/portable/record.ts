import { hexOf, textOf } from './bytes.ts'
import { Refused, insist } from './refused.ts'
import { hashOfLeaf } from './tree.ts'

/** What a record says, besides that it is one. */
export interface LogRecord {
  readonly log: string
  readonly seq: number
  /** Hex; the leaf of the record before. */
  readonly prev: string
  readonly type: string
  /** When, by the clock of the machine that wrote it. */
  readonly ts: string
  readonly writer: string
  /** The writer's own count. */
  readonly count: number
  readonly data: JsonObject
  readonly leaf: Uint8Array
  /** The JSON text, as it is hashed. */
  readonly json: string
}

/** A JSON value as `JSON.parse` makes it. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

/** A JSON object as `JSON.parse` makes it. */
export interface JsonObject {
  readonly [name: string]: Json
}

const maxBytes = 65_535
const maxDepth = 16
const members = 'd log prev seq t ts v w wn'

/**
 * Reads a record, which is one only if its bytes are the canonical form of what they say (RFC 8785).
 *
 * What `data` holds is not compared with the type: it is what was recorded, whatever it is.
 *
 * @throws Refused for anything else
 */
export function readRecord(body: Uint8Array): LogRecord {
  insist(body.length >= 2 && body.length <= maxBytes, `a record of ${body.length} bytes`)
  const json = textOf(body)
  const value = parseJson(json)
  insist(isObject(value), 'a record is an object')
  insist(Object.keys(value).join(' ') === members, `a record has the members ${members}`)
  insist(canonical(value, maxDepth) === json, 'not in the form of RFC 8785')
  const { d, log, prev, seq, t, ts, v, w, wn } = value
  insist(v === 1, 'a record of another version')
  insist(isObject(d), 'a record has data')
  insist(typeof log === 'string' && typeof t === 'string', 'a record has a log and a type')
  insist(typeof prev === 'string' && /^[0-9a-f]{64}$/.test(prev), 'a record names the one before')
  insist(typeof ts === 'string' && isTime(ts), 'a record has a time')
  insist(isCount(seq) && isCount(wn), 'a record is counted')
  insist(typeof w === 'string' && /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(w), 'no writer')
  const leaf = hashOfLeaf(body)
  return { log, seq, prev, type: t, ts, writer: w, count: wn, data: d, leaf, json }
}

/** The leaf of a record as the next one names it. */
export function leafText({ leaf }: LogRecord): string {
  return hexOf(leaf)
}

/**
 * What a JSON text says.
 *
 * @throws Refused when the text is not JSON
 */
export function parseJson(text: string): Json {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON.parse makes nothing but JSON values
    return JSON.parse(text) as Json
  } catch {
    throw new Refused('not JSON')
  }
}

/** Whether a value has members. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a value is a list. */
export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}

/** Whether a value is a list of texts. */
export function isTexts(value: Json | undefined): value is readonly string[] {
  return isList(value) && value.every((element) => typeof element === 'string')
}

/** Whether a value counts something: a whole number from 0 on. */
export function isCount(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** RFC 8785 where all numbers are integers. */
function canonical(value: Json, levels: number): string {
  if (typeof value === 'string') {
    insist(!/\p{Cs}/u.test(value), 'half a character')
    return JSON.stringify(value)
  }
  if (typeof value === 'number') {
    insist(Number.isSafeInteger(value), 'a number that is not whole')
    return String(value)
  }
  if (typeof value !== 'object' || value === null) return String(value)
  insist(levels > 0, 'nested too deep')
  if (isList(value)) {
    return `[${value.map((element) => canonical(element, levels - 1)).join(',')}]`
  }
  const named = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1))
  const parts = named.map(
    ([name, member]) => `${canonical(name, levels)}:${canonical(member, levels - 1)}`,
  )
  return `{${parts.join(',')}}`
}

/** RFC 3339 in UTC with milliseconds; `Date.parse` alone takes the 31st of February. */
function isTime(text: string): boolean {
  const ms = Date.parse(text)
  return !Number.isNaN(ms) && new Date(ms).toISOString() === text
}
