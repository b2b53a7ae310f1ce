import type Database from 'better-sqlite3'
import { bindingDigest, canonicalBinding } from '../approval/call-binding.ts'
import type { LapsedApproval, RecordedAnswer, RecordedApproval } from '../approval/recorded.ts'
import type { ApprovalRequest } from '../approval/request.ts'
import { decodeRecord } from '../audit/codec.ts'
import { isObject } from '../audit/fields.ts'
import type { RecordData, RecordDraft, RecordValue, StoredRecord } from '../audit/record.ts'
import { parseApprovalRequest, printApprovalRequest } from './approval-row.ts'
import { parseDisclosures } from './disclosure-row.ts'

interface ApprovalRow {
  readonly request: string
  readonly state: string
  readonly expiresAtMs: number
}

/** What stands in the place of a digest that was erased. */
const noDigest = '0'.repeat(64)

const columns = 'request, state, expires_ms AS expiresAtMs'

/**
 * Requests and their answers.
 *
 * The rows say where to look and nothing more: what was asked, answered and used is read from the records themselves,
 * from the question to the end of the log, so that no row that is put in, changed, set back or deleted makes an
 * approval (THREATS B37). That is only done for a call that somebody was asked about, and for an answer.
 */
export class ApprovalRows {
  readonly #db: Database.Database
  readonly #ofCall: Database.Statement<[object], ApprovalRow>
  readonly #ofId: Database.Statement<[string], ApprovalRow>
  readonly #all: Database.Statement<[], ApprovalRow>
  readonly #about: Database.Statement<[object], { readonly body: Uint8Array }>
  readonly #latest: Database.Statement<[object], string | null>
  readonly #disclosed: Database.Statement<[number], string>

