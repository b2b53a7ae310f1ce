import { dirname } from 'node:path'
import { HighWaterFile } from '../../anchor/high-water.ts'
import type { AuditGapFacts } from '../../audit/log-drafts.ts'
import { KeyFolder } from '../../crypto/key-folder.ts'
import { systemRandom } from '../../crypto/random.ts'
import type { RandomSource } from '../../crypto/random.ts'
import { limits } from '../../limits.ts'
import type { SignedHead } from '../../runtime/store.ts'
import { systemClock } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { BaseDBEngine } from '../engine.ts'
import type { Batch, WriteResult } from '../engine.ts'
import { nodeFiles } from '../files.ts'
import { startHeartbeat } from '../heartbeat.ts'
import type { Recovery } from '../high-water.ts'
import { shownAddress } from './address.ts'
import type { PostgresAddress } from './address.ts'
import { Connection } from './connection.ts'
import { openingError, writingError } from './failure.ts'
import { openPostgres } from './open-postgres.ts'
import type { OpenedPostgres } from './open-postgres.ts'
import { PostgresLog } from './postgres-log.ts'
import { PostgresWriter } from './postgres-writer.ts'

/** How a log in PostgreSQL is opened. */
export interface PostgresOptions {
  readonly address: PostgresAddress
  /** Who writes, such as `capfence/0.1.0`; stands in the log. */
  readonly software: string
  /** The folder of the log's private keys, on this machine. Made when there is none. */
  readonly keys: string
  /** The file that remembers the newest head outside the database, on this machine. */
  readonly highWater: string
  /** A person's word that the log does not continue what is known of it; without it such a log is not opened. */
  readonly recovery?: Recovery | undefined
  /** After how many hours a new epoch of keys begins with the next commit; 24 when absent, 0 for never by itself. */
  readonly rotateHours?: number
  /** How long a commit waits for other gates, milliseconds. */
  readonly maxLockWaitMs?: number
  readonly clock?: Clock
  readonly random?: RandomSource
}

const defaultRotateHours = 24

interface OpenParts {
  readonly connection: Connection
  readonly opened: OpenedPostgres
  readonly address: PostgresAddress
  readonly clock: Clock
  readonly maxLockWaitMs: number
}

/**
 * The store for several machines: one schema of a PostgreSQL database, to which any number of gates write one log.
 *
 * Every commit has been synced by the database when it resolves. A gate that loses the database refuses calls, and goes
 * on by itself once it is back.
 */
export class PostgresEngine extends BaseDBEngine {
  readonly #parts: OpenParts
  readonly #writer: PostgresWriter
  readonly #reader: PostgresLog
  readonly #stopHeartbeat: () => void

  private constructor(parts: OpenParts, reader: PostgresLog) {
    const { clock, maxLockWaitMs, connection, opened, address } = parts
    super({ clock, maxLockWaitMs, jitter: () => Math.random() }, reader)
    this.#parts = parts
    this.#reader = reader
    this.#writer = new PostgresWriter(connection, opened, {
      schema: address.schema,
      clock,
      maxLockWaitMs,
    })
    this.#stopHeartbeat = startHeartbeat(this, clock)
  }

  /**
   * Opens the log for writing, and makes it when there is none.
   *
   * Calls that a writer left open which no longer runs get the outcome `unknown`, once.
   *
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when that fails, or the database may lose what it says is stored, or the log
   *   is a newer version's, or its keys cannot be used; `AUDIT_CORRUPT` when the log is damaged
   */
  static async open(options: PostgresOptions): Promise<PostgresEngine> {
    const { address, clock = systemClock, random = systemRandom, software, recovery } = options
    const connection = new Connection(address, 'capfence writer')
    try {
      await connection.open()
      for (const path of [options.keys, options.highWater]) nodeFiles.makeFolder(dirname(path))
      const opened = await openPostgres(connection, address.schema, {
        random,
        nowMs: clock.nowMs(),
        software,
        keys: new KeyFolder(options.keys),
        rotateMs: (options.rotateHours ?? defaultRotateHours) * 3_600_000,
        highWater: new HighWaterFile(options.highWater),
        recovery,
      })
      const maxLockWaitMs = options.maxLockWaitMs ?? limits.maxLockWaitMs
      return new PostgresEngine(
        { connection, opened, address, clock, maxLockWaitMs },
        new PostgresLog(address, clock),
      )
    } catch (error) {
      await connection.close()
      throw openingError(shownAddress(address), error)
    }
  }

  argumentKey(): Uint8Array {
    return this.#parts.opened.log.argumentKey
  }

  /**
   * Begins a new epoch of keys now, and erases the key of the one before.
   *
   * @returns what there is to say of it
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when it could not be done; then the epoch goes on
   */
  async rotateKeys(): Promise<{ readonly epoch: number; readonly keysLeft: readonly string[] }> {
    try {
      await this.#writer.rotate()
    } catch (error) {
      throw writingError(error)
    }
    const { signer } = this.#parts.opened.log
    return { epoch: signer.epoch, keysLeft: signer.keysLeft() }
  }

  syncedHead(): SignedHead | undefined {
    return this.#writer.syncedHead
  }

  protected write(batch: Batch): Promise<WriteResult> {
    return this.#writer.write(batch)
  }

  /** The disk is another machine's. */
  protected releaseReserve(): boolean {
    return false
  }

  protected restoreReserve(): void {
    // There is none.
  }

  protected async shutDown(gap: AuditGapFacts | undefined): Promise<void> {
    const { connection, opened } = this.#parts
    this.#stopHeartbeat()
    try {
      await this.#writer.writeLast(gap)
    } catch {
      // The log says nothing of this end; the next writer finds that this one no longer runs.
    }
    await this.#reader.close()
    await connection.close()
    opened.copy.close()
  }
}
