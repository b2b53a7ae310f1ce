import { auditGapRecord } from '../audit/log-drafts.ts'
import type { AuditGapFacts } from '../audit/log-drafts.ts'
import { CapFenceError } from '../errors.ts'
import type { Effects, StoreView } from '../runtime/store.ts'
import { CallRefused } from './call-refused.ts'
import type { PendingCommit } from './engine.ts'
import { isConstraint, storageFailure } from './failure.ts'
import type { StorageFailure } from './failure.ts'
import type { WriterPlace } from './log-end.ts'
import type { LogTransaction } from './log-transaction.ts'

/** Something that a commit has to see has not been fetched yet: the whole batch goes again once it has. */
export class NotHere extends Error {}

/** Whether everything is at hand that a commit looks at. */
export interface Presence {
  /** A view that notes what is asked for and is not there, and throws `NotHere` then. */
  view(view: StoreView): StoreView
  /**
   * Called once a commit has decided, whatever came of it: an answer that was given without seeing all counts for nothing.
   *
   * @throws NotHere
   */
  requireAll(effects?: Effects<unknown>): void
}

const everythingHere: Presence = { view: (view) => view, requireAll: () => undefined }

/** One try at a batch, which remembers whose fault it was. */
export class BatchAttempt {
  readonly #transaction: LogTransaction
  readonly #place: WriterPlace
  readonly #refused = new Set<PendingCommit>()
  #current: PendingCommit | undefined

  readonly #here: Presence

  constructor(transaction: LogTransaction, place: WriterPlace, here: Presence = everythingHere) {
    this.#transaction = transaction
    this.#place = place
    this.#here = here
  }

  /** Stores every commit that is not refused for a fault of its own, in the transaction that is open. */
  store(commits: readonly PendingCommit[], gap: AuditGapFacts | undefined): void {
    this.#transaction.store({ records: gapRecords(gap), result: undefined }, this.#place)
    for (const commit of commits) {
      // Whoever was refused in an earlier try of this batch has been told so.
      if (this.#refused.has(commit)) continue
      this.#current = commit
      this.#storeOne(commit)
    }
    this.#current = undefined
  }

  /** The commit that is at fault for an error; undefined when the database is. */
  culprit(error: unknown): PendingCommit | undefined {
    const commit = this.#current
    if (commit === undefined) return undefined
    if (error instanceof NotHere) return undefined
    if (error instanceof CallRefused) return this.#refuse(commit, error)
    const isRepeated = isConstraint(error)
    if (!isRepeated && storageFailure(error) !== undefined) return undefined
    // Anything else is a fault of the program, met with this commit; it must not become the fate of all.
    const message = isRepeated ? 'the log holds this already' : 'the log cannot take this'
    return this.#refuse(commit, new CapFenceError('RECORD_INVALID', message, { cause: error }))
  }

  /** Those that can go again. */
  withoutRefused(commits: readonly PendingCommit[]): readonly PendingCommit[] {
    return commits.filter((commit) => !this.#refused.has(commit))
  }

  #storeOne(commit: PendingCommit): void {
    const transaction = this.#transaction
    let effects: Effects<unknown>
    try {
      effects = commit.decide(this.#here.view(transaction.view(this.#place.nowMs)))
    } catch (error) {
      this.#here.requireAll()
      // What the view could not read is the database's fault, whatever `decide` makes of it.
      if (storageFailure(error) !== undefined) throw error
      this.#refuse(commit, error)
      return
    }
    this.#here.requireAll(effects)
    try {
      transaction.store(effects, this.#place)
    } catch (error) {
      if (!(error instanceof CapFenceError) || error instanceof CallRefused) throw error
      this.#refuse(commit, error)
    }
  }

  #refuse(commit: PendingCommit, error: unknown): PendingCommit {
    this.#refused.add(commit)
    commit.refuse(error)
    return commit
  }
}

/** The record of an outage that has ended, if there was one. */
export function gapRecords(
  gap: AuditGapFacts | undefined,
): readonly ReturnType<typeof auditGapRecord>[] {
  return gap === undefined ? [] : [auditGapRecord(gap)]
}

/** A fault of the program that no commit is to blame for stops the log like one of the disk: unsure means no. */
export function failureOf(error: unknown): StorageFailure {
  const what = error instanceof Error ? error.message : String(error)
  if (error instanceof CapFenceError && error.code === 'AUDIT_UNAVAILABLE') {
    return { reason: 'key', what, cause: error, hint: error.hint }
  }
  return storageFailure(error) ?? { reason: 'damaged', what, cause: error }
}
