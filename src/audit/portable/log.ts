import { areSame, hexOf } from './bytes.ts'
import { openDisclosures, shownDigests } from './disclosures.ts'
import { EpochKeys } from './keys.ts'
import { readHead, type Pin, type SignedHead } from './note.ts'
import { isCount, isTexts, leafText, readRecord, type LogRecord } from './record.ts'
import { Refused, insist } from './refused.ts'
import { GrowingTree } from './tree.ts'

/** What is proved of a log. */
export interface LogProof {
  readonly origin: string
  /** Records. */
  readonly size: number
  /** Root of the tree over them, 64 lower-case hex digits. */
  readonly root: string
  /** Times that the log had a key of its own, which signed no checkpoint of another time. */
  readonly epochs: number
  /** Signed checkpoints on the way to the head. */
  readonly checkpoints: number
  /** Records before this one were signed only afterwards. */
  readonly signedFrom: number
  /** Values that were shown and are what was recorded; undefined when none were to be shown. */
  readonly disclosed: number | undefined
  /** Values that were erased, as the log says itself. */
  readonly erased: number
}

/** What is shown of a log. */
export interface LogOptions {
  /** Whether the values are shown of which the records have digests. */
  readonly hasDisclosures: boolean
}

const recordsPerCheckpoint = 1000
const maxMissing = 100_000
const noLeaf = '0'.repeat(64)

/**
 * Checks a log while it is read: each record, the checkpoint of that size where there is one, and at last the head.
 *
 * Memory grows with writers and with erased values, not with the log. What a record says is not held against its
 * type, nor outcomes against decisions: that is what `capfence audit verify` does besides.
 */
export class LogWalk {
  readonly #pin: Pin
  readonly #hasDisclosures: boolean
  readonly #tree = new GrowingTree()
  readonly #keys: EpochKeys
  readonly #writers = new Map<string, { readonly next: number; readonly hasStopped: boolean }>()
  readonly #missing = new Map<number, Set<string>>()
  #missingCount = 0
  #prev = noLeaf
  #isArchived = false
  #kept = 0
  #checkpoints = 0
  #disclosed = 0
  #erased = 0

  constructor(pin: Pin, { hasDisclosures }: LogOptions) {
    this.#pin = pin
    this.#hasDisclosures = hasDisclosures
    this.#keys = new EpochKeys(pin)
  }

  /** Records so far; the seq of the next one. */
  get size(): number {
    return this.#tree.size
  }

  /**
   * Takes the next record.
   *
   * @param disclosures what is shown with it, base64url
   * @throws Refused when it cannot be the next one
   */
  record(body: Uint8Array, disclosures: readonly string[] = []): LogRecord {
    const seq = this.size
    this.#requireKept()
    try {
      const record = readRecord(body)
      this.#place(record)
      this.#writer(record)
      this.#keys.record(record)
      this.#disclose(record, disclosures)
      this.#prev = leafText(record)
      this.#isArchived = record.type === 'log.archive'
      this.#tree.add(record.leaf)
      return record
    } catch (error) {
      if (error instanceof Refused && error.seq === undefined) throw new Refused(error.message, seq)
      throw error
    }
  }

  /** @throws Refused when it is not a checkpoint of the records so far */
  checkpoint(note: string): void {
    this.#signed(note)
    this.#kept = this.size
    this.#checkpoints += 1
  }

  /**
   * Ends with the signed checkpoint of the whole log.
   *
   * @throws Refused when it is of another log or of another size, or something is missing
   */
  end(note: string): LogProof {
    insist(this.size > 0, 'an empty log proves nothing')
    this.#requireKept()
    const { origin, size, root } = this.#signed(note)
    const [erased] = this.#missing.keys()
    insist(erased === undefined, 'values were erased, and the log does not say so', erased)
    return {
      origin,
      size,
      root: hexOf(root),
      epochs: this.#keys.epochs,
      checkpoints: this.#checkpoints,
      signedFrom: this.#keys.signedFrom ?? size,
      disclosed: this.#hasDisclosures ? this.#disclosed : undefined,
      erased: this.#erased,
    }
  }

  #signed(note: string): SignedHead {
    const head = readHead(note)
    insist(head.origin === this.#pin.origin, `a checkpoint of ${head.origin}`)
    insist(head.size === this.size, `a checkpoint of ${head.size} records, there are ${this.size}`)
    insist(areSame(head.root, this.#tree.root()), 'a checkpoint over other records')
    this.#keys.checkpoint(head)
    return head
  }

  /** Before the log goes on, the checkpoint must have been seen that belongs where it stands. */
  #requireKept(): void {
    insist(!this.#keys.isClosing, `the checkpoint of ${this.size}, which ends an epoch, is missing`)
    const isDue = this.size > 0 && this.size % recordsPerCheckpoint === 0
    const hasKeys = this.#keys.signedFrom !== undefined
    insist(!isDue || !hasKeys || this.#kept === this.size, `no checkpoint of ${this.size} records`)
  }

  #place({ log, seq, prev, type }: LogRecord): void {
    insist(!this.#isArchived, 'the log had been archived')
    insist(seq === this.size, `it calls itself ${seq}`)
    insist(log === this.#pin.origin, `a record of ${log}`)
    insist(prev === this.#prev, '`prev` is not the leaf of the record before')
    insist((type === 'log.open') === (seq === 0), '`log.open` is the first record, and only it')
  }

  #writer({ writer, count, type }: LogRecord): void {
    const { next, hasStopped } = this.#writers.get(writer) ?? { next: 0, hasStopped: false }
    insist(count === next, `its writer counts ${count} after ${next - 1}: a record is lost`)
    insist(!hasStopped, 'its writer had stopped')
    this.#writers.set(writer, { next: next + 1, hasStopped: type === 'proc.stop' })
  }

  #disclose(record: LogRecord, disclosures: readonly string[]): void {
    const opened = openDisclosures(record.data, disclosures)
    this.#disclosed += opened.length
    if (!this.#hasDisclosures) return
    const missing = new Set(shownDigests(record.data))
    for (const { digest } of opened) missing.delete(digest)
    this.#missingCount += missing.size
    insist(this.#missingCount <= maxMissing, 'more values are missing than can be remembered')
    if (missing.size > 0) this.#missing.set(record.seq, missing)
    if (record.type === 'redact') this.#redact(record)
  }

  #redact({ data: { seq, digests } }: LogRecord): void {
    insist(isCount(seq) && isTexts(digests), 'a redaction names a record and digests')
    const missing = this.#missing.get(seq)
    for (const digest of digests) {
      insist(missing?.delete(digest) === true, 'it redacts a value that is still there')
    }
    this.#missingCount -= digests.length
    this.#erased += digests.length
    if (missing?.size === 0) this.#missing.delete(seq)
  }
}
