import { assert, CapFenceError } from '../errors.ts'
import { JsonError, memberOf, scanLax, spanOf, wanted } from '../json/scan.ts'
import type { ChannelEvents, CloseReason } from '../transport/channel.ts'
import type { UpstreamChannel } from './connection.ts'
import { HttpCall } from './http-call.ts'
import type { Complaint } from './http-events.ts'
import { ListeningStream } from './http-listen.ts'
import { sendWord } from './http-word.ts'
import { HttpSite } from './http-site.ts'
import type { HttpServer, HttpTimes } from './http-site.ts'
import { inspectServerMessage } from './inspect-server.ts'
import { shortString } from './rpc-id.ts'

/** A message on its way out. */
interface Outgoing {
  readonly bytes: Uint8Array
  /** Of a request. */
  readonly id: number | undefined
  readonly method: string | undefined
  /** The request that a notification cancels. */
  readonly cancels: number | undefined
}

/** What may wait before the sender is told to stop, bytes. */
const highWaterBytes = 65_536
/** How long answers are waited for at the end, and the server's word that the session is over, milliseconds. */
const graceMs = 800
const leaveMs = 700
/** How long what gets no answer holds back what comes after it, milliseconds. */
const wordMs = 5000

/**
 * Connects to a server over Streamable HTTP (revisions 2025-03-26 to 2025-11-25), where every message has a fate of its
 * own.
 *
 * Nothing is sent before there is something to send. Messages leave in the order in which they were given, and what
 * gets no answer has to have arrived before anything is sent after it: `initialized` must not be overtaken. A session
 * that the server has ended closes the channel, so that its owner begins a new one.
 */
export function openHttp(
  server: HttpServer,
  events: ChannelEvents,
  times: HttpTimes = {},
): UpstreamChannel {
  return new HttpChannel(server, events, times)
}

class HttpChannel implements UpstreamChannel {
  readonly #site: HttpSite
  readonly #events: ChannelEvents
  readonly #calls = new Map<number, HttpCall>()
  #queue: Outgoing[] = []
  #listening: ListeningStream | undefined
  /** While something that gets no answer is on its way. */
  #heldBackBy: object | undefined
  #backlogBytes = 0
  #owesDrain = false
  #isPaused = false
  #isClosed = false
  #wakeIdle: (() => void) | undefined
  #stopping: Promise<void> | undefined

  constructor(server: HttpServer, events: ChannelEvents, times: HttpTimes) {
    this.#site = new HttpSite(server, times)
    this.#events = events
  }

  get backlogBytes(): number {
    return this.#backlogBytes
  }

