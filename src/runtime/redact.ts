import type { RecordedApproval } from '../approval/recorded.ts'
import { redactRecord } from '../audit/redaction.ts'
import type { RecordDraft } from '../audit/record.ts'
import { accountEndsMs, parseAccount, stateDigest } from '../audit/state-account.ts'
import { CapFenceError } from '../errors.ts'
import type { Effects, Erasure, KeptRecord, StoreView } from './store.ts'

/** Whose disclosures are to be erased, who wants it and why. */
export interface Redaction {
  readonly seqs: readonly number[]
  /** Stands in the log. */
  readonly by: string
  /** Stands in the log. */
  readonly reason: string
}

/** What became of one record. */
export interface Redacted {
  readonly seq: number
  /** Digests of what is erased. */
  readonly erased: readonly string[]
  /** Why something of it stays for now; undefined when nothing does. */
  readonly held: HeldBack | undefined
}

/** What still counts cannot be erased yet. */
export type HeldBack =
  /** A person is asked about this call, or has answered, and the answer still holds. */
  | { readonly why: 'approval'; readonly approval: string; readonly untilMs: number }
  /** What it has charged to limits and which labels it has added still counts. */
  | { readonly why: 'state'; readonly untilMs: number }

/**
 * Erases what the digests of records stand for, and records that it is gone; the records stay as they are.
 *
 * What decides on calls to come is held back until its time is over: erasing must not give anybody more room.
 *
 * @throws CapFenceError `USAGE` when there is no such record
 */
export function redact(
  view: StoreView,
  { seqs, by, reason }: Redaction,
): Effects<readonly Redacted[]> {
  const records: RecordDraft[] = []
  const erased: Erasure[] = []
  const result: Redacted[] = []
  for (const seq of new Set(seqs)) {
    const kept = view.kept(seq)
    if (kept === undefined) throw new CapFenceError('USAGE', `there is no record ${seq}`)
    const { digests, approval, held } = erasable(kept, view)
    if (digests.length > 0) {
      records.push(redactRecord({ seq, digests, by, reason }))
      erased.push({ seq, digests, approval })
    }
    result.push({ seq, erased: digests, held })
  }
  return { records, erased, result }
}

interface Erasable {
  readonly digests: readonly string[]
  readonly approval: string | undefined
  readonly held: HeldBack | undefined
}

function erasable({ record, disclosures }: KeptRecord, view: StoreView): Erasable {
  const all = disclosures.map(({ digest }) => digest)
  const id = record.data['approval']
  const approval = typeof id === 'string' ? view.approval(id) : undefined
  const answering = approval && approvalHolds(approval, view.nowMs)
  if (all.length > 0 && answering !== undefined)
    return { digests: [], approval: undefined, held: answering }
  const named = approval?.request.id
  const account = disclosures.find(({ digest }) => digest === stateDigest(record.data))
  const parsed = account && parseAccount(account)
  // What cannot be read cannot be known to be over.
  const untilMs =
    account === undefined ? 0 : parsed === undefined ? Infinity : accountEndsMs(parsed)
  if (account === undefined || untilMs <= view.nowMs)
    return { digests: all, approval: named, held: undefined }
  const digests = all.filter((digest) => digest !== account.digest)
  return { digests, approval: named, held: { why: 'state', untilMs } }
}

function approvalHolds({ request }: RecordedApproval, nowMs: number): HeldBack | undefined {
  const { id, state, expiresAtMs } = request
  // A denial answers the same call again as long as it lasts.
  const counts = state === 'pending' || state === 'approved' || state === 'denied'
  if (!counts || expiresAtMs <= nowMs) return undefined
  return { why: 'approval', approval: id, untilMs: expiresAtMs }
}
