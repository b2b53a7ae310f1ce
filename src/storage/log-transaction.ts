import type Database from 'better-sqlite3'
import type { RotationReason } from '../audit/log-drafts.ts'
import type { RecordData } from '../audit/record.ts'
import { isTreeHead, rootOf } from '../audit/tree.ts'
import type { TreeHead } from '../audit/tree.ts'
import { noLeaf } from '../audit/codec.ts'
import { CapFenceError } from '../errors.ts'
import type { Effects, SignedHead, StoredPolicy, StoreView } from '../runtime/store.ts'
import { printApprovalRequest } from './approval-row.ts'
import { ApprovalRows } from './approval-rows.ts'
import { ChargeRows } from './charge-rows.ts'
import { CheckpointRows } from './checkpoint-rows.ts'
import { disclosureRows } from './disclosure-row.ts'
import { ErasureRows } from './erasure-rows.ts'
import { FactTables } from './fact-tables.ts'
import { CallRefused } from './call-refused.ts'
import { corrupt } from './failure.ts'
import { GrantRows } from './grant-rows.ts'
import type { GrantMark } from './grant-rows.ts'
import { frontierBytes, nodeBuffer, parseTree } from './head-row.ts'
import {
  logStart,
  placeRecords,
  type LogEnd,
  type PlacedRecord,
  type WriterPlace,
} from './log-end.ts'
import { LabelRows } from './label-rows.ts'
import type { LogSigner } from './log-signer.ts'
import { StateSeal } from './state-seal.ts'
import type { SealedRow } from './state-seal.ts'
import type { RebuiltState } from './state-rebuild.ts'
import { prepareStatements } from './log-statements.ts'
import type { HeadRow, SignedHeadRow, Statements } from './log-statements.ts'

/** How often rows of limits and labels are all looked at while others write, milliseconds. */
const stateCheckEveryMs = 1000

/**
 * What happens between BEGIN and COMMIT: reads where the log stands, appends to it, writes and signs where it stands then.
 *
 * Everything here expects an open write transaction. Whoever rolls it back calls `rolledBack`, whoever commits it
 * `committed`, so that the remembered end is never one that does not stand in the database.
 */
export class LogTransaction {
  readonly #statements: Statements
  readonly #version: () => number | undefined
  readonly #signer: LogSigner
  readonly #charges: ChargeRows
  readonly #labels: LabelRows
  readonly #facts: FactTables
  readonly #checkpoints: CheckpointRows
  readonly #approvals: ApprovalRows
  readonly #erasures: ErasureRows
  readonly #grants: GrantRows
  readonly #seal: StateSeal
  /** As of the last commit of this writer. */
  #knownSum: Buffer
  #knownGrants: GrantMark
  #dataVersion: number | undefined
  /** When every row of the state was last looked at, on a clock of its own. */
  #stateSeenMs = -Infinity
  /** As of the last commit of this writer. */
  #known: LogEnd = logStart
  #end: LogEnd = logStart
  #beginSize = 0
  #othersWrote = false
  #keepsCheckpoint = false

  /** @param version changes whenever somebody else has written; SQLite's own when absent */
  constructor(db: Database.Database, signer: LogSigner, version?: () => number) {
    this.#statements = prepareStatements(db)
    this.#version = version ?? (() => this.#statements.dataVersion.get())
    this.#signer = signer
    this.#seal = new StateSeal(signer.stateKey())
    this.#knownSum = this.#seal.sum
    this.#charges = new ChargeRows(db, this.#seal)
    this.#labels = new LabelRows(db, this.#seal)
    this.#facts = new FactTables(db)
    this.#checkpoints = new CheckpointRows(db)
    this.#approvals = new ApprovalRows(db)
    this.#erasures = new ErasureRows(db)
    this.#grants = new GrantRows(db, signer.grantKey())
    this.#knownGrants = this.#grants.mark
  }

