import type Database from 'better-sqlite3'
import { decodeRecord, leafHash } from '../audit/codec.ts'
import type { StoredRecord } from '../audit/record.ts'
import { parseAccount, stateDigest } from '../audit/state-account.ts'
import type { StateAccount } from '../audit/state-account.ts'
import { appendLeaf, emptyTree, rootOf } from '../audit/tree.ts'
import { sessionSubject } from '../runtime/decide-state.ts'
import type { LabelChange } from '../runtime/store.ts'
import { GrantTrail } from './grant-trail.ts'
import type { GrantState } from './grant-rows.ts'
import { parseDisclosures } from './disclosure-row.ts'
import { corrupt } from './failure.ts'

/** A charge as it stands in its table. */
export interface RebuiltCharge {
  readonly pot: string
  readonly at_ms: number
  readonly decision_seq: number
  readonly amount: string
  readonly expires_ms: number
}

/** What limits, labels and grants stand at, as it follows from the log alone. */
export interface RebuiltState {
  readonly charges: readonly RebuiltCharge[]
  readonly labels: readonly LabelChange[]
  readonly grants: GrantState
}

/**
 * Works out what limits, labels and grants stand at, from the records and what they disclose (THREATS B37).
 *
 * What can only be known of the table is left out in the safe direction: every charge counts as settled, and no label as
 * proven, so that evidence has to be given again.
 *
 * What was redacted had ended when it was erased, so that nothing is missing without it.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` when the records do not give the signed root, or what a record says of the state is
 *   gone and no redaction accounts for it: then nobody knows what was spent
 */
export function rebuildState(db: Database.Database, nowMs: number): RebuiltState {
  const decisions: StoredRecord[] = []
  const returned = new Set<number>()
  const redacted = new Set<string>()
  const grants = new GrantTrail()
  for (const record of stateRecords(db, grants)) {
    for (const digest of redactedBy(record)) redacted.add(digest)
    if (changesState(record)) decisions.push(record)
    const { decision_seq: seq, sent } = record.data
    if (record.type === 'outcome' && sent === false && typeof seq === 'number') returned.add(seq)
  }
  const disclosed = db
    .prepare<[number], string>('SELECT encoded FROM disclosures WHERE seq = ?')
    .pluck()
  const charges: RebuiltCharge[] = []
  const labels: LabelChange[] = []
  for (const record of decisions) {
    const account = accountOf(record, disclosed.get(record.seq) ?? '', redacted)
    if (account === undefined) continue
    const { charged, added } = account
    const at = { at_ms: Date.parse(record.ts), decision_seq: record.seq }
    if (!returned.has(record.seq)) charges.push(...charged.map((one) => ({ ...at, ...one })))
    labels.push(...added.map((one) => labelOf(one, record)))
  }
  return {
    charges: charges.filter(({ expires_ms }) => expires_ms > nowMs),
    labels: labels.filter(({ heldUntilMs }) => heldUntilMs > nowMs),
    grants: grants.state,
  }
}

/** What the records have in them that say something of the state; others may have it too. */
const tellTales = ['"state":', '"sent":false', '"t":"redact"']

/** The records that say something of the state; every record is read, because only all of them give the root. */
function* stateRecords(db: Database.Database, grants: GrantTrail): Iterable<StoredRecord> {
  const rows = db.prepare<[], Buffer>('SELECT body FROM records ORDER BY seq').pluck()
  let tree = emptyTree
  for (const body of rows.iterate()) {
    tree = appendLeaf(tree, leafHash(body))
    grants.note(body)
    if (tellTales.some((tale) => body.includes(tale))) yield decodeRecord(body)
  }
  const root = db.prepare<[], Buffer>('SELECT root FROM head').pluck().get()
  if (root?.toString('hex') !== rootOf(tree))
    throw corrupt('its records do not give the signed root')
}

function changesState({ type, data }: StoredRecord): boolean {
  return type === 'state.carry' || (type === 'decision' && data['forwarded'] === true)
}

function redactedBy({ type, data }: StoredRecord): readonly string[] {
  const digests: unknown = type === 'redact' ? data['digests'] : undefined
  return Array.isArray(digests) ? digests.filter((digest) => typeof digest === 'string') : []
}

/** Undefined when the record says nothing of the state, or nothing that still counts. */
function accountOf(
  { seq, data }: StoredRecord,
  encoded: string,
  redacted: ReadonlySet<string>,
): StateAccount | undefined {
  const digest = stateDigest(data)
  if (digest === undefined) return undefined
  const kept = parseDisclosures(encoded).find((one) => one.digest === digest)
  if (kept === undefined && redacted.has(digest)) return undefined
  const account = kept === undefined ? undefined : parseAccount(kept)
  if (account !== undefined) return account
  throw corrupt(
    `what record ${seq} says of limits and labels is gone, so that they cannot be rebuilt`,
  )
}

function labelOf(
  { label, bind, until_ms, subject, proven_until_ms = 0 }: StateAccount['added'][number],
  { seq, data }: StoredRecord,
): LabelChange {
  const actor = typeof data['actor'] === 'string' ? data['actor'] : ''
  return {
    subject: subject ?? sessionSubject(actor),
    label,
    bind,
    seq,
    heldUntilMs: until_ms,
    provenUntilMs: proven_until_ms,
  }
}
