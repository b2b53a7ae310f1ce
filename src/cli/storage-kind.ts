import { existsSync } from 'node:fs'
import type { Storage } from '../config/config.ts'
import { CapFenceError } from '../errors.ts'
import { shownAddress } from '../storage/postgres/address.ts'

/** Whether there may be a log: a database is only asked when it is opened. */
export function mayExist({ path, postgres }: Pick<Storage, 'path' | 'postgres'>): boolean {
  return postgres !== undefined || existsSync(path)
}

/** The log as people name it. */
export function storageName({ path, postgres }: Storage): string {
  return postgres === undefined ? path : shownAddress(postgres)
}

/**
 * For what only the embedded engine does.
 *
 * @throws CapFenceError `USAGE`
 */
export function requireSqlite({ postgres }: Pick<Storage, 'postgres'>, command: string): void {
  if (postgres === undefined) return
  throw new CapFenceError('USAGE', `\`${command}\` works on a log in SQLite only`, {
    hint: 'docs/scaling.md says what to do with one in PostgreSQL',
  })
}
