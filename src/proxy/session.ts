import type { Connection } from '../mcp/connection.ts'
import { inspectClientMessage } from '../mcp/inspect-client.ts'
import type { ServerRefusal } from '../mcp/inspect-server.ts'
import { limits } from '../limits.ts'
import { MessageRefusal } from '../mcp/message.ts'
import type { ClientMessage, ClientNotification, ClientRequest, RpcId } from '../mcp/message.ts'
import { isListMethod, isRoutedMethod } from '../mcp/methods.ts'
import { Outbox } from '../mcp/outbox.ts'
import { PageTrail } from '../mcp/page-trail.ts'
import { OversizeMessage } from '../mcp/oversize.ts'
import { errorMessage, rpcCodes } from '../mcp/rpc.ts'
import { noPins } from '../mcp/pins.ts'
import type { Pins } from '../mcp/pins.ts'
import { nameBudget } from '../mcp/tool-names.ts'
import { ToolCatalogue } from '../mcp/tool-catalogue.ts'
import { Upstream } from '../mcp/upstream.ts'
import type { Backoff } from '../mcp/upstream.ts'
import type { OpenChannel } from '../mcp/connection.ts'
import { Asks } from './asks.ts'
import { callTool } from './calls.ts'
import { ClientValve } from './client-valve.ts'
import { fail, finish } from './context.ts'
import type { CallGate, ClientIdentity, SessionContext } from './context.ts'
import { streamOrigin } from './downstream.ts'
import type { Dialect } from './dialect.ts'
import type { Downstream, Origin } from './downstream.ts'
import { refuseMessage } from './refused-message.ts'
import { Flights } from './flights.ts'
import type { Flight } from './flights.ts'
import { Relisting } from './relisting.ts'
import type { Routing } from './routing.ts'
import { serverEvents } from './server-events.ts'
import { Member, SeveralServers } from './several-servers.ts'
import { SoleServer } from './sole-server.ts'
import { textMember } from '../mcp/params.ts'
import { exactId } from '../mcp/rpc-id.ts'

/** One configured server, as a session opens it. */
export interface SessionServer {
  readonly name: string
  /** Empty: names are passed on unchanged; only with a single server. */
  readonly prefix: string
  readonly open: OpenChannel
  readonly backoff: Backoff
}

/** What a session needs: the client, the servers, the gate, and what is decided for the whole process. */
export interface SessionOptions {
  readonly downstream: Downstream
  readonly servers: readonly SessionServer[]
  readonly gate: CallGate
  /** What becomes of requests with a method no revision of the protocol names. */
  readonly unknownMethods: 'deny' | 'forward'
  /** The key under which clients have configured this gate; it counts towards their limits on names. */
  readonly endpointKey: string
  readonly software: { readonly name: string; readonly version: string }
  /** Hex SHA-256 of a text. */
  readonly hash: (text: string) => string
  readonly hashDefinition: (bytes: Uint8Array) => string
  /** Which definitions somebody has accepted; nothing is pinned when left out. */
  readonly pins?: Pins | undefined
  /** Random, of this process; list cursors are sealed with it. */
  readonly cursorKey: Uint8Array
  /** True: stop reading from the client, because too much waits already; false: go on. */
  onCongestion(congested: boolean): void
  log(text: string): void
}

/** A server that ended is not waited for longer than this before a request to it is refused, milliseconds. */
const maxStartDelayMs = 5000

/**
 * One client from its first message to its last: the one place where a message of a client becomes a message to a
 * server, and where a tool call is judged on the way.
 */
export class Session {
  readonly #context: SessionContext
  readonly #options: SessionOptions
  readonly #routing: Routing
  readonly #oversize = new OversizeMessage((refusal) => this.#refuseOversize(refusal))
  readonly #valve: ClientValve
  readonly #stream: Origin
  #client: ClientIdentity = { name: '', version: '' }
  /** Of notifications that wait behind a call for their turn. */
  #heldBytes = 0

