import { LogSnapshot } from '../log-snapshot.ts'
import { verifyIn } from '../verify-log.ts'
import type { VerifiedLog, VerifyLogOptions } from '../verify-log.ts'
import type Database from 'better-sqlite3'
import { shownAddress } from './address.ts'
import type { PostgresAddress } from './address.ts'
import { Connection } from './connection.ts'
import { openingError } from './failure.ts'
import { copyOfLog } from './whole-copy.ts'

/**
 * Hands one state of a log to `use`, and lets go of its copy whatever happens.
 *
 * @throws CapFenceError `AUDIT_UNAVAILABLE` when the database is out of reach or there is no log in it
 */
export async function withPostgresSnapshot<T>(
  address: PostgresAddress,
  use: (snapshot: LogSnapshot) => Promise<T>,
): Promise<T> {
  const db = await fetchLog(address)
  try {
    return await use(LogSnapshot.of({ db }))
  } finally {
    db.close()
  }
}

/** Verifies one state of a log; never rejects for what the log or the world does: the report says it. */
export function verifyPostgres(
  address: PostgresAddress,
  options: VerifyLogOptions,
): Promise<VerifiedLog> {
  return verifyIn(() => fetchLog(address), options)
}

async function fetchLog(address: PostgresAddress): Promise<Database.Database> {
  const connection = new Connection(address, 'capfence reader')
  try {
    await connection.open()
    return await copyOfLog(connection, address)
  } catch (error) {
    throw openingError(shownAddress(address), error)
  } finally {
    await connection.close()
  }
}