  constructor(db: Database.Database) {
    this.#db = db
    // Whoever changes a row so that it is not found any more has less authority than before.
    this.#ofCall = db.prepare(
      `SELECT ${columns} FROM approvals
       WHERE binding_digest = $digest AND state IN ('pending', 'approved') AND expires_ms > $nowMs
       UNION ALL
       SELECT ${columns} FROM approvals
       WHERE binding_digest = $digest AND state = 'denied' AND expires_ms > $nowMs`,
    )
    this.#ofId = db.prepare(`SELECT ${columns} FROM approvals WHERE id = ?`)
    this.#all = db.prepare(`SELECT ${columns} FROM approvals ORDER BY requested_ms, id`)
    this.#about = db.prepare(
      `SELECT body FROM records WHERE seq >= $from AND instr(body, CAST($id AS BLOB)) > 0 ORDER BY seq`,
    )
    // `d` stands first in a record and has no member of this name, so that the first place is the record's own.
    this.#latest = db
      .prepare<[object], string | null>(
        `SELECT MAX(CAST(substr(body, instr(body, CAST('","v":' AS BLOB)) - 24, 24) AS TEXT))
         FROM records WHERE seq >= $from`,
      )
      .pluck()
    this.#disclosed = db
      .prepare<[number], string>('SELECT encoded FROM disclosures WHERE seq = ?')
      .pluck()
  }

  /** The requests about a call that can still matter: those that wait or are approved, then denied ones. */
  ofCall(digest: string, nowMs: number): readonly RecordedApproval[] {
    return this.#ofCall.all({ digest, nowMs }).map((row) => this.#recorded(row, nowMs))
  }

  /** The request of an id, whatever has become of it. */
  ofId(id: string, nowMs: number): RecordedApproval | undefined {
    const row = this.#ofId.get(id)
    return row && this.#recorded(row, nowMs)
  }

  /** Every request as its row has it, oldest first. */
  all(nowMs: number): readonly ApprovalRequest[] {
    return this.#all.all().map((row) => requestOf(row, nowMs))
  }

  /** Everything that the log says of a request, from the question on. */
  #recorded(row: ApprovalRow, nowMs: number): RecordedApproval {
    const request = requestOf(row, nowMs)
    const from = request.decisionSeq
    const records = this.#about
      .all({ from, id: request.id })
      .map(({ body }) => decodeRecord(body))
      .filter(({ data }) => data['approval'] === request.id)
    const answers = records.flatMap(answersIn)
    // A question that is asked again and again looks through no more than it must.
    const latest = answers.length === 0 ? nowMs : Date.parse(this.#latest.get({ from }) ?? '')
    return {
      request,
      log: records[0]?.log ?? '',
      isAsked: records.some((record) => this.#asks(record, request)),
      answers,
      useCount: records.filter(({ type }) => type === 'approval.use').length,
      isOver: records.some(({ type }) => type === 'approval.expire'),
      latestMs: Number.isNaN(latest) ? undefined : latest,
    }
  }

  /** Whether a record asks exactly what a row shows: its binding stands, salted, in the record. */
  #asks({ type, seq, data }: StoredRecord, request: ApprovalRequest): boolean {
    if (type !== 'approval.request' || !saysTheSame(data, request)) return false
    const digests = isObject(data['binding']) ? data['binding']['_sd'] : []
    const shown = parseDisclosures(this.#disclosed.get(seq) ?? '')
    return (
      bindingDigest(request.binding) === request.bindingDigest &&
      shown.some(
        ({ digest, encoded }) =>
          Array.isArray(digests) &&
          digests.includes(digest) &&
          Buffer.from(encoded, 'base64url')
            .toString('utf8')
            .endsWith(`,"binding",${canonicalBinding(request.binding)}]`),
      )
    )
  }

  /** Stores a question; its record is stored in the same transaction. */
  ask(request: ApprovalRequest): void {
    const { id, bindingDigest: digest, requestedAtMs, expiresAtMs, decisionSeq } = request
    this.#run(
      `INSERT INTO approvals (id, binding_digest, state, requested_ms, expires_ms, decision_seq, request)
       VALUES (?, ?, 'pending', ?, ?, ?, ?)`,
      [id, digest, requestedAtMs, expiresAtMs, decisionSeq, printApprovalRequest(request)],
    )
  }

  /** Takes in a record that has just been stored; inside its transaction. */
  note({ type, data }: RecordDraft, seq: number): void {
    const verdict = verdicts.get(type)
    const id = data['approval']
    if (verdict !== undefined) this.#answer(verdict, data, seq)
    else if (type === 'approval.expire') this.#become('expired', id)
    else if (type === 'approval.use' && data['uses_left'] === 0) {
      this.#become('used', id)
      this.#run('UPDATE approvals SET used_seq = ? WHERE id = ?', [seq, id])
    }
  }

  #answer(verdict: RecordedAnswer['verdict'], data: RecordData, seq: number): void {
    const { approval: id, approver, envelope, expires_ms: expires } = data
    this.#run(
      `INSERT INTO approval_answers (approval, approver, verdict, seq, envelope)
       VALUES (?, ?, ?, ?, CAST(? AS BLOB))`,
      [id, approver, verdict, seq, envelope],
    )
    // One of several who have to approve changes nothing yet.
    if (verdict !== 'approve' || data['reached'] === true) {
      this.#become(statesAfter[verdict], id, expires)
    }
  }

  /**
   * Takes out of a row what tells which arguments a request was about: keyed digests, and the key is in this file.
   *
   * Only where nothing can come of the request any more: then nobody has to find it by them.
   */
  blank(id: string): void {
    this.#run(
      `UPDATE approvals SET binding_digest = $none,
         request = json_set(request, '$.bindingDigest', $none, '$.binding.argumentDigest', $none)
       WHERE id = $id`,
      [{ none: noDigest, id }],
    )
  }

  /** Requests that still wait, or are approved, and whose time is up; at most `count`. */
  lapsed(nowMs: number, count: number): readonly LapsedApproval[] {
    return this.#db
      .prepare<[number, number], LapsedApproval>(
        `SELECT id, expires_ms AS expiresAtMs FROM approvals
         WHERE state IN ('pending', 'approved') AND expires_ms <= ? LIMIT ?`,
      )
      .all(nowMs, count)
  }

  #become(
    state: ApprovalRequest['state'],
    id: RecordValue | undefined,
    expires?: RecordValue,
  ): void {
    this.#run('UPDATE approvals SET state = ?, expires_ms = coalesce(?, expires_ms) WHERE id = ?', [
      state,
      expires ?? null,
      id,
    ])
  }

  #run(sql: string, values: readonly unknown[]): void {
    this.#db.prepare(sql).run(...values)
  }
}

function requestOf({ request, state, expiresAtMs }: ApprovalRow, nowMs: number): ApprovalRequest {
  return parseApprovalRequest(request, { state, expiresAtMs, nowMs })
}

function saysTheSame(data: RecordData, request: ApprovalRequest): boolean {
  const { terms } = request
  const asked = data['terms']
  return (
    data['nonce'] === request.nonce &&
    data['requested_ms'] === request.requestedAtMs &&
    data['expires_ms'] === request.expiresAtMs &&
    data['decision_seq'] === request.decisionSeq &&
    data['message'] === request.message &&
    JSON.stringify(data['rules']) === JSON.stringify(request.rules) &&
    (asked === undefined ||
      (isObject(asked) &&
        asked['presence'] === terms.presence &&
        asked['quorum'] === terms.quorum &&
        asked['uses'] === terms.uses))
  )
}

const verdicts: ReadonlyMap<string, RecordedAnswer['verdict']> = new Map([
  ['approval.grant', 'approve'],
  ['approval.deny', 'deny'],
  ['approval.revoke', 'revoke'],
])

const statesAfter = { approve: 'approved', deny: 'denied', revoke: 'revoked' } as const

function answersIn({ type, seq, ts, data }: StoredRecord): readonly RecordedAnswer[] {
  const verdict = verdicts.get(type)
  const { envelope, approver } = data
  if (verdict === undefined || typeof envelope !== 'string' || typeof approver !== 'string')
    return []
  return [{ verdict, seq, atMs: Date.parse(ts), approver, envelope }]
}
