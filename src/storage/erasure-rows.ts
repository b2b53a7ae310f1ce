import type Database from 'better-sqlite3'
import { decodeRecord } from '../audit/codec.ts'
import { CapFenceError } from '../errors.ts'
import type { Erasure, KeptRecord } from '../runtime/store.ts'
import { parseDisclosures, printDisclosures } from './disclosure-row.ts'

/** A row of disclosures as it will be. */
export interface PlannedErasure {
  readonly seq: number
  /** How long its text is, characters. */
  readonly length: number
  /** Empty when the row goes. */
  readonly left: string
  readonly approval: string | undefined
}

/** Records with what they disclose, and how that is erased; inside a write transaction. */
export class ErasureRows {
  readonly #record: Database.Statement<[number], Buffer>
  readonly #disclosed: Database.Statement<[number], string>
  readonly #remove: Database.Statement<[number]>
  readonly #change: Database.Statement<[string, number]>

  constructor(db: Database.Database) {
    this.#record = db.prepare<[number], Buffer>('SELECT body FROM records WHERE seq = ?').pluck()
    this.#disclosed = db
      .prepare<[number], string>('SELECT encoded FROM disclosures WHERE seq = ?')
      .pluck()
    this.#remove = db.prepare('DELETE FROM disclosures WHERE seq = ?')
    this.#change = db.prepare('UPDATE disclosures SET encoded = ? WHERE seq = ?')
  }

  /** See `StoreView.kept`. */
  kept(seq: number): KeptRecord | undefined {
    const body = this.#record.get(seq)
    if (body === undefined) return undefined
    return {
      record: decodeRecord(body),
      disclosures: parseDisclosures(this.#disclosed.get(seq) ?? ''),
    }
  }

  /**
   * What rows become without some of their disclosures; nothing is written.
   *
   * @throws CapFenceError `RECORD_INVALID` when one of them is not there
   */
  plan(erasures: readonly Erasure[]): readonly PlannedErasure[] {
    return erasures.map(({ seq, digests, approval }) => {
      const encoded = this.#disclosed.get(seq) ?? ''
      const kept = parseDisclosures(encoded)
      const going = new Set(digests)
      const left = kept.filter(({ digest }) => !going.has(digest))
      if (going.size === 0 || kept.length - left.length !== digests.length)
        throw new CapFenceError('RECORD_INVALID', 'only disclosures that are there can be erased')
      return { seq, length: encoded.length, left: printDisclosures(left), approval }
    })
  }

  apply(erasures: readonly PlannedErasure[]): void {
    // A text of the same length takes the very bytes of the old one. All of them first: whatever is taken out makes
    // SQLite move other rows about, and it leaves the bytes of those where they were.
    for (const { seq, length } of erasures) this.#change.run('~'.repeat(length), seq)
    for (const { seq, left } of erasures) {
      if (left === '') this.#remove.run(seq)
      else this.#change.run(left, seq)
    }
  }
}
