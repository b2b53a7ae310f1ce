import { limits } from '../limits.ts'
import type { Exchange, ExchangeEvents, HttpHead } from '../transport/http-exchange.ts'
import { Body, complaintOf, EventStream, hasId, isGood, retryAfter } from './http-events.ts'
import { isSessionId } from './http-site.ts'
import type { HttpSite } from './http-site.ts'

/** A request to send. */
export interface OutgoingCall {
  readonly id: number
  readonly bytes: Uint8Array
  readonly isInitialize: boolean
}

/** What a call tells its owner. */
export interface CallEvents {
  onWritten(): void
  onMessage(message: Uint8Array): void
  /** No reply comes; `endsSession` when there is no session any more. */
  onFailed(failure: { reason: string; sent: boolean; endsSession: boolean }): void
  /** The exchange is over, whatever came of it. Called once. */
  onOver(): void
}

/** How long a stream may go on after the reply that it is for, milliseconds. */
const lingerMs = 2000
/** What a stream that ended before its reply is left alone for when the server names no time, milliseconds. */
const firstRetryMs = 1000

/**
 * One request and its answer: a single message, or a stream in which other messages come before the reply.
 *
 * A stream that ends before the reply is asked for again from its last event, if its events have ids; the request
 * itself is never sent twice.
 */
export class HttpCall {
  readonly #site: HttpSite
  readonly #call: OutgoingCall
  readonly #events: CallEvents
  #exchange: Exchange | undefined
  #stream: EventStream | undefined
  #timer: NodeJS.Timeout | undefined
  #isPaused: boolean
  #isSettled = false
  #isOver = false
  #hasWritten = false
  #lastId: string | undefined
  #failedResumes = 0
  /** When a message last came, or the request was sent. */
  #heardAtMs = performance.now()

  constructor(site: HttpSite, call: OutgoingCall, isPaused: boolean, events: CallEvents) {
    this.#site = site
    this.#call = call
    this.#isPaused = isPaused
    this.#events = events
    this.#send(0)
  }

  pause(): void {
    this.#isPaused = true
    this.#stream?.pause()
    this.#exchange?.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#stream?.resume()
    // What was held back may have made the owner pause again.
    if (!this.#paused()) this.#exchange?.resume()
  }

  /** Its reply is there, or nobody waits for one: what the server still has to say is heard for a moment. */
  settle(): void {
    if (this.#isSettled) return
    this.#isSettled = true
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.abort(), lingerMs).unref()
  }

  /** Ends the exchange without a further word. */
  abort(): void {
    this.#exchange?.abort()
    this.#over()
  }

  /** @param hops redirects that were followed */
  #send(hops: number): void {
    const events = this.#readBy((head) => this.#answerReader(head, hops))
    this.#take(this.#site.call(this.#call.bytes, this.#call.isInitialize, events))
  }

  #take(exchange: Exchange): void {
    this.#exchange = exchange
    if (this.#isPaused) exchange.pause()
  }

