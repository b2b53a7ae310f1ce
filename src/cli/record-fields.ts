import type { RecordData, RecordValue } from '../audit/record.ts'
import { CapFenceError } from '../errors.ts'

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