  /**
   * Reads where the log stands, because other writers may have appended.
   *
   * @throws CapFenceError `AUDIT_CORRUPT` when head and records do not agree, or the head is not signed by this log's keys;
   *   `AUDIT_UNAVAILABLE` when others have begun an epoch whose key cannot be used
   */
  begin(): void {
    if (!this.beginWithState()) throw stateChanged()
  }

  /**
   * The same, and looks whether the rows of limits and labels are those that this log's writers left.
   *
   * @returns false when they are not: then nothing may be decided on them
   */
  beginWithState(): boolean {
    const row = this.#headRow()
    const isKnown =
      row.size === this.#known.tree.size &&
      row.size > 0 &&
      row.frontier.equals(frontierBytes(this.#known.tree))
    this.#othersWrote = !isKnown
    this.#start(isKnown ? this.#known : { ...this.#readSigned(row), wn: this.#known.wn })
    const version = this.#version()
    const isSound = this.#hasSoundState(isKnown, version === this.#dataVersion)
    // What was found unsound is looked at again by the next one, and the one after that.
    this.#dataVersion = isSound ? version : undefined
    return isSound
  }

  /** Begins in a log that has no signed head because it never had keys. */
  beginUnsigned(): void {
    const row = this.#headRow()
    const { root } = this.#rootRow()
    this.#start({ ...this.#read(row, root), wn: 0 })
  }

  /** Puts what follows from the log in the place of the rows of limits and labels. */
  replaceState({ charges, labels, grants }: RebuiltState): void {
    // Each row that goes is counted out of a sum that holds it.
    this.#seal.sum = this.#seal.sumOf(this.#stateRows())
    this.#charges.replace(charges)
    this.#labels.replace(labels)
    this.#grants.replace(grants)
  }

  /** Starts an empty log: without records, but with a head. */
  create(): void {
    this.#statements.createHead.run(nodeBuffer(rootOf(logStart.tree)))
    this.#start(logStart)
  }

  /** Whether other writers had appended when it began. */
  get othersWrote(): boolean {
    return this.#othersWrote
  }

  /** The tree as it stands now. */
  get head(): { readonly size: number; readonly root: string } {
    const { tree } = this.#end
    return { size: tree.size, root: rootOf(tree) }
  }

  /** The seq of the next record. */
  get nextSeq(): number {
    return this.#end.tree.size
  }

  /** The state for the next commit to decide on, with everything that was stored before it in this transaction. */
  view(nowMs: number): StoreView {
    return {
      nowMs,
      nextSeq: this.nextSeq,
      log: this.#signer.origin,
      grants: () => this.#grants.active(),
      grant: (id) => this.#grants.ofId(id),
      approvals: (bindingDigest) => this.#approvals.ofCall(bindingDigest, nowMs),
      approval: (id) => this.#approvals.ofId(id, nowMs),
      kept: (seq) => this.#erasures.kept(seq),
      lapsedApprovals: (count) => this.#approvals.lapsed(nowMs, count),
      charges: (pot, sinceMs) => this.#charges.charges(pot, sinceMs),
      label: (asked) => this.#labels.find(asked, nowMs),
      recorded: this.#facts,
    }
  }

  /**
   * Stores the effects of one commit.
   *
   * @throws CapFenceError `RECORD_INVALID` when they cannot be stored; nothing has been written then, unless
   *   a statement was refused (`isConstraint`, `CallRefused`): then the transaction must be rolled back
   */
  store(effects: Effects<unknown>, at: WriterPlace): void {
    const { records, rounds, end } = placeRecords(effects.records, this.#end, at)
    const disclosures = disclosureRows(effects.disclosures ?? [], records)
    if (effects.keepsCheckpoint === true) this.keepCheckpoint()
    const requests = effects.approvalRequests ?? []
    for (const request of requests) printApprovalRequest(request)
    const erasures = this.#erasures.plan(effects.erased ?? [])
    this.#storeState(effects, at.nowMs)
    for (const record of records) this.#insertRecord(record, at.nowMs)
    for (const { seq, encoded } of disclosures) this.#statements.insertDisclosures.run(seq, encoded)
    for (const request of requests) this.#approvals.ask(request)
    for (const policy of effects.policies ?? []) this.#insertPolicy(policy)
    this.#erasures.apply(erasures)
    for (const { approval } of erasures) if (approval !== undefined) this.#approvals.blank(approval)
    for (const tree of rounds) this.#keep(tree.size, this.#sign(tree))
    this.#end = end
  }

  #storeState({ charges = [], labels = [], returned }: Effects<unknown>, nowMs: number): void {
    if (returned !== undefined) this.#charges.giveBack(returned)
    if (charges.length > 0) this.#charges.add(charges, nowMs)
    if (labels.length > 0) this.#labels.add(labels, nowMs)
    this.#grants.noteTime(nowMs)
  }

  /**
   * Begins a new epoch of keys; the last that happens in a transaction, which must survive a power cut: the old key is
   * erased after it.
   */
  rotate(reason: RotationReason, at: WriterPlace): void {
    const place = { seq: this.nextSeq, nowMs: at.nowMs }
    this.store({ records: [this.#signer.rotate(reason, place)], result: undefined }, at)
    this.keepCheckpoint()
  }

  /** Whether the keys have signed for as long as an epoch may last. */
  isEpochOld(nowMs: number): boolean {
    return this.#signer.isOld(nowMs)
  }

  /** The head of this transaction becomes a checkpoint that is kept. */
  keepCheckpoint(): void {
    this.#keepsCheckpoint = true
  }

  /**
   * Writes and signs where the log stands now; the last step before COMMIT.
   *
   * @returns what was written; undefined when there was nothing to write
   */
  finish(): SignedHead | undefined {
    const { tree } = this.#end
    if (tree.size === this.#beginSize) {
      this.#finishState()
      return this.#keepsCheckpoint ? this.#keepHead() : undefined
    }
    const root = rootOf(tree)
    const note = this.#signer.sign({ size: tree.size, root })
    this.#statements.updateHead.run(
      tree.size,
      nodeBuffer(root),
      frontierBytes(tree),
      note,
      this.#seal.print(tree.size),
      this.#grants.print(tree.size),
    )
    if (this.#keepsCheckpoint) this.#keep(tree.size, note)
    return { size: tree.size, root, note }
  }

  #keepHead(): SignedHead | undefined {
    const { size } = this.#headRow()
    const { root, note } = this.#rootRow()
    return note === null ? undefined : { size, root, note: this.#checkpoints.keep(size, note) }
  }

  /** What changes nothing but the state, such as what a call gives back, adds no record. */
  #finishState(): void {
    if (this.#seal.sum.equals(this.#knownSum)) return
    this.#statements.updateState.run(this.#seal.print(this.#beginSize))
  }

  committed(): void {
    this.#known = this.#end
    this.#signer.committed()
    this.#knownSum = this.#seal.sum
    this.#knownGrants = this.#grants.mark
  }

  /** What this writer counts next, where it turned out that what it had rolled back here is stored. */
  resume(wn: number): void {
    this.#known = { ...this.#known, wn }
  }

  /** What this writer counts next. */
  get wn(): number {
    return this.#end.wn
  }

  rolledBack(): void {
    this.#end = this.#known
    this.#signer.rolledBack()
    this.#seal.sum = this.#knownSum
    this.#grants.mark = this.#knownGrants
  }

  #start(end: LogEnd): void {
    this.#end = end
    this.#beginSize = end.tree.size
    this.#keepsCheckpoint = false
  }

  /**
   * Whatever another connection has written is looked at: its seal always, every row at once if no record came with it,
   * else once in a while, because writers that share a log write all the time.
   */
  #hasSoundState(isKnown: boolean, isAlone: boolean): boolean {
    if (isKnown && isAlone) {
      this.#seal.sum = this.#knownSum
      this.#grants.mark = this.#knownGrants
      return true
    }
    const { state, grants } = this.#rootRow()
    if (!this.#seal.accept(state, this.#beginSize)) return false
    if (!this.#grants.accept(grants, this.#beginSize)) return false
    const nowMs = performance.now()
    if (!isKnown && nowMs - this.#stateSeenMs < stateCheckEveryMs) return true
    const isSound = this.#seal.sumOf(this.#stateRows()).equals(this.#seal.sum)
    this.#stateSeenMs = isSound ? nowMs : -Infinity
    return isSound
  }

  *#stateRows(): Iterable<SealedRow> {
    yield* this.#charges.sealed()
    yield* this.#labels.sealed()
  }

  #sign(tree: TreeHead): string {
    return this.#signer.sign({ size: tree.size, root: rootOf(tree) })
  }

  #keep(size: number, note: string): void {
    this.#statements.keepCheckpoint.run(size, note)
  }

  #headRow(): HeadRow {
    const row = this.#statements.head.get()
    if (row === undefined) throw corrupt('its head is missing')
    return row
  }

  #rootRow(): Omit<SignedHeadRow, 'root'> & { readonly root: string } {
    const row = this.#statements.signedHead.get()
    if (row === undefined) throw corrupt('its head is missing')
    return { ...row, root: row.root.toString('hex') }
  }

  #readSigned(row: HeadRow): Omit<LogEnd, 'wn'> {
    const { root, note } = this.#rootRow()
    const end = this.#read(row, root)
    if (note === null) throw corrupt('its head is not signed')
    this.#signer.accept(note, { size: end.tree.size, root })
    return end
  }

