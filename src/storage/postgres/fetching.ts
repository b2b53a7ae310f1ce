import type Database from 'better-sqlite3'
import type { Effects, StoreView } from '../../runtime/store.ts'
import { NotHere } from '../batch-attempt.ts'
import type { Presence } from '../batch-attempt.ts'
import type { Connection } from './connection.ts'
import type { SharedLog } from './shared-log.ts'
import type { WorkingCopy } from './working-copy.ts'

interface ApprovalPlace {
  readonly id: string
  readonly decision_seq: number
}

/**
 * What the commits of a batch look at that the working copy does not have: old records.
 *
 * `decide` cannot wait. So what it asks for in vain is noted, fetched under the same lock, and the batch goes again.
 */
export class Fetching implements Presence {
  readonly #ofCall: Database.Statement<[string], ApprovalPlace>
  readonly #ofId: Database.Statement<[string], ApprovalPlace>
  readonly #fetched = new Set<string>()
  readonly #records = new Set<number>()
  readonly #approvals = new Map<string, number>()
  #beginSize = 0

  constructor({ db }: WorkingCopy) {
    this.#ofCall = db.prepare('SELECT id, decision_seq FROM approvals WHERE binding_digest = ?')
    this.#ofId = db.prepare('SELECT id, decision_seq FROM approvals WHERE id = ?')
  }

  /** A transaction has begun: what was fetched in an earlier one may have changed. */
  restart(beginSize: number): void {
    this.#beginSize = beginSize
    for (const set of [this.#fetched, this.#records, this.#approvals]) set.clear()
  }

  view(view: StoreView): StoreView {
    return {
      ...view,
      approvals: (digest) => {
        for (const place of this.#ofCall.all(digest)) this.#needApproval(place)
        this.requireAll()
        return view.approvals(digest)
      },
      approval: (id) => {
        const place = this.#ofId.get(id)
        if (place !== undefined) this.#needApproval(place)
        this.requireAll()
        return view.approval(id)
      },
      kept: (seq) => {
        this.#needRecord(seq)
        this.requireAll()
        return view.kept(seq)
      },
    }
  }

  requireAll(effects?: Effects<unknown>): void {
    for (const { seq } of effects?.erased ?? []) this.#needRecord(seq)
    if (this.#records.size + this.#approvals.size > 0) throw new NotHere()
  }

  /** Fetches what was asked for, inside the transaction that has the lock. */
  async fetch(connection: Connection, shared: SharedLog): Promise<void> {
    await shared.fetchRecords(connection, [...this.#records])
    for (const [id, fromSeq] of this.#approvals) {
      // oxlint-disable-next-line no-await-in-loop -- a connection answers one question after the other
      await shared.fetchAbout(connection, id, fromSeq)
    }
    this.#records.clear()
    this.#approvals.clear()
  }

  /** What was asked in this very batch is at hand. */
  #needApproval({ id, decision_seq: seq }: ApprovalPlace): void {
    if (seq >= this.#beginSize || !this.#isNew(`approval ${id}`)) return
    this.#approvals.set(id, seq)
  }

  #needRecord(seq: number): void {
    if (seq >= this.#beginSize || !this.#isNew(`record ${seq}`)) return
    this.#records.add(seq)
  }

  #isNew(key: string): boolean {
    const isNew = !this.#fetched.has(key)
    this.#fetched.add(key)
    return isNew
  }
}
