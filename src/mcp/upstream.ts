import type { CloseReason } from '../transport/channel.ts'
import { closeText, Connection } from './connection.ts'
import type { OpenChannel, PendingRequest } from './connection.ts'
import type { ServerRefusal } from './inspect-server.ts'
import type { ServerNotification, ServerResponse, ServerRequest } from './message.ts'
import { notificationMessage, requestMessage } from './rpc.ts'

const initializedMethod = 'notifications/initialized'

/** Decides how long to wait before a server is started again. */
export interface Backoff {
  /** A start is wanted now; returns how many milliseconds it has to wait, 0 for at once. */
  waitMs(): number
  started(): void
  ended(): void
}

/** How a server is started. */
export interface UpstreamOptions {
  /** The server's key in the configuration. */
  readonly name: string
  readonly open: OpenChannel
  readonly backoff: Backoff
  /** A start that would have to wait longer than this is refused instead, milliseconds. */
  readonly maxStartDelayMs: number
}

/** What an upstream tells its owner. */
export interface UpstreamEvents {
  /** @param owner as `ConnectionEvents` has it */
  onRequest(request: ServerRequest, connection: Connection, owner?: object): void
  onNotification(notification: ServerNotification, connection: Connection, owner?: object): void
  onStray(line: Uint8Array): void
  onRefused(refusal: ServerRefusal, bytes: Uint8Array): void
  onDropped(reason: string): void
  onTrouble(reason: string): void
  onUndelivered(): void
  onCongestion(congested: boolean): void
  /** The server ended; `text` says how. */
  onClose(text: string, connection: Connection): void
  /** The server was started again and has been initialised; replay what it has to know. */
  onRestarted(connection: Connection, reply: ServerResponse): void
}

/** Something that needs a connection; exactly one of the two is called, once. */
export interface Use {
  run(connection: Connection): void
  fail(reason: string): void
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly kind: 'handshaking'; readonly connection: Connection }
  | { readonly kind: 'ready'; readonly connection: Connection }
  | { readonly kind: 'stopped' }

/**
 * One configured server as one client session sees it: started at first need, started again after a crash.
 *
 * What was in flight when it crashed is answered as lost and never sent again, for it may have run (THREATS B34).
 */
export class Upstream {
  readonly name: string
  readonly #options: UpstreamOptions
  readonly #events: UpstreamEvents
  #state: State = { kind: 'idle' }
  #queue: Use[] = []
  /** The params of the client's `initialize`, as JSON, once it has sent one. */
  #handshake: string | undefined
  #initializedSent = false

  constructor(options: UpstreamOptions, events: UpstreamEvents) {
    this.name = options.name
    this.#options = options
    this.#events = events
  }

