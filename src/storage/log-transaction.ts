import type Database from 'better-sqlite3'
import type { ApprovalRequest } from '../approval/request.ts'
import type { RecordData } from '../audit/record.ts'
import { isTreeHead, rootOf } from '../audit/tree.ts'
import type { TreeHead } from '../audit/tree.ts'
import { noLeaf } from '../audit/codec.ts'
import { CapFenceError } from '../errors.ts'
import type { Effects, StoredPolicy, StoreView } from '../runtime/store.ts'
import { parseApprovalRequest, printApprovalRequest } from './approval-row.ts'
import { ChargeRows } from './charge-rows.ts'
import { disclosureRows } from './disclosure-row.ts'
import { FactTables } from './fact-tables.ts'
import {
  logStart,
  placeRecords,
  type LogEnd,
  type PlacedRecord,
  type WriterPlace,
} from './log-end.ts'
import { LabelRows } from './label-rows.ts'

interface HeadRow {
  readonly size: number
  readonly root: Buffer
  readonly frontier: Buffer
}

/**
 * What happens between BEGIN and COMMIT: reads where the log stands, appends to it, writes where it stands then.
 *
 * Everything here expects an open write transaction. Whoever rolls it back calls `rolledBack`, whoever commits it
 * `committed`, so that the remembered end is never one that does not stand in the database.
 */
export class LogTransaction {
  readonly #statements: Statements
  readonly #charges: ChargeRows
  readonly #labels: LabelRows
  readonly #facts: FactTables
  /** As of the last commit of this writer. */
  #known: LogEnd = logStart
  #end: LogEnd = logStart
  #othersWrote = false

  constructor(db: Database.Database) {
    this.#statements = prepareStatements(db)
    this.#charges = new ChargeRows(db)
    this.#labels = new LabelRows(db)
    this.#facts = new FactTables(db)
  }

  /**
   * Reads where the log stands, because other writers may have appended.
   *
   * @throws CapFenceError `AUDIT_CORRUPT` when head and records do not agree
   */
  begin(): void {
    const row = this.#statements.head.get()
    if (row === undefined) throw corrupt('its head is missing')
    const known =
      row.size === this.#known.tree.size && row.frontier.equals(frontierBytes(this.#known.tree))
    this.#othersWrote = !known
    this.#end = known ? this.#known : { ...this.#read(row), wn: this.#known.wn }
  }

  /** Starts an empty log: without records, but with a head. */
  create(): void {
    this.#end = logStart
    this.#statements.createHead.run(nodeBuffer(rootOf(logStart.tree)))
  }

  /** Whether other writers had appended when it began. */
  get othersWrote(): boolean {
    return this.#othersWrote
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
      pendingApproval: (bindingDigest) => this.#pendingApproval(bindingDigest, nowMs),
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
    const { records, end } = placeRecords(effects.records, this.#end, at)
    const disclosures = disclosureRows(effects.disclosures ?? [], records)
    const requests = (effects.approvalRequests ?? []).map((request) => ({
      request,
      json: printApprovalRequest(request),
    }))
    this.#storeState(effects, at.nowMs)
    for (const record of records) this.#insertRecord(record)
    for (const { seq, encoded } of disclosures) this.#statements.insertDisclosures.run(seq, encoded)
    for (const { request, json } of requests) this.#insertRequest(request, json)
    for (const policy of effects.policies ?? []) this.#insertPolicy(policy)
    this.#end = end
  }

  #storeState({ charges = [], labels = [], returned }: Effects<unknown>, nowMs: number): void {
    if (returned !== undefined) this.#charges.giveBack(returned)
    if (charges.length > 0) this.#charges.add(charges, nowMs)
    if (labels.length > 0) this.#labels.add(labels, nowMs)
  }

  /** Writes where the log stands now; the last step before COMMIT. */
  finish(): void {
    const { tree } = this.#end
    if (tree.size === this.#known.tree.size) return
    this.#statements.updateHead.run(tree.size, nodeBuffer(rootOf(tree)), frontierBytes(tree))
  }

  committed(): void {
    this.#known = this.#end
  }

  rolledBack(): void {
    this.#end = this.#known
  }

  #read(row: HeadRow): Omit<LogEnd, 'wn'> {
    const tree = parseTree(row)
    if (!isTreeHead(tree) || rootOf(tree) !== row.root.toString('hex'))
      throw corrupt('its head is damaged')
    const last = this.#statements.lastLeaf.get()
    if ((last?.seq ?? -1) !== tree.size - 1) {
      throw corrupt(
        `its head counts ${tree.size} records, the last one is ${last?.seq ?? 'missing'}`,
      )
    }
    return { tree, prev: last === undefined ? noLeaf : last.leaf.toString('hex') }
  }

