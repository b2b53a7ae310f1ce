import type { Connection, Value } from './connection.ts'
import type { LogTable } from './layout.ts'
import type { WorkingCopy } from './working-copy.ts'

/** Rows of the log that are fetched at a time. */
const pageRows = 2000

const keysOf: Readonly<Record<LogTable, readonly string[]>> = {
  records: ['seq'],
  disclosures: ['seq'],
  checkpoints: ['size'],
  calls: ['call'],
  policies: ['hash', 'position'],
}

/** Fetches all rows of a table of the log, page by page. */
export async function fetchTable(
  connection: Connection,
  schema: string,
  { copy, table }: { readonly copy: WorkingCopy; readonly table: LogTable },
): Promise<void> {
  const keys = keysOf[table]
  const order = keys.join(', ')
  const marks = keys.map((_, at) => `$${at + 1}`).join(', ')
  let last: readonly Value[] | undefined
  for (;;) {
    const after = last === undefined ? '' : `WHERE (${order}) > (${marks})`
    // oxlint-disable-next-line no-await-in-loop -- page after page
    const rows = await connection.query(
      `SELECT * FROM "${schema}".${table} ${after} ORDER BY ${order} LIMIT ${pageRows}`,
      last ?? [],
    )
    for (const row of rows) copy.put(table, row)
    const end = rows.at(-1)
    if (end === undefined || rows.length < pageRows) return
    last = keys.map((key) => end[key] ?? null)
  }
}