  constructor(options: SessionOptions) {
    this.#options = options
    this.#stream = streamOrigin(options.downstream)
    this.#valve = new ClientValve({
      isSole: options.servers.length === 1,
      backlogBytes: () =>
        this.#context.upstreams.reduce((sum, { backlogBytes }) => sum + backlogBytes, 0),
      onCongestion: (congested) => options.onCongestion(congested),
      onStall: () =>
        options.log('the server does not read its input; calls are refused until it does'),
    })
    this.#context = this.#contextOf(options)
    const [sole, ...others] = options.servers
    const [upstream] = this.#context.upstreams
    this.#routing =
      sole !== undefined && upstream !== undefined && others.length === 0 && sole.prefix === ''
        ? new SoleServer(this.#context, upstream)
        : new SeveralServers(this.#context, this.#members(), options.cursorKey)
  }

  /**
   * Takes one message of the client.
   *
   * @param origin where what belongs to it goes; where there is one stream for everything, it may be left out
   */
  receive(bytes: Uint8Array, origin: Origin = this.#stream): void {
    let message: ClientMessage
    try {
      message = inspectClientMessage(bytes)
    } catch (error) {
      if (!(error instanceof MessageRefusal)) throw error
      refuseMessage(this.#context.gate, origin, error, bytes)
      if (error.answersIdText !== null) this.#refuseAnswer(error.answersIdText, error.message)
      return
    }
    this.take(message, origin)
  }

  /** Takes a message of the client that was read already. */
  take(message: ClientMessage, origin: Origin): void {
    switch (message.kind) {
      case 'request':
        return void this.request(message, origin)
      case 'notification':
        this.#notification(message)
        return origin.accepted()
      case 'response':
        if (!this.#context.asks.answer(message)) this.#drop('an answer to no question of a server')
        return origin.accepted()
    }
  }

  /** The client has no use any more for the answer to the request of this id. */
  cancel(id: RpcId): void {
    this.#context.flights.cancel(id, undefined)
  }

  /** A message over the limit is being dropped. */
  oversize(limitBytes: number): void {
    this.#oversize.begin(limitBytes)
  }

  /** The bytes of that message as they are dropped; undefined at its end. */
  oversizePart(piece: Uint8Array | undefined): void {
    this.#oversize.take(piece)
  }

  /** The client does not keep up, and so much waits for it: the servers are not read until `clientDrained`. */
  clientCongested(backlogBytes: number): void {
    for (const upstream of this.#context.upstreams) upstream.pause()
    this.#valve.clientBacklog(backlogBytes)
  }

  clientDrained(): void {
    for (const upstream of this.#context.upstreams) upstream.resume()
    this.#valve.clientBacklog(0)
  }

  /**
   * Ends the session: what waits for a decision is decided and sent, then the servers are told that no more will come
   * and may still answer while they end.
   */
  async close(): Promise<void> {
    this.#valve.close()
    this.#context.relisting.close()
    await this.#context.outbox.idle()
    await Promise.all(this.#context.upstreams.map((upstream) => upstream.stop()))
  }

  /**
   * Takes a request of a client, whatever revision it speaks.
   *
   * @returns what is known of it until it is answered; undefined when it was refused, which has been said
   */
  request(request: ClientRequest, origin: Origin, dialect?: Dialect): Flight | undefined {
    const flight = this.#context.flights.open(request, origin, dialect)
    if (flight === undefined) {
      const message = 'a request with this id is in flight, or too many are'
      this.#context.gate.refused({ reason: 'id_in_flight', message, bytes: request.bytes })
      const error = { code: rpcCodes.invalidRequest, message }
      origin.answer(errorMessage(request.idText, error))
      return undefined
    }
    this.#dispatch(flight)
    return flight
  }

  #dispatch(flight: Flight): void {
    const { method, params } = flight.request
    if (method === 'tools/call') return callTool(this.#context, flight, this.#client, this.#routing)
    if (method === 'ping') return finish(this.#context, flight, [flight.result('{}')])
    if (method === 'initialize') {
      this.#client = {
        name: textMember(params['clientInfo'], 'name') ?? '',
        version: textMember(params['clientInfo'], 'version') ?? '',
      }
      return this.#routing.initialize(flight)
    }
    if (isListMethod(method)) return this.#routing.list(flight, method)
    if (isRoutedMethod(method)) return this.#routing.route(flight)
    this.#unknownMethod(flight)
  }

  #unknownMethod(flight: Flight): void {
    if (this.#options.unknownMethods === 'forward') return this.#routing.forwardUnknown(flight)
    const { method, bytes } = flight.request
    const message = `Method not found: ${method}`
    // A client that can do the newest revision asks for it first; the answer sends it to `initialize`.
    const isProbe = method === 'server/discover'
    if (!isProbe) this.#context.gate.refused({ reason: 'unknown_method', message, bytes })
    fail(this.#context, flight, { code: rpcCodes.methodNotFound, message })
  }

  #notification(notification: ClientNotification): void {
    const { params, method } = notification
    switch (method) {
      case 'notifications/initialized':
        for (const upstream of this.#context.upstreams) upstream.initialized()
        return
      case 'notifications/cancelled':
        return this.#cancelled(notification)
      case 'notifications/progress':
        if (!this.#context.asks.progress(notification, exactId(params['progressToken']))) {
          this.#drop('progress on no question of a server')
        }
        return
      default:
        return this.#tellServers(notification.bytes)
    }
  }

  /** Servers that are not running have nothing to be told; they ask again when they start. */
  #tellServers(bytes: Uint8Array): void {
    if (this.#heldBytes >= limits.maxBacklogBytes) return this.#drop('a notification too many')
    this.#heldBytes += bytes.length
    this.#context.outbox.push(() => {
      this.#heldBytes -= bytes.length
      for (const { connection } of this.#context.upstreams) connection?.send(bytes)
    })
  }

  #cancelled(notification: ClientNotification): void {
    const id = exactId(notification.params['requestId'])
    const { reason } = notification.params
    const reasonText = typeof reason === 'string' ? JSON.stringify(reason) : undefined
    if (id === undefined || !this.#context.flights.cancel(id, reasonText)) {
      this.#drop('a cancellation of no request in flight')
    }
  }

  /** A client's answer that cannot be passed on: the server that asked is told, so that it does not wait for ever. */
  #refuseAnswer(idText: string, message: string): void {
    const id: unknown = JSON.parse(idText)
    const text = `the client's answer was refused: ${message}`
    if (typeof id === 'number' && this.#context.asks.refuse(id, text)) return
    this.#drop('an answer to no question of a server')
  }

  #refuseOversize({ kind, idText, message, reason }: ServerRefusal): void {
    this.#context.gate.refused({ reason, message, bytes: new Uint8Array() })
    if (kind === 'answer' && idText !== undefined) return this.#refuseAnswer(idText, message)
    const error = { code: rpcCodes.invalidRequest, message: `refused by the gate: ${message}` }
    const about = kind === 'call' ? idText : undefined
    this.#context.downstream.send(undefined, errorMessage(about ?? null, error))
  }

  #drop(what: string): void {
    this.#context.log(`dropped ${what}`)
  }

  #members(): readonly Member[] {
    return this.#context.upstreams.map(
      (upstream, index) => new Member(upstream, this.#options.servers[index]?.prefix ?? ''),
    )
  }

  #contextOf(options: SessionOptions): SessionContext {
    const asks = new Asks()
    const flights = new Flights()
    const { downstream, gate, software, servers, pins = noPins } = options
    const upstreams: Upstream[] = []
    const context: SessionContext = {
      pins,
      client: () => this.#client,
      get relisting() {
        return relisting
      },
      downstream,
      upstreams,
      gate,
      flights,
      asks,
      software,
      outbox: new Outbox(),
      pages: new PageTrail(),
      catalogue: new ToolCatalogue({
        servers,
        nameBudget: nameBudget(options.endpointKey),
        hash: options.hash,
        hashDefinition: options.hashDefinition,
        pins,
      }),
      log: (text) => options.log(text),
    }
    const relisting = new Relisting(context, pins, servers)
    for (const server of servers) {
      const events = serverEvents(context, server.name, {
        showServer: servers.length > 1,
        onCongestion: (congested) => this.#valve.serverCongested(congested),
        onRestarted: (connection: Connection) => this.#routing.restore(server.name, connection),
      })
      upstreams.push(new Upstream({ ...server, maxStartDelayMs }, events))
    }
    return context
  }
}
