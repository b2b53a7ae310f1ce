import { readFileSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import Database from 'better-sqlite3'
import { isObject, logOrigin, oneOf, origin, shape, shapeComplaint, text } from '../audit/fields.ts'
import type { LogEnding } from '../audit/log-drafts.ts'
import type { RecordValue } from '../audit/record.ts'
import { ulid } from '../crypto/ids.ts'
import { KeyFolder } from '../crypto/key-folder.ts'
import { systemRandom } from '../crypto/random.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import { archiveJournal } from './archive-journal.ts'
import { systemClock } from './clock.ts'
import type { Clock } from './clock.ts'
import { openForReading } from './database-file.ts'
import { nodeFiles } from './files.ts'
import { LogQueries } from './log-queries.ts'
import { makeSuccessorKeys, successorFiles } from './log-signer.ts'
import { SQLiteEngine } from './sqlite-engine.ts'
import { argumentKeyOf } from './open-log.ts'
import { carriedFrom } from './succession.ts'

/** Which log is archived, where it goes, who wants it and why. */
export interface ArchiveOptions {
  /** The database file. */
  readonly path: string
  /** The folder of its keys; `PATH.keys` when undefined. */
  readonly keys: string | undefined
  /** Its high-water file; `PATH.highwater` when undefined. */
  readonly highWater: string | undefined
  /** Where the database goes; on the same file system. */
  readonly to: string
  readonly by: string
  readonly reason: string
  readonly software: string
  readonly clock?: Clock
}

/** A log that has ended, and the one that goes on. */
export interface ArchivedLog {
  /** The database file of the one that has ended, and how many records it has. */
  readonly path: string
  readonly size: number
  /** Origins. */
  readonly log: string
  readonly next: string
}

/**
 * Ends a log, moves it away, and begins another one in its place that takes over its limits and labels.
 *
 * The new log names the head of the old one, the old one the keys of the new one: whoever has the old pin can check both.
 * The private keys of the old log are erased: nobody can add to it any more. Approvals end with it.
 *
 * A crash at any step leaves a journal beside the log: nothing is written meanwhile, and the same call goes on from there.
 *
 * @throws CapFenceError `USAGE` when there is something at the new place already; `AUDIT_UNAVAILABLE` when others write to the
 *   log or it cannot be opened; `AUDIT_CORRUPT` when it is damaged
 */
export async function archiveLog(options: ArchiveOptions): Promise<ArchivedLog> {
  const archive = new Archive(options)
  await archive.end()
  await archive.begin()
  return archive.swap()
}

/** What is remembered of an archive under way. */
interface Journal {
  readonly to: string
  readonly origin: string
  /** `end`: the old log is being ended and the new one made; `swap`: both are whole, and change places. */
  readonly step: 'end' | 'swap'
}

const journalShape = shape({ origin, step: oneOf('end', 'swap'), to: text })

class Archive {
  readonly #options: ArchiveOptions
  readonly #path: string
  readonly #keys: string
  readonly #highWater: string
  readonly #clock: Clock
  #journal: Journal
  #ended: Omit<ArchivedLog, 'path' | 'next'> | undefined

  constructor(options: ArchiveOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#path = nodeFiles.exists(options.path)
      ? nodeFiles.realPath(options.path)
      : resolve(options.path)
    this.#keys = resolve(options.keys ?? `${this.#path}.keys`)
    this.#highWater = resolve(options.highWater ?? `${this.#path}.highwater`)
    this.#journal = this.#readJournal() ?? this.#newJournal()
  }

  /** Appends the last record to the old log, unless that was done. */
  async end(): Promise<void> {
    if (this.#journal.step === 'swap' || this.#lastType() === 'log.archive') return
    if (!isThere(this.#path))
      throw new CapFenceError('AUDIT_UNAVAILABLE', `the log ${this.#path} is gone`)
    const { by, reason, software } = this.#options
    this.#removeNext()
    // Keys that no log has named yet.
    const keys = new KeyFolder(this.#next(this.#keys))
    for (const file of keys.list()) keys.erase(file)
    const { origin: log } = this.#journal
    const next = { log, ...makeSuccessorKeys(keys, log, systemRandom) }
    try {
      const engine = this.#open(this.#path, this.#keys, this.#highWater, software)
      try {
        engine.archive({ by, reason, next })
      } finally {
        await engine.close()
      }
    } catch (error) {
      if (this.#lastType() !== 'log.archive') this.#forget(keys)
      throw error
    }
  }

  /** Makes the new log beside the old one, unless that was done. */
  async begin(): Promise<void> {
    if (this.#journal.step === 'swap') return
    const context = { files: nodeFiles, clock: this.#clock, maxLockWaitMs: limits.maxLockWaitMs }
    const { db } = openForReading(this.#path, context)
    try {
      const [continues, argumentKey] = [endingOf(new LogQueries(db)), argumentKeyOf(db)]
      const carried = carriedFrom(db, this.#clock.nowMs())
      const { software } = this.#options
      this.#removeNext()
      const engine = SQLiteEngine.open({
        path: this.#nextPath,
        keys: this.#next(this.#keys),
        highWater: this.#next(this.#highWater),
        software,
        clock: this.#clock,
        rotateHours: 0,
        succession: { origin: this.#journal.origin, continues, argumentKey, carried },
      })
      await engine.close()
      this.#ended = { log: continues.log, size: continues.size }
    } finally {
      db.close()
    }
    this.#write({ ...this.#journal, step: 'swap' })
  }

  /** Puts the new log in the place of the old one; each step does nothing if it was done before. */
  swap(): ArchivedLog {
    const { to, origin: next } = this.#journal
    if (isThere(this.#path) && isThere(this.#nextPath)) {
      emptyWriteAheadLog(this.#path)
      emptyWriteAheadLog(this.#nextPath)
      renameSync(this.#path, to)
    }
    this.#swapKeys()
    const marked = this.#next(this.#highWater)
    if (isThere(marked)) {
      if (isThere(this.#highWater)) renameSync(this.#highWater, `${to}.highwater`)
      renameSync(marked, this.#highWater)
    }
    if (isThere(this.#nextPath)) renameSync(this.#nextPath, this.#path)
    removeAll([`${this.#nextPath}-reserve`, `${this.#nextPath}-writers`])
    for (const folder of new Set([this.#path, to, this.#keys, this.#highWater].map(dirname)))
      nodeFiles.syncFolder(folder)
    rmSync(archiveJournal(this.#path))
    return { path: to, next, ...(this.#ended ?? this.#readEnded(to)) }
  }

  /** Erases the keys of the old log, and puts those of the new one in their place. */
  #swapKeys(): void {
    const fresh = this.#next(this.#keys)
    if (!isThere(fresh)) return
    const [old, coming] = [new KeyFolder(this.#keys), new KeyFolder(fresh).list()]
    // Those that are not in the other folder any more were moved before a crash.
    const isNew = (file: string): boolean => successorFiles.has(file) && !coming.includes(file)
    for (const file of old.list()) if (!isNew(file)) old.erase(file)
    for (const file of coming) renameSync(join(fresh, file), join(this.#keys, file))
    nodeFiles.syncFolder(this.#keys)
    rmdirSync(fresh)
  }

  #removeNext(): void {
    const files = ['', '-wal', '-shm', '-reserve', '-writers'].map((end) => this.#nextPath + end)
    removeAll([...files, this.#next(this.#highWater)])
  }

  get #nextPath(): string {
    return this.#next(this.#path)
  }

  #next(path: string): string {
    return join(dirname(path), `${basename(path)}.next`)
  }

  #open(path: string, keys: string, highWater: string, software: string): SQLiteEngine {
    const clock = this.#clock
    return SQLiteEngine.open({
      path,
      keys,
      highWater,
      software,
      clock,
      rotateHours: 0,
      isArchiving: true,
    })
  }

  #lastType(): string | undefined {
    if (!isThere(this.#path)) return undefined
    return this.#reading(this.#path, (queries) => {
      const size = queries.size()
      return size === 0 ? undefined : queries.records(size - 1, 1)[0]?.type
    })
  }

  #readEnded(path: string): Omit<ArchivedLog, 'path' | 'next'> {
    return this.#reading(path, (queries) => {
      const [first] = queries.records(0, 1)
      return { log: first?.log ?? '', size: queries.size() }
    })
  }

  #reading<T>(path: string, question: (queries: LogQueries) => T): T {
    const context = { files: nodeFiles, clock: this.#clock, maxLockWaitMs: limits.maxLockWaitMs }
    const { db } = openForReading(path, context)
    try {
      return question(new LogQueries(db))
    } finally {
      db.close()
    }
  }

  #newJournal(): Journal {
    const to = resolve(this.#options.to)
    requireFree(this.#path, to)
    const successor = logOrigin(ulid(this.#clock.nowMs(), systemRandom))
    const journal: Journal = { to, origin: successor, step: 'end' }
    const bytes = Buffer.from(JSON.stringify(journal))
    if (!nodeFiles.create(archiveJournal(this.#path), bytes)) {
      throw new CapFenceError('AUDIT_UNAVAILABLE', `the log at ${this.#path} is being archived`)
    }
    nodeFiles.syncFolder(dirname(this.#path))
    return journal
  }

  #readJournal(): Journal | undefined {
    const file = archiveJournal(this.#path)
    if (!nodeFiles.exists(file)) return undefined
    const value: unknown = parsed(readFileSync(file, 'utf8'))
    if (isJournal(value)) return value
    throw new CapFenceError('AUDIT_CORRUPT', `\`${file}\` is not what \`audit archive\` writes`, {
      hint: `if the log ${this.#path} is there and whole, remove the file`,
    })
  }

  /** Beside the old one first, so that a crash leaves one of the two. */
  #write(journal: Journal): void {
    const file = archiveJournal(this.#path)
    writeFileSync(`${file}.new`, JSON.stringify(journal), { mode: 0o600, flush: true })
    renameSync(`${file}.new`, file)
    nodeFiles.syncFolder(dirname(file))
    this.#journal = journal
  }

  /** Nothing has happened yet: the log goes on as if nobody had asked. */
  #forget(keys: KeyFolder): void {
    for (const file of keys.list()) keys.erase(file)
    rmSync(this.#next(this.#keys), { recursive: true, force: true })
    rmSync(archiveJournal(this.#path), { force: true })
  }
}

/** @throws CapFenceError `USAGE` when the log cannot go there */
function requireFree(path: string, to: string): void {
  if (!isThere(path)) {
    throw new CapFenceError('AUDIT_UNAVAILABLE', `there is no log at \`${path}\``, {
      hint: 'name it with `--storage` or `--config`',
    })
  }
  const taken = [to, `${to}.highwater`, `${to}-wal`].find(isThere)
  if (taken !== undefined) {
    throw new CapFenceError('USAGE', `there is a file at \`${taken}\` already`, {
      hint: 'name another place for the archive',
    })
  }
  const folder = dirname(to)
  if (!isThere(folder)) {
    throw new CapFenceError('USAGE', `there is no folder \`${folder}\``, { hint: 'make it first' })
  }
  if (statSync(folder).dev !== statSync(path).dev) {
    throw new CapFenceError('USAGE', `\`${folder}\` is on another file system than the log`, {
      hint: 'archive it beside the log, and move the file from there',
    })
  }
}

/**
 * SQLite would take what is left of one database's write-ahead log for that of whatever takes its name.
 *
 * @throws CapFenceError `AUDIT_UNAVAILABLE` while somebody reads
 */
function emptyWriteAheadLog(path: string): void {
  const db = new Database(path, { fileMustExist: true, timeout: limits.maxLockWaitMs })
  try {
    db.pragma('wal_checkpoint(TRUNCATE)')
  } finally {
    db.close()
  }
  const wal = statSync(`${path}-wal`, { throwIfNoEntry: false })
  if (wal !== undefined && wal.size > 0) {
    throw new CapFenceError('AUDIT_UNAVAILABLE', `somebody reads ${path} all the time`, {
      hint: 'end whatever reads the log, and run `capfence audit archive` again',
    })
  }
  removeAll([`${path}-wal`, `${path}-shm`])
}

function endingOf(queries: LogQueries): LogEnding {
  const [first] = queries.records(0, 1)
  const { size, root } = queries.head()
  return { log: first?.log ?? '', size, root }
}

function isThere(path: string): boolean {
  return nodeFiles.exists(path)
}

function removeAll(paths: readonly string[]): void {
  for (const path of paths) rmSync(path, { recursive: true, force: true })
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function isJournal(value: unknown): value is Journal {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON.parse makes nothing but JSON values
  const json = value as RecordValue | undefined
  return json !== undefined && isObject(json) && shapeComplaint(json, journalShape) === undefined
}
