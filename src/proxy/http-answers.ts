import type { EventWriter } from '../transport/event-writer.ts'
import type { HttpAnswer } from '../transport/http-server.ts'
import { HttpPost } from './http-post.ts'

/** What the answers of one client tell the session that they belong to. */
export interface HttpAnswersEvents {
  /** So much waits that the servers need not be read, bytes. */
  onSlow(backlogBytes: number): void
  /** It does not any more. */
  onDrained(): void
}

/** A stream that the client asked for, on which any number of messages is sent. */
export interface OpenStream {
  readonly isOver: boolean
  send(pieces: readonly Uint8Array[]): void
  end(): void
}

/** What may wait to be read by the client before its servers are not read either, bytes. */
const highWaterBytes = 65_536

interface Stream {
  readonly answer: HttpAnswer
  readonly writer: EventWriter
  lastWriteMs: number
}

/**
 * Everything that is being answered to one client: whether it keeps up, whether it is there, and whether the servers do,
 * so that more may be read from it.
 */
export class HttpAnswers {
  readonly #events: HttpAnswersEvents
  readonly #posts = new Set<HttpPost>()
  readonly #streams = new Set<Stream>()
  #isSlow = false
  #isCongested = false
  #waiting: (() => void)[] = []
  /** When the client was last heard of or waited for something. */
  #usedAtMs = performance.now()

  constructor(events: HttpAnswersEvents) {
    this.#events = events
  }

  /** How long nothing was asked and nobody listened, milliseconds. */
  idleMs(nowMs: number): number {
    return this.#posts.size > 0 || this.#streams.size > 0 ? 0 : nowMs - this.#usedAtMs
  }

  /** Requests that have no answer yet, count. */
  get open(): number {
    return this.#posts.size
  }

  /** Streams that the client asked for, count. */
  get streams(): number {
    return this.#streams.size
  }

  /** The newest request that can still be told something. */
  get newest(): HttpPost | undefined {
    return [...this.#posts].findLast((post) => !post.isOver)
  }

  /** Resolves when the servers keep up, so that a message may be read from the client. */
  async ready(): Promise<void> {
    if (!this.#isCongested) return
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Whether the servers do not keep up. */
  congested(congested: boolean): void {
    this.#isCongested = congested
    if (congested) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const go of waiting) go()
  }

  /** The answer to a POST. */
  post(answer: HttpAnswer, headers: Readonly<Record<string, string>>): HttpPost {
    const post = new HttpPost(answer, headers, { onBacklog: () => this.#written() })
    this.#posts.add(post)
    this.#watch(answer, () => this.#posts.delete(post))
    return post
  }

  /** A stream of events. @param onOver called when it is over, whoever ended it */
  stream(answer: HttpAnswer, onOver: () => void): OpenStream {
    const stream = { answer, writer: answer.stream({}), lastWriteMs: performance.now() }
    this.#streams.add(stream)
    this.#watch(answer, () => {
      this.#streams.delete(stream)
      onOver()
    })
    return {
      get isOver() {
        return answer.isOver
      },
      send: (pieces) => {
        stream.lastWriteMs = performance.now()
        stream.writer.send(pieces)
        if (answer.backlogBytes > 0) this.#written()
      },
      end: () => stream.writer.end(),
    }
  }

  /** Shows on every open answer that the connection is alive. */
  keepAlive(nowMs: number, silenceMs: number): void {
    for (const post of this.#posts) post.keepAlive(nowMs, silenceMs)
    for (const stream of this.#streams) {
      if (nowMs - stream.lastWriteMs < silenceMs) continue
      stream.lastWriteMs = nowMs
      if (stream.answer.backlogBytes === 0) stream.writer.comment()
    }
  }

  /** Ends everything that has no answer. */
  close(): void {
    this.congested(false)
    for (const post of this.#posts) post.cancelled()
    for (const { writer } of this.#streams) writer.end()
  }

  #watch(answer: HttpAnswer, onOver: () => void): void {
    this.#usedAtMs = performance.now()
    answer.onDrain(() => this.#drained())
    answer.onOver(() => {
      onOver()
      this.#usedAtMs = performance.now()
      this.#drained()
    })
  }

  #backlogBytes(): number {
    let bytes = 0
    for (const post of this.#posts) bytes += post.backlogBytes
    for (const { answer } of this.#streams) bytes += answer.backlogBytes
    return bytes
  }

  #written(): void {
    const bytes = this.#backlogBytes()
    if (bytes < highWaterBytes) return
    this.#isSlow = true
    this.#events.onSlow(bytes)
  }

  #drained(): void {
    if (!this.#isSlow || this.#backlogBytes() >= highWaterBytes) return
    this.#isSlow = false
    this.#events.onDrained()
  }
}
