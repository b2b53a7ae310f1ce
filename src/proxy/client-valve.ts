import { limits } from '../limits.ts'

/** What a valve acts on. */
export interface ClientValveOptions {
  /** Whether the client has one server and no other. */
  readonly isSole: boolean
  /** What waits for the servers, bytes. */
  backlogBytes(): number
  /** True: stop reading from the client; false: go on. */
  onCongestion(congested: boolean): void
  /** The only server has not read for `limits.maxStallMs`. */
  onStall(): void
}

/**
 * Decides when the client is not read, so that memory is bounded and nobody waits for another's server.
 *
 * - One of several servers does not keep up: the client is read on, what is for that server waits in memory up to
 *   `limits.maxBacklogBytes`, and then is refused (`Connection`). The other servers notice nothing.
 * - The only server does not keep up: the client is not read, as if the two shared a pipe. A server that reads nothing
 *   for `limits.maxStallMs` will not begin to: the client is read on, for else nobody would see it cancel or leave.
 * - The client itself does not read: it is read no further once `limits.maxBacklogBytes` wait for it. Not sooner, for
 *   a simple client writes all that it has before it reads.
 */
export class ClientValve {
  readonly #options: ClientValveOptions
  #isServerSlow = false
  #isClientSlow = false
  #isShut = false
  #stall: NodeJS.Timeout | undefined

  constructor(options: ClientValveOptions) {
    this.#options = options
  }

  serverCongested(congested: boolean): void {
    if (!this.#options.isSole) return
    if (!congested) {
      this.close()
      this.#isServerSlow = false
    } else if (this.#stall === undefined) {
      this.#isServerSlow = true
      this.#watch()
    }
    this.#turn()
  }

  clientBacklog(bytes: number): void {
    this.#isClientSlow = bytes >= limits.maxBacklogBytes
    this.#turn()
  }

  /** Forgets the time that runs; nothing is decided any more. */
  close(): void {
    clearTimeout(this.#stall)
    this.#stall = undefined
  }

  #watch(): void {
    const before = this.#options.backlogBytes()
    const look = (): void => {
      if (this.#options.backlogBytes() < before) this.#watch()
      else this.#stalled()
    }
    this.#stall = setTimeout(look, limits.maxStallMs).unref()
  }

  /** The timer stays, so that what is written for the server after this does not stop the client again. */
  #stalled(): void {
    this.#isServerSlow = false
    this.#options.onStall()
    this.#turn()
  }

  #turn(): void {
    const isShut = this.#isServerSlow || this.#isClientSlow
    if (isShut === this.#isShut) return
    this.#isShut = isShut
    this.#options.onCongestion(isShut)
  }
}
