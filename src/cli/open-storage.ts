import type { Storage } from '../config/config.ts'
import type { VerifyLogOptions, VerifiedLog } from '../storage/verify-log.ts'
import type { LogReader } from '../runtime/store.ts'
import type { LogSnapshot } from '../storage/log-snapshot.ts'
import type { PostgresEngine } from '../storage/postgres/postgres-engine.ts'
import type { SQLiteEngine } from '../storage/sqlite-engine.ts'
import { openPostgres } from './open-postgres.ts'
import type { WriterOptions } from './open-postgres.ts'
import type { WritablePlace } from './places.ts'

/** Opens a log for writing with the engine that its place names. */
export async function openWriter(
  place: WritablePlace,
  options: WriterOptions,
): Promise<SQLiteEngine | PostgresEngine> {
  const { path, keys, highWater, postgres } = place
  if (postgres === undefined) {
    const { SQLiteEngine } = await import('../storage/sqlite-engine.ts')
    return SQLiteEngine.open({ path, keys, highWater, ...options })
  }
  return openPostgres({ ...place, postgres }, options)
}

/** Opens a log for reading with the engine that can. */
export async function openReader({ path, postgres }: Storage): Promise<LogReader> {
  if (postgres === undefined) {
    const { SQLiteLog } = await import('../storage/sqlite-log.ts')
    return SQLiteLog.open(path)
  }
  const { PostgresLog } = await import('../storage/postgres/postgres-log.ts')
  return PostgresLog.open(postgres)
}

/** Hands one state of a log to `use`; one that lies in PostgreSQL is copied for it. */
export async function withSnapshotOf<T>(
  { path, postgres }: Storage,
  use: (snapshot: LogSnapshot) => Promise<T>,
): Promise<T> {
  if (postgres === undefined) {
    const { withSnapshot } = await import('../storage/read-snapshot.ts')
    return withSnapshot(path, use)
  }
  const { withPostgresSnapshot } = await import('../storage/postgres/snapshot.ts')
  return withPostgresSnapshot(postgres, use)
}

/** Verifies a log; the report says what the log or the world does. */
export async function verifyStorage(
  { path, postgres }: Pick<Storage, 'path' | 'postgres'>,
  options: VerifyLogOptions,
): Promise<VerifiedLog> {
  if (postgres === undefined) {
    const { verifyLog } = await import('../storage/verify-log.ts')
    return verifyLog(path, options)
  }
  const { verifyPostgres } = await import('../storage/postgres/snapshot.ts')
  return verifyPostgres(postgres, options)
}