  #read(row: HeadRow, root: string): Omit<LogEnd, 'wn'> {
    const tree = parseTree(row)
    if (!isTreeHead(tree) || rootOf(tree) !== root) throw corrupt('its head is damaged')
    const last = this.#statements.lastLeaf.get()
    if ((last?.seq ?? -1) !== tree.size - 1) {
      throw corrupt(
        `its head counts ${tree.size} records, the last one is ${last?.seq ?? 'missing'}`,
      )
    }
    return { tree, prev: last === undefined ? noLeaf : last.leaf.toString('hex') }
  }

  #insertRecord({ seq, leaf, body, draft }: PlacedRecord, nowMs: number): void {
    this.#statements.insertRecord.run(seq, nodeBuffer(leaf), body)
    if (draft.type === 'decision' && !this.#opensCall(draft.data, seq))
      throw new CallRefused('decided')
    if (draft.type === 'outcome' && !this.#closesCall(draft.data, seq))
      throw new CallRefused('open')
    this.#facts.note(draft)
    this.#approvals.note(draft, seq)
    this.#grants.note(draft, seq, nowMs)
  }

  /** @returns false when the call was decided before */
  #opensCall({ call, forwarded }: RecordData, seq: number): boolean {
    const { openCall, blockCall } = this.#statements
    return (forwarded === true ? openCall : blockCall).run({ call, seq }).changes === 1
  }

  /** @returns false when no call waits for this outcome */
  #closesCall({ call, decision_seq: decisionSeq, status }: RecordData, seq: number): boolean {
    const { loseCall, closeCall, settleCall } = this.#statements
    if (typeof decisionSeq === 'number') this.#charges.settle(decisionSeq)
    if (status === 'unknown') return loseCall.run({ call, decisionSeq, seq }).changes === 1
    if (closeCall.run({ call, decisionSeq }).changes === 0) return false
    settleCall.run({ call, decisionSeq, seq })
    return true
  }

  #insertPolicy({ hash, files }: StoredPolicy): void {
    for (const [position, { path, bytes }] of files.entries()) {
      this.#statements.insertPolicy.run(hash, position, path, bytes)
    }
  }
}

function stateChanged(): CapFenceError {
  return new CapFenceError(
    'AUDIT_CORRUPT',
    'the limits, labels and grants in the audit log are not those that its writers left',
    {
      hint: 'start the gate again: it rebuilds them from the records; and find out who changed the file',
    },
  )
}
