import Database from 'better-sqlite3'
import { dirname } from 'node:path'
import { CapFenceError } from '../errors.ts'
import { pauseSync } from './clock.ts'
import type { Clock } from './clock.ts'
import { isBusy, storageFailure, unavailable, unopened } from './failure.ts'
import type { StorageFailure } from './failure.ts'
import type { Files } from './files.ts'
import {
  applicationId,
  schemaOfVersion,
  schemaStatements,
  schemaStep,
  schemaVersion,
} from './schema.ts'

/** SQLite before it could lose commits when several processes reset one WAL. */
const oldestSqlite = [3, 51, 3] as const

/** A path that means a database in memory, seen by this process alone. */
export const inMemory = ':memory:'

/** What opening needs from outside. */
export interface OpenContext {
  readonly files: Files
  readonly clock: Clock
  /** How long to wait for others that are opening or writing, milliseconds. */
  readonly maxLockWaitMs: number
}

/** An open database, and whether its path still leads to it. */
export class DatabaseFile {
  readonly db: Database.Database
  /** Absolute, or `:memory:`. */
  readonly path: string
  readonly #files: Files
  readonly #identities = new Map<string, string>()

  constructor(db: Database.Database, path: string, files: Files) {
    this.db = db
    this.path = path
    this.#files = files
  }

  /** Remembers which files are open, once the write-ahead log exists. */
  remember(): void {
    if (this.path === inMemory) return
    for (const path of [this.path, `${this.path}-wal`, `${this.path}-shm`]) {
      const identity = this.#files.identity(path)
      if (identity !== undefined) this.#identities.set(path, identity)
    }
  }

  /**
   * SQLite writes on without complaint into a file that was deleted or replaced; the records would be gone when the
   * process ends. The write-ahead log counts too: it holds the newest commits. And so does the file beside it through
   * which writers lock each other out: whoever comes next would make another one, and both would write at once.
   */
  complaint(): StorageFailure | undefined {
    for (const [path, identity] of this.#identities) {
      const now = this.#files.identity(path)
      if (now !== identity) {
        const what = now === undefined ? 'is gone' : 'is another file than the one that was opened'
        return { reason: 'replaced', what: `${path} ${what}` }
      }
    }
    return undefined
  }
}

/**
 * Opens a log for writing, and makes file and folder when there are none.
 *
 * @param path absolute, or `:memory:`
 * @returns the database in WAL mode, with our schema or still empty
 * @throws CapFenceError `AUDIT_UNAVAILABLE` when that fails, or when it is another program's or a newer version's
 */
export function openForWriting(path: string, context: OpenContext): DatabaseFile {
  return guarded(path, () => {
    if (path !== inMemory) {
      context.files.makeFolder(dirname(path))
      // A name that a power cut could take away again would take the log with it.
      if (context.files.create(path, new Uint8Array(0))) context.files.syncFolder(dirname(path))
    }
    const db = new Database(path, { timeout: 0, fileMustExist: path !== inMemory })
    return closingOnError(db, () => {
      retrying(context, () => requireSqlite(db))
      retrying(context, () => requireOurs(db, path, 'or empty'))
      retrying(context, () => configure(db, path))
      return new DatabaseFile(db, path, context.files)
    })
  })
}

/**
 * Opens a log for reading: makes nothing, changes nothing.
 *
 * @throws CapFenceError `AUDIT_UNAVAILABLE` when there is none, or it is another program's or a newer version's
 */
export function openForReading(path: string, context: OpenContext): DatabaseFile {
  if (!context.files.exists(path)) {
    throw new CapFenceError('AUDIT_UNAVAILABLE', `there is no audit log at ${path}`, {
      hint: 'check `storage` in the configuration; the gate makes the log when it first runs',
    })
  }
  return guarded(path, () => {
    const db = openReadOnly(path, context)
    return closingOnError(db, () => {
      retrying(context, () => requireOurs(db, path, 'only'))
      return new DatabaseFile(db, path, context.files)
    })
  })
}

/** Makes a fresh database ours; only inside a transaction, because another process may be doing the same. */
export function createSchema(db: Database.Database): void {
  for (const statement of schemaStatements) db.exec(statement)
  db.pragma(`application_id = ${applicationId}`)
  db.pragma(`user_version = ${schemaVersion}`)
}

/** Makes a database of an older version one of this version; only inside a transaction. */
export function upgradeSchema(db: Database.Database): void {
  for (let version = versionOf(db); version < schemaVersion; version += 1) {
    for (const statement of schemaStep(version)) db.exec(statement)
    db.pragma(`user_version = ${version + 1}`)
  }
}

/** The version of the schema that a database has. */
export function versionOf(db: Database.Database): number {
  return Number(pragmaNumber(db, 'user_version'))
}

/** Whether nobody has put anything into it yet. */
export function isFresh(db: Database.Database): boolean {
  return pragmaNumber(db, 'application_id') === 0 && schemaOf(db).length === 0
}

/** Repeats what others' locks prevent, in the foreground: only while opening. */
export function retrying<T>({ clock, maxLockWaitMs }: OpenContext, step: () => T): T {
  const endMs = clock.elapsedMs() + maxLockWaitMs
  for (;;) {
    try {
      return step()
    } catch (error) {
      if (!isBusy(error) || clock.elapsedMs() >= endMs) throw error
      pauseSync(Math.random())
    }
  }
}

