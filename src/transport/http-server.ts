import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import { EventWriter } from './event-writer.ts'
import { singleHeaders } from './http-guard.ts'
import type { HttpRefusal, RequestFacts } from './http-guard.ts'

/** One request to a server of ours, whose body has not been read. */
export interface HttpVisit extends RequestFacts {
  /** Of the URL, as it was sent; without what follows a `?`. */
  readonly path: string
  readonly answer: HttpAnswer
  /**
   * Reads the body.
   *
   * @returns why it was not read, or undefined when the client went away
   */
  body(maxBytes: number): Promise<Uint8Array | HttpRefusal | undefined>
}

/** The answer to one request. */
export interface HttpAnswer {
  /** True once nothing can be said any more: the answer is complete, or the client has gone. */
  readonly isOver: boolean
  /** What is written and not yet in the connection, bytes. */
  readonly backlogBytes: number
  /** Answers at once and completely. */
  send(
    status: number,
    headers: Readonly<Record<string, string>>,
    ...pieces: readonly Uint8Array[]
  ): void
  /** Begins a stream of events. */
  stream(headers: Readonly<Record<string, string>>): EventWriter
  /** @param listener called once, when the answer is over */
  onOver(listener: () => void): void
  /** @param listener called whenever the connection takes more again */
  onDrain(listener: () => void): void
  /** Breaks the connection. */
  destroy(): void
}

/** What a server of ours is made of. */
export interface HttpServing {
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  onVisit(visit: HttpVisit): void
  /** Something that is no fault of a client. */
  onFailure(error: unknown): void
}

/** A server that listens. */
export interface HttpListener {
  readonly port: number
  /** Takes no new connections; what is being answered is. Resolves when all connections are closed. */
  close(): Promise<void>
  /** Breaks what is still open. */
  abandon(): void
}

/**
 * Listens for HTTP requests, with a bound on everything that a client may send or keep us waiting for (THREATS B32).
 *
 * @throws CapFenceError `USAGE` when the address cannot be taken
 */
export async function listenHttp(serving: HttpServing): Promise<HttpListener> {
  const bodies: BodyBudget = { takenBytes: 0 }
  const server = createServer(
    {
      headersTimeout: limits.maxRequestHeadMs,
      requestTimeout: limits.maxRequestMs,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: 60_000,
      maxHeaderSize: limits.maxHeadBytes,
      // A bare line feed or a length beside chunks is read differently by different programs.
      insecureHTTPParser: false,
    },
    (request, response) => serving.onVisit(new Visit(request, response, bodies)),
  )
  server.maxConnections = limits.maxFrontConnections
  server.timeout = limits.maxFrontSilenceMs
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    const status = statusOfParserError(error.code)
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  })
  // Nobody switches protocols here.
  server.on('upgrade', (_request, socket) => socket.destroy())
  await listening(server, serving)
  server.on('error', (error) => serving.onFailure(error))
  return {
    port: portOf(server),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
      }),
    abandon: () => server.closeAllConnections(),
  }
}

function statusOfParserError(code: string | undefined): string {
  if (code === 'HPE_HEADER_OVERFLOW') return '431 Request Header Fields Too Large'
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request'
}

function listening(server: Server, { host, port }: HttpServing): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const where = `${host}:${String(port)}`
      const why = cause.code === 'EADDRINUSE' ? 'is taken' : `cannot be used: ${cause.code ?? ''}`
      reject(
        new CapFenceError('USAGE', `\`${where}\` ${why}`, {
          hint: 'name another port with `--port`, or 0 for any that is free',
          cause,
        }),
      )
    })
    server.listen(port, host, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** What all bodies that are being read take together. */
interface BodyBudget {
  takenBytes: number
}

class Visit implements HttpVisit {
  readonly #request: IncomingMessage
  readonly #bodies: BodyBudget
  readonly method: string
  readonly path: string
  readonly answer: HttpAnswer

  constructor(request: IncomingMessage, response: ServerResponse, bodies: BodyBudget) {
    this.#request = request
    this.#bodies = bodies
    this.method = request.method ?? ''
    this.path = (request.url ?? '').split('?', 1)[0] ?? ''
    this.answer = new Answer(request, response)
  }

  get repeated(): readonly string[] {
    const { headersDistinct } = this.#request
    return singleHeaders.filter((name) => (headersDistinct[name]?.length ?? 0) > 1)
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name]
    return typeof value === 'string' ? value : undefined
  }

  body(maxBytes: number): Promise<Uint8Array | HttpRefusal | undefined> {
    const tooLarge = {
      status: 413,
      text: `the body is over the limit of ${String(maxBytes)} bytes`,
    }
    if (Number(this.header('content-length') ?? 0) > maxBytes) return Promise.resolve(tooLarge)
    return new Promise((resolve) => {
      const pieces: Uint8Array[] = []
      let bytes = 0
      const end = (result: Uint8Array | HttpRefusal | undefined): void => {
        this.#bodies.takenBytes -= bytes
        bytes = 0
        this.#request.off('data', take)
        resolve(result)
      }
      const take = (piece: Buffer): void => {
        const isAlone = this.#bodies.takenBytes === bytes
        pieces.push(piece)
        bytes += piece.length
        this.#bodies.takenBytes += piece.length
        if (bytes > maxBytes) return end(tooLarge)
        if (!isAlone && this.#bodies.takenBytes > limits.maxBodiesBytes) end(busy)
      }
      this.#request.on('data', take)
      this.#request.once('end', () => end(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces)))
      // After `end` this changes nothing.
      this.#request.once('close', () => end(undefined))
      this.#request.on('error', () => end(undefined))
    })
  }
}

const busy: HttpRefusal = {
  status: 503,
  text: 'too many messages arrive at the same time',
  headers: { 'retry-after': '1' },
}

/** Up to this size the pieces of an answer are copied into one. */
const joinedBytes = 65_536

class Answer implements HttpAnswer {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request
    this.#response = response
    // A connection that breaks is told by `close`, too.
    response.on('error', () => undefined)
  }

  get isOver(): boolean {
    return this.#response.writableEnded || this.#response.destroyed
  }

  get backlogBytes(): number {
    return this.#response.destroyed ? 0 : this.#response.writableLength
  }

  send(
    status: number,
    headers: Readonly<Record<string, string>>,
    ...pieces: readonly Uint8Array[]
  ): void {
    if (this.isOver) return
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    // What is not read of a request would be taken for the next one.
    const close = this.#request.complete ? {} : { connection: 'close' }
    this.#response.writeHead(status, { ...common, ...headers, ...close, 'content-length': length })
    // Head and body leave in one packet; what is short is copied into one piece, which takes less than many writes.
    if (length <= joinedBytes) {
      this.#response.end(Buffer.concat(pieces))
      return
    }
    this.#response.cork()
    for (const piece of pieces) this.#response.write(piece)
    this.#response.end()
  }

  stream(headers: Readonly<Record<string, string>>): EventWriter {
    this.#response.writeHead(200, { ...common, ...streamHeaders, ...headers })
    this.#response.flushHeaders()
    return new EventWriter(this.#response)
  }

  onOver(listener: () => void): void {
    this.#response.once('close', listener)
  }

  onDrain(listener: () => void): void {
    this.#response.on('drain', listener)
  }

  destroy(): void {
    this.#response.destroy()
  }
}

const common = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
}

/** Between us and the client nobody may collect or change the stream. */
const streamHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
}
