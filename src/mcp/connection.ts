import { CapFenceError } from '../errors.ts'
import type { Channel, ChannelEvents, CloseReason } from '../transport/channel.ts'
import { inspectServerMessage } from './inspect-server.ts'
import type { ServerNotification, ServerResponse, ServerRequest } from './message.ts'
import { notificationMessage } from './rpc.ts'

/** A channel to a server that the gate started and can end. */
export interface UpstreamChannel extends Channel {
  /** Ends the server and everything it started; resolves when nothing of it is left. */
  stop(): Promise<void>
}

/** Starts a server; tells its owner of everything later, never before it returns. */
export type OpenChannel = (events: ChannelEvents) => UpstreamChannel

/** What becomes of one request; exactly one of `onReply` and `onLost` is called, once, unless it is cancelled. */
export interface PendingRequest {
  onReply(reply: ServerResponse): void
  /** `notification` names this request by its progress token, which is the request's id. */
  onProgress?(notification: ServerNotification): void
  /** No reply will come: the server is gone, or its reply was over the limit. It may have run. */
  onLost(reason: string): void
}

/** What a connection tells its owner. */
export interface ConnectionEvents {
  onRequest(request: ServerRequest): void
  onNotification(notification: ServerNotification): void
  /** A line that is no JSON-RPC message. */
  onStray(line: Uint8Array): void
  /** A message that answers nothing, or nothing any more; it was dropped (THREATS B23). */
  onDropped(reason: string): void
  /** True: stop sending; false: go on. */
  onCongestion(congested: boolean): void
  onClose(reason: CloseReason): void
}

/** Ids of cancelled requests that are remembered, so that their late replies are dropped without a complaint. */
const maxCancelledIds = 1000

/**
 * One running server, with ids of its own: what goes out is numbered here, what comes back is matched here.
 *
 * Ids are integers from 1; a progress token is the id of its request. A reply to an unknown id is dropped.
 */
export class Connection {
  readonly #channel: UpstreamChannel
  readonly #events: ConnectionEvents
  readonly #pending = new Map<number, PendingRequest>()
  readonly #cancelled = new Set<number>()
  #lastId = 0
  #closed = false

  constructor(open: OpenChannel, events: ConnectionEvents) {
    this.#events = events
    this.#channel = open({
      onMessage: (message) => this.#receive(message),
      onOversize: (bytes) =>
        this.#loseAll(`a reply of more than ${String(bytes)} bytes was dropped`),
      onDrain: () => events.onCongestion(false),
      onClose: (reason) => this.#close(reason),
    })
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** The id that the next request will get; also its progress token. */
  get nextId(): number {
    return this.#lastId + 1
  }

  /** Sends a request that was written with `nextId` as its id. */
  request(pending: PendingRequest, ...pieces: readonly Uint8Array[]): number {
    this.#lastId += 1
    this.#pending.set(this.#lastId, pending)
    this.send(...pieces)
    return this.#lastId
  }

  /** Sends a notification or a reply. */
  send(...pieces: readonly Uint8Array[]): void {
    if (this.#closed) return
    let keepsUp: boolean
    try {
      keepsUp = this.#channel.send(...pieces)
    } catch (error) {
      if (!(error instanceof CapFenceError)) throw error
      // The server has gone, which `onClose` is about to tell; what was to be sent is lost with the rest.
      return
    }
    if (!keepsUp) this.#events.onCongestion(true)
  }

  /** Forgets a request and tells the server; `reasonText` is the client's own, as JSON. */
  cancel(id: number, reasonText?: string): void {
    if (!this.#pending.delete(id)) return
    this.#cancelled.add(id)
    const oldest = this.#cancelled.values().next()
    if (this.#cancelled.size > maxCancelledIds && oldest.done !== true) {
      this.#cancelled.delete(oldest.value)
    }
    const reason = reasonText === undefined ? '' : `,"reason":${reasonText}`
    this.send(
      notificationMessage('notifications/cancelled', `{"requestId":${String(id)}${reason}}`),
    )
  }

  pause(): void {
    this.#channel.pause()
  }

  resume(): void {
    this.#channel.resume()
  }

  stop(): Promise<void> {
    return this.#channel.stop()
  }

  #receive(bytes: Uint8Array): void {
    const message = inspectServerMessage(bytes)
    switch (message?.kind) {
      case undefined:
        return this.#events.onStray(bytes)
      case 'request':
        return this.#events.onRequest(message)
      case 'notification':
        return this.#notified(message)
      case 'response':
        return this.#replied(message)
    }
  }

  #notified(message: ServerNotification): void {
    if (message.method !== 'notifications/progress') return this.#events.onNotification(message)
    const pending =
      typeof message.progressToken === 'number'
        ? this.#pending.get(message.progressToken)
        : undefined
    if (pending === undefined) return this.#events.onDropped('progress for no request in flight')
    pending.onProgress?.(message)
  }

  #replied(message: ServerResponse): void {
    const { id } = message
    if (typeof id !== 'number')
      return this.#events.onDropped('a reply with an id the gate never used')
    const pending = this.#pending.get(id)
    if (pending === undefined) {
      if (!this.#cancelled.delete(id)) this.#events.onDropped('a reply to no request in flight')
      return
    }
    this.#pending.delete(id)
    pending.onReply(message)
  }

  #close(reason: CloseReason): void {
    this.#closed = true
    this.#loseAll(closeText(reason))
    this.#events.onClose(reason)
  }

  #loseAll(reason: string): void {
    const lost = [...this.#pending.values()]
    this.#pending.clear()
    for (const pending of lost) pending.onLost(reason)
  }
}

/** Says in words how a server ended. */
export function closeText(reason: CloseReason): string {
  if (reason.error !== undefined) return `could not be started: ${reason.error.message}`
  if (reason.signal !== null) return `ended by ${reason.signal}`
  return `exited with code ${String(reason.code)}`
}
