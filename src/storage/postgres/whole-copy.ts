import type Database from 'better-sqlite3'
import { corrupt } from '../failure.ts'
import type { PostgresAddress } from './address.ts'
import type { Connection } from './connection.ts'
import { layoutSteps, logTables } from './layout.ts'
import { fetchTable } from './fetch-table.ts'
import { findVersion, noLog, rollBack } from './open-postgres.ts'
import { SharedLog } from './shared-log.ts'
import { WorkingCopy } from './working-copy.ts'

/**
 * One state of a log, all of it, as a database of SQLite that lies in a temporary file and is gone when it is closed.
 *
 * @throws CapFenceError `AUDIT_UNAVAILABLE` when there is no log; `AUDIT_CORRUPT` when things stand in its schema that no gate has made
 */
export async function copyOfLog(
  connection: Connection,
  address: PostgresAddress,
): Promise<Database.Database> {
  const { schema } = address
  const copy = new WorkingCopy()
  try {
    const found = await findVersion(connection, schema)
    if (found === undefined) throw noLog(address)
    copy.makeTables(found.tables)
    await connection.script('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    await requireOurs(connection, schema)
    copy.db.exec('BEGIN')
    // The rows that come with the state come again with the others.
    await new SharedLog(copy, schema).load(connection)
    for (const table of logTables) {
      // oxlint-disable-next-line no-await-in-loop -- a connection answers one question after the other
      await fetchTable(connection, schema, { copy, table })
    }
    copy.db.exec('COMMIT')
    return copy.db
  } catch (error) {
    copy.close()
    throw error
  } finally {
    await rollBack(connection)
  }
}

/** A trigger or a rule could rewrite what is stored, a view could show something else (AUDIT.md "verify"). */
async function requireOurs(connection: Connection, schema: string): Promise<void> {
  const made = layoutSteps(schema).flat()
  const ours = made.flatMap((sql) => /^CREATE TABLE "\w+"\.(\w+)/.exec(sql)?.[1] ?? [])
  const [found] = await connection.query(
    `SELECT
       (SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = n.oid AND relkind NOT IN ('i', 't')) AS relations,
       (SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = n.oid AND NOT t.tgisinternal)
       + (SELECT count(*) FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE c.relnamespace = n.oid)
       + (SELECT count(*) FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = n.oid) AS strange
     FROM pg_namespace n WHERE n.nspname = $1`,
    [schema],
  )
  const isOurs =
    found?.['relations'] === ours.toSorted().join(' ') && Number(found['strange']) === 0
  if (!isOurs)
    throw corrupt(
      'its schema holds tables, views, triggers, rules or policies that no gate has made',
    )
}
