import { encodeRecord, noLeaf, type EncodedRecord } from '../audit/codec.ts'
import type { RecordDraft } from '../audit/record.ts'
import { appendLeaf, emptyTree, type TreeHead } from '../audit/tree.ts'

/** Where a log stands, for one writer: all that the next record is built on. */
export interface LogEnd {
  readonly tree: TreeHead
  /** Leaf of the last record, hex. */
  readonly prev: string
  /** What this writer counts next. */
  readonly wn: number
}

/** There is a kept checkpoint at each multiple of this size (AUDIT.md "Bytes"). */
const checkpointEvery = 1000

/** Before the first record. */
export const logStart: LogEnd = Object.freeze({ tree: emptyTree, prev: noLeaf, wn: 0 })

/** A record that has its place, and its bytes. */
export interface PlacedRecord extends EncodedRecord {
  readonly seq: number
  readonly draft: RecordDraft
}

/** Records in their places, and the log after them. */
export interface Placed {
  readonly records: readonly PlacedRecord[]
  /** The trees on the way whose size is a multiple of `checkpointEvery`. */
  readonly rounds: readonly TreeHead[]
  readonly end: LogEnd
}

/** Whose records they are, and when. */
export interface WriterPlace {
  readonly log: string
  readonly w: string
  readonly nowMs: number
}

/**
 * Gives records their places after `end`.
 *
 * @throws CapFenceError `RECORD_INVALID` when one of them cannot be a record; nothing has changed then
 */
export function placeRecords(drafts: readonly RecordDraft[], end: LogEnd, at: WriterPlace): Placed {
  const ts = new Date(at.nowMs).toISOString()
  const records: PlacedRecord[] = []
  const rounds: TreeHead[] = []
  let { tree, prev, wn } = end
  for (const draft of drafts) {
    const seq = tree.size
    const { body, leaf } = encodeRecord(draft, { log: at.log, seq, prev, ts, w: at.w, wn })
    records.push({ seq, draft, body, leaf })
    tree = appendLeaf(tree, leaf)
    if (tree.size % checkpointEvery === 0) rounds.push(tree)
    prev = leaf
    wn += 1
  }
  return { records, rounds, end: { tree, prev, wn } }
}
