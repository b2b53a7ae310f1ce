import type { Storage } from '../config/config.ts'
import type { PostgresEngine } from '../storage/postgres/postgres-engine.ts'
import type { SQLiteOptions } from '../storage/sqlite-engine.ts'
import type { WritablePlace } from './places.ts'

/** What a log is opened with besides its place; the checks in the background are SQLite's. */
export type WriterOptions = Pick<
  SQLiteOptions,
  'software' | 'rotateHours' | 'checkEveryMs' | 'onDamage' | 'recovery'
>

/** Opens a log in PostgreSQL; the engine and its driver are loaded only then. */
export async function openPostgres(
  place: WritablePlace & { readonly postgres: NonNullable<Storage['postgres']> },
  options: WriterOptions,
): Promise<PostgresEngine> {
  const { path, keys, highWater, postgres } = place
  const { PostgresEngine } = await import('../storage/postgres/postgres-engine.ts')
  return PostgresEngine.open({
    ...options,
    address: postgres,
    keys: keys ?? `${path}.keys`,
    highWater: highWater ?? `${path}.highwater`,
  })
}