/**
 * Opens a database that others may be writing.
 *
 * Where SQLite cannot make its own files beside a database that nobody has open, as on a medium that cannot be
 * written, it opens no database in WAL mode at all; then a copy in memory is read.
 */
function openReadOnly(path: string, context: OpenContext): Database.Database {
  const db = new Database(path, { readonly: true, timeout: 0, fileMustExist: true })
  try {
    retrying(context, () => schemaOf(db))
    return db
  } catch (error) {
    db.close()
    const isReadable = storageFailure(error)?.reason === 'cannot_open'
    if (!isReadable || context.files.exists(`${path}-wal`)) throw error
    return openCopy(path, context.files)
  }
}

/** Bytes 18 and 19 of a database say whether it has a write-ahead log, which a copy in memory cannot have. */
function openCopy(path: string, files: Files): Database.Database {
  const bytes = Buffer.from(files.read(path))
  bytes.fill(1, 18, 20)
  return new Database(bytes, { readonly: true })
}

function configure(db: Database.Database, path: string): void {
  const mode: unknown = db.pragma('journal_mode = WAL', { simple: true })
  if (mode !== 'wal' && path !== inMemory) {
    throw unopened(path, { reason: 'cannot_open', what: 'it cannot have a write-ahead log' })
  }
  // What is erased must be gone (AUDIT.md "Secrets").
  db.pragma('secure_delete = ON')
  // Nothing in the file may run code of its own choosing.
  db.pragma('trusted_schema = OFF')
  db.pragma('cell_size_check = ON')
  db.pragma('temp_store = MEMORY')
  db.pragma('cache_size = -32768')
  db.pragma('journal_size_limit = 67108864')
}

function requireSqlite(db: Database.Database): void {
  const version = db.prepare<[], string>('SELECT sqlite_version()').pluck().get() ?? ''
  const parts = version.split('.').map(Number)
  for (const [index, oldest] of oldestSqlite.entries()) {
    const part = parts[index] ?? 0
    if (part > oldest) return
    if (part < oldest) {
      throw unavailable({
        reason: 'cannot_open',
        what: `SQLite ${version} can lose commits of several processes; ${oldestSqlite.join('.')} is the oldest that works`,
      })
    }
  }
}

/**
 * Looks before anything is changed: switching a foreign database to WAL would already be a change.
 *
 * All of it in one transaction: another process may be making or upgrading the log at this moment.
 */
function requireOurs(db: Database.Database, path: string, which: 'only' | 'or empty'): void {
  db.transaction(() => requireOursNow(db, path, which)).deferred()
}

function requireOursNow(db: Database.Database, path: string, which: 'only' | 'or empty'): void {
  const version = pragmaNumber(db, 'user_version')
  if (which === 'or empty' && version === 0 && isFresh(db)) return
  if (pragmaNumber(db, 'application_id') !== applicationId) {
    throw new CapFenceError('AUDIT_UNAVAILABLE', `${path} is not an audit log of CapFence`, {
      hint: 'name another file under `storage`; this one is left as it is',
    })
  }
  const expected = typeof version === 'number' ? schemaOfVersion(version) : undefined
  if (expected === undefined) {
    const what = `${path} has format ${String(version)}, this version of CapFence knows ${schemaVersion}`
    throw new CapFenceError('AUDIT_UNAVAILABLE', what, {
      hint: 'use the version of CapFence that wrote it, or a newer one',
    })
  }
  if (schemaOf(db).join('\n') !== expected.toSorted().join('\n')) {
    throw new CapFenceError(
      'AUDIT_CORRUPT',
      `${path} holds tables, triggers or views that CapFence did not make`,
      {
        hint: 'keep a copy of the file as it is, and find out who changed it',
      },
    )
  }
}

function schemaOf(db: Database.Database): readonly string[] {
  // What SQLite makes for itself, indexes of primary keys, has no text.
  const texts = db
    .prepare<[], string>('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL')
    .pluck()
    .all()
  return texts.toSorted()
}

function pragmaNumber(db: Database.Database, name: string): unknown {
  return db.pragma(name, { simple: true })
}

function closingOnError<T>(db: Database.Database, step: () => T): T {
  try {
    return step()
  } catch (error) {
    db.close()
    throw error
  }
}

function guarded<T>(path: string, step: () => T): T {
  try {
    return step()
  } catch (error) {
    throw openingError(path, error)
  }
}

/** What a caller of `open` sees of an error on the way. */
export function openingError(path: string, error: unknown): unknown {
  if (error instanceof CapFenceError) return error
  const failure = storageFailure(error) ?? fileFailure(error)
  return failure === undefined ? error : unopened(path, failure)
}

function fileFailure(error: unknown): StorageFailure | undefined {
  // A folder that is missing is a TypeError of the driver's.
  const isKnown = error instanceof Error && ('syscall' in error || error instanceof TypeError)
  return isKnown ? { reason: 'cannot_open', what: error.message, cause: error } : undefined
}
