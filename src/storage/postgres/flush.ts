import type { SqlValue, Value } from './connection.ts'
import type { LogTable } from './layout.ts'
import { printRow } from './working-copy.ts'
import type { ChangedRow, MirroredRow } from './working-copy.ts'

type StateRow = Record<keyof MirroredRow, Value>

/** The state of one writer in `state`: which of its batches was stored last. */
export const batchTable = '$batch'
/** Up to which commit rows that are gone have been swept away. */
export const sweptTable = '$swept'

/** What a batch turns into. */
export interface Flush {
  readonly changes: readonly ChangedRow[]
  readonly writer: string
  /** Counts the batches of this writer. */
  readonly batch: number
  /** How many records there were before it. */
  readonly beginSize: number
  /** Whether gates that wait for an answer are to look again. */
  readonly notifies: boolean
}

/** The log's own columns, one array for each. */
const logColumns: readonly (readonly [LogTable, readonly (readonly [string, string])[]])[] = [
  [
    'records',
    [
      ['seq', 'bigint'],
      ['leaf', 'bytea'],
      ['body', 'bytea'],
    ],
  ],
  [
    'disclosures',
    [
      ['seq', 'bigint'],
      ['encoded', 'text'],
    ],
  ],
  [
    'checkpoints',
    [
      ['size', 'bigint'],
      ['note', 'text'],
    ],
  ],
  [
    'calls',
    [
      ['call', 'text'],
      ['decision_seq', 'bigint'],
      ['outcome_seq', 'bigint'],
    ],
  ],
  [
    'policies',
    [
      ['hash', 'text'],
      ['position', 'int'],
      ['path', 'text'],
      ['bytes', 'bytea'],
    ],
  ],
]

/** Tables in which a row may stand already: the same one, or one that the caller is told of. */
const known: readonly LogTable[] = ['checkpoints', 'calls', 'policies']

/** One statement for all tables, so that a batch costs one round trip. */
export function writeStatement(schema: string): string {
  let count = 0
  const next = (type: string): string => `$${(count += 1)}::${type}[]`
  const parts = logColumns.map(([table, columns]) => {
    const names = columns.map(([name]) => name).join(', ')
    const arrays = columns.map(([, type]) => next(type)).join(', ')
    const conflict = known.includes(table) ? ' ON CONFLICT DO NOTHING' : ''
    return `${table}_in AS (INSERT INTO ${schema}.${table} (${names}) SELECT * FROM unnest(${arrays})${conflict})`
  })
  const rows = `unnest(${next('text')}, ${next('text')}, ${next('text')}) AS put (tbl, key, row)`
  const version = `$${(count += 1)}::bigint`
  const state = `state_in AS (INSERT INTO ${schema}.state (tbl, key, row, changed)
    SELECT tbl, key, row, ${version} FROM ${rows}
    ON CONFLICT (tbl, key) DO UPDATE SET row = excluded.row, changed = excluded.changed)`
  const settled = `SELECT call FROM ${schema}.calls WHERE call = ANY(${next('text')})`
  return `WITH ${[...parts, state].join(',\n')}\n${settled}`
}

/** The values of the log's own tables for that statement. */
export function logValues({ changes, beginSize }: Flush): SqlValue[] {
  return logColumns.flatMap(([table, columns]) => {
    const rows = changes
      .filter((change) => change.tbl === table && !isOlderDisclosure(change, beginSize))
      .flatMap(({ row }) => (row === undefined ? [] : [row]))
    return columnsOf(
      rows,
      columns.map(([name]) => name),
    )
  })
}

/** Whether a change is one of redaction, which touches what was stored long since. */
export function isOlderDisclosure({ tbl, key }: ChangedRow, beginSize: number): boolean {
  return tbl === 'disclosures' && seqOf(key) < beginSize
}

/** The seq in a key that is one. */
export function seqOf(key: string): number {
  const read: unknown = JSON.parse(key)
  return Array.isArray(read) ? Number(read[0]) : NaN
}

/** What goes into `state`. */
export function stateRows(
  { changes, writer, batch }: Flush,
  swept: number | undefined,
): readonly StateRow[] {
  const rows = changes
    .filter(({ tbl }) => !logColumns.some(([table]) => table === tbl))
    .map(({ tbl, key, row }) => ({ tbl, key, row: row === undefined ? null : printRow(row) }))
  const own = { tbl: batchTable, key: writer, row: String(batch) }
  return swept === undefined
    ? [...rows, own]
    : [...rows, own, { tbl: sweptTable, key: '', row: String(swept) }]
}

/** Calls that something is stored of. */
export function callsOf({ changes }: Flush): readonly string[] {
  return changes.flatMap(({ tbl, row }) =>
    (tbl === 'calls' || tbl === 'open_calls') && row !== undefined ? [String(row['call'])] : [],
  )
}

/** One array for each column. */
export function columnsOf(
  rows: readonly Readonly<Record<string, Value>>[],
  names: readonly string[],
): SqlValue[] {
  return names.map((name) => rows.map((row) => row[name] ?? null))
}
