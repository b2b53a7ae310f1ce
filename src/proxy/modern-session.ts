import { limits } from '../limits.ts'
import { inspectServerMessage } from '../mcp/inspect-server.ts'
import { isPlainObject } from '../mcp/merge.ts'
import type { PlainObject } from '../mcp/merge.ts'
import type { ClientRequest, ServerNotification } from '../mcp/message.ts'
import { handshakeParams, levelOf, metaKeys, modernRevision } from '../mcp/modern.ts'
import type { Envelope } from '../mcp/modern.ts'
import { argumentComplaint } from '../mcp/modern-headers.ts'
import type { HeaderOf } from '../mcp/modern-headers.ts'
import { emptyObject, isJsonObject, textMember } from '../mcp/params.ts'
import { textAt } from '../mcp/rpc-id.ts'
import { errorMessage, resultMessage, rpcCodes } from '../mcp/rpc.ts'
import type { RpcError } from '../mcp/rpc.ts'
import type { HttpAnswer } from '../transport/http-server.ts'
import type { Downstream, Origin } from './downstream.ts'
import type { Flight } from './flights.ts'
import { GateAsks } from './gate-asks.ts'
import { HttpAnswers } from './http-answers.ts'
import type { HttpPost } from './http-post.ts'
import type { OpenSession } from './http-session.ts'
import { ModernFlight } from './modern-flight.ts'
import type { Question } from './modern-flight.ts'
import { ModernListeners } from './modern-listeners.ts'
import { ModernTools } from './modern-tools.ts'
import type { Session } from './session.ts'

/** What a session for clients without sessions is made of. */
export interface ModernSessionOptions {
  readonly id: string
  readonly envelope: Envelope
  readonly open: OpenSession
  /** A text that nobody guesses. */
  readonly newState: () => string
  /** The servers could not be greeted: this session is of no use. */
  readonly onLost: () => void
  log(text: string): void
}

/** What the servers said when they were greeted. */
interface Greeting {
  readonly capabilities: PlainObject
  readonly serverInfo: unknown
  readonly instructions: unknown
}

/** A request whose questions the client is answering. */
interface Held {
  readonly flight: ModernFlight
  readonly open: Flight
  readonly timer: NodeJS.Timeout
}

/** How long the client may take to answer a server's questions, milliseconds. */
const maxHeldMs = 600_000

/**
 * The requests of clients that say the same of themselves, in the revision without sessions, in front of servers of one
 * with them.
 *
 * The servers are greeted once, with what the client says of itself; each request is then one of theirs. What the gate
 * judges, and how, is the same for both revisions (THREATS B7).
 */
export class ModernSession {
  readonly id: string
  readonly #options: ModernSessionOptions
  readonly #session: Session
  readonly #answers: HttpAnswers
  readonly #asks: GateAsks
  readonly #tools: ModernTools
  readonly #listeners: ModernListeners
  readonly #flights = new Set<ModernFlight>()
  readonly #held = new Map<string, Held>()
  readonly #greeting: Promise<Greeting | RpcError>
  #level = 8
  #lastId = 0
  #closed: Promise<void> | undefined

