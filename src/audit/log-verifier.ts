import { AnchorWatch, type LogAnchor } from './anchor-watch.ts'
import { ChainVerifier, type BadRecord, type ChainState } from './chain.ts'
import { ErasedDisclosures } from './erased.ts'
import { KeyHistory, type KeyState } from './key-history.ts'
import { verdictOf, type Finding, type GoodCheckpoint, type LogReport } from './log-report.ts'
import type { LogPin } from './pin.ts'
import { isUnsound, type ReadRecord, type ReadRow } from './read-row.ts'
import { rootOf } from './tree.ts'
import { UnknownThings, type UnknownCounts } from './unknown-things.ts'

/** The gate keeps a checkpoint at each multiple of so many records. */
const recordsPerCheckpoint = 1000

/** What is known from elsewhere than the log. */
export interface VerifyOptions {
  /** Undefined when nothing is known: then the log is checked against the keys that it names itself. */
  readonly pin?: LogPin | undefined
  /** Whether those may be believed. */
  readonly trustLog?: boolean | undefined
  readonly anchors?: readonly LogAnchor[] | undefined
  /** Whether it is not enough that nothing is wrong: nothing may be unknown either. */
  readonly strict?: boolean | undefined
}

/** A checkpoint that the log keeps, as stored. */
export interface StoredCheckpoint {
  readonly size: number
  readonly note: string
}

/** What the log says about its own end, as stored. */
export interface StoredHead {
  /** The origin that stands beside the records. */
  readonly origin: string | undefined
  readonly size: number
  /** Hex. */
  readonly root: string
  /** Hex, the nodes one after the other. */
  readonly frontier: string
  readonly note: string | null
}

/** Where a verification ended, for one that goes on from there. */
export interface VerifierState {
  readonly chain: ChainState
  readonly keys: KeyState
  readonly missing: readonly (readonly [seq: number, digests: readonly string[]])[]
  readonly redacted: number
  readonly unknown: UnknownCounts
  readonly checkpoints: number
}

/**
 * Checks a log while it is read: each record, then the kept checkpoint of that size if there is one, and at last the head.
 *
 * Stops at the first thing that is wrong: what follows it proves nothing.
 */
export class LogVerifier {
  readonly #options: VerifyOptions
  readonly #chain: ChainVerifier
  readonly #keys: KeyHistory
  readonly #erased: ErasedDisclosures
  readonly #anchors: AnchorWatch
  readonly #unknown: UnknownThings
  readonly #from: number
  #bad: BadRecord | null = null
  #broken: Finding | undefined
  /** Size of the last kept checkpoint. */
  #kept = 0
  #checkpoints: number
  #lastGood: GoodCheckpoint | null = null

  constructor(options: VerifyOptions, from?: VerifierState) {
    this.#options = options
    this.#chain = new ChainVerifier(from?.chain)
    this.#keys = new KeyHistory(options.pin, from?.keys)
    this.#erased = new ErasedDisclosures(from?.missing, from?.redacted)
    this.#anchors = new AnchorWatch(options.anchors ?? [])
    this.#unknown = new UnknownThings(from?.unknown)
    this.#checkpoints = from?.checkpoints ?? 0
    this.#from = this.size
    this.#anchors.startedAt(this.#chain.tree)
    if (from === undefined) return
    this.#kept = this.#from
    this.#lastGood = { size: this.#from, root: rootOf(from.chain.tree) }
  }

  /** Records that were accepted so far: the seq of the next one. */
  get size(): number {
    return this.#chain.tree.size
  }

  /**
   * Takes the next row.
   *
   * @returns false once something is wrong; nothing more is looked at then
   */
  push(read: ReadRow): boolean {
    if (this.#hasFailed()) return false
    if (!this.#nothingDue()) return false
    const reason = this.#complaint(read)
    if (reason !== undefined || isUnsound(read)) {
      this.#bad = { seq: read.seq, reason: reason ?? 'it cannot be read' }
      return false
    }
    this.#accept(read)
    return true
  }

  /**
   * Takes the checkpoint that the log keeps for the size that has been reached.
   *
   * @returns false once something is wrong; nothing more is looked at then
   */
  checkpoint({ size, note }: StoredCheckpoint): boolean {
    if (this.#hasFailed()) return false
    const reason = this.#checkpointComplaint(size, note)
    if (reason !== undefined) {
      this.#broken = tampered(`the checkpoint of ${size} records: ${reason}${this.#sinceGood()}`)
      return false
    }
    this.#kept = size
    this.#checkpoints += 1
    this.#lastGood = { size, root: rootOf(this.#chain.tree) }
    return true
  }

  /** Ends the verification at the end of the log; undefined when it has lost its head. */
  finish(head: StoredHead | undefined): LogReport {
    if (!this.#hasFailed() && this.#nothingDue()) {
      const reason = this.#headComplaint(head)
      if (reason !== undefined) this.#broken = tampered(reason)
    }
    if (!this.#hasFailed()) {
      this.#lastGood = { size: this.size, root: rootOf(this.#chain.tree) }
      this.#blameErased()
    }
    return this.#report()
  }

  /** Notes what was found beside records, checkpoints and head, unless something was wrong before; nothing more is looked at. */
  find(finding: Finding): void {
    if (!this.#hasFailed()) this.#broken = finding
  }

  /** Ends a verification that cannot go on. */
  abandon(finding: Finding): LogReport {
    this.find(finding)
    return this.#report()
  }

  /**
   * Compares the place from which an earlier verification is gone on with.
   *
   * @param leaf of the last record that was verified then, hex; undefined when the log does not have it
   */
  standsOn(leaf: string | undefined): boolean {
    const { prev } = this.#chain.state()
    const reason = `an earlier verification has seen ${this.size} records`
    if (leaf === undefined) this.find({ verdict: 'rolled_back', reason })
    else if (leaf !== prev) this.find({ verdict: 'forked', reason: `${reason}, and others` })
    return !this.#hasFailed()
  }

  /** Where it stands after `finish`, for a later verification; undefined when the log is not signed. */
  state(): VerifierState | undefined {
    const keys = this.#keys.state
    if (keys === undefined) return undefined
    return {
      chain: this.#chain.state(),
      keys,
      missing: this.#erased.missing,
      redacted: this.#erased.redacted,
      unknown: this.#unknown.counts,
      checkpoints: this.#checkpoints,
    }
  }

  #hasFailed(): boolean {
    return this.#bad !== null || this.#broken !== undefined
  }

  /** Whether every checkpoint that must be kept was there, before the log goes on. */
  #nothingDue(): boolean {
    const { size } = this
    const keys = this.#keys.state
    if (keys === undefined || size === 0 || this.#kept === size) return true
    if (keys.closed?.size === size) {
      this.#broken = tampered(
        `the checkpoint of ${size} records, with which an epoch ends, is missing`,
      )
    } else if (size % recordsPerCheckpoint === 0) {
      this.#broken = tampered(`the checkpoint of ${size} records is missing`)
    }
    return this.#broken === undefined
  }

  #complaint(read: ReadRow): string | undefined {
    const reason = this.#chain.complaint(read)
    if (reason !== undefined || isUnsound(read)) return reason
    return this.#pinComplaint(read) ?? this.#keys.complaint(read) ?? this.#erased.complaint(read)
  }

  #pinComplaint({ log }: ReadRecord): string | undefined {
    const pinned = this.#options.pin?.stable.name
    if (pinned === undefined || log === pinned) return undefined
    return `this is the log \`${log}\`, the pin is of \`${pinned}\``
  }

