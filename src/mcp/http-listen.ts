import { limits } from '../limits.ts'
import type { Exchange, HttpHead } from '../transport/http-exchange.ts'
import { EventStream, isGood, retryAfter } from './http-events.ts'
import type { HttpSite } from './http-site.ts'

/** What a `ListeningStream` tells its owner. */
export interface ListenEvents {
  onMessage(message: Uint8Array): void
  /** `reason` goes on after the server's name. */
  onTrouble(reason: string): void
}

/** How long a stream that ended is left alone when the server names no time, milliseconds. */
const firstRetryMs = 1000

/**
 * The stream in which a server says what is no answer: notifications, and questions to the client.
 *
 * It is asked for again whenever it ends, from its last event where events have ids. Servers need not have one.
 */
export class ListeningStream {
  readonly #site: HttpSite
  readonly #events: ListenEvents
  #exchange: Exchange | undefined
  #stream: EventStream | undefined
  #timer: NodeJS.Timeout | undefined
  #isPaused: boolean
  #isOver = false
  #lastId: string | undefined
  /** Of the server, or what has become of it after streams without a message. */
  #retryMs = firstRetryMs

  constructor(site: HttpSite, isPaused: boolean, events: ListenEvents) {
    this.#site = site
    this.#isPaused = isPaused
    this.#events = events
    this.#open()
  }

  pause(): void {
    this.#isPaused = true
    this.#stream?.pause()
    this.#exchange?.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#stream?.resume()
    if (!this.#paused()) this.#exchange?.resume()
  }

  stop(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#exchange?.abort()
  }

  #open(): void {
    let stream: EventStream | undefined
    const exchange = this.#site.stream(this.#lastId, {
      onHead: (head) => {
        stream = this.#streamOf(head)
        this.#stream = stream
      },
      onData: (chunk) => stream?.push(chunk),
      onEnd: () => stream?.end(),
      onFail: () => {
        if (stream === undefined) this.#again()
        else stream.end()
      },
    })
    this.#exchange = exchange
    if (this.#isPaused) exchange.pause()
  }

  #streamOf(head: HttpHead): EventStream | undefined {
    if (isGood(head) && head.type === 'text/event-stream' && head.unreadable === undefined) {
      const stream = new EventStream(this.#site.maxMessageBytes, {
        onMessage: (message) => this.#events.onMessage(message),
        onOversize: () => this.#oversize(),
        onDone: () => this.#ended(stream),
      })
      stream.lastId = this.#lastId
      if (this.#isPaused) stream.pause()
      return stream
    }
    this.#exchange?.abort()
    // A server that is only busy may have a stream later; all others have none.
    if (head.status >= 500) this.#again()
    return undefined
  }

  #ended(stream: EventStream): void {
    this.#stream = undefined
    this.#lastId = stream.lastId
    if (stream.retryMs !== undefined) this.#retryMs = stream.retryMs
    else if (stream.count > 0) this.#retryMs = firstRetryMs
    this.#again()
  }

  /** The event that is too long would come again if the stream went on where it was. */
  #oversize(): void {
    const limit = String(this.#site.maxMessageBytes)
    this.#events.onTrouble(`sent a message over the limit of ${limit} bytes, which was dropped`)
    this.#exchange?.abort()
    this.#stream = undefined
    this.#lastId = undefined
    this.#again()
  }

  #again(): void {
    if (this.#isOver) return
    this.#timer = setTimeout(() => this.#open(), retryAfter(this.#retryMs)).unref()
    this.#retryMs = Math.min(Math.max(2 * this.#retryMs, limits.minRetryMs), limits.maxRetryMs)
  }

  #paused(): boolean {
    return this.#isPaused
  }
}
