import { limits } from '../limits.ts'
import { connectionsTo, exchange } from '../transport/http-exchange.ts'
import type { Exchange, ExchangeEvents, HttpHead, HttpRequest } from '../transport/http-exchange.ts'

/** A server that is reached over Streamable HTTP. */
export interface HttpServer {
  readonly url: URL
  /** Sent with every request; names in lower case. They may hold secrets. */
  readonly headers: Readonly<Record<string, string>>
  /** The longest message taken from it, bytes. */
  readonly maxMessageBytes: number
}

/** Times of an HTTP channel that only tests shorten, milliseconds. */
export interface HttpTimes {
  /** `limits.maxSilenceMs` */
  readonly silenceMs?: number
  /** `limits.maxAcceptMs` */
  readonly acceptMs?: number
}

/** Redirects that one request follows, count. */
const maxRedirects = 3

/**
 * How requests reach one server, in one session: its address, our credentials, the session's id and revision.
 *
 * Requests and everything else have connections apart: a server that asks something while it works on all requests
 * that it may have at once must still get its answer.
 */
export class HttpSite {
  readonly maxMessageBytes: number
  sessionId: string | undefined
  version: string | undefined
  #url: URL
  readonly #headers: Readonly<Record<string, string>>
  readonly #times: HttpTimes
  readonly #calls
  readonly #words

  constructor(server: HttpServer, times: HttpTimes) {
    this.maxMessageBytes = server.maxMessageBytes
    this.#url = server.url
    this.#headers = server.headers
    this.#times = times
    this.#calls = connectionsTo(server.url)
    this.#words = connectionsTo(server.url)
  }

  /** Sends a request, whose answer may take its time. */
  call(bytes: Uint8Array, isInitialize: boolean, events: ExchangeEvents): Exchange {
    const headers = isInitialize ? {} : this.#session()
    return exchange(this.#calls, this.#post(bytes, headers, this.#silenceMs), events)
  }

  /** Sends what gets no answer. */
  word(bytes: Uint8Array, events: ExchangeEvents): Exchange {
    return exchange(this.#words, this.#post(bytes, this.#session(), this.#acceptMs), events)
  }

  /** Asks for the messages of the server's own accord, or for the rest of an answer after the event `lastId`. */
  stream(lastId: string | undefined, events: ExchangeEvents): Exchange {
    const headers = {
      ...this.#headers,
      accept: 'text/event-stream',
      ...this.#session(),
      ...(lastId !== undefined && { 'last-event-id': lastId }),
    }
    const request = { url: this.#url, headers, silenceMs: this.#silenceMs }
    return exchange(this.#words, { ...request, method: 'GET' }, events)
  }

  /** Says that a session is over; resolves when the server has answered, at the latest after `withinMs`. */
  async leave(sessionId: string, withinMs: number): Promise<void> {
    const headers = { ...this.#headers, ...this.#session(), 'mcp-session-id': sessionId }
    const request = { url: this.#url, headers, method: 'DELETE', silenceMs: withinMs } as const
    return new Promise((resolve) => {
      const leaving = exchange(this.#words, request, {
        onHead: () => done(),
        onData: () => undefined,
        onEnd: () => done(),
        onFail: () => done(),
      })
      const timer = setTimeout(() => done(), withinMs)
      const done = (): void => {
        clearTimeout(timer)
        leaving.abort()
        resolve()
      }
    })
  }

  /**
   * Follows a redirect within the server; another server is not who was configured, and gets neither the call nor our
   * credentials.
   *
   * @param hops how many this request has followed
   * @returns whether the request is to be sent again
   */
  follows(head: HttpHead, hops: number): boolean {
    const location = head.header('location')
    if (![307, 308].includes(head.status) || location === undefined || hops >= maxRedirects) {
      return false
    }
    if (!URL.canParse(location, this.#url.href)) return false
    const next = new URL(location, this.#url)
    if (next.origin !== this.#url.origin || next.username !== '' || next.password !== '') {
      return false
    }
    this.#url = next
    return true
  }

  /** Closes every connection. */
  destroy(): void {
    this.#calls.destroy()
    this.#words.destroy()
  }

  get #silenceMs(): number {
    return this.#times.silenceMs ?? limits.maxSilenceMs
  }

  get #acceptMs(): number {
    return this.#times.acceptMs ?? limits.maxAcceptMs
  }

  #session(): Readonly<Record<string, string>> {
    return {
      ...(this.sessionId !== undefined && { 'mcp-session-id': this.sessionId }),
      ...(this.version !== undefined && { 'mcp-protocol-version': this.version }),
    }
  }

  #post(body: Uint8Array, session: Readonly<Record<string, string>>, ms: number): HttpRequest {
    const headers = {
      ...this.#headers,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...session,
    }
    return { url: this.#url, method: 'POST', headers, body, silenceMs: ms }
  }
}

/** Whether a session may have this id (Streamable HTTP: visible ASCII characters). */
export function isSessionId(text: string): boolean {
  return text.length <= limits.maxSessionIdCharacters && /^[\x21-\x7e]+$/.test(text)
}
