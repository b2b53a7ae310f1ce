import type { EventWriter } from '../transport/event-writer.ts'
import type { HttpAnswer } from '../transport/http-server.ts'
import type { Origin } from './downstream.ts'

/** What a post tells the session that it belongs to. */
export interface HttpPostEvents {
  /** Something was written, and the client does not read it at once. */
  onBacklog(): void
}

/**
 * The answer to one POST, which is plain JSON when nothing comes before the reply, and else a stream of events that ends
 * with it.
 */
export class HttpPost implements Origin {
  readonly #answer: HttpAnswer
  readonly #headers: Readonly<Record<string, string>>
  readonly #events: HttpPostEvents
  #stream: EventWriter | undefined
  #isDone = false
  #lastWriteMs = performance.now()

  /** @param headers go with the answer, whatever it is */
  constructor(
    answer: HttpAnswer,
    headers: Readonly<Record<string, string>>,
    events: HttpPostEvents,
  ) {
    this.#answer = answer
    this.#headers = headers
    this.#events = events
  }

  /** True when nothing can be said to the client here any more. */
  get isOver(): boolean {
    return this.#isDone || this.#answer.isOver
  }

  get backlogBytes(): number {
    return this.#answer.backlogBytes
  }

  answer(...pieces: readonly Uint8Array[]): void {
    this.answerAs(200, ...pieces)
  }

  /** As `answer`, with this status, if nothing was said yet. */
  answerAs(status: number, ...pieces: readonly Uint8Array[]): void {
    if (this.isOver) return
    this.#isDone = true
    if (this.#stream === undefined) this.#answer.send(status, this.#json(), ...pieces)
    else {
      this.#stream.send(pieces)
      this.#stream.end()
    }
    this.#written()
  }

  send(...pieces: readonly Uint8Array[]): void {
    if (this.isOver) return
    this.#open().send(pieces)
    this.#lastWriteMs = performance.now()
    this.#written()
  }

  /** @param listener called when nothing can be said to the client here any more, whoever ended it */
  onOver(listener: () => void): void {
    this.#answer.onOver(listener)
  }

  accepted(): void {
    this.#end(202)
  }

  refused(...pieces: readonly Uint8Array[]): void {
    this.#end(400, ...pieces)
  }

  cancelled(): void {
    if (this.isOver) return
    this.#isDone = true
    this.#open().end()
  }

  /** Shows that the connection is alive, if nothing was written for `silenceMs`. */
  keepAlive(nowMs: number, silenceMs: number): void {
    if (this.isOver || nowMs - this.#lastWriteMs < silenceMs) return
    this.#lastWriteMs = nowMs
    // Whoever does not read is not told that we are here: the connection is to time out.
    if (this.backlogBytes === 0) this.#open().comment()
  }

  #written(): void {
    if (this.backlogBytes > 0) this.#events.onBacklog()
  }

  #end(status: number, ...pieces: readonly Uint8Array[]): void {
    if (this.isOver) return
    this.#isDone = true
    this.#answer.send(status, pieces.length === 0 ? this.#headers : this.#json(), ...pieces)
  }

  #json(): Readonly<Record<string, string>> {
    return { ...this.#headers, 'content-type': 'application/json' }
  }

  #open(): EventWriter {
    this.#stream ??= this.#answer.stream(this.#headers)
    return this.#stream
  }
}
