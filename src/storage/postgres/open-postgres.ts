import { CapFenceError } from '../../errors.ts'
import { ulid } from '../../crypto/ids.ts'
import { NotHere } from '../batch-attempt.ts'
import { corrupt } from '../failure.ts'
import { enterLog } from '../open-log.ts'
import type { OpenedLog, OpeningFacts } from '../open-log.ts'
import type { WriterPresence } from '../writer-presence.ts'
import { shownAddress } from './address.ts'
import type { PostgresAddress } from './address.ts'
import type { Connection } from './connection.ts'
import { layoutSteps, ownVersion } from './layout.ts'
import type { FoundVersion } from './layout.ts'
import { fetchTable } from './fetch-table.ts'
import { lockKeys, SharedLog } from './shared-log.ts'
import { WorkingCopy } from './working-copy.ts'

/** A log in PostgreSQL, ready for its writer. */
export interface OpenedPostgres {
  readonly copy: WorkingCopy
  readonly shared: SharedLog
  readonly log: OpenedLog
}

/** What opening needs from outside, besides what every log needs. */
export type PostgresOpening = Omit<OpeningFacts, 'presence' | 'version' | 'succession'>

/**
 * Makes a log in a schema, or finds the one in it, and enters a new writer: all of it or nothing.
 *
 * @param connection open, and without a transaction
 * @throws CapFenceError `AUDIT_CORRUPT` or `AUDIT_UNAVAILABLE`, and what the database throws
 */
export async function openPostgres(
  connection: Connection,
  schema: string,
  facts: PostgresOpening,
): Promise<OpenedPostgres> {
  await requireSafe(connection)
  const writerId = ulid(facts.nowMs, facts.random)
  await connection.script(
    `BEGIN; SELECT pg_advisory_xact_lock(${lockKeys('log', schema).join(', ')})`,
  )
  const copy = new WorkingCopy()
  try {
    const opened = await enter(connection, schema, { facts, writerId, copy })
    await connection.script('COMMIT')
    opened.copy.db.exec('COMMIT')
    opened.log.transaction.committed()
    opened.shared.committed()
    opened.copy.prune()
    return opened
  } catch (error) {
    copy.close()
    await rollBack(connection)
    throw error
  }
}

interface Entering {
  readonly facts: PostgresOpening
  readonly writerId: string
  readonly copy: WorkingCopy
}

async function enter(
  connection: Connection,
  schema: string,
  { facts, writerId, copy }: Entering,
): Promise<OpenedPostgres> {
  const found = await findVersion(connection, schema)
  const shared = new SharedLog(copy, schema)
  await migrate(connection, schema, found)
  const isNew = found === undefined
  if (!isNew) {
    copy.makeTables(found.tables)
    await shared.load(connection)
    await fetchOpenCalls(connection, shared, copy)
  }
  const isUpgraded = !isNew && found.tables !== ownVersion.tables
  if (!isNew && !isUpgraded) copy.watch()
  const presence = await presenceIn(connection, schema, writerId)
  const beginSize = isNew ? 0 : copy.size
  const own = { ...facts, presence, succession: undefined, version: () => shared.foreign }
  const log = await entered(connection, { ...own, isPartial: !isNew }, { schema, copy, writerId })
  const changes = isNew || isUpgraded ? everything(copy, beginSize) : copy.changes()
  await shared.flush(connection, {
    changes,
    writer: writerId,
    batch: 1,
    beginSize,
    notifies: false,
  })
  if (isNew || isUpgraded) copy.watch()
  return { copy, shared, log }
}

/** Enters the log in a transaction of the copy; with all records when the state has to be made again from them. */
async function entered(
  connection: Connection,
  facts: OpeningFacts,
  { schema, copy, writerId }: Omit<Entering, 'facts'> & { readonly schema: string },
): Promise<OpenedLog> {
  copy.db.exec('BEGIN')
  try {
    return enterLog(copy.db, facts, writerId)
  } catch (error) {
    if (!(error instanceof NotHere)) throw error
    copy.db.exec('ROLLBACK')
  }
  for (const table of ['records', 'disclosures'] as const) {
    // oxlint-disable-next-line no-await-in-loop -- a connection answers one question after the other
    await fetchTable(connection, schema, { copy, table })
  }
  copy.forget()
  copy.db.exec('BEGIN')
  return enterLog(copy.db, { ...facts, isPartial: false }, writerId)
}

/** All rows of a log that is new, or whose tables are; of the records only those that are new. */
function everything(copy: WorkingCopy, beginSize: number): ReturnType<WorkingCopy['everything']> {
  return copy
    .everything()
    .filter(({ tbl, row }) => tbl !== 'records' || Number(row?.['seq']) >= beginSize)
}

