import pg from 'pg'
import { CapFenceError } from '../../errors.ts'
import type { OutageReason, StorageFailure } from '../failure.ts'
import { FormatChanged, unavailable } from '../failure.ts'

/** A connection of which nothing more is heard: whether what was sent last has happened is not known. */
export class ConnectionLost extends Error {}

interface Kind {
  readonly reason: OutageReason
  readonly hint: string
}

const unreachable: Kind = {
  reason: 'cannot_open',
  hint: 'check that the database runs and can be reached from here; the gate tries again with the next call',
}

/** By SQLSTATE, or by its class, the first two characters. */
const kinds: ReadonlyMap<string, Kind> = new Map([
  ['53100', { reason: 'full', hint: 'free space on the disk of the database, then call again' }],
  [
    '25006',
    {
      reason: 'read_only',
      hint: 'this server takes no writes; name the primary, or an address that always leads to it',
    },
  ],
  [
    '42501',
    {
      reason: 'read_only',
      hint: 'give the user of the gate the rights of a writer (docs/scaling.md)',
    },
  ],
  [
    '28',
    { reason: 'cannot_open', hint: 'check user and password: `PGPASSWORD`, or `passwordfile`' },
  ],
  ['3D', { reason: 'cannot_open', hint: 'make the database first: `createdb NAME`' }],
  [
    '57014',
    { reason: 'io_error', hint: 'the database takes too long; look for what slows it down' },
  ],
  [
    '53',
    { reason: 'cannot_open', hint: 'the database has too many connections or too little memory' },
  ],
  ['57', unreachable],
  ['08', unreachable],
  [
    '23',
    {
      reason: 'damaged',
      hint: 'rows stand where the log has none yet: somebody else writes to its tables; verify the log',
    },
  ],
])

/** The failure behind an error on the way to the database; undefined when it is a fault of the program. */
export function postgresFailure(error: unknown): StorageFailure | undefined {
  if (error instanceof FormatChanged) return { reason: 'upgraded', what: error.message }
  if (error instanceof ConnectionLost) {
    return { ...unreachable, what: error.message, cause: error.cause }
  }
  if (error instanceof pg.DatabaseError) {
    const code = error.code ?? ''
    const kind = kinds.get(code) ?? kinds.get(code.slice(0, 2))
    const { reason, hint } = kind ?? { reason: 'io_error' as const, hint: undefined }
    // Without `detail`, which holds values.
    return { reason, hint, what: `${error.message} (PostgreSQL ${code})`, cause: error }
  }
  return undefined
}

/** Whether somebody else has held the lock for as long as one try waits. */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === '55P03' || error.code === '40P01')
}

/** The error of a log that cannot be opened. */
export function openingError(shown: string, error: unknown): unknown {
  if (error instanceof CapFenceError) return error
  const failure = postgresFailure(error)
  return failure === undefined ? error : errorOf(`the audit log ${shown} cannot be opened`, failure)
}

/** The error of a question about the log that could not be answered. */
export function readingError(error: unknown): unknown {
  const failure = postgresFailure(error)
  return failure === undefined ? error : errorOf('the audit log cannot be read', failure)
}

function errorOf(what: string, { reason, hint, ...failure }: StorageFailure): CapFenceError {
  const code = reason === 'damaged' ? 'AUDIT_CORRUPT' : 'AUDIT_UNAVAILABLE'
  const details = { cause: failure.cause, ...(hint === undefined ? {} : { hint }) }
  return new CapFenceError(code, `${what}: ${failure.what}`, details)
}

/** What a caller sees of an error on the way to a record. */
export function writingError(error: unknown): unknown {
  const failure = postgresFailure(error)
  return failure === undefined ? error : unavailable(failure)
}
