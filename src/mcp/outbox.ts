/** A place in the outgoing order that is held until its message is ready. */
export interface Ticket {
  /** Runs `send` when it is this ticket's turn. */
  fill(send: () => void): void
  /** Gives the place up; nothing is sent. */
  release(): void
}

interface Slot {
  ready: boolean
  send: (() => void) | undefined
}

/**
 * Keeps the order in which messages arrived, although some wait for a decision (THREATS B29).
 *
 * A call that waits for its record holds back what the client sent after it, for as long as the commit takes.
 */
export class Outbox {
  readonly #slots: Slot[] = []
  #waiters: (() => void)[] = []

  /** Takes the next place in the order. */
  reserve(): Ticket {
    const slot: Slot = { ready: false, send: undefined }
    this.#slots.push(slot)
    return {
      fill: (send) => {
        slot.ready = true
        slot.send = send
        this.#flush()
      },
      release: () => {
        slot.ready = true
        this.#flush()
      },
    }
  }

  /** Sends now, or behind everything that waits. */
  push(send: () => void): void {
    if (this.#slots.length === 0) send()
    else this.#slots.push({ ready: true, send })
  }

  /** Resolves when no message waits for its turn. */
  idle(): Promise<void> {
    if (this.#slots.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  #flush(): void {
    while (this.#slots[0]?.ready === true) this.#slots.shift()?.send?.()
    if (this.#slots.length > 0) return
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }
}
