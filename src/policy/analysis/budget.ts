/** How many steps an analysis may take: counted and not timed, so that the answer is the same on every machine. */
export class Budget {
  #left: number

  constructor(steps: number) {
    this.#left = steps
  }

  /** Begins again, for the next question. */
  refill(steps: number): void {
    this.#left = steps
  }

  /** Takes some steps, or says that none are left. */
  spend(steps: number): boolean {
    this.#left -= steps
    return this.#left >= 0
  }

  get isSpent(): boolean {
    return this.#left < 0
  }
}
