import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'
import { openHttp } from '../../src/mcp/http-channel.ts'
import type { HttpTimes } from '../../src/mcp/http-site.ts'
import { Connection } from '../../src/mcp/connection.ts'
import type { ServerResponse as Reply } from '../../src/mcp/message.ts'
import { closeText } from '../../src/mcp/connection.ts'

/** One request that reached a fake server, and the means to answer it. */
export interface Reached {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly body: string
  /** The JSON-RPC message in it. */
  readonly message: { readonly id?: number; readonly method?: string }
}

/** A server that a test plays by hand. */
export class FakeHttp {
  readonly reached: Reached[] = []
  readonly #server: Server
  /** What is answered. */
  answer: (one: Reached) => void

  private constructor(answer: (one: Reached) => void) {
    this.answer = answer
    this.#server = createServer((request, response) => void this.#take(request, response))
  }

  static async start(answer: (one: Reached) => void): Promise<FakeHttp> {
    const fake = new FakeHttp(answer)
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve))
    return fake
  }

  get url(): URL {
    const { port } = this.#server.address() as AddressInfo
    return new URL(`http://127.0.0.1:${String(port)}/mcp`)
  }

  /** The methods of HTTP and JSON-RPC that arrived, in order. */
  get seen(): readonly string[] {
    return this.reached.map(({ request, message }) =>
      [request.method, message.method ?? (message.id === undefined ? '' : 'reply')]
        .join(' ')
        .trim(),
    )
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = []
    try {
      for await (const piece of request) pieces.push(piece as Buffer)
    } catch {
      return
    }
    const body = Buffer.concat(pieces).toString()
    const message = (body === '' ? {} : JSON.parse(body)) as Reached['message']
    const one = { request, response, body, message }
    this.reached.push(one)
    this.answer(one)
  }
}

/** Answers with one JSON message. */
export function json({ response }: Reached, value: unknown, headers: object = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers })
  response.end(typeof value === 'string' ? value : JSON.stringify(value))
}

/** Begins a stream of events. */
export function stream({ response }: Reached, text = ''): ServerResponse {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(text === '' ? ': hello\n\n' : text)
  return response
}

export const event = (value: unknown, id?: string): string =>
  `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(value)}\n\n`

export const result = (id: number | undefined, value: unknown = {}): object => ({
  jsonrpc: '2.0',
  id,
  result: value,
})

/** What becomes of a request: the reply's text, or why there is none. */
export type Fate = { readonly reply: string } | { readonly lost: string; readonly loss: string }

/** A connection to a fake server, with everything that it was told. */
export class Dialled {
  readonly connection: Connection
  readonly told: string[] = []
  closed: string | undefined

  constructor(url: URL, options: { maxMessageBytes?: number; times?: HttpTimes } = {}) {
    const server = {
      url,
      headers: { authorization: 'Bearer s3cret' },
      maxMessageBytes: options.maxMessageBytes ?? 100_000,
    }
    const tell = (text: string): void => void this.told.push(text)
    this.connection = new Connection((events) => openHttp(server, events, options.times), {
      onRequest: (request) => tell(`request ${request.method}`),
      onNotification: (notification) => tell(`notification ${notification.method}`),
      onStray: () => tell('stray'),
      onRefused: (refusal) => tell(`refused ${refusal.reason}`),
      onDropped: (reason) => tell(`dropped ${reason}`),
      onTrouble: (reason) => tell(`trouble ${reason}`),
      onUndelivered: () => tell('undelivered'),
      onCongestion: (congested) => tell(`congested ${String(congested)}`),
      onClose: (reason) => {
        this.closed = closeText(reason)
      },
    })
  }

  async ask(method: string, params = '{}'): Promise<Fate> {
    const id = this.connection.nextId
    const text = `{"jsonrpc":"2.0","id":${String(id)},"method":"${method}","params":${params}}`
    return new Promise((resolve) => {
      this.connection.request(
        {
          onReply: (reply: Reply) => resolve({ reply: Buffer.from(reply.bytes).toString() }),
          onProgress: () => void this.told.push('progress'),
          onLost: (lost, loss) => resolve({ lost, loss }),
        },
        Buffer.from(text),
      )
    })
  }

  tell(method: string): void {
    this.connection.send(Buffer.from(`{"jsonrpc":"2.0","method":"${method}"}`))
  }

  /** The whole handshake. */
  async initialize(): Promise<Fate> {
    const fate = await this.ask('initialize')
    this.tell('notifications/initialized')
    return fate
  }
}

/** What the running test has opened. */
let close: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const one of close.toReversed()) await one()
  close = []
})

export const initialized = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: {} }

/** Answers as a well-behaved server does, but for what `answer` takes over by returning true. */
export function polite(answer: (one: Reached) => boolean = () => false) {
  return (one: Reached): void => {
    if (answer(one)) return
    const { message, request, response } = one
    if (request.method === 'GET') return void response.writeHead(405).end()
    if (request.method === 'DELETE' || message.id === undefined) {
      return void response.writeHead(202).end()
    }
    if (message.method === 'initialize') {
      return json(one, result(message.id, initialized), { 'mcp-session-id': 'the-session' })
    }
    json(one, result(message.id, { ok: true }))
  }
}

export const isCall = ({ message }: Reached): boolean => message.method === 'tools/call'

export async function dial(
  answer: (one: Reached) => void,
  options: ConstructorParameters<typeof Dialled>[1] = {},
): Promise<readonly [Dialled, FakeHttp]> {
  const fake = await FakeHttp.start(answer)
  const dialled = new Dialled(fake.url, options)
  close.push(
    () => fake.close(),
    () => dialled.connection.stop(),
  )
  return [dialled, fake]
}

/** A server that answers calls as `answer` says, and a client that has shaken hands with it. */
export async function greeted(
  answer: (one: Reached) => unknown,
  options: ConstructorParameters<typeof Dialled>[1] = {},
): Promise<readonly [Dialled, FakeHttp]> {
  const [dialled, fake] = await dial(
    polite((one) => {
      if (!isCall(one)) return false
      answer(one)
      return true
    }),
    options,
  )
  await dialled.initialize()
  return [dialled, fake]
}
