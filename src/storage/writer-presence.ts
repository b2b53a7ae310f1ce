import Database from 'better-sqlite3'
import { join } from 'node:path'
import { inMemory } from './database-file.ts'
import type { Files } from './files.ts'

/**
 * How writers of one log know of each other whether they still run.
 *
 * A writer that holds its claim is alive, whatever its process id says: ids are used again, and mean nothing in
 * another container. The system drops the claim when the process ends, however it ends.
 */
export interface WriterPresence {
  /**
   * Claims to be alive as this writer, until `release` or the end of the process.
   *
   * Called, like `forget`, only while the log is locked for writing: so nobody is taken for dead who is just starting.
   */
  claim(writer: string): void
  isAlive(writer: string): boolean
  /** Gives up a claim; one that was never made is none. */
  release(writer: string): void
  /** Clears away what a dead writer left. */
  forget(writer: string): void
}

/** The presence that the writers of the database at a path share. */
export function presenceBeside(path: string, files: Files): WriterPresence {
  return path === inMemory ? solitaryPresence() : new LockFilePresence(`${path}-writers`, files)
}

/** For a log that no other process can see. */
function solitaryPresence(): WriterPresence {
  const alive = new Set<string>()
  return {
    claim: (writer) => void alive.add(writer),
    isAlive: (writer) => alive.has(writer),
    release: (writer) => void alive.delete(writer),
    forget: () => undefined,
  }
}

/**
 * One lock file for each writer, in a folder beside the database.
 *
 * SQLite locks them, because Node cannot: its locks work between processes, threads and containers on one machine.
 */
class LockFilePresence implements WriterPresence {
  readonly #folder: string
  readonly #files: Files
  readonly #claims = new Map<string, Database.Database>()

  constructor(folder: string, files: Files) {
    this.#folder = folder
    this.#files = files
  }

  claim(writer: string): void {
    this.#files.makeFolder(this.#folder)
    const path = this.#pathOf(writer)
    this.#files.create(path, new Uint8Array(0))
    const lock = new Database(path, { timeout: 0 })
    this.#claims.set(writer, lock)
    lock.exec('BEGIN EXCLUSIVE')
  }

  /**
   * Asks for a shared lock only, so that two who ask at once do not take each other for the writer.
   *
   * Unsure means alive: a call that is open for too long is only shown, one that is settled wrongly misleads.
   */
  isAlive(writer: string): boolean {
    const path = this.#pathOf(writer)
    if (!this.#files.exists(path)) return false
    let probe: Database.Database | undefined
    try {
      probe = new Database(path, { timeout: 0, fileMustExist: true, readonly: true })
      probe.prepare('SELECT count(*) FROM sqlite_schema').get()
      return false
    } catch {
      // A lock that is held, or a file that this user may not read.
      return true
    } finally {
      probe?.close()
    }
  }

  release(writer: string): void {
    const lock = this.#claims.get(writer)
    if (lock === undefined) return
    this.#claims.delete(writer)
    lock.close()
    this.forget(writer)
  }

  forget(writer: string): void {
    this.#files.remove(this.#pathOf(writer))
  }

  #pathOf(writer: string): string {
    return join(this.#folder, writer)
  }
}
