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
   * @throws whatever the store throws; then it is still owed
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
    try {
      await this.#store.commit(() => effects, 'lazy')
    } catch (error) {
      this.#onFailure(error)
      this.#owed = [...this.#owed, effects]
    }
  }

  async #pay(durability: Durability): Promise<void> {
    const owed = this.#owed
    const all = {
      records: owed.flatMap(({ records }) => records),
      disclosures: owed.flatMap(({ disclosures = [] }) => disclosures),
      result: undefined,
    }
    await this.#store.commit(() => all, durability)
    this.#owed = this.#owed.slice(owed.length)
  }
}
