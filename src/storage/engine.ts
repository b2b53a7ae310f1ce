import type { LogReport } from '../audit/log-report.ts'
import type { VerifyOptions } from '../audit/log-verifier.ts'
import type { AuditGapFacts } from '../audit/log-drafts.ts'
import type { StoredRecord, StoredRow, Disclosure } from '../audit/record.ts'
import type { RecordedGrant } from '../approval/grant-authority.ts'
import type { RecordedApproval } from '../approval/recorded.ts'
import type { ApprovalRequest } from '../approval/request.ts'
import type {
  Durability,
  Effects,
  LogPage,
  LogQuery,
  LogReader,
  Orphan,
  PotLevel,
  SignedHead,
  Store,
  StoredPolicy,
  StoreView,
} from '../runtime/store.ts'
import { pause } from './clock.ts'
import type { Clock } from './clock.ts'
import { unavailable, type OutageReason, type StorageFailure } from './failure.ts'

/** One commit of a batch, as the engine sees it. */
export interface PendingCommit {
  /** Calls the caller's `decide`; may be called again for another attempt. */
  decide(view: StoreView): Effects<unknown>
  /** Takes the commit out of the batch: it alone is refused, with this error. */
  refuse(error: unknown): void
}

/** What one transaction has to store. */
export interface Batch {
  readonly commits: readonly PendingCommit[]
  /** Whether the transaction must survive a power cut. */
  readonly power: boolean
  /** The outage that ends with this batch, to be recorded before anything else. */
  readonly gap: AuditGapFacts | undefined
}

/** How an attempt to store a batch ended; `othersWrote`: other writers have stored something since the last one. */
export type WriteResult =
  | { readonly kind: 'stored'; readonly othersWrote: boolean }
  /** Somebody else writes: try again soon. */
  | { readonly kind: 'busy'; readonly othersWrote: boolean }
  | { readonly kind: 'failed'; readonly failure: StorageFailure }

/** What the engines share besides the queue. */
export interface EngineTiming {
  readonly clock: Clock
  /** How long a commit waits for the lock, milliseconds. */
  readonly maxLockWaitMs: number
  /** From 0 to below 1, to keep writers out of step. */
  readonly jitter: () => number
}

/** Commits of one transaction at most: bounds how long the event loop and other writers wait. */
const maxBatchCommits = 256
/** Batches that follow each other without a pause, count: a writer that is never idle lets others in. */
const maxBatchesInRow = 16
/** How often the time for the lock may begin anew, because the others do get on, count. */
const maxLockPatience = 4
/** How long a lazy commit waits for company. */
const lazyDelayMs = 20

interface Waiting extends PendingCommit {
  readonly durability: Durability
  readonly sinceMs: number
  refused: boolean
  resolve(): void
  reject(error: unknown): void
}

interface Outage {
  readonly reason: OutageReason
  readonly sinceMs: number
  unrecorded: number
}

/**
 * What every database engine does the same way: commits wait in one queue, share a transaction, and fail closed.
 *
 * An engine stores one batch at a time (`write`) and answers questions; order, durability, retries, outages and
 * their records are decided here. The guarantees are those of `Store`.
 */
export abstract class BaseDBEngine implements Store {
  readonly #timing: EngineTiming
  readonly #reader: LogReader
  /** Oldest first. */
  #queue: Waiting[] = []
  #flushing = false
  #flushPlanned = false
  #timer: NodeJS.Timeout | undefined
  #outage: Outage | undefined
  #batchesInRow = 0
  /** When other writers were last seen to store something. */
  #othersWroteMs = -Infinity
  /** Why nothing more is stored as long as this process runs. */
  #latched: StorageFailure | undefined
  #closing: Promise<void> | undefined

  protected constructor(timing: EngineTiming, reader: LogReader) {
    this.#timing = timing
    this.#reader = reader
  }

