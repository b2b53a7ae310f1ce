import type Database from 'better-sqlite3'
import { discloseText } from '../audit/disclosure.ts'
import { toolDefRecord } from '../audit/drafts.ts'
import { stateCarryRecord } from '../audit/log-drafts.ts'
import type { LogEnding } from '../audit/log-drafts.ts'
import type { Disclosure, RecordDraft } from '../audit/record.ts'
import type { StateAccount } from '../audit/state-account.ts'
import type { RandomSource } from '../crypto/random.ts'
import type { LabelChange } from '../runtime/store.ts'
import { noGrants } from './grant-rows.ts'
import { rebuildState } from './state-rebuild.ts'
import type { RebuiltCharge, RebuiltState } from './state-rebuild.ts'

/** What a log takes over from the one that it succeeds. */
export interface Succession {
  /** Its own. */
  readonly origin: string
  readonly continues: LogEnding
  /** Of both logs, so that what is kept under keyed digests is found again. */
  readonly argumentKey: Uint8Array
  readonly carried: Carried
}

/** What still counts of a log that ends. */
export interface Carried {
  /** In the order of pots and times. */
  readonly charges: readonly Omit<RebuiltCharge, 'decision_seq'>[]
  readonly labels: readonly Omit<LabelChange, 'seq'>[]
  readonly tools: readonly ListedTool[]
}

/** A tool that is listed, and what it was when it was recorded last. */
export interface ListedTool {
  readonly server: string
  readonly tool: string
  readonly sha256: string
}

/** Charges and labels in one record, count: each disclosure stays far below its bound. */
const perRecord = 50

/**
 * Works out from the records of a log what still counts of it.
 *
 * @throws CapFenceError `AUDIT_CORRUPT`, see `rebuildState`
 */
export function carriedFrom(db: Database.Database, nowMs: number): Carried {
  const { charges, labels } = rebuildState(db, nowMs)
  const tools = db
    .prepare<[], ListedTool>(
      'SELECT server, tool, sha256 FROM tool_definitions WHERE listed = 1 ORDER BY server, tool',
    )
    .all()
  const inOrder = charges.toSorted(
    (one, other) => compared(one.pot, other.pot) || one.at_ms - other.at_ms,
  )
  return { charges: inOrder, labels, tools }
}

/** What the first commit of a successor stores of it. */
export interface CarriedEffects {
  readonly records: readonly RecordDraft[]
  readonly disclosures: readonly Disclosure[]
  /** Grants are not among it: they are grants of the log that ends. */
  readonly state: RebuiltState
}

/**
 * The records of what is carried, and the rows that follow from them.
 *
 * @param fromSeq the seq that the first of these records gets
 */
export function carriedEffects(
  { charges, labels, tools }: Carried,
  fromSeq: number,
  salts: RandomSource,
): CarriedEffects {
  const records: RecordDraft[] = []
  const disclosures: Disclosure[] = []
  const state = {
    charges: [] as RebuiltCharge[],
    labels: [] as LabelChange[],
    grants: noGrants,
  }
  for (const account of accountsOf(charges, labels)) {
    const seq = fromSeq + records.length
    const sealed = discloseText('state', JSON.stringify(printed(account)), salts)
    records.push(stateCarryRecord(sealed.digests))
    disclosures.push(...sealed.disclosures)
    state.charges.push(...account.charges.map((charge) => ({ ...charge, decision_seq: seq })))
    state.labels.push(...account.labels.map((label) => ({ ...label, seq })))
  }
  for (const { server, tool, sha256 } of tools) {
    const change = { change: 'first_seen', previous: null, omitted: 0 } as const
    records.push(toolDefRecord({ server, tool, sha256, ...change }))
  }
  return { records, disclosures, state }
}

function compared(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}

type Account = Pick<Carried, 'charges' | 'labels'>

/** Charges of one pot and one time stand in different records, as rows cannot be told apart otherwise. */
function accountsOf(charges: Carried['charges'], labels: Carried['labels']): readonly Account[] {
  const accounts: Account[] = []
  let rest = [...charges]
  while (rest.length > 0) {
    const taken: Carried['charges'][number][] = []
    const left: Carried['charges'][number][] = []
    for (const charge of rest) {
      const before = taken.at(-1)
      const isTwin = before?.pot === charge.pot && before.at_ms === charge.at_ms
      if (isTwin || taken.length >= perRecord) left.push(charge)
      else taken.push(charge)
    }
    accounts.push({ charges: taken, labels: [] })
    rest = left
  }
  for (let at = 0; at < labels.length; at += perRecord)
    accounts.push({ charges: [], labels: labels.slice(at, at + perRecord) })
  return accounts
}

function printed({ charges, labels }: Account): StateAccount {
  return {
    charged: charges.map(({ pot, amount, expires_ms, at_ms }) => ({
      pot,
      amount,
      expires_ms,
      at_ms,
    })),
    added: labels.map(({ subject, label, bind, heldUntilMs, provenUntilMs }) => ({
      subject,
      label,
      bind,
      until_ms: heldUntilMs,
      proven_until_ms: provenUntilMs,
    })),
  }
}
