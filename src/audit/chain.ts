import { CapFenceError } from '../errors.ts'
import { decodeRecord, noLeaf } from './codec.ts'
import type { StoredRecord, StoredRow } from './record.ts'
import { appendLeaf, emptyTree, rootOf, type TreeHead } from './tree.ts'

/** The first record that does not follow from those before it. */
export interface BadRecord {
  readonly seq: number
  readonly reason: string
}

/** A forwarded decision without a known outcome. */
export interface OrphanedCall {
  readonly call: string
  readonly seq: number
}

/** What the records themselves prove; who signed the head, and whether it is the newest, is another question. */
export interface ChainReport {
  /** Records that are sound, from 0. */
  readonly size: number
  /** Root of the tree over them, hex. */
  readonly root: string
  readonly tree: TreeHead
  /** Null when every record is sound. */
  readonly bad: BadRecord | null
  /** Records whose time is before that of the record before; at most a hundred are listed. */
  readonly clockSteps: readonly number[]
  /** In the order of the log. */
  readonly orphans: readonly OrphanedCall[]
}

const maxClockSteps = 100

/**
 * Checks records one by one, in memory that grows only with writers and with calls that are open.
 *
 * Stops at the first bad one: what follows it proves nothing.
 */
export class ChainVerifier {
  #tree: TreeHead = emptyTree
  #prev = noLeaf
  #log: string | undefined
  #ts = ''
  #bad: BadRecord | null = null
  readonly #clockSteps: number[] = []
  readonly #writers = new Map<string, { next: number; stopped: boolean }>()
  /** Forwarded calls without an outcome, or with the outcome `unknown`. */
  readonly #open = new Map<string, { readonly seq: number; unknown: boolean }>()

  /**
   * Takes the next row.
   *
   * @returns false once a row was bad; further rows are not looked at
   */
  push(row: StoredRow): boolean {
    if (this.#bad !== null) return false
    const reason = this.#complaint(row)
    if (reason !== undefined) this.#bad = { seq: row.seq, reason }
    return reason === undefined
  }

  report(): ChainReport {
    return {
      size: this.#tree.size,
      root: rootOf(this.#tree),
      tree: this.#tree,
      bad: this.#bad,
      clockSteps: this.#clockSteps,
      orphans: [...this.#open].map(([call, { seq }]) => ({ call, seq })),
    }
  }

  #complaint(row: StoredRow): string | undefined {
    if (row.seq !== this.#tree.size) return `seq ${row.seq} where ${this.#tree.size} should stand`
    const record = decoded(row)
    if (typeof record === 'string') return record
    const reason =
      this.#placeComplaint(record, row) ??
      this.#writerComplaint(record) ??
      this.#typeComplaint(record)
    if (reason === undefined) this.#accept(record)
    return reason
  }

  #placeComplaint(record: StoredRecord, row: StoredRow): string | undefined {
    if (record.seq !== row.seq) return `the record calls itself ${record.seq}`
    if (record.leaf !== hexOf(row.leaf)) return 'the stored leaf is not the hash of the record'
    if (record.prev !== this.#prev) return '`prev` is not the leaf of the record before'
    if (this.#log !== undefined && record.log !== this.#log) return `a record of ${record.log}`
    if ((record.type === 'log.open') !== (record.seq === 0)) {
      return '`log.open` is the first record, and only it'
    }
    return undefined
  }

  #writerComplaint({ w, wn }: StoredRecord): string | undefined {
    const writer = this.#writers.get(w)
    const next = writer?.next ?? 0
    if (wn !== next) return `writer ${w} counts ${wn} where ${next} should stand: a record is lost`
    if (writer?.stopped === true) return `writer ${w} had stopped`
    return undefined
  }

  #typeComplaint({ type, data, seq }: StoredRecord): string | undefined {
    const call = typeof data['call'] === 'string' ? data['call'] : ''
    const open = this.#open.get(call)
    if (type === 'decision' && open !== undefined) return `call ${call} was decided in ${open.seq}`
    if (type === 'outcome') return outcomeComplaint(data, open)
    if (type === 'approval.request' && !isBefore(data['decision_seq'], seq)) {
      return 'the decision that asked is not in the log'
    }
    return undefined
  }

  #accept(record: StoredRecord): void {
    const { type, data, w, wn, seq, ts, leaf } = record
    this.#writers.set(w, { next: wn + 1, stopped: type === 'proc.stop' })
    this.#follow(type, data, seq)
    if (ts < this.#ts && this.#clockSteps.length < maxClockSteps) this.#clockSteps.push(seq)
    this.#ts = ts
    this.#log = record.log
    this.#prev = leaf
    this.#tree = appendLeaf(this.#tree, leaf)
  }

  #follow(type: StoredRecord['type'], data: StoredRecord['data'], seq: number): void {
    const call = typeof data['call'] === 'string' ? data['call'] : ''
    if (type === 'decision' && data['forwarded'] === true)
      this.#open.set(call, { seq, unknown: false })
    if (type !== 'outcome') return
    const open = this.#open.get(call)
    if (open !== undefined && data['status'] === 'unknown') open.unknown = true
    else this.#open.delete(call)
  }
}

/**
 * Checks all rows of a log, oldest first.
 *
 * @internal Exported for tests only.
 */
export function verifyChain(rows: Iterable<StoredRow>): ChainReport {
  const verifier = new ChainVerifier()
  for (const row of rows) if (!verifier.push(row)) break
  return verifier.report()
}

function decoded(row: StoredRow): StoredRecord | string {
  try {
    return decodeRecord(row.body)
  } catch (error) {
    if (error instanceof CapFenceError) return error.message
    throw error
  }
}

/** A writer that was taken for dead may still come back with the true outcome, once. */
function outcomeComplaint(
  data: StoredRecord['data'],
  open: { readonly seq: number; readonly unknown: boolean } | undefined,
): string | undefined {
  if (open === undefined) return 'an outcome without a forwarded decision'
  if (data['decision_seq'] !== open.seq)
    return `an outcome of ${open.seq} that names another decision`
  if (open.unknown && data['status'] === 'unknown') return 'the outcome is unknown already'
  return undefined
}

function isBefore(decisionSeq: unknown, seq: number): boolean {
  return typeof decisionSeq === 'number' && decisionSeq < seq
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
