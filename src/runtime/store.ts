import type { ApprovalRequest } from '../approval/request.ts'
import type { Disclosure, RecordDraft, StoredRecord } from '../audit/record.ts'

/** What a decision may look at, as it stands inside the transaction that will store it. */
export interface StoreView {
  /** The clock of this commit, milliseconds since the epoch; recorded, so that replay gives the same answer. */
  readonly nowMs: number
  /** The seq that the first record of this commit will get. */
  readonly nextSeq: number
  /** The request for exactly this call that is pending and not expired. */
  pendingApproval(bindingDigest: string): ApprovalRequest | undefined
}

/** What a commit stores: all of it or nothing. */
export interface Effects<T> {
  readonly records: readonly RecordDraft[]
  readonly disclosures?: readonly Disclosure[]
  readonly approvalRequests?: readonly ApprovalRequest[]
  /** Handed back to the caller once everything above is durable. */
  readonly result: T
}

/**
 * How much a commit survives: `power` an fsync before it resolves, `process` a kill -9 but not a power cut,
 * `lazy` like `process` but may wait up to 20 ms to share another commit.
 */
export type Durability = 'power' | 'process' | 'lazy'

export interface DecisionFilter {
  readonly decision?: 'allow' | 'require_approval' | 'deny'
  readonly server?: string
  readonly tool?: string
  readonly actor?: string
  readonly fromMs?: number
  readonly toMs?: number
}

/**
 * Where records, approvals and limits live: one atomic step, `commit`, and read-only questions.
 *
 * Two writers can never build on the same head, because `decide` runs inside the transaction (AUDIT.md, order rule 5).
 */
export interface Store {
  /**
   * Calls `decide` with the current state and stores what it returns in one transaction.
   *
   * Commits that wait at the same time share one transaction and one fsync; each sees the effects of those before it.
   * `decide` may run again when a transaction could not be had, so it must be pure.
   *
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when it could not be stored: the caller must not forward
   */
  commit<T>(decide: (view: StoreView) => Effects<T>, durability: Durability): Promise<T>
  /** Records from `fromSeq` on, oldest first, at most `count`. */
  records(fromSeq: number, count: number): readonly StoredRecord[]
  /** Decisions without an outcome, oldest first: the call may have run. */
  orphans(): readonly StoredRecord[]
  /** The decision and, if there is one, the outcome of a call. */
  call(callId: string): readonly StoredRecord[]
  /** What a digest of a record stands for, when it has not been erased. */
  disclosure(digest: string): Disclosure | undefined
  approvalRequests(): readonly ApprovalRequest[]
  /** How many records there are. */
  size(): number
  /** Flushes lazy commits and closes; further commits fail closed. */
  close(): Promise<void>
}