  /**
   * Stores all that is not refused in one transaction, or nothing.
   *
   * Never rejects for what the database or the disk does: that is a `WriteResult`.
   */
  protected abstract write(batch: Batch): Promise<WriteResult>
  /** Frees space kept for this moment, so that the outage itself can be recorded; false when there is none. */
  protected abstract releaseReserve(): boolean
  /** Puts that space aside again, if there is enough. */
  protected abstract restoreReserve(): void
  /** Notes the writer's end, if it can be written, and lets go of the database. */
  protected abstract shutDown(gap: AuditGapFacts | undefined): Promise<void>

  async commit<T>(decide: (view: StoreView) => Effects<T>, durability: Durability): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closing !== undefined) {
        reject(unavailable({ reason: 'closed', what: 'it is closed' }))
        return
      }
      let effects: Effects<T> | undefined
      const waiting: Waiting = {
        durability,
        sinceMs: this.#timing.clock.elapsedMs(),
        refused: false,
        decide: (view) => (effects = decide(view)),
        refuse: (error) => {
          waiting.refused = true
          reject(error)
        },
        resolve: () => {
          if (effects !== undefined) resolve(effects.result)
        },
        reject,
      }
      this.#enqueue(waiting)
    })
  }

  size(): Promise<number> {
    return this.#reader.size()
  }

  records(fromSeq: number, count: number): Promise<readonly StoredRecord[]> {
    return this.#reader.records(fromSeq, count)
  }

  rows(fromSeq: number, count: number): Promise<readonly StoredRow[]> {
    return this.#reader.rows(fromSeq, count)
  }

  verify(options: VerifyOptions): Promise<LogReport> {
    return this.#reader.verify(options)
  }

  find(query: LogQuery): Promise<LogPage> {
    return this.#reader.find(query)
  }

  orphans(): Promise<readonly Orphan[]> {
    return this.#reader.orphans()
  }

  call(callId: string): Promise<readonly StoredRecord[]> {
    return this.#reader.call(callId)
  }

  disclosures(seq: number): Promise<readonly Disclosure[]> {
    return this.#reader.disclosures(seq)
  }

  approvalRequests(): Promise<readonly ApprovalRequest[]> {
    return this.#reader.approvalRequests()
  }

  approval(id: string): Promise<RecordedApproval | undefined> {
    return this.#reader.approval(id)
  }

  grants(): Promise<readonly RecordedGrant[]> {
    return this.#reader.grants()
  }

  policy(hash: string): Promise<StoredPolicy | undefined> {
    return this.#reader.policy(hash)
  }

  pots(nowMs: number): Promise<readonly PotLevel[]> {
    return this.#reader.pots(nowMs)
  }

  abstract argumentKey(): Uint8Array

  abstract syncedHead(): SignedHead | undefined

  /** Stores what waits, notes the stop and closes; what cannot be stored then is refused. */
  async close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #enqueue(waiting: Waiting): void {
    this.#queue.push(waiting)
    if (waiting.durability !== 'lazy') this.#planFlush()
    else this.#timer ??= setTimeout(() => this.#planFlush(), lazyDelayMs)
  }

  /** Everything that arrives before the event loop has looked for input again shares a transaction. */
  #planFlush(): void {
    if (this.#flushing || this.#flushPlanned) return
    this.#flushPlanned = true
    setImmediate(() => {
      this.#flushPlanned = false
      void this.#flush()
    })
  }

  /** Stores the queue, batch by batch, until it is empty: every commit in it is stored or refused. */
  async #flush(): Promise<void> {
    if (this.#flushing) return
    this.#flushing = true
    clearTimeout(this.#timer)
    this.#timer = undefined
    try {
      while (this.#queue.length > 0) {
        // oxlint-disable-next-line no-await-in-loop -- one transaction after the other is the point
        await this.#attempt(this.#queue.slice(0, maxBatchCommits))
      }
      this.#batchesInRow = 0
    } finally {
      this.#flushing = false
    }
  }

  async #attempt(commits: readonly Waiting[]): Promise<void> {
    if (this.#latched !== undefined) {
      this.#refuse(this.#latched, () => true)
      return
    }
    const power = commits.some(({ durability }) => durability === 'power')
    const result = await this.write({ commits, power, gap: this.#gap() })
    if (result.kind === 'stored') {
      this.#settle(commits)
      await this.#letOthersIn(result.othersWrote)
    } else if (result.kind === 'failed') {
      this.#refuse(result.failure, () => true)
      await this.#useReserve(result.failure)
    } else {
      if (result.othersWrote) this.#othersWroteMs = this.#timing.clock.elapsedMs()
      this.#expire()
      if (this.#queue.length > 0) await pause(this.#timing.jitter())
    }
  }

  /** Others try again after a pause; whoever goes on without one is always there before them. */
  async #letOthersIn(othersWrote: boolean): Promise<void> {
    this.#batchesInRow += 1
    if (this.#queue.length === 0) return
    if (!othersWrote && this.#batchesInRow < maxBatchesInRow) return
    this.#batchesInRow = 0
    await pause(this.#timing.jitter())
  }

  #settle(commits: readonly Waiting[]): void {
    this.#queue.splice(0, commits.length)
    if (this.#outage !== undefined) {
      this.#outage = undefined
      this.restoreReserve()
    }
    for (const commit of commits) if (!commit.refused) commit.resolve()
  }

  /**
   * Somebody else has held the lock for too long, for those who have waited so long.
   *
   * While others do store something nobody holds it: there are many who want it, and the time begins anew, up to
   * `maxLockPatience` times as long.
   */
  #expire(): void {
    const { clock, maxLockWaitMs } = this.#timing
    const nowMs = clock.elapsedMs()
    const what = `another process has held the lock for ${maxLockWaitMs} ms`
    this.#refuse({ reason: 'locked', what }, ({ sinceMs }) => {
      const mostMs = sinceMs + maxLockPatience * maxLockWaitMs
      const fromMs = Math.max(sinceMs, Math.min(this.#othersWroteMs, mostMs))
      return nowMs - fromMs >= maxLockWaitMs
    })
  }

  /** Refuses those who can wait no longer, and counts them for the record of the outage. */
  #refuse(failure: StorageFailure, chosen: (waiting: Waiting) => boolean): void {
    const waiting = this.#queue.filter(({ refused }) => !refused)
    this.#queue = waiting.filter((commit) => !chosen(commit))
    const refused = waiting.filter(chosen)
    if (refused.length === 0) return
    this.#outage ??= { reason: failure.reason, sinceMs: this.#timing.clock.nowMs(), unrecorded: 0 }
    this.#outage.unrecorded += refused.length
    const error = unavailable(failure)
    for (const commit of refused) commit.reject(error)
  }

  /** A full disk is noted while it is full; the outage itself goes on until a commit is stored. */
  async #useReserve({ reason }: StorageFailure): Promise<void> {
    if (reason === 'full' && this.releaseReserve()) await this.#noteOutage()
  }

  /**
   * Stores nothing more from here on but the record of it: what is known to be damaged is not written on.
   *
   * The record follows at the latest with the writer's end.
   */
  protected async latch(failure: StorageFailure): Promise<void> {
    this.#latched ??= failure
    this.#outage ??= {
      reason: failure.reason,
      sinceMs: this.#timing.clock.nowMs(),
      unrecorded: 0,
    }
    await this.#noteOutage()
  }

  /** Records the outage while it goes on, as far as that is possible. */
  async #noteOutage(): Promise<void> {
    const result = await this.write({ commits: [], power: true, gap: this.#gap() })
    if (result.kind === 'stored' && this.#outage !== undefined) this.#outage.unrecorded = 0
  }

  #gap(): AuditGapFacts | undefined {
    return this.#outage === undefined ? undefined : { ...this.#outage }
  }

  /** Each commit in the queue is stored or refused within the time for the lock, so that this ends. */
  async #close(): Promise<void> {
    clearTimeout(this.#timer)
    while (this.#flushing || this.#queue.length > 0) {
      // oxlint-disable-next-line no-await-in-loop -- a flush under way must end first
      await (this.#flushing ? pause(this.#timing.jitter()) : this.#flush())
    }
    await this.shutDown(this.#gap())
  }
}