  /** What reads an answer is chosen by its head. */
  #readBy(choose: (head: HttpHead) => AnswerReader | undefined): ExchangeEvents {
    let reader: AnswerReader | undefined
    return {
      onWritten: () => this.#written(),
      onHead: (head) => {
        reader = choose(head)
      },
      onData: (chunk) => reader?.onData(chunk),
      onEnd: () => reader?.onEnd(),
      onFail: (reason, sent) => {
        if (reader?.onBroken === undefined) this.#fail(reason, sent || this.#hasWritten)
        else reader.onBroken()
      },
    }
  }

  #answerReader(head: HttpHead, hops: number): AnswerReader | undefined {
    if (this.#site.follows(head, hops)) {
      this.#exchange?.abort()
      this.#send(hops + 1)
      return undefined
    }
    if (!isGood(head)) return this.#complaintReader(head)
    if (this.#call.isInitialize && !this.#takeSession(head)) {
      return this.#giveUp('gave its session an id that is none')
    }
    if (head.unreadable !== undefined) {
      return this.#giveUp(`sent an answer that cannot be read: ${head.unreadable}`)
    }
    if (head.type === 'application/json') return this.#messageReader()
    if (head.type === 'text/event-stream') return this.#eventReader()
    if (head.status === 202) return this.#giveUp('took a request for one that gets no answer')
    return this.#giveUp(`sent an answer of the type ${JSON.stringify(head.type.slice(0, 100))}`)
  }

  #takeSession(head: HttpHead): boolean {
    const id = head.header('mcp-session-id')
    if (id !== undefined && !isSessionId(id)) return false
    this.#site.sessionId = id
    return true
  }

  #messageReader(): AnswerReader {
    const body = new Body(this.#site.maxMessageBytes)
    return {
      onData: (chunk) => {
        if (!body.add(chunk)) this.#giveUp(this.#oversizeText())
      },
      onEnd: () => {
        this.#events.onMessage(body.bytes)
        this.#noReply('sent an answer that is no reply to the request')
      },
    }
  }

  #complaintReader(head: HttpHead): AnswerReader {
    const body = new Body(limits.maxComplaintBytes)
    const end = (): void => {
      const hasSession = this.#site.sessionId !== undefined && !this.#call.isInitialize
      const complaint = complaintOf(head, body.bytes, hasSession)
      // Some servers put the reply to a request that they refuse under an HTTP error.
      const isReply = head.unreadable === undefined && hasId(body.bytes, this.#call.id)
      if (isReply && !complaint.endsSession) this.#events.onMessage(body.bytes)
      this.#noReply(complaint.reason, complaint.endsSession)
    }
    return {
      onData: (chunk) => {
        if (body.add(chunk)) return
        this.#exchange?.abort()
        end()
      },
      onEnd: end,
      onBroken: end,
    }
  }

  #eventReader(): AnswerReader {
    const stream = new EventStream(this.#site.maxMessageBytes, {
      onMessage: (message) => this.#events.onMessage(message),
      onOversize: () => this.#giveUp(this.#oversizeText()),
      onDone: () => this.#streamEnded(stream),
    })
    stream.lastId = this.#lastId
    this.#stream = stream
    if (this.#isPaused) stream.pause()
    return {
      onData: (chunk) => stream.push(chunk),
      onEnd: () => stream.end(),
      onBroken: () => stream.end(),
    }
  }

  #streamEnded(stream: EventStream): void {
    if (this.#isOver) return
    if (this.#isSettled) return this.#over()
    this.#stream = undefined
    this.#lastId = stream.lastId
    if (stream.count > 0) this.#heardAtMs = performance.now()
    if (this.#lastId === undefined) return this.#noReply('ended its answer before the reply')
    if (performance.now() - this.#heardAtMs > limits.maxSilenceMs) {
      return this.#noReply('ended its answer again and again before the reply')
    }
    this.#resumeAfter(stream.retryMs ?? firstRetryMs)
  }

  #resumeAfter(retryMs: number): void {
    this.#timer = setTimeout(() => this.#resumeStream(retryMs), retryAfter(retryMs)).unref()
  }

  #resumeStream(retryMs: number): void {
    const events = this.#readBy((head) => {
      this.#failedResumes = 0
      if (isGood(head) && head.type === 'text/event-stream' && head.unreadable === undefined) {
        return this.#eventReader()
      }
      return this.#giveUp('ended its answer before the reply and does not go on with it')
    })
    const onFail = (reason: string, sent: boolean): void => {
      this.#failedResumes += 1
      if (this.#stream !== undefined || this.#failedResumes > limits.maxResumes) {
        events.onFail(reason, sent)
      } else if (!this.#isOver) this.#resumeAfter(2 * retryMs)
    }
    this.#take(this.#site.stream(this.#lastId, { ...events, onFail }))
  }

  #giveUp(reason: string): undefined {
    this.#exchange?.abort()
    this.#fail(reason, true)
  }

  /** The exchange is complete; without a reply it has failed. */
  #noReply(reason: string, endsSession = false): void {
    if (this.#isSettled) return this.#over()
    this.#fail(reason, true, endsSession)
  }

  #fail(reason: string, sent: boolean, endsSession = false): void {
    if (this.#isOver) return
    const wasSettled = this.#isSettled
    this.#over()
    // A reply that is there is not taken back because the connection broke behind it.
    if (!wasSettled) this.#events.onFailed({ reason, sent, endsSession })
  }

  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#written()
    this.#events.onOver()
  }

  #written(): void {
    if (this.#hasWritten) return
    this.#hasWritten = true
    this.#events.onWritten()
  }

  #oversizeText(): string {
    return `sent a message over the limit of ${String(this.#site.maxMessageBytes)} bytes`
  }

  #paused(): boolean {
    return this.#isPaused
  }
}

/** What takes in an answer, once its head is known. */
interface AnswerReader {
  onData(chunk: Uint8Array): void
  onEnd(): void
  /** The connection broke; absent where that is the end of it. */
  onBroken?(): void
}
