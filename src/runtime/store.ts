import type { RecordedGrant } from '../approval/grant-authority.ts'
import type { LapsedApproval, RecordedApproval } from '../approval/recorded.ts'
import type { ApprovalRequest } from '../approval/request.ts'
import type { LogReport } from '../audit/log-report.ts'
import type { VerifyOptions } from '../audit/log-verifier.ts'
import type { LabelState } from '../policy/state.ts'
import type { StoredCharge } from '../policy/usage.ts'
import type {
  Disclosure,
  RecordDraft,
  RecordType,
  StoredRecord,
  StoredRow,
} from '../audit/record.ts'

/** What a decision may look at, as it stands inside the transaction that will store it. */
export interface StoreView {
  /** The clock of this commit, milliseconds since the epoch; recorded, so that replay gives the same answer. */
  readonly nowMs: number
  /** The seq that the first record of this commit will get. */
  readonly nextSeq: number
  /** The origin of the log. */
  readonly log: string
  /** Grants that were not taken back and whose time was not found up, as the log knows them. */
  grants(): readonly RecordedGrant[]
  /** The grant of an id, whatever became of it. */
  grant(id: string): RecordedGrant | undefined
  /** Requests about exactly this call that still wait, are approved or denied, as the log knows them. */
  approvals(bindingDigest: string): readonly RecordedApproval[]
  /** The request of an id, as the log knows it. */
  approval(id: string): RecordedApproval | undefined
  /** A record with everything that its digests stand for and that is still there; undefined when there is none. */
  kept(seq: number): KeptRecord | undefined
  /** Requests and approvals whose time is up and that no record says so of; at most `count`. */
  lapsedApprovals(count: number): readonly LapsedApproval[]
  /** What was charged to a pot after a time, oldest first; undefined when it is more than is added up. */
  charges(pot: string, sinceMs: number): readonly StoredCharge[] | undefined
  /** Whether a session has a label now. */
  label(asked: LabelQuestion): LabelState
  readonly recorded: RecordedFacts
}

/** A record and what it discloses. */
export interface KeptRecord {
  readonly record: StoredRecord
  readonly disclosures: readonly Disclosure[]
}

/** Disclosures that go; a record of the same commit accounts for them. */
export interface Erasure {
  readonly seq: number
  readonly digests: readonly string[]
  /** The approval that the record is about, whose row says as much as the disclosures do; nobody can use it any more. */
  readonly approval: string | undefined
}

/** A label of a session. */
export interface LabelQuestion {
  readonly subject: string
  readonly label: string
  /** What it must be about: this, or, for a label about any value, nothing. Any when undefined. */
  readonly bind: string | undefined
}

/** What a call that is forwarded takes out of a pot, until it is given back or the window has passed. */
export interface Charge {
  readonly pot: string
  /** An exact decimal that is not negative. */
  readonly amount: string
  readonly atMs: number
  readonly expiresAtMs: number
  /** The time over which its limit adds up; the longest and the shortest of several. */
  readonly windowMs: number
  readonly shortestMs: number
  /** The decision that made it; its outcome settles it. */
  readonly decisionSeq: number
}

/** A label that a session has from now on; one that it has already lasts as long as the longer of both says. */
export interface LabelChange {
  readonly subject: string
  readonly label: string
  /** A keyed digest of what it is about; empty for any value. */
  readonly bind: string
  readonly heldUntilMs: number
  /** 0 while it is not proven. */
  readonly provenUntilMs: number
  /** The record because of which it is added. */
  readonly seq: number
}

/** A pot and what it was charged with. */
export interface PotLevel {
  readonly pot: string
  /** Oldest first; those that have expired are left out. */
  readonly charges: readonly (StoredCharge & { readonly expiresAtMs: number })[]
}

/** What records said last, so that several gates on one log do not say it again. */
export interface RecordedFacts {
  /** Undefined when the tool was never recorded. */
  toolDefinition(server: string, tool: string): RecordedTool | undefined
  /** Tools of a server that were not recorded as removed, in the order of their names, at most `count` behind `after`. */
  listedTools(server: string, after: string, count: number): readonly RecordedTool[]
  /** Undefined when no configuration at this path was recorded. */
  configuration(path: string): RecordedConfiguration | undefined
}

/** The last record of a tool. */
export interface RecordedTool {
  readonly tool: string
  /** Hex SHA-256 of its canonical definition, while it was listed. */
  readonly sha256: string
  /** False once it was recorded as removed. */
  readonly isListed: boolean
}

/** The last record of a configuration. */
export interface RecordedConfiguration {
  /** Hex, of its bytes; null when it could not be read. */
  readonly sha256: string | null
}

/** Where the log stood, and its signature on that. */
export interface SignedHead {
  /** Records. */
  readonly size: number
  /** Hex. */
  readonly root: string
  /** The signed checkpoint (`src/audit/checkpoint.ts`). */
  readonly note: string
}

/** What a commit stores: all of it or nothing. */
export interface Effects<T> {
  readonly records: readonly RecordDraft[]
  /** Each belongs to the record of this commit that lists its digest in an `_sd`. */
  readonly disclosures?: readonly Disclosure[]
  readonly approvalRequests?: readonly ApprovalRequest[]
  /** Reserved until the outcome of their decision is stored, which settles them. */
  readonly charges?: readonly Charge[]
  readonly labels?: readonly LabelChange[]
  /** The seq of a decision whose reservations are given back: its call was certainly never sent. */
  readonly returned?: number
  /** Of records of earlier commits. */
  readonly erased?: readonly Erasure[]
  /** Whether the head after this commit becomes a checkpoint that is kept. */
  readonly keepsCheckpoint?: boolean
  /** Policies whose bytes are kept, so that a record can be explained later; known ones cost nothing. */
  readonly policies?: readonly StoredPolicy[]
  /** Handed back to the caller once everything above is durable. */
  readonly result: T
}

