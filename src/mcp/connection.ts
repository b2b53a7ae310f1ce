import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Channel, ChannelEvents, CloseReason, MessageFailure } from '../transport/channel.ts'
import { inspectServerMessage, serverRefusal } from './inspect-server.ts'
import type { ServerRefusal } from './inspect-server.ts'
import type { ServerNotification, ServerResponse, ServerRequest } from './message.ts'
import { OversizeMessage } from './oversize.ts'
import { errorMessage, notificationMessage, rpcCodes } from './rpc.ts'

/** A channel to a server that the gate started and can end. */
export interface UpstreamChannel extends Channel {
  /** Ends the server and everything it started; resolves when nothing of it is left. */
  stop(): Promise<void>
  /** The request with this id needs no answer any more: it has one, it is lost, or it was cancelled. */
  settled?(id: number): void
}

/** Starts a server; tells its owner of everything later, never before it returns. */
export type OpenChannel = (events: ChannelEvents) => UpstreamChannel

/**
 * Why no reply comes: the server ended, its reply was refused, it was not there to be asked, or it does not read.
 *
 * After `died` and `refused` the request may have been executed.
 */
export type Loss = 'died' | 'refused' | 'gone' | 'unread'

/** In whose answer a message came, where the transport knows it (`ChannelEvents.onMessage`). */
type About = number | 'nobody' | undefined

/** What becomes of one request; exactly one of `onReply` and `onLost` is called, once, unless it is cancelled. */
export interface PendingRequest {
  /** Whose it is; handed back with what the server says while it works on it, where the transport tells. */
  readonly owner?: object
  onReply(reply: ServerResponse): void
  /** `notification` names this request by its progress token, which is the request's id. */
  onProgress?(notification: ServerNotification): void
  /** No reply will come; `reason` goes on after the server's name. */
  onLost(reason: string, loss: Loss): void
}

/** What a connection tells its owner. */
export interface ConnectionEvents {
  /** @param owner of the request in whose answer it came; undefined where the transport does not tell */
  onRequest(request: ServerRequest, owner?: object): void
  onNotification(notification: ServerNotification, owner?: object): void
  /** A line that is no JSON-RPC message. */
  onStray(line: Uint8Array): void
  /** A message that was refused; whoever waits for it has been told. `bytes` is empty when it was over the limit. */
  onRefused(refusal: ServerRefusal, bytes: Uint8Array): void
  /** A message that answers nothing, or nothing any more; it was dropped (THREATS B23). */
  onDropped(reason: string): void
  /** A message for the server that nobody waits for did not arrive; `reason` goes on after the server's name. */
  onTrouble(reason: string): void
  /** A message for the server was dropped because too much waits for it; told once until it reads again. */
  onUndelivered(): void
  /** True: it does not keep up; false: it does again. */
  onCongestion(congested: boolean): void
  onClose(reason: CloseReason): void
}

