import { lookup } from 'node:dns'
import { Agent as PlainAgent, request as plainRequest } from 'node:http'
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import { assert } from '../errors.ts'
import { limits } from '../limits.ts'

/** One HTTP request. */
export interface HttpRequest {
  readonly url: URL
  readonly method: 'POST' | 'GET' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | undefined
  /** How long the server may send nothing, milliseconds. */
  readonly silenceMs: number
}

/** The head of an answer. */
export interface HttpHead {
  readonly status: number
  /** In lower case, without parameters; empty when the server names none. */
  readonly type: string
  /** A header that stands there once; undefined when it is missing. */
  header(name: string): string | undefined
  /** Why the body cannot be read as it is: compressed, or in another character set than UTF-8. */
  readonly unreadable: string | undefined
}

/** What becomes of an exchange; after `onEnd` or `onFail`, of which one is called once, comes nothing more. */
export interface ExchangeEvents {
  /** The request is written, as far as this process can tell. Called at most once. */
  onWritten?(): void
  onHead(head: HttpHead): void
  onData(chunk: Uint8Array): void
  /** The answer is complete. */
  onEnd(): void
  /** @param sent false only when not one byte of the request was written */
  onFail(reason: string, sent: boolean): void
}

/** A request on its way. */
export interface Exchange {
  pause(): void
  resume(): void
  /** Ends it without a further word: neither `onEnd` nor `onFail` is called. */
  abort(): void
}

/** Keeps connections to one server open between requests. */
export type Connections = PlainAgent | SecureAgent

/** Servers close idle connections after two seconds or more; a request must not be on its way then. */
const idleMs = 1500

/** A pool of connections to the server of `url`; `destroy` closes them. */
export function connectionsTo(url: URL): Connections {
  // The configuration says so too; nothing with a token in it leaves this machine in clear text (see `loopbackOnly`).
  const isNear = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(url.hostname)
  assert(url.protocol === 'https:' || isNear, 'what goes over a network is encrypted')
  const options = { keepAlive: true, maxSockets: limits.maxConnections, timeout: idleMs }
  return url.protocol === 'https:'
    ? new SecureAgent({ ...options, rejectUnauthorized: true })
    : new PlainAgent(options)
}

/**
 * Sends a request and hands over its answer as it comes. Redirects are answers like others; nothing is decompressed.
 */
export function exchange(
  connections: Connections,
  request: HttpRequest,
  events: ExchangeEvents,
): Exchange {
  return new RunningExchange(connections, request, events)
}

class RunningExchange implements Exchange {
  readonly #events: ExchangeEvents
  readonly #request: ClientRequest
  readonly #silenceMs: number
  #answer: IncomingMessage | undefined
  #timer: NodeJS.Timeout | undefined
  #paused = false
  #done = false
  /** Whether the connection stood, so that something may have been written. */
  #sent = false