  constructor(options: ModernSessionOptions) {
    this.id = options.id
    this.#options = options
    this.#answers = new HttpAnswers({
      onSlow: (bytes) => this.#session.clientCongested(bytes),
      onDrained: () => this.#session.clientDrained(),
    })
    const downstream: Downstream = { send: (about, ...pieces) => this.#heard(about, pieces) }
    this.#session = options.open(downstream, (congested) => this.#answers.congested(congested))
    this.#asks = new GateAsks((message, origin) => this.#session.take(message, origin))
    this.#tools = new ModernTools(this.#asks)
    this.#listeners = new ModernListeners({
      onFirst: (uri) => void this.#asks.ask('resources/subscribe', { uri }),
      onLast: (uri) => void this.#asks.ask('resources/unsubscribe', { uri }),
    })
    this.#greeting = this.#greet(options.envelope)
  }

  /** How long nothing was asked, nobody listened and no answer was waited for, milliseconds. */
  idleMs(nowMs: number): number {
    return this.#held.size > 0 ? 0 : this.#answers.idleMs(nowMs)
  }

  /** Requests that have no answer yet, count. */
  get open(): number {
    return this.#answers.open
  }

  /** Shows on every open answer that the connection is alive. */
  keepAlive(nowMs: number, silenceMs: number): void {
    this.#answers.keepAlive(nowMs, silenceMs)
  }

  /** Takes a request whose headers agree with it. */
  async request(
    request: ClientRequest,
    envelope: Envelope,
    { answer, header }: { readonly answer: HttpAnswer; readonly header: HeaderOf },
  ): Promise<void> {
    await this.#answers.ready()
    const greeting = await this.#greeting
    if (request.method === 'subscriptions/listen' && !('code' in greeting)) {
      return this.#listen(request, greeting, answer)
    }
    const post = this.#answers.post(answer, {})
    const refuse = (error: RpcError, status = 200): void =>
      post.answerAs(status, errorMessage(request.idText, error))
    if ('code' in greeting) return refuse(greeting)
    if (request.method === 'server/discover') return discovered(request, greeting, post)
    if (request.method === 'tools/call') {
      const declared = await this.#tools.repeatedBy(textMember(request.params, 'name') ?? '')
      const given = request.params['arguments']
      const wrong = argumentComplaint(declared, isJsonObject(given) ? given : emptyObject, header)
      if (wrong !== undefined) return refuse(wrong, 400)
    }
    if (envelope.logLevel !== undefined) await this.#listenToLogs(envelope.logLevel, greeting)
    // Nobody waits any more: then nothing is to be executed.
    if (post.isOver) return
    const { requestState } = request.params
    if (requestState === undefined) return this.#begin(request, envelope, post)
    const error = this.#goOn(request, requestState, post)
    if (error !== undefined) refuse({ code: rpcCodes.invalidParams, message: error })
  }

  /** Ends it: what waits is answered, then the servers end. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#answers.congested(false)
    for (const [state] of this.#held) this.#giveUp(state)
    await this.#session.close()
    this.#listeners.close()
    this.#answers.close()
  }

  async #greet(envelope: Envelope): Promise<Greeting | RpcError> {
    const reply = await this.#asks.askText('initialize', handshakeParams(envelope))
    if ('error' in reply) {
      this.#options.onLost()
      return reply.error
    }
    this.#session.receive(Buffer.from('{"jsonrpc":"2.0","method":"notifications/initialized"}'))
    const { capabilities, serverInfo, instructions } = reply.result
    // Tasks of the revisions with sessions are others than those of this one.
    const { tasks: _, ...rest } = isPlainObject(capabilities) ? capabilities : {}
    return { capabilities: rest, serverInfo, instructions }
  }

  #listen(request: ClientRequest, { capabilities }: Greeting, answer: HttpAnswer): void {
    const isFull = this.#answers.streams >= limits.maxQuestions
    const complaint = isFull
      ? 'there are too many subscriptions'
      : this.#listeners.add(request, capabilities, (onOver) => this.#answers.stream(answer, onOver))
    if (complaint === undefined) return
    const error = { code: rpcCodes.invalidParams, message: `Invalid params: ${complaint}` }
    this.#answers.post(answer, {}).answer(errorMessage(request.idText, error))
  }

  /** Servers of the revisions with sessions have one level for all: the lowest that anybody asks for. */
  async #listenToLogs(level: string, { capabilities }: Greeting): Promise<void> {
    if (!isPlainObject(capabilities['logging']) || levelOf(level) >= this.#level) return
    this.#level = levelOf(level)
    await this.#asks.ask('logging/setLevel', { level })
  }

  #begin(request: ClientRequest, envelope: Envelope, post: HttpPost): void {
    // Clients may share a session and not know of each other's ids.
    this.#lastId += 1
    const id = `request-${String(this.#lastId)}`
    const open: { flight: Flight | undefined } = { flight: undefined }
    const flight = new ModernFlight(request, post, envelope, {
      newState: () => this.#options.newState(),
      onHeld: (state) => {
        if (open.flight !== undefined) this.#hold(state, flight, open.flight)
      },
      onAnswered: (questionId, resultText) => {
        const answer = resultMessage(String(questionId), resultText)
        this.#session.receive(Buffer.from(answer), ignored)
      },
      // In this revision whoever closes the connection takes the request back.
      onGone: () => this.#session.cancel(id),
      onEnded: () => this.#flights.delete(flight),
    })
    this.#flights.add(flight)
    open.flight = this.#session.request({ ...request, id }, flight, flight)
  }

  #hold(state: string, flight: ModernFlight, open: Flight): void {
    const timer = setTimeout(() => this.#giveUp(state), maxHeldMs).unref()
    this.#held.set(state, { flight, open, timer })
  }

  #goOn(request: ClientRequest, state: unknown, post: HttpPost): string | undefined {
    const held = typeof state === 'string' ? this.#held.get(state) : undefined
    if (held === undefined || typeof state !== 'string') {
      return 'Invalid params: `requestState` is not known, was used, or is too old'
    }
    if (!held.flight.isSame(request)) {
      return 'Invalid params: `requestState` belongs to a request for something else'
    }
    // Each state is good for one request.
    this.#held.delete(state)
    clearTimeout(held.timer)
    held.open.idText = held.flight.resume(request, post)
    return undefined
  }

  /** The client has not come back: the servers are told that nobody waits. */
  #giveUp(state: string): void {
    const held = this.#held.get(state)
    if (held === undefined) return
    this.#held.delete(state)
    clearTimeout(held.timer)
    this.#session.cancel(held.open.request.id)
  }

  /** Something that is neither an answer nor progress. */
  #heard(about: Origin | undefined, parts: readonly Uint8Array[]): void {
    const message = inspectServerMessage(Buffer.concat(parts))
    const flight = about instanceof ModernFlight ? about : this.#soleAwaited()
    if (message?.kind === 'notification') return this.#notified(flight, message)
    if (message?.kind !== 'request' || typeof message.id !== 'number') return
    const { id, method, bytes, spans } = message
    this.#asked(flight, { id, method, paramsText: spans.params && textAt(bytes, spans.params) })
  }

  /**
   * The only request that somebody waits for. One whose question is being answered is not looked for: its client may
   * never come back, and must not be in the way of others.
   */
  #soleAwaited(): ModernFlight | undefined {
    const [one, ...others] = [...this.#flights].filter(({ isAwaited }) => isAwaited)
    return others.length === 0 ? one : undefined
  }

  #notified(flight: ModernFlight | undefined, { method, bytes, spans }: ServerNotification): void {
    const given: unknown = spans.params && JSON.parse(textAt(bytes, spans.params))
    const params = isPlainObject(given) ? given : {}
    switch (method) {
      case 'notifications/message': {
        const least = flight?.logLevel
        if (least === undefined || levelOf(String(params['level'])) < levelOf(least)) return
        return flight?.send(bytes)
      }
      case 'notifications/cancelled':
        for (const one of this.#flights) one.takeBack(Number(params['requestId']))
        return
      case 'notifications/tools/list_changed':
        this.#tools.forget()
        return this.#listeners.notify(method, params)
      default:
        return this.#listeners.notify(method, params)
    }
  }

  /** A question can only be put to the client in the answer of the request that it belongs to. */
  #asked(flight: ModernFlight | undefined, question: Question): void {
    const lack = flight?.lackFor(question.method)
    if (flight?.canAsk === true && lack === undefined) return flight.ask(question)
    const why = lack === undefined ? 'it is not clear for which request' : 'the client cannot'
    this.#options.log(`a server asked \`${question.method}\`, and ${why}`)
    const error = { code: rpcCodes.internalError, message: 'the client cannot be asked now' }
    this.#session.receive(Buffer.from(errorMessage(String(question.id), error)), ignored)
    if (lack !== undefined) flight?.refuseFor(lack)
  }
}

/** Takes what nobody is told. */
const ignored: Origin = {
  answer: () => undefined,
  send: () => undefined,
  accepted: () => undefined,
  refused: () => undefined,
  cancelled: () => undefined,
}

function discovered({ idText }: ClientRequest, greeting: Greeting, post: HttpPost): void {
  const { capabilities, serverInfo, instructions } = greeting
  const result = {
    resultType: 'complete',
    supportedVersions: [modernRevision],
    capabilities,
    ...(typeof instructions === 'string' && { instructions }),
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { [metaKeys.serverInfo]: serverInfo },
  }
  post.answer(resultMessage(idText, JSON.stringify(result)))
}