/** Ids of cancelled and lost requests that are remembered, so that their late replies are dropped without a complaint. */
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
  #hasDropped = false

  constructor(open: OpenChannel, events: ConnectionEvents) {
    this.#events = events
    const oversize = new OversizeMessage((refusal) => this.#refused(refusal, new Uint8Array()))
    this.#channel = open({
      onMessage: (message, about) => this.#receive(message, about),
      onFailed: (failure) => this.#failed(failure),
      onOversize: (limitBytes) => oversize.begin(limitBytes),
      onOversizePart: (piece) => oversize.take(piece),
      onDrain: () => this.#drained(),
      onClose: (reason) => this.#close(reason),
    })
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** What waits for the server to read it, bytes. */
  get backlogBytes(): number {
    return this.#channel.backlogBytes
  }

  /** The id that the next request will get; also its progress token. */
  get nextId(): number {
    return this.#lastId + 1
  }

  /** Sends a request that was written with `nextId` as its id, or loses it at once when the server does not read. */
  request(pending: PendingRequest, ...pieces: readonly Uint8Array[]): number {
    this.#lastId += 1
    if (this.#isFull()) {
      pending.onLost(
        `does not read its input (${String(this.#channel.backlogBytes)} bytes wait for it)`,
        'unread',
      )
      return this.#lastId
    }
    this.#pending.set(this.#lastId, pending)
    this.#write(pieces)
    return this.#lastId
  }

  /** Sends a notification or a reply; what a server that does not read cannot take is dropped. */
  send(...pieces: readonly Uint8Array[]): void {
    if (!this.#isFull()) return this.#write(pieces)
    if (this.#hasDropped) return
    this.#hasDropped = true
    this.#events.onUndelivered()
  }

  /** Bounds the memory that a server which does not read can cost: this much and one message. */
  #isFull(): boolean {
    return !this.#closed && this.#channel.backlogBytes >= limits.maxBacklogBytes
  }

  #drained(): void {
    this.#hasDropped = false
    this.#events.onCongestion(false)
  }

  #write(pieces: readonly Uint8Array[]): void {
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
    if (this.#take(id) === undefined) return
    this.#expectLate(id)
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

  #receive(bytes: Uint8Array, about: About): void {
    const message = inspectServerMessage(bytes)
    switch (message?.kind) {
      case undefined:
        return this.#unreadable(bytes, about)
      case 'request':
        return this.#events.onRequest(message, this.#ownerOf(about))
      case 'notification':
        return this.#notified(message, about)
      case 'response':
        return this.#replied(message, about)
    }
  }

  #unreadable(bytes: Uint8Array, about: About): void {
    const refusal = serverRefusal(bytes)
    if (refusal === undefined) this.#events.onStray(bytes)
    else this.#refused(refusal, bytes, about)
  }

  #failed({ id, reason, sent }: MessageFailure): void {
    if (id === undefined) this.#events.onTrouble(reason)
    else this.#lose(id, reason, sent ? 'died' : 'gone')
  }

  /**
   * Tells whoever waits for a refused message that it will not come.
   *
   * A reply that does not say whose it is may be anybody's: then everything in flight is lost, since the one call that
   * was answered would else wait for ever. Where it is known to which request it is the answer, that one is lost,
   * whatever it says.
   */
  #refused(refusal: ServerRefusal, bytes: Uint8Array, about?: About): void {
    const { kind, idText, message } = refusal
    if (kind === 'call') {
      const error = { code: rpcCodes.invalidRequest, message: `refused by the gate: ${message}` }
      if (idText !== undefined) this.send(errorMessage(idText, error))
    } else if (about !== undefined) {
      if (about !== 'nobody') this.#lose(about, `sent a reply that was refused: ${message}`)
    } else if (idText !== undefined) {
      this.#lose(Number(idText), `sent a reply that was refused: ${message}`)
    } else if (kind === 'answer') {
      this.#loseAll(`sent a reply that was refused, to nobody knows what: ${message}`, 'refused')
    }
    this.#events.onRefused(refusal, bytes)
  }

  #lose(id: number, reason: string, loss: Loss = 'refused'): void {
    const pending = this.#take(id)
    if (pending === undefined) return
    this.#expectLate(id)
    pending.onLost(reason, loss)
  }

  #take(id: number): PendingRequest | undefined {
    const pending = this.#pending.get(id)
    if (pending === undefined) return undefined
    this.#pending.delete(id)
    this.#channel.settled?.(id)
    return pending
  }

  /** A reply to this request may still come, and is no fault of the server's. */
  #expectLate(id: number): void {
    this.#cancelled.add(id)
    const oldest = this.#cancelled.values().next()
    if (this.#cancelled.size > maxCancelledIds && oldest.done !== true) {
      this.#cancelled.delete(oldest.value)
    }
  }

  #ownerOf(about: About): object | undefined {
    return typeof about === 'number' ? this.#pending.get(about)?.owner : undefined
  }

  #notified(message: ServerNotification, about: About): void {
    if (message.method !== 'notifications/progress') {
      return this.#events.onNotification(message, this.#ownerOf(about))
    }
    const pending =
      typeof message.progressToken === 'number'
        ? this.#pending.get(message.progressToken)
        : undefined
    if (pending === undefined) return this.#events.onDropped('progress for no request in flight')
    pending.onProgress?.(message)
  }

  #replied(message: ServerResponse, about: About): void {
    const { id } = message
    if (typeof id !== 'number')
      return this.#events.onDropped('a reply with an id the gate never used')
    if (about !== undefined && about !== id)
      return this.#events.onDropped('a reply where another one belongs')
    const pending = this.#take(id)
    if (pending === undefined) {
      if (!this.#cancelled.delete(id)) this.#events.onDropped('a reply to no request in flight')
      return
    }
    pending.onReply(message)
  }

  #close(reason: CloseReason): void {
    this.#closed = true
    this.#loseAll(closeText(reason), 'died')
    this.#events.onClose(reason)
  }

  #loseAll(reason: string, loss: Loss): void {
    const lost = [...this.#pending]
    this.#pending.clear()
    for (const [id, pending] of lost) {
      this.#expectLate(id)
      pending.onLost(reason, loss)
    }
  }
}

/** Says in words how a server ended. */
export function closeText(reason: CloseReason): string {
  if (reason.text !== undefined) return reason.text
  if (reason.error !== undefined) return `could not be started: ${reason.error.message}`
  if (reason.signal !== null) return `ended by ${reason.signal}`
  return `exited with code ${String(reason.code)}`
}