  constructor(connections: Connections, request: HttpRequest, events: ExchangeEvents) {
    this.#events = events
    this.#silenceMs = request.silenceMs
    this.#request = startRequest(connections, request)
    this.#request.on('error', (error) => this.#fail(reasonOf(error)))
    this.#request.on('socket', (socket) => this.#connecting(socket, request.url.protocol))
    this.#request.on('finish', () => events.onWritten?.())
    this.#request.on('response', (answer) => this.#answered(answer))
    this.#request.on('close', () => {
      // With an answer, what is not yet read of it may still be to come.
      if (this.#answer === undefined) this.#fail('closed the connection without an answer')
    })
    this.#request.end(request.body)
  }

  pause(): void {
    this.#paused = true
    this.#answer?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#answer?.resume()
  }

  abort(): void {
    this.#finish()
    this.#request.destroy()
  }

  #connecting(socket: NodeJS.Socket & { connecting: boolean }, protocol: string): void {
    if (!socket.connecting) return this.#connected()
    this.#restart(limits.maxConnectMs, 'could not be reached in time')
    socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', () => this.#connected())
  }

  #connected(): void {
    this.#sent = true
    this.#listen()
  }

  #listen(): void {
    const seconds = String(Math.round(this.#silenceMs / 1000))
    this.#restart(this.#silenceMs, `sent nothing for ${seconds} s`)
  }

  #restart(ms: number, reason: string): void {
    clearTimeout(this.#timer)
    if (this.#done) return
    this.#timer = setTimeout(() => {
      // Whoever does not read cannot say that nothing comes.
      if (this.#paused) return this.#restart(ms, reason)
      this.#fail(reason)
      this.#request.destroy()
    }, ms)
  }

  #answered(answer: IncomingMessage): void {
    if (this.#done) return void answer.resume()
    this.#answer = answer
    this.#listen()
    answer.on('data', (chunk: Buffer) => {
      if (this.#done) return
      this.#listen()
      this.#events.onData(chunk)
    })
    answer.on('end', () => {
      if (this.#done) return
      this.#finish()
      this.#events.onEnd()
    })
    for (const event of ['error', 'aborted', 'close'] as const) {
      answer.on(event, () => this.#fail('broke off its answer'))
    }
    this.#events.onHead(headOf(answer))
    if (this.#paused) answer.pause()
  }

  #fail(reason: string): void {
    if (this.#done) return
    this.#finish()
    this.#events.onFail(reason, this.#sent)
  }

  #finish(): void {
    this.#done = true
    clearTimeout(this.#timer)
  }
}

function startRequest(connections: Connections, request: HttpRequest): ClientRequest {
  const { url, method, body } = request
  const headers: OutgoingHttpHeaders = { 'accept-encoding': 'identity', ...request.headers }
  if (body !== undefined) headers['content-length'] = body.length
  const options = { method, headers, agent: connections, maxHeaderSize: limits.maxHeadBytes }
  return url.protocol === 'https:'
    ? secureRequest(url, options)
    : plainRequest(url, { ...options, lookup: loopbackOnly })
}

/** What is not encrypted must not leave this machine, whatever its name service says of `localhost`. */
const loopbackOnly: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, '')
    const near = addresses.filter(({ address }) => /^(?:127\.|::1$)/.test(address))
    const [first] = near
    if (first === undefined) {
      return callback(new Error(`\`${hostname}\` is not this machine`), '')
    }
    if (options.all === true) return callback(null, near)
    callback(null, first.address, first.family)
  })
}

function headOf(answer: IncomingMessage): HttpHead {
  const header = (name: string): string | undefined => {
    const value = answer.headers[name]
    return typeof value === 'string' ? value : undefined
  }
  const [type = '', ...parameters] = (header('content-type') ?? '').split(';')
  const encoding = (header('content-encoding') ?? 'identity').trim().toLowerCase()
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/i.exec(parameter)?.[1])
    .find((name) => name !== undefined)
  const unreadable =
    encoding !== 'identity'
      ? 'it is compressed, which was not asked for'
      : charset !== undefined && !/^utf-?8$/i.test(charset)
        ? 'its text is not UTF-8'
        : undefined
  return {
    status: answer.statusCode ?? 0,
    type: type.trim().toLowerCase(),
    header,
    unreadable,
  }
}

const knownReasons: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'cannot be reached: nothing listens there'],
  ['ENOTFOUND', 'cannot be reached: its name is not known'],
  ['EAI_AGAIN', 'cannot be reached: its name could not be looked up'],
  ['ECONNRESET', 'broke the connection'],
  ['EPIPE', 'broke the connection'],
  ['HPE_HEADER_OVERFLOW', 'sent a head over the limit'],
])

function reasonOf(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const known = knownReasons.get(code)
  if (known !== undefined) return known
  if (code.startsWith('HPE_')) return `does not speak HTTP (${code})`
  return `cannot be reached: ${code === '' ? error.message : code}`
}