/** What is not known to be safe is not written to: a commit that was answered must survive a crash of the server. */
async function requireSafe(connection: Connection): Promise<void> {
  const [[settings] = []] = await connection.script(
    `SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
       current_setting('synchronous_commit') AS synchronous_commit, pg_is_in_recovery()::int AS standby`,
  )
  for (const name of ['fsync', 'full_page_writes', 'synchronous_commit']) {
    if (settings?.[name] !== 'off') continue
    throw new CapFenceError(
      'AUDIT_UNAVAILABLE',
      `the database runs with \`${name} = off\`: it may lose what it says is stored`,
      {
        hint: `set \`${name} = on\` for the server and for the user of the gate, then restart`,
      },
    )
  }
  if (settings?.['standby'] !== 0) {
    throw new CapFenceError(
      'AUDIT_UNAVAILABLE',
      'this database server is a standby: it takes no writes',
      {
        hint: 'name the primary, or an address that always leads to it',
      },
    )
  }
}

/** The version of the log in a schema; undefined when there is none. */
export async function findVersion(
  connection: Connection,
  schema: string,
): Promise<FoundVersion | undefined> {
  const [made] = await connection.query('SELECT (to_regclass($1) IS NOT NULL)::int AS made', [
    `"${schema}".version`,
  ])
  if (made?.['made'] !== 1) return undefined
  const [row] = await connection.query(`SELECT layout, tables FROM "${schema}".version`)
  if (row === undefined) throw corrupt('its version is missing')
  const found = { layout: Number(row['layout']), tables: Number(row['tables']) }
  if (found.layout > ownVersion.layout || found.tables > ownVersion.tables) {
    throw new CapFenceError(
      'AUDIT_UNAVAILABLE',
      `the log has format ${found.layout}.${found.tables}, this version of CapFence knows ${ownVersion.layout}.${ownVersion.tables}`,
      { hint: 'use the version of CapFence that wrote it, or a newer one' },
    )
  }
  return found
}

async function migrate(
  connection: Connection,
  schema: string,
  found: FoundVersion | undefined,
): Promise<void> {
  const isOwn = found?.layout === ownVersion.layout && found.tables === ownVersion.tables
  if (isOwn) return
  const steps = layoutSteps(schema)
    .slice(found?.layout ?? 0)
    .flat()
  const { layout, tables } = ownVersion
  const version = `"${schema}".version`
  await connection.script(
    [
      ...(found === undefined ? [`CREATE SCHEMA IF NOT EXISTS "${schema}"`] : []),
      ...steps,
      found === undefined
        ? `INSERT INTO ${version} (id, layout, tables) VALUES (1, ${layout}, ${tables})`
        : `UPDATE ${version} SET layout = ${layout}, tables = ${tables}`,
    ].join(';\n'),
  )
}

/** Calls without an outcome are looked at when a writer comes: of those whose writer is gone, nothing more is heard. */
async function fetchOpenCalls(
  connection: Connection,
  shared: SharedLog,
  copy: WorkingCopy,
): Promise<void> {
  const open = copy.db
    .prepare<[], number>('SELECT decision_seq FROM open_calls WHERE unknown_seq IS NULL')
    .pluck()
    .all()
  await shared.fetchRecords(connection, open)
}

/**
 * Claims to be alive, by a lock that the database drops with the connection, and looks who else is.
 *
 * Numbers of locks are short: two writers may have the same one, and both count as alive as long as one is.
 */
export async function presenceIn(
  connection: Connection,
  schema: string,
  writerId: string | undefined,
): Promise<WriterPresence> {
  if (writerId !== undefined) await claim(connection, schema, writerId)
  const [group] = lockKeys('writers', schema)
  const rows = await connection.query(
    `SELECT objid::bigint AS writer FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2
       AND classid = $1::bigint::oid
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [group >>> 0],
  )
  const alive = new Set(rows.map(({ writer }) => Number(writer)))
  return {
    claim: () => undefined,
    isAlive: (writer) => alive.has(writerLock(writer) >>> 0),
    release: () => undefined,
    forget: () => undefined,
  }
}

/** Claims to be alive as a writer, as long as this connection lasts. */
export async function claim(
  connection: Connection,
  schema: string,
  writerId: string,
): Promise<void> {
  const [group] = lockKeys('writers', schema)
  await connection.script(`SELECT pg_try_advisory_lock(${group}, ${writerLock(writerId)})`)
}

function writerLock(writerId: string): number {
  return lockKeys('writer', writerId)[0]
}

/** Ends a transaction that failed; a connection on which that does not work is given up. */
export async function rollBack(connection: Connection): Promise<void> {
  if (!connection.isOpen) return
  try {
    await connection.script('ROLLBACK')
  } catch {
    // The database rolls back what a lost connection has left.
    connection.abandon()
  }
}

/** The error of a place where no gate has made a log. */
export function noLog(address: PostgresAddress): CapFenceError {
  return new CapFenceError('AUDIT_UNAVAILABLE', `there is no log in ${shownAddress(address)}`, {
    hint: 'the first `capfence run` makes it; name another one with `--storage` or `--config`',
  })
}