  #pendingApproval(bindingDigest: string, nowMs: number): ApprovalRequest | undefined {
    const json = this.#statements.pendingApproval.get(bindingDigest, nowMs)
    return json === undefined ? undefined : parseApprovalRequest(json, nowMs)
  }

  #insertRecord({ seq, leaf, body, draft }: PlacedRecord): void {
    this.#statements.insertRecord.run(seq, nodeBuffer(leaf), body)
    if (draft.type === 'decision' && !this.#opensCall(draft.data, seq))
      throw new CallRefused('decided')
    if (draft.type === 'outcome' && !this.#closesCall(draft.data, seq))
      throw new CallRefused('open')
    this.#facts.note(draft)
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

  #insertRequest(request: ApprovalRequest, json: string): void {
    const { id, bindingDigest, requestedAtMs, expiresAtMs, decisionSeq } = request
    this.#statements.insertRequest.run(
      id,
      bindingDigest,
      requestedAtMs,
      expiresAtMs,
      decisionSeq,
      json,
    )
  }

  #insertPolicy({ hash, files }: StoredPolicy): void {
    for (const [position, { path, bytes }] of files.entries()) {
      this.#statements.insertPolicy.run(hash, position, path, bytes)
    }
  }
}

/** A record that does not follow from the log; found when it has been written already. */
export class CallRefused extends CapFenceError {
  constructor(why: 'decided' | 'open') {
    super(
      'RECORD_INVALID',
      why === 'decided'
        ? 'a decision on a call that was decided before'
        : 'an outcome without a forwarded decision that waits for it',
    )
  }
}

type Statements = ReturnType<typeof prepareStatements>

function prepareStatements(db: Database.Database): {
  readonly head: Database.Statement<[], HeadRow>
  readonly lastLeaf: Database.Statement<[], { readonly seq: number; readonly leaf: Buffer }>
  readonly createHead: Database.Statement<[Buffer]>
  readonly updateHead: Database.Statement<[number, Buffer, Buffer]>
  readonly insertRecord: Database.Statement<[number, Buffer, Uint8Array]>
  readonly openCall: Database.Statement<[object]>
  readonly blockCall: Database.Statement<[object]>
  readonly loseCall: Database.Statement<[object]>
  readonly closeCall: Database.Statement<[object]>
  readonly settleCall: Database.Statement<[object]>
  readonly insertDisclosures: Database.Statement<[number, string]>
  readonly insertRequest: Database.Statement<[string, string, number, number, number, string]>
  readonly pendingApproval: Database.Statement<[string, number], string>
  readonly insertPolicy: Database.Statement<[string, number, string, Uint8Array]>
} {
  return {
    head: db.prepare('SELECT size, root, frontier FROM head WHERE id = 1'),
    lastLeaf: db.prepare('SELECT seq, leaf FROM records ORDER BY seq DESC LIMIT 1'),
    createHead: db.prepare(`INSERT INTO head (id, size, root, frontier) VALUES (1, 0, ?, x'')`),
    updateHead: db.prepare(
      'UPDATE head SET size = ?, root = ?, frontier = ?, note = NULL WHERE id = 1',
    ),
    insertRecord: db.prepare('INSERT INTO records (seq, leaf, body) VALUES (?, ?, ?)'),
    openCall: db.prepare(
      `INSERT INTO open_calls (call, decision_seq)
       SELECT $call, $seq WHERE NOT EXISTS (SELECT 1 FROM calls WHERE call = $call)`,
    ),
    blockCall: db.prepare(
      `INSERT INTO calls (call, decision_seq)
       SELECT $call, $seq WHERE NOT EXISTS (SELECT 1 FROM open_calls WHERE call = $call)`,
    ),
    // A call whose outcome was recorded as unknown may still get the true one, but not a second unknown.
    loseCall: db.prepare(
      `UPDATE open_calls SET unknown_seq = $seq
       WHERE call = $call AND decision_seq = $decisionSeq AND unknown_seq IS NULL`,
    ),
    closeCall: db.prepare(
      'DELETE FROM open_calls WHERE call = $call AND decision_seq = $decisionSeq',
    ),
    settleCall: db.prepare(
      'INSERT INTO calls (call, decision_seq, outcome_seq) VALUES ($call, $decisionSeq, $seq)',
    ),
    insertDisclosures: db.prepare('INSERT INTO disclosures (seq, encoded) VALUES (?, ?)'),
    insertRequest: db.prepare(
      `INSERT INTO approvals (id, binding_digest, state, requested_ms, expires_ms, decision_seq, request)
       VALUES (?, ?, 'pending', ?, ?, ?, ?)`,
    ),
    pendingApproval: db
      .prepare<[string, number], string>(
        `SELECT request FROM approvals WHERE binding_digest = ? AND state = 'pending' AND expires_ms > ?
         ORDER BY requested_ms LIMIT 1`,
      )
      .pluck(),
    insertPolicy: db.prepare(
      'INSERT INTO policies (hash, position, path, bytes) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    ),
  }
}

function parseTree({ size, frontier }: HeadRow): TreeHead {
  const hex = frontier.toString('hex')
  return { size, frontier: hex.match(/.{1,64}/g) ?? [] }
}

function frontierBytes({ frontier }: TreeHead): Buffer {
  return Buffer.from(frontier.join(''), 'hex')
}

function nodeBuffer(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}

function corrupt(what: string): CapFenceError {
  return new CapFenceError('AUDIT_CORRUPT', `the audit log is damaged: ${what}`, {
    hint: 'keep a copy of the file as it is, and restore the log from a copy that verifies',
  })
}
