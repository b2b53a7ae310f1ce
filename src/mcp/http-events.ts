import { limits } from '../limits.ts'
import { EventReader } from '../transport/sse.ts'
import type { HttpHead } from '../transport/http-exchange.ts'

/** What an `EventStream` tells its owner. */
export interface EventStreamEvents {
  onMessage(message: Uint8Array): void
  /** A message was over the limit; nothing more of the stream is handed over. */
  onOversize(): void
  /** Nothing more comes: the stream is complete, or broke off. */
  onDone(): void
}

/** Messages in a stream of events, which waits with its end until what was held back has been handed over. */
export class EventStream {
  readonly #reader: EventReader
  readonly #events: EventStreamEvents
  #isPaused = false
  #hasEnded = false
  /** Where the stream can be taken up again. */
  lastId: string | undefined
  /** What the server asks to wait before that, milliseconds. */
  retryMs: number | undefined
  /** Messages that were handed over, count. */
  count = 0

  constructor(maxMessageBytes: number, events: EventStreamEvents) {
    this.#events = events
    this.#reader = new EventReader({
      maxDataBytes: maxMessageBytes,
      onData: (data) => {
        this.count += 1
        events.onMessage(data)
      },
      onId: (id) => {
        this.lastId = id === '' || !isHeaderText(id) ? undefined : id
      },
      onRetry: (ms) => {
        this.retryMs = ms
      },
      onOversize: () => events.onOversize(),
    })
  }

  push(chunk: Uint8Array): void {
    this.#reader.push(chunk)
  }

  /** The stream has ended, or broke off. */
  end(): void {
    this.#hasEnded = true
    this.#finish()
  }

  pause(): void {
    this.#isPaused = true
    this.#reader.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#reader.resume()
    if (this.#hasEnded) this.#finish()
  }

  #finish(): void {
    if (!this.#isPaused && !this.#reader.waiting) this.#events.onDone()
  }
}

/** What cannot stand in a header cannot be sent back in one. */
function isHeaderText(id: string): boolean {
  return /^[\x20-\x7e]*$/.test(id)
}

/** Keeps a body up to a bound. */
export class Body {
  readonly #maxBytes: number
  #pieces: Uint8Array[] = []
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** @returns false when the body is over the bound; it is forgotten then */
  add(piece: Uint8Array): boolean {
    this.#bytes += piece.length
    if (this.#bytes > this.#maxBytes) {
      this.#pieces = []
      return false
    }
    this.#pieces.push(piece)
    return true
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#pieces)
  }
}

/** Whether an answer says that the server took what was sent. */
export function isGood({ status }: HttpHead): boolean {
  return status >= 200 && status < 300
}

/** When a stream is asked for again, milliseconds from now; `retryMs` is what the server said. */
export function retryAfter(retryMs: number): number {
  return Math.min(Math.max(retryMs, limits.minRetryMs), limits.maxRetryMs)
}

/** What a server says of a request that it did not take. */
export interface Complaint {
  /** Goes on after the server's name. */
  readonly reason: string
  /** The session is over: a new one has to begin. */
  readonly endsSession: boolean
}

/**
 * Reads why a server did not take a message.
 *
 * The protocol says 404 for a session that is over; many servers say 400 and that they know no such session.
 */
export function complaintOf(head: HttpHead, body: Uint8Array, hasSession: boolean): Complaint {
  const { status, type } = head
  const said = type === 'application/json' ? errorText(body) : undefined
  const isLost = status === 404 || (status === 400 && /session/i.test(said ?? ''))
  if (hasSession && isLost) return { reason: 'has ended the session', endsSession: true }
  return { reason: reasonOf(head, said), endsSession: false }
}

function reasonOf(head: HttpHead, said: string | undefined): string {
  const { status } = head
  if (status >= 300 && status < 400) {
    return `answered ${String(status)}, a redirect that is not followed: put the address that it leads to into \`url\``
  }
  if (status === 401) {
    const wants = head.header('www-authenticate') === undefined ? '' : ' with a token or password'
    return `answered 401: it wants to know who asks${wants}, which belongs into \`headers\``
  }
  return `answered HTTP ${String(status)}${said === undefined ? '' : `: ${said}`}`
}

/** Whether a body is a JSON-RPC message with this id. */
export function hasId(body: Uint8Array, id: number): boolean {
  return memberOf(parsed(body), 'id') === id
}

/** The message of a JSON-RPC error, shortened; what is no such thing is not repeated. */
function errorText(body: Uint8Array): string | undefined {
  const error = memberOf(parsed(body), 'error')
  const message = memberOf(error, 'message') ?? error
  return typeof message === 'string' ? JSON.stringify(message.slice(0, 200)) : undefined
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    // A page of a web server between us and it says nothing that a client needs.
    return undefined
  }
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return Object.entries(value).find(([key]) => key === name)?.[1]
}