/** The exact bytes of a loaded policy, found again by the hash that its decisions carry. */
export interface StoredPolicy {
  /** Hex SHA-256 of the policy, as in `policy_hash` of a decision. */
  readonly hash: string
  /** In the order in which they were loaded. */
  readonly files: readonly StoredPolicyFile[]
}

/** A policy file, byte for byte as it governed. */
export interface StoredPolicyFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/**
 * How much a commit survives: `power` an fsync before it resolves, `process` a kill -9 but not a power cut,
 * `lazy` like `process` but may wait up to 20 ms to share another commit, and joins any earlier one.
 *
 * A lazy commit is for what already happened, such as an outcome: never hold an answer back for it. It rejects like
 * any other when the log cannot be written, and whoever must not lose it keeps it.
 */
export type Durability = 'power' | 'process' | 'lazy'

/** Every field that is set must hold; the first four are fields of decisions, the server and the tool also of `tool.def`. */
export interface DecisionFilter {
  readonly decision?: 'allow' | 'require_approval' | 'deny'
  readonly server?: string
  readonly tool?: string
  readonly actor?: string
  /** Inclusive. */
  readonly fromMs?: number
  /** Exclusive. */
  readonly toMs?: number
}

/** Which part of the log to read, in bounded steps. */
export interface LogQuery extends DecisionFilter {
  /** Only these kinds; all kinds when absent. */
  readonly types?: readonly RecordType[]
  /** `newest` walks backwards, for the tail of a log. */
  readonly order: 'oldest' | 'newest'
  /** The first seq to look at; absent means the end from which `order` starts. */
  readonly from?: number
  /** At most so many records. */
  readonly count: number
}

/** One answer to a query of the log. */
export interface LogPage {
  /** In the order asked for; may be fewer than asked for, even none, while `next` is set. */
  readonly records: readonly StoredRecord[]
  /**
   * Where to go on: the `from` of the next query; null at the end.
   *
   * A query looks at a bounded number of records, so that a filter that matches nothing does not hold up the gate.
   */
  readonly next: number | null
  /** How long the log was: where to look for what comes later, once `next` is null. */
  readonly size: number
}

/** A forwarded call whose outcome is not known. */
export interface Orphan extends StoredRecord {
  /**
   * `in_flight`: its writer still runs; `lost`: its writer is gone and nobody has noted it yet;
   * `unknown`: a later writer found it lost and recorded the outcome `unknown`.
   */
  readonly state: 'in_flight' | 'lost' | 'unknown'
}

/** Questions about the log, for people and commands; nothing here writes. */
export interface LogReader {
  /** How many records there are; also the seq that the next one gets. */
  size(): Promise<number>
  /** Records from `fromSeq` on, oldest first, at most `count`. */
  records(fromSeq: number, count: number): Promise<readonly StoredRecord[]>
  /** The same as stored, undecoded, for a verifier: a damaged record is handed over, not refused. */
  rows(fromSeq: number, count: number): Promise<readonly StoredRow[]>
  find(query: LogQuery): Promise<LogPage>
  /** Forwarded decisions without a known outcome, oldest first: the call may have run. */
  orphans(): Promise<readonly Orphan[]>
  /** The decision and, if there is one, the outcome of a call. */
  call(callId: string): Promise<readonly StoredRecord[]>
  /** What the digests of a record stand for, as far as it was stored and has not been erased. */
  disclosures(seq: number): Promise<readonly Disclosure[]>
  /** The request of an id and what the log says of it; undefined when there is none. */
  approval(id: string): Promise<RecordedApproval | undefined>
  /** Every question for a person, whatever became of it; oldest first. */
  approvalRequests(): Promise<readonly ApprovalRequest[]>
  /** Every grant, whatever became of it, in the order in which they were recorded. */
  grants(): Promise<readonly RecordedGrant[]>
  policy(hash: string): Promise<StoredPolicy | undefined>
  /** Checks the whole log, in one state of it; says what it finds, and does not reject for it. */
  verify(options: VerifyOptions): Promise<LogReport>
  /** What counts for limits and budgets at a time, in the order of the names of their pots. */
  pots(nowMs: number): Promise<readonly PotLevel[]>
  close(): Promise<void>
}

/**
 * Where records, approvals and limits live: one atomic step, `commit`, and read-only questions.
 *
 * Two writers can never build on the same head, because `decide` runs inside the transaction (AUDIT.md, order rule 5).
 */
export interface Store extends LogReader {
  /**
   * Calls `decide` with the current state and stores what it returns in one transaction.
   *
   * Commits that wait at the same time share one transaction and one fsync; each sees the effects of those before it.
   * `decide` may run again when a transaction could not be had, so it must be pure. When it throws, only its own
   * commit rejects, with what it threw.
   *
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when it could not be stored: the caller must not forward;
   *   `RECORD_INVALID` when a record has a wrong shape, outgrows its bound or does not follow from the log
   */
  commit<T>(decide: (view: StoreView) => Effects<T>, durability: Durability): Promise<T>
  /**
   * The newest head that a `power` commit of this process covers: it survives a power cut, so it may be shown outside.
   *
   * Once such a commit that stores something has resolved, the head is that one or a later one.
   *
   * @returns undefined before the first such commit
   */
  syncedHead(): SignedHead | undefined
  /** The key of argument digests (`CallBinding.argumentDigest`): 32 random bytes, made once per database. */
  argumentKey(): Uint8Array
  /** Stores lazy commits, notes the stop and closes; further commits fail closed. */
  close(): Promise<void>
}
