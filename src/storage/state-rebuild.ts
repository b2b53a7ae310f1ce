import type Database from 'better-sqlite3'
import { decodeRecord, leafHash } from '../audit/codec.ts'
import { isObject } from '../audit/fields.ts'
import type { StoredRecord } from '../audit/record.ts'
import { appendLeaf, emptyTree, rootOf } from '../audit/tree.ts'
import { sessionSubject } from '../runtime/decide-state.ts'
import type { LabelChange } from '../runtime/store.ts'
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

/** What limits and labels stand at, as it follows from the log alone. */
export interface RebuiltState {
  readonly charges: readonly RebuiltCharge[]
  readonly labels: readonly LabelChange[]
}

/** What one call has charged and added. */
interface Account {
  readonly charged: readonly {
    readonly pot: string
    readonly amount: string
    readonly expires_ms: number
  }[]
  readonly added: readonly {
    readonly label: string
    readonly bind: string
    readonly until_ms: number
  }[]
}

/**
 * Works out what limits and labels stand at, from the records and what they disclose (THREATS B37).
 *
 * What can only be known of the table is left out in the safe direction: every charge counts as settled, and no label as
 * proven, so that evidence has to be given again.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` when the records do not give the signed root, or what a record says of the state has
 *   been erased: then nobody knows what was spent
 */
export function rebuildState(db: Database.Database, nowMs: number): RebuiltState {
  const decisions: StoredRecord[] = []
  const returned = new Set<number>()
  for (const record of stateRecords(db)) {
    if (record.type === 'decision' && record.data['forwarded'] === true) decisions.push(record)
    const { decision_seq: seq, sent } = record.data
    if (record.type === 'outcome' && sent === false && typeof seq === 'number') returned.add(seq)
  }
  const disclosed = db
    .prepare<[number], string>('SELECT encoded FROM disclosures WHERE seq = ?')
    .pluck()
  const charges: RebuiltCharge[] = []
  const labels: LabelChange[] = []
  for (const record of decisions) {
    const { charged, added } = accountOf(record, disclosed.get(record.seq) ?? '')
    const at = { at_ms: Date.parse(record.ts), decision_seq: record.seq }
    if (!returned.has(record.seq)) charges.push(...charged.map((one) => ({ ...one, ...at })))
    labels.push(...added.map((one) => labelOf(one, record)))
  }
  return {
    charges: charges.filter(({ expires_ms }) => expires_ms > nowMs),
    labels: labels.filter(({ heldUntilMs }) => heldUntilMs > nowMs),
  }
}

/** The records that say something of the state; every record is read, because only all of them give the root. */
function* stateRecords(db: Database.Database): Iterable<StoredRecord> {
  const rows = db.prepare<[], Buffer>('SELECT body FROM records ORDER BY seq').pluck()
  let tree = emptyTree
  for (const body of rows.iterate()) {
    tree = appendLeaf(tree, leafHash(body))
    if (body.includes('"state":') || body.includes('"sent":false')) yield decodeRecord(body)
  }
  const root = db.prepare<[], Buffer>('SELECT root FROM head').pluck().get()
  if (root?.toString('hex') !== rootOf(tree))
    throw corrupt('its records do not give the signed root')
}

function accountOf({ seq, data }: StoredRecord, encoded: string): Account {
  const { state } = data
  if (!isObject(state)) return { charged: [], added: [] }
  const digests: unknown = state['_sd']
  const kept = parseDisclosures(encoded).find(
    ({ digest }) => Array.isArray(digests) && digests.includes(digest),
  )
  const account = kept === undefined ? undefined : parseAccount(kept.encoded)
  if (account !== undefined) return account
  throw corrupt(
    `what record ${seq} says of limits and labels is gone, so that they cannot be rebuilt`,
  )
}

function parseAccount(encoded: string): Account | undefined {
  // The digest is in the record, so that this is what the gate wrote: `[salt, "state", account]`.
  const parsed: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'))
  const account: unknown = Array.isArray(parsed) ? parsed[2] : undefined
  const isAccount = (value: unknown): value is Account =>
    typeof value === 'object' && value !== null && 'charged' in value && 'added' in value
  return isAccount(account) ? account : undefined
}

function labelOf(
  { label, bind, until_ms }: Account['added'][number],
  { seq, data }: StoredRecord,
): LabelChange {
  const actor = typeof data['actor'] === 'string' ? data['actor'] : ''
  return {
    subject: sessionSubject(actor),
    label,
    bind,
    seq,
    heldUntilMs: until_ms,
    provenUntilMs: 0,
  }
}
