import { procStopRecord } from '../../audit/log-drafts.ts'
import type { AuditGapFacts } from '../../audit/log-drafts.ts'
import type { SignedHead } from '../../runtime/store.ts'
import { BatchAttempt, failureOf, gapRecords, NotHere } from '../batch-attempt.ts'
import type { Clock } from '../clock.ts'
import type { Batch, PendingCommit, WriteResult } from '../engine.ts'
import { HighWaterMark } from '../high-water.ts'
import type { WriterPlace } from '../log-end.ts'
import type { OpenedLog } from '../open-log.ts'
import { leaveWriter } from '../writers.ts'
import type { Connection } from './connection.ts'
import { ConnectionLost, isLockTimeout, postgresFailure } from './failure.ts'
import { Fetching } from './fetching.ts'
import { claim, rollBack } from './open-postgres.ts'
import type { OpenedPostgres } from './open-postgres.ts'
import type { SharedLog } from './shared-log.ts'
import type { WorkingCopy } from './working-copy.ts'

/** How long one try waits for the lock, milliseconds; then it is looked whether others get on. */
const lockTryMs = 250
/** How long a COMMIT whose answer was lost is asked after, milliseconds: a fail-over takes its time. */
const resolveMs = 10_000
/** How long between two questions, milliseconds. */
const resolveEveryMs = 200

/** What was sent when the answer to COMMIT was lost. */
interface Unresolved {
  readonly batch: number
  /** What this writer counts next if it was stored. */
  readonly wn: number
}

/** What a writer needs besides the log. */
export interface WriterContext {
  readonly schema: string
  readonly clock: Clock
  /** How long a commit waits for the lock, milliseconds. */
  readonly maxLockWaitMs: number
}

/** What is put into one transaction; it begins anew when something it looks at had to be fetched. */
type Work = (place: WriterPlace) => void

/** Stores batches in PostgreSQL: each in one transaction, under the lock of the log. */
export class PostgresWriter {
  readonly #connection: Connection
  readonly #copy: WorkingCopy
  readonly #shared: SharedLog
  readonly #log: OpenedLog
  readonly #context: WriterContext
  readonly #fetching: Fetching
  readonly #highWater: HighWaterMark
  #syncedHead: SignedHead | undefined
  /** The number of the last batch of this writer; the first was its entry. */
  #batch = 1
  #beginSize = 0
  #othersWrote = false
  #unresolved: Unresolved | undefined
  /** The newest commit that was seen while somebody else held the lock. */
  #newest: number | undefined

  constructor(connection: Connection, opened: OpenedPostgres, context: WriterContext) {
    this.#connection = connection
    this.#copy = opened.copy
    this.#shared = opened.shared
    this.#log = opened.log
    this.#context = context
    this.#fetching = new Fetching(opened.copy)
    this.#highWater = new HighWaterMark(opened.log.highWater)
  }

  /** See `Store.syncedHead`. */
  get syncedHead(): SignedHead | undefined {
    return this.#syncedHead
  }