  #accept(record: ReadRecord): void {
    this.#chain.accept(record)
    this.#keys.accept(record)
    this.#erased.accept(record)
    this.#unknown.accept(record)
    this.#anchors.reached(this.#chain.tree)
  }

  #checkpointComplaint(size: number, note: string): string | undefined {
    if (size !== this.size) return `the log has ${this.size}`
    const opened = this.#keys.open(note, { size, isHead: false })
    if (typeof opened === 'string') return opened
    if (opened.size !== size) return `it is signed for ${opened.size}`
    if (opened.root !== rootOf(this.#chain.tree)) return 'it was signed over other records'
    return undefined
  }

  #headComplaint(head: StoredHead | undefined): string | undefined {
    const { tree, log } = this.#chain
    if (head === undefined) return 'the head of the log is missing'
    if (head.origin !== log && tree.size > 0) return 'another origin stands beside the records'
    if (head.size !== tree.size) {
      return `the head counts ${head.size} records, there are ${tree.size}`
    }
    if (head.root !== rootOf(tree)) return `the head is of other records${this.#sinceGood()}`
    if (head.frontier !== tree.frontier.join('')) return 'the head has lost its tree'
    return this.#headNoteComplaint(head.note)
  }

  #headNoteComplaint(note: string | null): string | undefined {
    if (this.#keys.state === undefined) {
      if (this.#options.pin !== undefined && this.size > 0) return 'it names no keys, the pin does'
      return note === null ? undefined : 'the head is signed, but the log names no keys'
    }
    if (note === null) return 'the head is not signed'
    const opened = this.#keys.open(note, { size: this.size, isHead: true })
    if (typeof opened === 'string') return `the signed head: ${opened}`
    const root = rootOf(this.#chain.tree)
    if (opened.size === this.size && opened.root === root) return undefined
    return `the signed head is of other records${this.#sinceGood()}`
  }

  /** Signatures only say that something before them is wrong, not which record. */
  #sinceGood(): string {
    return this.size === 0
      ? ''
      : `; something in records ${this.#lastGood?.size ?? 0} to ${this.size - 1} was changed`
  }

  #blameErased(): void {
    const [first] = this.#erased.missing
    if (first === undefined) return
    const [seq, digests] = first
    const count = digests.length === 1 ? 'a disclosure' : `${digests.length} disclosures`
    this.#bad = { seq, reason: `${count} of it is missing, and no record says that it was erased` }
  }

  #report(): LogReport {
    const { bad: _chainBad, ...chain } = this.#chain.report()
    const keys = this.#keys.state
    const failed = this.#hasFailed()
    const anchors = this.#anchors.results(keys?.pin.stable ?? this.#options.pin?.stable, !failed)
    const unknown = this.#unknown.list(chain.orphans.length, keys?.signedFrom)
    const facts = {
      size: chain.size,
      bad: this.#bad,
      broken: this.#broken,
      signed: keys !== undefined,
      trusted: this.#options.pin !== undefined || this.#options.trustLog === true,
      anchors,
      strict: this.#options.strict === true,
      unknown,
    }
    return {
      ...verdictOf(facts),
      ...chain,
      bad: this.#bad,
      log: this.#chain.log === '' ? null : this.#chain.log,
      pinned: this.#options.pin !== undefined,
      signedFrom: keys?.signedFrom ?? null,
      epoch: keys?.epoch ?? 0,
      checkpoints: this.#checkpoints,
      lastGood: this.#lastGood,
      anchors,
      redacted: this.#erased.redacted,
      unknown,
      read: chain.size - this.#from,
    }
  }
}

function tampered(reason: string): Finding {
  return { verdict: 'tampered', reason }
}
