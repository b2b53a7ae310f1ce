import Database from 'better-sqlite3'
import { CapFenceError } from '../errors.ts'

/** Why the log could not be written, as a code for the `audit.gap` record. */
export type OutageReason =
  | 'locked'
  | 'full'
  | 'read_only'
  | 'cannot_open'
  | 'replaced'
  | 'upgraded'
  | 'damaged'
  | 'io_error'
  | 'closed'
  | 'key'
  | 'high_water'

/** A failure of the world around the log. */
export interface StorageFailure {
  readonly reason: OutageReason
  readonly what: string
  readonly cause?: unknown
  /** A better one than that of the reason. */
  readonly hint?: string | undefined
}

const hints: Readonly<Record<OutageReason, string>> = {
  locked: 'another process holds the database; find it with `fuser` and end it, then call again',
  full: 'free space on the disk that holds the database, then call again',
  read_only: "give the gate's user write access to the database and its folder",
  cannot_open: "check that the folder exists, and that the gate's user may read and write it",
  replaced:
    'the file was moved, deleted or restored under the running gate; put it back, or restart the gate',
  upgraded: 'a newer version of CapFence works on this log; restart this gate with that version',
  damaged:
    'if this is the log, keep a copy of the file as it is, and restore the log from a copy that verifies',
  io_error: 'check the disk and the system log',
  closed: 'the gate is stopping; call again when it runs',
  high_water:
    'put the file back or free its disk; if it is gone, restart the gate and follow what it says',
  key: "check the folder of the log's keys, and that the gate's user may read and write it",
}

/** Another gate has changed the format of the log while this one runs: what must be kept now is not known here. */
export class FormatChanged extends Error {}

/** The error that callers of `commit` see; the caller must not forward. */
export function unavailable(failure: StorageFailure): CapFenceError {
  const message = `the audit log cannot be written: ${failure.what}`
  return new CapFenceError('AUDIT_UNAVAILABLE', message, {
    hint: failure.hint ?? hints[failure.reason],
    cause: failure.cause,
  })
}

/** What a caller sees of an error on the way to a record. */
export function writingError(error: unknown): unknown {
  const failure = storageFailure(error)
  return failure === undefined ? error : unavailable(failure)
}

/** The error of a question about the log that could not be answered. */
export function unreadable(error: unknown): unknown {
  const failure = storageFailure(error)
  return failure === undefined ? error : errorOf('the audit log cannot be read', failure)
}

/** The error of a log that cannot be opened. */
export function unopened(path: string, failure: StorageFailure): CapFenceError {
  return errorOf(`the audit log ${path} cannot be opened`, failure)
}

function errorOf(what: string, failure: StorageFailure): CapFenceError {
  const code = failure.reason === 'damaged' ? 'AUDIT_CORRUPT' : 'AUDIT_UNAVAILABLE'
  return new CapFenceError(code, `${what}: ${failure.what}`, {
    hint: hints[failure.reason],
    cause: failure.cause,
  })
}

/** The failure behind an error of SQLite; undefined when it was not SQLite that failed. */
export function storageFailure(error: unknown): StorageFailure | undefined {
  if (error instanceof FormatChanged) return { reason: 'upgraded', what: error.message }
  const code = sqliteCode(error)
  if (code === undefined || !(error instanceof Error)) return undefined
  return { reason: reasonOf(code), what: `${error.message} (${code})`, cause: error }
}

/** The error of a log whose parts contradict each other. */
export function corrupt(what: string, cause?: unknown): CapFenceError {
  return new CapFenceError('AUDIT_CORRUPT', `the audit log is damaged: ${what}`, {
    hint: 'keep a copy of the file as it is, and restore the log from a copy that verifies',
    cause,
  })
}

/** Whether somebody else holds the lock: worth another try. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error)
  return code?.startsWith('SQLITE_BUSY') === true || code?.startsWith('SQLITE_LOCKED') === true
}

/** Whether a file holds something else than a database, or nothing of one that can be told. */
export function isNoDatabase(error: unknown): boolean {
  const [code, cause] = [sqliteCode(error), error instanceof Error ? error.cause : undefined]
  return code === 'SQLITE_NOTADB' || (cause !== undefined && isNoDatabase(cause))
}

/** Whether the statement itself was refused: the fault of one commit, not of the database. */
export function isConstraint(error: unknown): boolean {
  return sqliteCode(error)?.startsWith('SQLITE_CONSTRAINT') === true
}

function sqliteCode(error: unknown): string | undefined {
  return error instanceof Database.SqliteError ? error.code : undefined
}

function reasonOf(code: string): OutageReason {
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return 'locked'
  if (code === 'SQLITE_FULL') return 'full'
  if (code.startsWith('SQLITE_READONLY') || code === 'SQLITE_PERM') return 'read_only'
  if (code.startsWith('SQLITE_CANTOPEN')) return 'cannot_open'
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') return 'damaged'
  return 'io_error'
}