  /** Uses the connection now when there is one, else when the server has been started, in order. */
  use(use: Use): void {
    if (this.#state.kind === 'ready') return use.run(this.#state.connection)
    if (this.#state.kind === 'stopped') return use.fail('the gate is shutting down')
    this.#queue.push(use)
    if (this.#state.kind === 'idle') this.#start()
  }

  /** The connection, if the server runs and has been initialised. */
  get connection(): Connection | undefined {
    return this.#state.kind === 'ready' ? this.#state.connection : undefined
  }

  /**
   * Initialises the server with the client's own params, which also serve for every later start.
   *
   * Everything that is used meanwhile waits for the reply.
   */
  initialize(paramsText: string, pending: PendingRequest): void {
    this.#handshake = paramsText
    this.#initializedSent = false
    if (this.#state.kind === 'ready') return this.#sendInitialize(this.#state.connection, pending)
    if (this.#state.kind === 'idle') this.#open(pending)
    else
      this.use({
        run: (connection) => this.#sendInitialize(connection, pending),
        fail: (reason) => pending.onLost(reason, 'gone'),
      })
  }

  /** Passes on that the client has finished its side of the handshake. */
  initialized(): void {
    this.#initializedSent = true
    this.connection?.send(notificationMessage(initializedMethod))
  }

  /** What waits for the server to read it, bytes. */
  get backlogBytes(): number {
    const state = this.#state
    const isOpen = state.kind === 'ready' || state.kind === 'handshaking'
    return isOpen ? state.connection.backlogBytes : 0
  }

  pause(): void {
    if (this.#state.kind === 'ready' || this.#state.kind === 'handshaking') {
      this.#state.connection.pause()
    }
  }

  resume(): void {
    if (this.#state.kind === 'ready' || this.#state.kind === 'handshaking') {
      this.#state.connection.resume()
    }
  }

  /** Ends the server; it is not started again. */
  async stop(): Promise<void> {
    const state = this.#state
    this.#state = { kind: 'stopped' }
    if (state.kind === 'waiting') clearTimeout(state.timer)
    this.#failQueue('the gate is shutting down')
    if (state.kind === 'ready' || state.kind === 'handshaking') await state.connection.stop()
  }

  #start(): void {
    const delayMs = this.#options.backoff.waitMs()
    if (delayMs > this.#options.maxStartDelayMs) {
      const seconds = String(Math.ceil(delayMs / 1000))
      this.#failQueue(`it ended too often and is not started again for ${seconds} s`)
      return
    }
    if (delayMs === 0) return this.#open()
    this.#state = { kind: 'waiting', timer: setTimeout(() => this.#open(), delayMs) }
  }

  /** Opens a connection; `first` is the client's own initialize, absent when the gate replays it. */
  #open(first?: PendingRequest): void {
    this.#options.backoff.started()
    const connection: Connection = new Connection(this.#options.open, {
      onRequest: (request, owner) => this.#events.onRequest(request, connection, owner),
      onNotification: (notification, owner) =>
        this.#events.onNotification(notification, connection, owner),
      onStray: (line) => this.#events.onStray(line),
      onRefused: (refusal, bytes) => this.#events.onRefused(refusal, bytes),
      onDropped: (reason) => this.#events.onDropped(reason),
      onTrouble: (reason) => this.#events.onTrouble(reason),
      onUndelivered: () => this.#events.onUndelivered(),
      onCongestion: (congested) => this.#events.onCongestion(congested),
      onClose: (reason) => this.#closed(connection, reason),
    })
    if (this.#handshake === undefined) return this.#ready(connection)
    this.#sendInitialize(connection, first)
  }

  /** Sends `initialize`; without `client` the gate replays it, and what the server forgot is told to it again. */
  #sendInitialize(connection: Connection, client: PendingRequest | undefined): void {
    this.#state = { kind: 'handshaking', connection }
    const pending: PendingRequest = {
      onReply: (reply) => {
        client?.onReply(reply)
        if (this.#initializedSent) connection.send(notificationMessage(initializedMethod))
        if (client === undefined) this.#events.onRestarted(connection, reply)
        if (this.#state.kind === 'handshaking') this.#ready(connection)
      },
      onLost: (reason, loss) => {
        // Without `client` nobody waits for this reply; what is queued fails when the connection closes.
        client?.onLost(reason, loss)
        // Of a server that is still there the queue must not wait for ever; it says itself what it does not do.
        if (loss !== 'died' && this.#state.kind === 'handshaking') this.#ready(connection)
      },
      onProgress: (notification) => client?.onProgress?.(notification),
    }
    const id = String(connection.nextId)
    connection.request(pending, requestMessage(id, 'initialize', this.#handshake))
  }

  #ready(connection: Connection): void {
    this.#state = { kind: 'ready', connection }
    const queue = this.#queue
    this.#queue = []
    for (const use of queue) use.run(connection)
  }

  #closed(connection: Connection, reason: CloseReason): void {
    const state = this.#state
    if (state.kind === 'stopped') return
    if ((state.kind === 'ready' || state.kind === 'handshaking') && state.connection !== connection)
      return
    this.#options.backoff.ended()
    this.#state = { kind: 'idle' }
    this.#failQueue(closeText(reason))
    this.#events.onClose(closeText(reason), connection)
  }

  #failQueue(reason: string): void {
    const queue = this.#queue
    this.#queue = []
    for (const use of queue) use.fail(reason)
  }
}
