import type { AuditGapFacts } from '../audit/log-drafts.ts'
import type { StoredRecord, StoredRow, Disclosure } from '../audit/record.ts'
import type { ApprovalRequest } from '../approval/request.ts'
import type {
  Durability,
  Effects,
  LogPage,
  LogQuery,
  Orphan,
  Store,
  StoredPolicy,
  StoreView,
} from '../runtime/store.ts'
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

/** How an attempt to store a batch ended. */
export type WriteResult =
  | { readonly kind: 'stored' }
  /** Somebody else writes: try again soon. */
  | { readonly kind: 'busy' }
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
/** Lazy commits that may wait for a log that cannot be written. */
const maxKeptCommits = 100_000
/** How long a lazy commit waits for company. */
const lazyDelayMs = 20
/** How often a log that could not be written is tried again for the sake of lazy commits. */
const retryDelayMs = 500

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
  /** Oldest first. */
  #queue: Waiting[] = []
  #flushing = false
  #flushPlanned = false
  #timer: { readonly handle: NodeJS.Timeout; readonly dueMs: number } | undefined
  #outage: Outage | undefined
  #closing: Promise<void> | undefined

  protected constructor(timing: EngineTiming) {
    this.#timing = timing
  }

  abstract size(): Promise<number>
  abstract records(fromSeq: number, count: number): Promise<readonly StoredRecord[]>
  abstract rows(fromSeq: number, count: number): Promise<readonly StoredRow[]>
  abstract find(query: LogQuery): Promise<LogPage>
  abstract orphans(): Promise<readonly Orphan[]>
  abstract call(callId: string): Promise<readonly StoredRecord[]>
  abstract disclosures(seq: number): Promise<readonly Disclosure[]>
  abstract approvalRequests(): Promise<readonly ApprovalRequest[]>
  abstract policy(hash: string): Promise<StoredPolicy | undefined>
  abstract argumentKey(): Uint8Array

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

  /** Stores lazy commits, notes the stop and closes; what cannot be stored then is refused. */
  async close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #enqueue(waiting: Waiting): void {
    this.#queue.push(waiting)
    if (waiting.durability !== 'lazy') {
      this.#planFlush()
      return
    }
    if (this.#queue.length > maxKeptCommits) this.#refuseOldestLazy()
    this.#planRetry(this.#outage === undefined ? lazyDelayMs : retryDelayMs)
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

  #planRetry(delayMs: number): void {
    const dueMs = this.#timing.clock.elapsedMs() + delayMs
    if (this.#timer !== undefined) {
      if (this.#timer.dueMs <= dueMs) return
      clearTimeout(this.#timer.handle)
    }
    const handle = setTimeout(() => {
      this.#timer = undefined
      void this.#flush()
    }, delayMs)
    this.#timer = { handle, dueMs }
    // Waiting for a broken disk must not keep a finished process; \`close\` makes the last attempt.
    if (this.#outage !== undefined) handle.unref()
  }

  /** Stores the queue, batch by batch; returns when it is empty or the log cannot be written. */
  async #flush(): Promise<void> {
    if (this.#flushing) return
    this.#flushing = true
    try {
      let goOn = true
      while (goOn && this.#queue.length > 0) {
        const batch = this.#queue.slice(0, maxBatchCommits)
        // oxlint-disable-next-line no-await-in-loop -- one transaction after the other is the point
        goOn = await this.#attempt(batch)
      }
    } finally {
      this.#flushing = false
    }
    if (this.#queue.some(isUrgent)) this.#planFlush()
    else if (this.#queue.length > 0) this.#planRetry(retryDelayMs)
  }

  /** @returns whether to go on with the queue */
  async #attempt(commits: readonly Waiting[]): Promise<boolean> {
    const power = commits.some(({ durability }) => durability === 'power')
    const result = await this.write({ commits, power, gap: this.#gap() })
    if (result.kind === 'stored') {
      this.#settle(commits)
      return true
    }
    if (result.kind === 'failed') {
      this.#refuse(result.failure, isUrgent)
      await this.#useReserve(result.failure)
      return false
    }
    this.#expire()
    if (!this.#queue.some(isUrgent)) return false
    await pause(this.#timing.jitter())
    return true
  }

  #settle(commits: readonly Waiting[]): void {
    this.#queue.splice(0, commits.length)
    if (this.#outage !== undefined) {
      this.#outage = undefined
      this.restoreReserve()
    }
    for (const commit of commits) if (!commit.refused) commit.resolve()
  }

  /** Somebody else has held the lock for too long, for those who have waited so long. */
  #expire(): void {
    const oldest = this.#timing.clock.elapsedMs() - this.#timing.maxLockWaitMs
    const what = `another process has held the lock for ${this.#timing.maxLockWaitMs} ms`
    this.#refuse(
      { reason: 'locked', what },
      (waiting) => isUrgent(waiting) && waiting.sinceMs <= oldest,
    )
  }

  /** Whoever waits to go on is refused; what already happened, a lazy commit, is kept. */
  #refuse(failure: StorageFailure, chosen: (waiting: Waiting) => boolean): void {
    const refused = this.#queue.filter((waiting) => !waiting.refused && chosen(waiting))
    this.#queue = this.#queue.filter((waiting) => !waiting.refused && !chosen(waiting))
    if (refused.length > 0 || failure.reason !== 'locked') {
      this.#outage ??= {
        reason: failure.reason,
        sinceMs: this.#timing.clock.nowMs(),
        unrecorded: 0,
      }
      this.#outage.unrecorded += refused.length
    }
    const error = unavailable(failure)
    for (const waiting of refused) waiting.reject(error)
  }

  #refuseOldestLazy(): void {
    const index = this.#queue.findIndex(({ durability }) => durability === 'lazy')
    const [oldest] = index < 0 ? [] : this.#queue.splice(index, 1)
    oldest?.reject(
      unavailable({ reason: 'io_error', what: `${maxKeptCommits} commits wait already` }),
    )
    if (oldest !== undefined && this.#outage !== undefined) this.#outage.unrecorded += 1
  }

  /** A full disk is noted while it is full; the outage itself goes on. */
  async #useReserve({ reason }: StorageFailure): Promise<void> {
    if (reason !== 'full' || !this.releaseReserve()) return
    const result = await this.write({ commits: [], power: true, gap: this.#gap() })
    if (result.kind === 'stored' && this.#outage !== undefined) this.#outage.unrecorded = 0
  }

  #gap(): AuditGapFacts | undefined {
    return this.#outage === undefined ? undefined : { ...this.#outage }
  }

  async #close(): Promise<void> {
    if (this.#timer !== undefined) clearTimeout(this.#timer.handle)
    const endMs = this.#timing.clock.elapsedMs() + this.#timing.maxLockWaitMs
    while (this.#flushing || (this.#queue.length > 0 && this.#timing.clock.elapsedMs() < endMs)) {
      // oxlint-disable-next-line no-await-in-loop -- each attempt follows the last
      await this.#flush()
      if (this.#outage !== undefined && this.#outage.reason !== 'locked') break
      // oxlint-disable-next-line no-await-in-loop -- as above
      await pause(this.#timing.jitter())
    }
    if (this.#timer !== undefined) clearTimeout(this.#timer.handle)
    const left = this.#queue.splice(0)
    const error = unavailable({
      reason: 'closed',
      what: 'it was closed before this could be stored',
    })
    for (const waiting of left) waiting.reject(error)
    await this.shutDown(this.#gap())
  }
}

function isUrgent({ durability }: Waiting): boolean {
  return durability !== 'lazy'
}

/** 0.3 to 1 ms, in which others may have the lock and the event loop does other work. */
async function pause(jitter: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0.3 + 0.7 * jitter)
  })
}
