import { noLeaf } from './codec.ts'
import { OpenCalls, type OpenCall, type OrphanedCall } from './open-calls.ts'
import { isUnsound, readRowAlone, type ReadRecord, type ReadRow } from './read-row.ts'
import type { StoredRow } from './record.ts'
import { appendLeaf, emptyTree, rootOf, type TreeHead } from './tree.ts'

/** The first record that does not follow from those before it. */
export interface BadRecord {
  readonly seq: number
  readonly reason: string
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

/** How far one writer has counted. */
export interface WriterCount {
  readonly w: string
  readonly next: number
  readonly stopped: boolean
}

/** Everything that the next record is held against. */
export interface ChainState {
  readonly tree: TreeHead
  /** Leaf of the last record, hex. */
  readonly prev: string
  /** Origin; empty before the first record. */
  readonly log: string
  /** Time of the last record. */
  readonly ts: string
  readonly writers: readonly WriterCount[]
  readonly open: readonly OpenCall[]
  /** Whether the log was archived: nothing may follow. */
  readonly isArchived: boolean
}

const maxClockSteps = 100

const start: ChainState = {
  tree: emptyTree,
  prev: noLeaf,
  log: '',
  ts: '',
  writers: [],
  open: [],
  isArchived: false,
}

/**
 * Checks records one by one, in memory that grows only with writers and with calls that are open.
 *
 * Stops at the first bad one: what follows it proves nothing.
 */
export class ChainVerifier {
  #tree: TreeHead
  #prev: string
  #log: string
  #ts: string
  #bad: BadRecord | null = null
  readonly #clockSteps: number[] = []
  readonly #writers: Map<string, { next: number; stopped: boolean }>
  readonly #calls: OpenCalls
  #isArchived: boolean

  constructor(from: ChainState = start) {
    this.#tree = from.tree
    this.#prev = from.prev
    this.#log = from.log
    this.#ts = from.ts
    this.#writers = new Map(from.writers.map(({ w, next, stopped }) => [w, { next, stopped }]))
    this.#calls = new OpenCalls(from.open)
    this.#isArchived = from.isArchived
  }

  /**
   * Takes the next row, by itself: what was kept beside it is not looked at.
   *
   * @returns false once a row was bad; further rows are not looked at
   */
  push(row: StoredRow): boolean {
    if (this.#bad !== null) return false
    const read = readRowAlone(row)
    const reason = this.complaint(read)
    if (reason !== undefined) this.#bad = { seq: row.seq, reason }
    else if (!isUnsound(read)) this.accept(read)
    return reason === undefined
  }

  get tree(): TreeHead {
    return this.#tree
  }

  /** Origin of the log; empty before the first record. */
  get log(): string {
    return this.#log
  }

  /** Why a row cannot be the next record; undefined when it can. */
  complaint(read: ReadRow): string | undefined {
    if (read.seq !== this.#tree.size) {
      return `seq ${read.seq} where ${this.#tree.size} should stand`
    }
    if (isUnsound(read)) return read.reason
    return this.#placeComplaint(read) ?? this.#writerComplaint(read) ?? this.#calls.complaint(read)
  }

  /** Takes a record about which there is no complaint. */
  accept(record: ReadRecord): void {
    const { type, w, wn, seq, ts, leaf } = record
    this.#writers.set(w, { next: wn + 1, stopped: type === 'proc.stop' })
    this.#calls.accept(record)
    if (ts < this.#ts && this.#clockSteps.length < maxClockSteps) this.#clockSteps.push(seq)
    this.#ts = ts
    this.#isArchived = type === 'log.archive'
    this.#log = record.log
    this.#prev = leaf
    this.#tree = appendLeaf(this.#tree, leaf)
  }

  /** What another verifier needs to go on from here. */
  state(): ChainState {
    return {
      tree: this.#tree,
      prev: this.#prev,
      log: this.#log,
      ts: this.#ts,
      writers: Array.from(this.#writers, ([w, { next, stopped }]) => ({ w, next, stopped })),
      open: this.#calls.list,
      isArchived: this.#isArchived,
    }
  }

  report(): ChainReport {
    return {
      size: this.#tree.size,
      root: rootOf(this.#tree),
      tree: this.#tree,
      bad: this.#bad,
      clockSteps: this.#clockSteps,
      orphans: this.#calls.list.map(({ call, seq }) => ({ call, seq })),
    }
  }

  #placeComplaint(record: ReadRecord): string | undefined {
    if (this.#isArchived) return 'the log had been archived'
    if (record.prev !== this.#prev) return '`prev` is not the leaf of the record before'
    if (this.#log !== '' && record.log !== this.#log) return `a record of ${record.log}`
    if ((record.type === 'log.open') !== (record.seq === 0)) {
      return '`log.open` is the first record, and only it'
    }
    return undefined
  }

  #writerComplaint({ w, wn }: ReadRecord): string | undefined {
    const writer = this.#writers.get(w)
    const next = writer?.next ?? 0
    if (wn !== next) return `writer ${w} counts ${wn} where ${next} should stand: a record is lost`
    if (writer?.stopped === true) return `writer ${w} had stopped`
    return undefined
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