  /** Stores every commit that is not refused for a fault of its own, or none. */
  async write({ commits, gap }: Batch): Promise<WriteResult> {
    const failure = this.#highWater.complaint()
    if (failure !== undefined) return { kind: 'failed', failure }
    try {
      await this.#inTransaction(() => this.#storeAll(commits, gap))
      return { kind: 'stored', othersWrote: this.#othersWrote }
    } catch (error) {
      if (isLockTimeout(error)) return this.#busy()
      return { kind: 'failed', failure: postgresFailure(error) ?? failureOf(error) }
    }
  }

  /**
   * Stores the last records of this writer, and lets go of its files.
   *
   * @throws what the database throws; then they are not stored
   */
  async writeLast(gap: AuditGapFacts | undefined): Promise<void> {
    try {
      await this.#inTransaction(() =>
        this.#storeOnce((place) => {
          const records = [...gapRecords(gap), procStopRecord('closed')]
          this.#log.transaction.store({ records, result: undefined }, place)
          leaveWriter(this.#copy.db, place)
          this.#log.transaction.keepCheckpoint()
        }),
      )
    } finally {
      this.#highWater.close()
    }
  }

  /**
   * Begins a new epoch of keys.
   *
   * @throws what the database throws, or CapFenceError `AUDIT_UNAVAILABLE`; then nothing has changed
   */
  async rotate(): Promise<void> {
    await this.#inTransaction(() =>
      this.#storeOnce((place) => this.#log.transaction.rotate('operator', place)),
    )
  }

  async #inTransaction(store: () => Promise<void>): Promise<void> {
    try {
      await this.#begin()
      await store()
    } catch (error) {
      this.#undo()
      await rollBack(this.#connection)
      throw error
    } finally {
      this.#copy.prune()
    }
  }

  async #begin(): Promise<void> {
    const { schema, maxLockWaitMs } = this.#context
    if (await this.#connection.open()) {
      await claim(this.#connection, schema, this.#log.writer.w)
    }
    if (this.#unresolved !== undefined) await this.#resolveLate(this.#unresolved)
    this.#othersWrote = await this.#shared.begin(
      this.#connection,
      Math.min(lockTryMs, maxLockWaitMs),
    )
    this.#beginSize = this.#copy.size
    this.#fetching.restart(this.#beginSize)
  }

  async #storeAll(all: readonly PendingCommit[], gap: AuditGapFacts | undefined): Promise<void> {
    let commits = all
    for (;;) {
      const place = this.#placeNow()
      const attempt = new BatchAttempt(this.#log.transaction, place, this.#fetching)
      try {
        // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
        await this.#storeOnce(() => {
          attempt.store(commits, gap)
          this.#endOldEpoch(place)
        }, place)
        return
      } catch (error) {
        if (attempt.culprit(error) === undefined) throw error
        // Its statements ran before it turned out that they must not: the others go again, without it.
        commits = attempt.withoutRefused(commits)
      }
    }
  }

  /** Puts some work into the transaction, as often as it takes to have everything at hand, and commits it. */
  async #storeOnce(work: Work, place: WriterPlace = this.#placeNow()): Promise<void> {
    for (;;) {
      try {
        const head = this.#inCopy(() => work(place))
        // oxlint-disable-next-line no-await-in-loop -- until it is stored
        const settled = await this.#send()
        if (settled.length === 0) {
          // oxlint-disable-next-line no-await-in-loop -- the same
          await this.#commit(head)
          return
        }
        // oxlint-disable-next-line no-await-in-loop -- the same
        await this.#beginAnew(settled)
      } catch (error) {
        this.#undo()
        if (!(error instanceof NotHere)) throw error
        // oxlint-disable-next-line no-await-in-loop -- the same
        await this.#fetching.fetch(this.#connection, this.#shared)
      }
    }
  }

  /** Calls that were settled before are refused by the working copy, once it knows of them. */
  async #beginAnew(settled: readonly string[]): Promise<void> {
    this.#undo()
    await rollBack(this.#connection)
    await this.#begin()
    await this.#shared.fetchCalls(this.#connection, settled)
  }

  /** Leaves the transaction of the working copy open, until it is known what has become of the other one. */
  #inCopy(work: () => void): SignedHead | undefined {
    const { transaction, signer } = this.#log
    this.#copy.db.exec('BEGIN')
    transaction.begin()
    signer.requireKeys()
    work()
    return transaction.finish()
  }

  /** @returns calls that were settled before */
  async #send(): Promise<readonly string[]> {
    const changes = this.#copy.changes()
    if (changes.length === 0) return []
    const notifies = changes.some(({ tbl }) => /^(?:approvals|approval_answers|grants)$/.test(tbl))
    const { w: writer } = this.#log.writer
    const [batch, beginSize] = [this.#batch + 1, this.#beginSize]
    return this.#shared.flush(this.#connection, { changes, writer, batch, beginSize, notifies })
  }

  async #commit(head: SignedHead | undefined): Promise<void> {
    const hasChanges = this.#copy.changes().length > 0
    try {
      await this.#connection.commit()
    } catch (error) {
      if (this.#connection.isOpen || !hasChanges) throw error
      this.#unresolved = { batch: this.#batch + 1, wn: this.#log.transaction.wn }
      if (!(await this.#isStoredAfterAll(this.#unresolved))) throw error
    }
    this.#copy.db.exec('COMMIT')
    this.#log.transaction.committed()
    if (!hasChanges) return
    this.#batch += 1
    this.#shared.committed()
    // Every commit is synced, whatever was asked for: a database that crashes must lose none.
    if (head === undefined) return
    this.#syncedHead = head
    this.#highWater.raise(head.note)
  }

  /**
   * Asks whether a COMMIT whose answer was lost has happened, while nobody else can write.
   *
   * @throws ConnectionLost when nothing can be found out in time: it stays unresolved, and is asked before the next batch
   */
  async #isStoredAfterAll(unresolved: Unresolved): Promise<boolean> {
    const endMs = this.#context.clock.elapsedMs() + resolveMs
    for (;;) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- until there is an answer
        return await this.#isStored(unresolved)
      } catch (cause) {
        // oxlint-disable-next-line no-await-in-loop -- the same
        await rollBack(this.#connection)
        if (this.#context.clock.elapsedMs() >= endMs) {
          const what =
            'the connection was lost at the end of a commit, and it is not known whether it was stored'
          throw new ConnectionLost(what, { cause })
        }
      }
      // oxlint-disable-next-line no-await-in-loop -- the same
      await new Promise((resolve) => {
        setTimeout(resolve, resolveEveryMs)
      })
    }
  }

  async #isStored({ batch }: Unresolved): Promise<boolean> {
    const { w } = this.#log.writer
    if (await this.#connection.open()) await claim(this.#connection, this.#context.schema, w)
    await this.#shared.lock(this.#connection)
    const last = await this.#shared.lastBatch(this.#connection, w)
    await this.#connection.script('ROLLBACK')
    this.#unresolved = undefined
    return last === batch
  }

  /** The calls of that batch were refused long since; only this writer's own count has to go on from it. */
  async #resolveLate(unresolved: Unresolved): Promise<void> {
    if (!(await this.#isStored(unresolved))) return
    this.#batch = unresolved.batch
    this.#log.transaction.resume(unresolved.wn)
  }

  #undo(): void {
    if (!this.#copy.db.inTransaction) return
    this.#copy.db.exec('ROLLBACK')
    this.#log.transaction.rolledBack()
  }

  /** Another writer may have ended it in the meantime. */
  #endOldEpoch(place: WriterPlace): void {
    const { transaction } = this.#log
    if (transaction.isEpochOld(place.nowMs)) transaction.rotate('daily', place)
  }

  async #busy(): Promise<WriteResult> {
    const before = this.#newest
    try {
      this.#newest = await this.#shared.newestCommit(this.#connection)
    } catch {
      // Nothing is known of the others then; the time for the lock goes on.
      return { kind: 'busy', othersWrote: false }
    }
    return { kind: 'busy', othersWrote: before !== undefined && before !== this.#newest }
  }

  #placeNow(): WriterPlace {
    return { ...this.#log.writer, nowMs: this.#context.clock.nowMs() }
  }
}
