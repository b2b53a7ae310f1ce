import type { StoredRecord } from '../audit/record.ts'
import type { ChangeEntry } from './log-entry.ts'
import { isObject, listOf, numberOrNull, textOf, textOrNull } from './record-fields.ts'
import { jsonLine, shown } from './shown.ts'
import type { Cell, Column } from './table.ts'

/** The columns of `capfence logs --changes`. */
export const changeColumns: readonly Column[] = [
  { title: 'SEQ', min: 3, max: 8 },
  { title: 'TIME', min: 20, max: 20 },
  { title: 'CHANGE', min: 8, max: 18 },
  { title: 'OF', min: 8, max: 48 },
  { title: 'SHA-256', min: 12, max: 12 },
  { title: 'DETAILS', min: 9, max: 9 },
]

/** A change as a row of the table. */
export function changeRow({ record }: ChangeEntry, time: string): readonly Cell[] {
  const { change, of, sha256, details } = changeText(record)
  return [
    { text: String(record.seq) },
    { text: time },
    { text: change },
    { text: shown(of) },
    { text: sha256 === null ? '-' : shown(sha256.slice(0, 12)) },
    { text: shown(details) },
  ]
}

/** A change as a line of JSON Lines: the record's own fields behind what every line has. */
export function changeLine({ record }: ChangeEntry, schemaVersion: number): string {
  const { type, seq, ts, data } = record
  return jsonLine({ schemaVersion, type, seq, time: ts, ...data })
}

interface ChangeText {
  readonly change: string
  readonly of: string
  readonly sha256: string | null
  readonly details: string
}

function changeText(record: StoredRecord): ChangeText {
  if (record.type === 'tool.def') return toolText(record)
  return record.type === 'config.change' ? configText(record) : policyText(record)
}

function toolText({ data }: StoredRecord): ChangeText {
  const previous = textOrNull(data, 'previous')
  const omitted = numberOrNull(data, 'omitted') ?? 0
  const details = [
    ...(previous === null ? [] : [`was ${previous.slice(0, 12)}`]),
    ...(omitted === 0 ? [] : [`${omitted} more before it have no record`]),
  ]
  return {
    change: `tool ${textOf(data, 'change').replace('_', ' ')}`,
    of: `${textOf(data, 'server')}.${textOf(data, 'tool')}`,
    sha256: textOrNull(data, 'sha256'),
    details: details.join(', ') || '-',
  }
}

function configText({ data }: StoredRecord): ChangeText {
  const error = textOrNull(data, 'error')
  return {
    change: error === null ? 'configuration' : 'not usable',
    of: textOf(data, 'path'),
    sha256: textOrNull(data, 'sha256'),
    details: error ?? (names(data, 'changed') || '-'),
  }
}

function policyText({ data }: StoredRecord): ChangeText {
  const error = textOrNull(data, 'error')
  const files = listOf(data, 'files')
    .filter(isObject)
    .map((file) => textOf(file, 'path'))
  return {
    change: error === null ? 'policy' : 'policy refused',
    of: files.join(', ') || '-',
    sha256: textOrNull(data, 'policy_hash'),
    details: error ?? `${numberOrNull(data, 'rule_count') ?? 0} rules`,
  }
}

function names(data: StoredRecord['data'], field: string): string {
  return listOf(data, field)
    .filter((name) => typeof name === 'string')
    .join(', ')
}
