import type { RecordData, RecordValue, StoredRecord } from '../audit/record.ts'
import { CapFenceError } from '../errors.ts'
import type { ShownArguments } from './log-arguments.ts'

/** A line of `capfence logs`, before it is a line. */
export type LogEntry = DecisionEntry | RefusalEntry

/** A call that was decided. */
export interface DecisionEntry {
  readonly kind: 'decision'
  readonly record: StoredRecord
  readonly arguments: ShownArguments
  /** How many arguments the log cannot disclose at all. */
  readonly withheld: number
  readonly outcome: OutcomeEntry | undefined
}

/** A message that was refused before it was a call. */
export interface RefusalEntry {
  readonly kind: 'refusal'
  readonly record: StoredRecord
}

/** How a call that was forwarded ended. */
export interface OutcomeEntry {
  readonly seq: number
  readonly status: string
  readonly ms: number | null
  readonly bytes: number | null
}

/** Reads an outcome record. */
export function outcomeEntry({ seq, data }: StoredRecord): OutcomeEntry {
  return {
    seq,
    status: textOf(data, 'status'),
    ms: numberOrNull(data, 'ms'),
    bytes: numberOrNull(data, 'bytes'),
  }
}

/** A field of a record that holds text. */
export function textOf(data: RecordData, name: string): string {
  const value = fieldOf(data, name)
  return typeof value === 'string' ? value : wrongShape(name)
}

/** A field that holds text or null. */
export function textOrNull(data: RecordData, name: string): string | null {
  const value = fieldOf(data, name)
  return value === null || typeof value === 'string' ? value : wrongShape(name)
}

/** A field that holds a number or null. */
export function numberOrNull(data: RecordData, name: string): number | null {
  const value = fieldOf(data, name)
  return value === null || typeof value === 'number' ? value : wrongShape(name)
}

/** A field that holds a list. */
export function listOf(data: RecordData, name: string): readonly RecordValue[] {
  const value = fieldOf(data, name)
  return isList(value) ? value : wrongShape(name)
}

/** A field that holds an object. */
export function objectOf(data: RecordData, name: string): RecordData {
  const value = fieldOf(data, name)
  return isObject(value) ? value : wrongShape(name)
}

/** Any field of a record. */
export function fieldOf(data: RecordData, name: string): RecordValue {
  const value = Object.hasOwn(data, name) ? data[name] : undefined
  return value === undefined ? wrongShape(name) : value
}

/** Whether a part of a record is an object. */
export function isObject(value: RecordValue): value is RecordData {
  return typeof value === 'object' && value !== null && !isList(value)
}

function isList(value: RecordValue): value is readonly RecordValue[] {
  return Array.isArray(value)
}

function wrongShape(name: string): never {
  throw new CapFenceError('AUDIT_CORRUPT', `a record of the log has no proper \`${name}\``)
}
