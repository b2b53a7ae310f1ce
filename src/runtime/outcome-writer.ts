import { CapFenceError } from '../errors.ts'
import type { Durability, Effects, Store } from './store.ts'

/**
 * Stores outcomes without holding up anybody, and remembers those that the store would not take.
 *
 * Nothing here throws into the path of a result: the call was made, and its answer is the client's.
 */
export class OutcomeWriter {
  readonly #store: Pick<Store, 'commit'>
  readonly #onFailure: (error: unknown) => void
  readonly #underway = new Set<Promise<void>>()
  #owed: readonly Effects<undefined>[] = []
  #paying: Promise<void> | undefined

  constructor(store: Pick<Store, 'commit'>, onFailure: (error: unknown) => void) {
    this.#store = store
    this.#onFailure = onFailure
  }

  /** Whether an outcome waits that the store refused: until it is stored, no further call may be allowed. */
  get isOwing(): boolean {
    return this.#owed.length > 0 || this.#paying !== undefined
  }

  write(effects: Effects<undefined>): void {
    const written = this.#write(effects)
    this.#underway.add(written)
    void written.then(() => this.#underway.delete(written))
  }

  /**
   * Stores what is owed, in the order in which it became known.
   *
   * @throws CapFenceError `AUDIT_UNAVAILABLE` while some of it cannot be stored
   */
  pay(durability: Durability): Promise<void> {
    this.#paying ??= this.#pay(durability).finally(() => {
      this.#paying = undefined
    })
    return this.#paying
  }

  /** Resolves when every outcome given so far is stored. */
  async flush(): Promise<void> {
    await Promise.all(this.#underway)
    if (this.isOwing) await this.pay('process')
  }

  async #write(effects: Effects<undefined>): Promise<void> {
    if (await this.#isStored(effects, 'lazy')) return
    this.#owed = [...this.#owed, effects]
  }

  async #pay(durability: Durability): Promise<void> {
    const owed = this.#owed
    // Commits that are made together share a transaction, and each can be refused alone.
    const stored = await Promise.all(owed.map((effects) => this.#isStored(effects, durability)))
    const left = owed.filter((_, index) => stored[index] !== true)
    this.#owed = [...left, ...this.#owed.slice(owed.length)]
    if (left.length > 0) {
      throw new CapFenceError('AUDIT_UNAVAILABLE', 'outcomes of earlier calls cannot be recorded')
    }
  }

  /** Whether nothing is owed for an outcome any more. */
  async #isStored(effects: Effects<undefined>, durability: Durability): Promise<boolean> {
    try {
      await this.#store.commit(() => effects, durability)
      return true
    } catch (error) {
      this.#onFailure(error)
      // A record that the log refuses for what it says would be refused for ever; its call stays open, for all to see.
      return error instanceof CapFenceError && error.code === 'RECORD_INVALID'
    }
  }
}
