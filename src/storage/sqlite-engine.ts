import { dirname, resolve } from 'node:path'
import { HighWaterFile } from '../anchor/high-water.ts'
import type { AuditGapFacts, LogArchiveFacts } from '../audit/log-drafts.ts'
import { KeyFolder, KeysInMemory } from '../crypto/key-folder.ts'
import type { KeyFiles } from '../crypto/key-folder.ts'
import { systemRandom } from '../crypto/random.ts'
import type { RandomSource } from '../crypto/random.ts'
import type { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { SignedHead } from '../runtime/store.ts'
import { requireNotHalfArchived } from './archive-journal.ts'
import { BatchWriter } from './batch-writer.ts'
import { systemClock } from './clock.ts'
import type { Clock } from './clock.ts'
import { inMemory, openForWriting, openingError, retrying } from './database-file.ts'
import type { DatabaseFile, OpenContext } from './database-file.ts'
import { BaseDBEngine } from './engine.ts'
import type { Batch, WriteResult } from './engine.ts'
import { nodeFiles } from './files.ts'
import { corrupt, writingError } from './failure.ts'
import type { Files } from './files.ts'
import type { Recovery } from './high-water.ts'
import { startHeartbeat } from './heartbeat.ts'
import { sweepDatabase } from './leftovers.ts'
import type { Sweep } from './leftovers.ts'
import { startChecks } from './log-check.ts'
import { openLog } from './open-log.ts'
import type { OpenedLog } from './open-log.ts'
import { SQLiteLog } from './sqlite-log.ts'
import type { Succession } from './succession.ts'
import { requireAlone } from './writers.ts'
import { presenceBeside } from './writer-presence.ts'
import type { WriterPresence } from './writer-presence.ts'

/** How a log in SQLite is opened; what is left out is the machine's own. */
export interface SQLiteOptions {
  /** The database file, or `:memory:`; made when there is none. */
  readonly path: string
  /** Who writes, such as `capfence/0.1.0`; stands in the log. */
  readonly software: string
  /** The folder of the log's private keys; `PATH.keys` beside the database when absent. Made when there is none. */
  readonly keys?: string | undefined
  /** The file that remembers the newest head outside the log; `PATH.highwater` beside the database when absent. */
  readonly highWater?: string | undefined
  /** A person's word that the log does not continue what is known of it; without it such a log is not opened. */
  readonly recovery?: Recovery | undefined
  /** What the log takes over from the one that it succeeds, if this makes it; its keys are there already. */
  readonly succession?: Succession | undefined
  /** Whether this is who archives the log: nobody else opens it while that is half done. */
  readonly isArchiving?: boolean
  /** After how many hours a new epoch of keys begins with the next commit; 24 when absent, 0 for never by itself. */
  readonly rotateHours?: number
  /** How often the whole log is verified in the background, milliseconds; never when absent or 0, or in memory. */
  readonly checkEveryMs?: number
  /** Told when that finds damage; nothing more is stored then. */
  readonly onDamage?: (error: CapFenceError) => void
  /** How long a commit waits for other processes, milliseconds. */
  readonly maxLockWaitMs?: number
  readonly clock?: Clock
  readonly files?: Files
  readonly random?: RandomSource
  readonly presence?: WriterPresence
}

/** Beside the file itself, not beside a link to it: whatever way leads to the log, its keys are the same. */
function keyFiles(path: string, folder: string | undefined, files: Files): KeyFiles {
  if (path === inMemory) return new KeysInMemory()
  return new KeyFolder(folder === undefined ? `${files.realPath(path)}.keys` : resolve(folder))
}

function highWaterFile(
  path: string,
  named: string | undefined,
  files: Files,
): HighWaterFile | undefined {
  if (path === inMemory) return undefined
  return new HighWaterFile(
    named === undefined ? `${files.realPath(path)}.highwater` : resolve(named),
  )
}

const defaultRotateHours = 24

/** An epoch of keys that a person has ended. */
export interface KeyRotation {
  /** The number of the one that has begun. */
  readonly epoch: number
  /** Paths of earlier keys that could not be erased. */
  readonly keysLeft: readonly string[]
}

/** Space kept for the record of a full disk, bytes. */
const reserveBytes = 262_144

/** The parts of an open engine. */
interface OpenParts {
  readonly file: DatabaseFile
  readonly context: OpenContext
  readonly presence: WriterPresence
  readonly log: OpenedLog
  readonly reader: SQLiteLog
  readonly checkEveryMs: number
  onDamage(error: CapFenceError): void
}

/**
 * The embedded store: one SQLite file in WAL mode, which several processes on one machine may share.
 *
 * A `power` commit has been synced to disk when it resolves; a `process` commit survives the end of the process.
 */
export class SQLiteEngine extends BaseDBEngine {
  readonly #parts: OpenParts
  readonly #writer: BatchWriter
  readonly #stopHeartbeat: () => void
  readonly #stopChecks: () => void

  private constructor(parts: OpenParts) {
    const { clock, maxLockWaitMs } = parts.context
    super({ clock, maxLockWaitMs, jitter: () => Math.random() }, parts.reader)
    this.#parts = parts
    this.#writer = new BatchWriter(parts.file, parts.log, clock)
    this.#stopHeartbeat = startHeartbeat(this, clock)
    this.#stopChecks = startChecks({
      path: parts.file.path,
      everyMs: parts.file.path === inMemory ? 0 : parts.checkEveryMs,
      onDamage: (reason) => this.#onDamage(reason),
    })
    this.restoreReserve()
  }

  /**
   * Opens the log for writing, and makes it when there is none; in the foreground, so that it may wait for others.
   *
   * Calls that a writer left open which no longer runs get the outcome `unknown`, once.
   *
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when that fails, or the database is another program's or a newer
   *   version's, or the log's keys cannot be used; `AUDIT_CORRUPT` when the log is damaged
   */
  static open(options: SQLiteOptions): SQLiteEngine {
    const path = options.path === inMemory ? inMemory : resolve(options.path)
    const { random = systemRandom, files = nodeFiles, clock = systemClock, software } = options
    const { recovery, succession } = options
    if (options.isArchiving !== true) requireNotHalfArchived(path, files)
    const context = { files, clock, maxLockWaitMs: options.maxLockWaitMs ?? limits.maxLockWaitMs }
    const presence = options.presence ?? presenceBeside(path, files)
    const file = openForWriting(path, context)
    try {
      const keys = keyFiles(path, options.keys, files)
      const highWater = highWaterFile(path, options.highWater, files)
      const rotateMs = (options.rotateHours ?? defaultRotateHours) * 3_600_000
      const log = retrying(context, () =>
        openLog(file.db, {
          random,
          nowMs: clock.nowMs(),
          software,
          presence,
          keys,
          rotateMs,
          highWater,
          recovery,
          succession,
        }),
      )
      file.remember()
      const reader = new SQLiteLog(file, context, presence)
      const { checkEveryMs = 0, onDamage = () => undefined } = options
      return new SQLiteEngine({ file, context, presence, log, reader, checkEveryMs, onDamage })
    } catch (error) {
      file.db.close()
      throw openingError(path, error)
    }
  }

  argumentKey(): Uint8Array {
    return this.#parts.log.argumentKey
  }

  /**
   * Begins a new epoch of keys now, in the foreground, and erases the key of the one before.
   *
   * @returns what there is to say of it, once it survives a power cut
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when it could not be done; then the epoch goes on
   */
  async rotateKeys(): Promise<KeyRotation> {
    const { context, log } = this.#parts
    try {
      retrying(context, () => this.#writer.rotate())
    } catch (error) {
      throw writingError(error)
    }
    const { signer } = log
    return { epoch: signer.epoch, keysLeft: signer.keysLeft() }
  }

  /**
   * Ends the log for good, in the foreground, with a record that names the one that goes on in its place.
   *
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when others write to it, or it could not be done; then it goes on
   */
  archive(facts: LogArchiveFacts): void {
    const { context, file, log, presence } = this.#parts
    try {
      const requireNoOther = (): void => requireAlone(file.db, presence, log.writer.w)
      retrying(context, () => this.#writer.archive(facts, requireNoOther))
    } catch (error) {
      throw writingError(error)
    }
  }

  /**
   * Makes sure, in the foreground, that disclosures which were erased are in none of the database's files any more.
   *
   * @param encoded their texts, as they were stored; the first 32 characters are enough
   * @returns what had to be done, and the files that hold one of them still
   */
  sweep(encoded: readonly string[]): Sweep {
    const { file, context } = this.#parts
    return sweepDatabase(file, context, encoded)
  }

  syncedHead(): SignedHead | undefined {
    return this.#writer.syncedHead
  }

  protected async write(batch: Batch): Promise<WriteResult> {
    return this.#writer.write(batch)
  }

  protected releaseReserve(): boolean {
    const { files } = this.#parts.context
    const path = this.#reservePath()
    if (path === undefined || !files.exists(path)) return false
    files.remove(path)
    return true
  }

  protected restoreReserve(): void {
    const { files } = this.#parts.context
    const path = this.#reservePath()
    if (path === undefined || files.exists(path)) return
    try {
      if (files.freeBytes(dirname(path)) < 4 * reserveBytes) return
      // Not zeros, which some file systems do not store.
      files.create(path, new Uint8Array(reserveBytes).fill(0xff))
    } catch {
      // Without the reserve a full disk leaves no record of itself; everything else is as safe as before.
    }
  }

  protected async shutDown(gap: AuditGapFacts | undefined): Promise<void> {
    const { presence, reader, log, context } = this.#parts
    this.#stopHeartbeat()
    this.#stopChecks()
    try {
      retrying(context, () => this.#writer.writeLast(gap))
    } catch {
      // The log says nothing of this end; the next writer finds that this one no longer runs.
    }
    await reader.close()
    presence.release(log.writer.w)
  }

  #onDamage(reason: string): void {
    this.#parts.onDamage(corrupt(reason))
    void this.latch({ reason: 'damaged', what: `it is damaged: ${reason}` })
  }

  #reservePath(): string | undefined {
    const { path } = this.#parts.file
    return path === inMemory ? undefined : `${path}-reserve`
  }
}
