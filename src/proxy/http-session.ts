import { limits } from '../limits.ts'
import type { ClientMessage } from '../mcp/message.ts'
import type { EventWriter } from '../transport/event-writer.ts'
import type { HttpAnswer } from '../transport/http-server.ts'
import type { Downstream, Origin } from './downstream.ts'
import { HttpPost } from './http-post.ts'
import type { Session } from './session.ts'

/** What a session of the handshake revisions is made of. */
export interface HttpSessionOptions {
  /** What the client has to name in `Mcp-Session-Id`. */
  readonly id: string
  /** Makes the session that the messages are for. */
  readonly open: (downstream: Downstream, onCongestion: (congested: boolean) => void) => Session
  log(text: string): void
}

/** Where a stream that the client asked for is written. */
interface Listening {
  readonly answer: HttpAnswer
  readonly writer: EventWriter
  lastWriteMs: number
}

/** What may wait to be read by the client before its servers are not read either, bytes. */
const highWaterBytes = 65_536

/**
 * One client over HTTP, from its `initialize` to its DELETE: each message in a request of its own, and what belongs to no
 * request in a stream that the client may ask for.
 */
export class HttpSession {
  readonly id: string
  readonly #options: HttpSessionOptions
  readonly #session: Session
  readonly #posts = new Set<HttpPost>()
  #listening: Listening | undefined
  #unheard: (readonly Uint8Array[])[] = []
  #unheardBytes = 0
  #isSlow = false
  #isCongested = false
  #waiting: (() => void)[] = []
  #closed: Promise<void> | undefined
  /** When the client was last heard of or waited for something. */
  #usedAtMs = performance.now()

  constructor(options: HttpSessionOptions) {
    this.id = options.id
    this.#options = options
    const downstream: Downstream = { send: (about, ...pieces) => this.#send(about, pieces) }
    this.#session = options.open(downstream, (congested) => this.#congested(congested))
  }

  /** How long nothing was asked and nobody listened, milliseconds. */
  idleMs(nowMs: number): number {
    return this.#posts.size > 0 || this.#listening !== undefined ? 0 : nowMs - this.#usedAtMs
  }

  /** Requests that have no answer yet, count. */
  get open(): number {
    return this.#posts.size
  }

  /** Resolves when the servers keep up, so that a message may be read from the client. */
  async ready(): Promise<void> {
    if (!this.#isCongested) return
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Takes the body of a POST. */
  receive(bytes: Uint8Array, answer: HttpAnswer): void {
    this.#session.receive(bytes, this.#post(answer, {}))
  }

  /** Takes the message with which the session began. */
  begin(message: ClientMessage, answer: HttpAnswer): void {
    this.#session.take(message, this.#post(answer, { 'mcp-session-id': this.id }))
  }

  /** Sends what belongs to no request to this answer from now on; an earlier stream ends. */
  listen(answer: HttpAnswer): void {
    this.#listening?.writer.end()
    const listening = { answer, writer: answer.stream({}), lastWriteMs: performance.now() }
    this.#listening = listening
    answer.onDrain(() => this.#drained())
    answer.onOver(() => {
      if (this.#listening === listening) this.#listening = undefined
      this.#touch()
    })
    const unheard = this.#unheard
    this.#unheard = []
    this.#unheardBytes = 0
    for (const pieces of unheard) this.#tell(listening, pieces)
  }

  /** Shows on every open answer that the connection is alive. */
  keepAlive(nowMs: number, silenceMs: number): void {
    for (const post of this.#posts) post.keepAlive(nowMs, silenceMs)
    const listening = this.#listening
    if (listening === undefined || nowMs - listening.lastWriteMs < silenceMs) return
    listening.lastWriteMs = nowMs
    if (listening.answer.backlogBytes === 0) listening.writer.comment()
  }

  /** Ends the session: what waits is decided and answered, then the servers end. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#congested(false)
    await this.#session.close()
    for (const post of this.#posts) post.cancelled()
    this.#listening?.writer.end()
  }

  #post(answer: HttpAnswer, headers: Readonly<Record<string, string>>): HttpPost {
    const post = new HttpPost(answer, headers, { onBacklog: () => this.#written() })
    this.#posts.add(post)
    this.#touch()
    answer.onDrain(() => this.#drained())
    answer.onOver(() => {
      this.#posts.delete(post)
      this.#touch()
      this.#drained()
    })
    return post
  }

  #touch(): void {
    this.#usedAtMs = performance.now()
  }

  /** What belongs to no request goes to the stream for that, else to the newest request, else it waits for a stream. */
  #send(about: Origin | undefined, pieces: readonly Uint8Array[]): void {
    if (about instanceof HttpPost && !about.isOver) return about.send(...pieces)
    const listening = this.#listening
    if (listening !== undefined && !listening.answer.isOver) return this.#tell(listening, pieces)
    const newest = [...this.#posts].findLast((post) => !post.isOver)
    if (newest !== undefined) return newest.send(...pieces)
    this.#keep(pieces)
  }

  #tell(listening: Listening, pieces: readonly Uint8Array[]): void {
    listening.lastWriteMs = performance.now()
    listening.writer.send(pieces)
    if (listening.answer.backlogBytes > 0) this.#written()
  }

  #keep(pieces: readonly Uint8Array[]): void {
    this.#unheard.push(pieces)
    this.#unheardBytes += sizeOf(pieces)
    while (this.#unheardBytes > limits.maxUnheardBytes && this.#unheard.length > 0) {
      this.#unheardBytes -= sizeOf(this.#unheard.shift() ?? [])
      this.#options.log('a message that no stream of the client was there for was dropped')
    }
  }

  #backlogBytes(): number {
    let bytes = this.#listening?.answer.backlogBytes ?? 0
    for (const post of this.#posts) bytes += post.backlogBytes
    return bytes
  }

  #written(): void {
    const bytes = this.#backlogBytes()
    if (bytes < highWaterBytes) return
    this.#isSlow = true
    this.#session.clientCongested(bytes)
  }

  #drained(): void {
    if (!this.#isSlow || this.#backlogBytes() >= highWaterBytes) return
    this.#isSlow = false
    this.#session.clientDrained()
  }

  #congested(congested: boolean): void {
    this.#isCongested = congested
    if (congested) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const go of waiting) go()
  }
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}
