import { limits } from '../limits.ts'
import type { ClientMessage } from '../mcp/message.ts'
import type { HttpAnswer } from '../transport/http-server.ts'
import type { Downstream, Origin } from './downstream.ts'
import { HttpAnswers } from './http-answers.ts'
import type { OpenStream } from './http-answers.ts'
import { HttpPost } from './http-post.ts'
import type { Session } from './session.ts'

/** Makes the session that the messages of one client over HTTP are for. */
export type OpenSession = (
  downstream: Downstream,
  onCongestion: (congested: boolean) => void,
) => Session

/** What a session of the handshake revisions is made of. */
export interface HttpSessionOptions {
  /** What the client has to name in `Mcp-Session-Id`. */
  readonly id: string
  readonly open: OpenSession
  log(text: string): void
}

/**
 * One client over HTTP, from its `initialize` to its DELETE: each message in a request of its own, and what belongs to no
 * request in a stream that the client may ask for.
 */
export class HttpSession {
  readonly id: string
  readonly #options: HttpSessionOptions
  readonly #session: Session
  readonly #answers: HttpAnswers
  #listening: OpenStream | undefined
  #unheard: (readonly Uint8Array[])[] = []
  #unheardBytes = 0
  #closed: Promise<void> | undefined

  constructor(options: HttpSessionOptions) {
    this.id = options.id
    this.#options = options
    this.#answers = new HttpAnswers({
      onSlow: (bytes) => this.#session.clientCongested(bytes),
      onDrained: () => this.#session.clientDrained(),
    })
    const downstream: Downstream = { send: (about, ...pieces) => this.#send(about, pieces) }
    this.#session = options.open(downstream, (congested) => this.#answers.congested(congested))
  }

  /** How long nothing was asked and nobody listened, milliseconds. */
  idleMs(nowMs: number): number {
    return this.#answers.idleMs(nowMs)
  }

  /** Requests that have no answer yet, count. */
  get open(): number {
    return this.#answers.open
  }

  /** Resolves when the servers keep up, so that a message may be read from the client. */
  ready(): Promise<void> {
    return this.#answers.ready()
  }

  /** Takes the body of a POST. */
  receive(bytes: Uint8Array, answer: HttpAnswer): void {
    this.#session.receive(bytes, this.#answers.post(answer, {}))
  }

  /** Takes the message with which the session began. */
  begin(message: ClientMessage, answer: HttpAnswer): void {
    this.#session.take(message, this.#answers.post(answer, { 'mcp-session-id': this.id }))
  }

  /** Sends what belongs to no request to this answer from now on; an earlier stream ends. */
  listen(answer: HttpAnswer): void {
    this.#listening?.end()
    const listening = this.#answers.stream(answer, () => {
      if (this.#listening === listening) this.#listening = undefined
    })
    this.#listening = listening
    const unheard = this.#unheard
    this.#unheard = []
    this.#unheardBytes = 0
    for (const pieces of unheard) listening.send(pieces)
  }

  /** Shows on every open answer that the connection is alive. */
  keepAlive(nowMs: number, silenceMs: number): void {
    this.#answers.keepAlive(nowMs, silenceMs)
  }

  /** Ends the session: what waits is decided and answered, then the servers end. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#answers.congested(false)
    await this.#session.close()
    this.#answers.close()
  }

  /** What belongs to no request goes to the stream for that, else to the newest request, else it waits for a stream. */
  #send(about: Origin | undefined, pieces: readonly Uint8Array[]): void {
    if (about instanceof HttpPost && !about.isOver) return about.send(...pieces)
    const listening = this.#listening
    if (listening !== undefined && !listening.isOver) return listening.send(pieces)
    const { newest } = this.#answers
    if (newest !== undefined) return newest.send(...pieces)
    this.#keep(pieces)
  }

  #keep(pieces: readonly Uint8Array[]): void {
    this.#unheard.push(pieces)
    this.#unheardBytes += sizeOf(pieces)
    while (this.#unheardBytes > limits.maxUnheardBytes && this.#unheard.length > 0) {
      this.#unheardBytes -= sizeOf(this.#unheard.shift() ?? [])
      this.#options.log('a message that no stream of the client was there for was dropped')
    }
  }
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}