  send(...pieces: readonly Uint8Array[]): boolean {
    if (this.#isClosed || this.#stopping !== undefined) {
      throw new CapFenceError('UPSTREAM_UNAVAILABLE', 'the session with the server is over')
    }
    const bytes = Buffer.concat(pieces)
    this.#backlogBytes += bytes.length
    this.#queue.push(describe(bytes))
    this.#pump()
    if (this.#backlogBytes < highWaterBytes) return true
    this.#owesDrain = true
    return false
  }

  pause(): void {
    this.#isPaused = true
    for (const call of this.#calls.values()) call.pause()
    this.#listening?.pause()
  }

  resume(): void {
    this.#isPaused = false
    for (const call of [...this.#calls.values()]) if (!this.#paused()) call.resume()
    if (!this.#paused()) this.#listening?.resume()
  }

  settled(id: number): void {
    this.#calls.get(id)?.settle()
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    if (this.#isClosed) return
    await this.#idle()
    const { sessionId } = this.#site
    this.#abandon()
    if (sessionId !== undefined) await this.#site.leave(sessionId, leaveMs)
    this.#close({ code: null, signal: null, text: 'was left' })
  }

  /** Resolves when nothing is on its way, at the latest after `graceMs`. */
  async #idle(): Promise<void> {
    if (this.#isIdle()) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs)
      this.#wakeIdle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #isIdle(): boolean {
    return this.#calls.size === 0 && this.#queue.length === 0 && this.#heldBackBy === undefined
  }

  #pump(): void {
    while (this.#heldBackBy === undefined && !this.#isClosed) {
      const next = this.#queue.shift()
      if (next === undefined) break
      if (next.id === undefined) this.#sendWord(next)
      else this.#sendCall(next, next.id)
    }
    if (this.#isIdle()) this.#wakeIdle?.()
  }

  #sendCall({ bytes, method }: Outgoing, id: number): void {
    const isInitialize = method === 'initialize'
    if (isInitialize) this.#beginSession()
    const call: HttpCall = new HttpCall(this.#site, { id, bytes, isInitialize }, this.#isPaused, {
      onWritten: () => this.#release(bytes.length),
      onMessage: (message) => {
        if (isInitialize) this.#site.version = versionOf(message) ?? this.#site.version
        this.#events.onMessage(message, id)
      },
      onFailed: ({ reason, sent, endsSession }) => {
        this.#events.onFailed?.({ id, reason, sent })
        // Without a session there is nothing that could be done over this channel.
        if (endsSession || isInitialize) this.#close({ code: null, signal: null, text: reason })
      },
      onOver: () => {
        if (this.#calls.get(id) === call) this.#calls.delete(id)
        this.#pump()
      },
    })
    this.#calls.set(id, call)
  }

  /** The client begins again: the server is told that the session before is over. */
  #beginSession(): void {
    const { sessionId } = this.#site
    this.#listening?.stop()
    this.#listening = undefined
    if (sessionId !== undefined) void this.#site.leave(sessionId, leaveMs)
    this.#site.sessionId = undefined
    this.#site.version = undefined
  }

  #sendWord(word: Outgoing): void {
    const held = {}
    this.#heldBackBy = held
    const letPass = (): void => {
      if (this.#heldBackBy !== held) return
      this.#heldBackBy = undefined
      this.#pump()
    }
    const timer = setTimeout(letPass, wordMs).unref()
    sendWord(this.#site, word.bytes, (refused) => {
      clearTimeout(timer)
      this.#release(word.bytes.length)
      if (this.#isClosed) return
      this.#wordIsOver(word, refused)
      letPass()
    })
  }

  #wordIsOver({ method, cancels }: Outgoing, refused: Complaint | undefined): void {
    if (cancels !== undefined) this.#calls.get(cancels)?.abort()
    if (refused !== undefined) {
      const reason = `${refused.reason} (to \`${method ?? 'an answer'}\`)`
      this.#events.onFailed?.({ id: undefined, reason, sent: true })
      if (refused.endsSession) {
        return this.#close({ code: null, signal: null, text: refused.reason })
      }
    }
    if (method === 'notifications/initialized' && refused === undefined) this.#listen()
  }

  #listen(): void {
    if (this.#stopping !== undefined) return
    this.#listening?.stop()
    this.#listening = new ListeningStream(this.#site, this.#isPaused, {
      onMessage: (message) => this.#events.onMessage(message, 'nobody'),
      onTrouble: (reason) => this.#events.onFailed?.({ id: undefined, reason, sent: true }),
    })
  }

  #release(bytes: number): void {
    this.#backlogBytes -= bytes
    if (!this.#owesDrain || this.#backlogBytes >= highWaterBytes) return
    this.#owesDrain = false
    this.#events.onDrain()
  }

  /** Lets go of everything that is on its way. */
  #abandon(): void {
    this.#listening?.stop()
    this.#queue = []
    for (const call of [...this.#calls.values()]) call.abort()
    this.#calls.clear()
  }

  #close(reason: CloseReason): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#abandon()
    this.#site.destroy()
    this.#backlogBytes = 0
    this.#release(0)
    this.#events.onClose(reason)
  }

  #paused(): boolean {
    return this.#isPaused
  }
}

/** What the channel has to know of a message of the gate's own, which is always readable. */
function describe(bytes: Uint8Array): Outgoing {
  const message = inspectServerMessage(bytes)
  assert(message !== undefined, 'what is sent to a server is a JSON-RPC message')
  if (message.kind === 'response') {
    return { bytes, id: undefined, method: undefined, cancels: undefined }
  }
  const { method } = message
  if (message.kind === 'request') {
    assert(typeof message.id === 'number', 'ids are numbers')
    return { bytes, id: message.id, method, cancels: undefined }
  }
  const isCancel = method === 'notifications/cancelled'
  const cancels = isCancel && typeof message.requestId === 'number' ? message.requestId : undefined
  return { bytes, id: undefined, method, cancels }
}

const wantedVersion = wanted({ result: { protocolVersion: {} } })

/** The revision that a reply to `initialize` settles on, if it is one that can stand in a header. */
function versionOf(reply: Uint8Array): string | undefined {
  try {
    const root = scanLax(reply, wantedVersion)
    const span = spanOf(memberOf(root, 'result'), 'protocolVersion')
    const text = span && shortString(reply, span, 32)
    return text !== undefined && /^[\w.-]+$/.test(text) ? text : undefined
  } catch (error) {
    if (error instanceof JsonError) return undefined
    throw error
  }
}
