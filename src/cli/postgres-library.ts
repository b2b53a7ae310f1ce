/** The log in PostgreSQL for programs that use CapFence as a library; apart, because the driver is loaded with it. */
import { parsePostgresAddress } from '../config/postgres-address.ts'
import { CapFenceError } from '../errors.ts'
import type { PostgresAddress } from '../storage/postgres/address.ts'

export type { PostgresAddress } from '../storage/postgres/address.ts'
export { PostgresEngine } from '../storage/postgres/postgres-engine.ts'
export type { PostgresOptions } from '../storage/postgres/postgres-engine.ts'
export { PostgresLog } from '../storage/postgres/postgres-log.ts'

/**
 * Reads `postgres://USER@HOST:PORT/DATABASE?…`, as `storage` of the configuration has it.
 *
 * @throws CapFenceError `USAGE` for anything else, and for an address that holds a password
 */
export function postgresAddress(text: string): PostgresAddress {
  const read = parsePostgresAddress(text)
  if (!('problem' in read)) return read
  throw new CapFenceError('USAGE', `the address ${read.problem}`, { hint: read.hint })
}
