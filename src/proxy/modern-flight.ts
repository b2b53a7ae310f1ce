import { objectMembers } from '../mcp/list-items.ts'
import type { ClientRequest, ServerResponse } from '../mcp/message.ts'
import { inspectServerMessage } from '../mcp/inspect-server.ts'
import {
  modernCodes,
  modernReplyEdits,
  modernResult,
  requestKey,
  withoutEnvelope,
} from '../mcp/modern.ts'
import type { Envelope } from '../mcp/modern.ts'
import { errorMessage, resultMessage, rpcCodes } from '../mcp/rpc.ts'
import type { RpcError } from '../mcp/rpc.ts'
import { textAt } from '../mcp/rpc-id.ts'
import { pieces } from '../mcp/splice.ts'
import type { Edit } from '../mcp/splice.ts'
import type { Dialect } from './dialect.ts'
import type { Origin } from './downstream.ts'
import type { HttpPost } from './http-post.ts'

/** What a server asks while it works on a request. */
export interface Question {
  /** The id under which the gate passes it on. */
  readonly id: number
  readonly method: string
  /** JSON; undefined for no params. */
  readonly paramsText: string | undefined
}

/** What a request of the revision without sessions tells its session. */
export interface ModernFlightEvents {
  /** The client is to answer questions: a request with this state goes on with this one. */
  onHeld(state: string): void
  /** An answer of the client to a question; `resultText` is JSON. */
  onAnswered(questionId: number, resultText: string): void
  /** The client does not wait any more. */
  onGone(): void
  /** Nothing more is said about it. */
  onEnded(): void
  /** A text that nobody guesses. */
  newState(): string
}

/** What a client must be able to do to be asked. */
const capabilityFor: ReadonlyMap<string, string> = new Map([
  ['elicitation/create', 'elicitation'],
  ['sampling/createMessage', 'sampling'],
  ['roots/list', 'roots'],
])

/** Questions that a server asks in one go are put to the client together, milliseconds. */
const gatherMs = 15

/**
 * A request of the revision without sessions, on its way through servers of one with them.
 *
 * A server's question ends the client's request, which it repeats with the answers; the server's request stays open
 * meanwhile, so that the call is judged once and executed once.
 */
export class ModernFlight implements Origin, Dialect {
  readonly requestEdits: readonly Edit[]
  /** The least level of log messages that the client wants; undefined for none. */
  readonly logLevel: string | undefined
  readonly #method: string
  readonly #key: string
  readonly #capabilities: ReadonlySet<string>
  readonly #events: ModernFlightEvents
  readonly #questions = new Map<number, Question>()
  #idText: string
  #post: HttpPost | undefined
  #status = 200
  #timer: NodeJS.Timeout | undefined
  /** The answer, when it came while no request of the client waited for it. */
  #kept: readonly Uint8Array[] | undefined

  constructor(
    request: ClientRequest,
    post: HttpPost,
    { logLevel, clientCapabilities }: Envelope,
    events: ModernFlightEvents,
  ) {
    this.requestEdits = withoutEnvelope(request)
    this.logLevel = logLevel
    this.#capabilities = new Set(Object.keys(clientCapabilities))
    this.#method = request.method
    this.#key = requestKey(request)
    this.#idText = request.idText
    this.#events = events
    this.#attach(post)
  }

  /** Whether a request of the client waits for it: not while the client answers questions. */
  get isAwaited(): boolean {
    return this.#post !== undefined
  }

  /** Whether a question can be put to the client while it waits for this request. */
  get canAsk(): boolean {
    return ['tools/call', 'prompts/get', 'resources/read'].includes(this.#method)
  }

  /** What the client lacks to answer questions of this method; undefined for nothing. */
  lackFor(method: string): string | undefined {
    const capability = capabilityFor.get(method) ?? method
    return this.#capabilities.has(capability) ? undefined : capability
  }

  /** Ends the request, because a server wants what the client cannot do. */
  refuseFor(capability: string): void {
    clearTimeout(this.#timer)
    const post = this.#post
    this.#post = undefined
    const error = {
      code: modernCodes.missingCapability,
      message: `a server needs \`${capability}\`, which the client did not declare; the request was taken back`,
      data: { requiredCapabilities: { [capability]: {} } },
    }
    post?.answerAs(400, errorMessage(this.#idText, error))
    this.#events.onGone()
  }

  /** Whether a repeated request asks for the same. */
  isSame(request: ClientRequest): boolean {
    return requestKey(request) === this.#key
  }

  replyEdits(reply: ServerResponse, isAlone: boolean): readonly Edit[] {
    const { error } = reply.spans
    if (error !== undefined) this.#status = statusOf(JSON.parse(textAt(reply.bytes, error)))
    return modernReplyEdits(this.#method, reply, isAlone)
  }

  result(resultText: string): string {
    return modernResult(this.#method, resultText)
  }

  error(error: RpcError): RpcError {
    this.#status = statusOf(error)
    return error
  }

  answer(...parts: readonly Uint8Array[]): void {
    clearTimeout(this.#timer)
    const post = this.#post
    if (post === undefined) {
      this.#kept = parts
      return
    }
    this.#post = undefined
    post.answerAs(this.#status, ...parts)
    this.#events.onEnded()
  }

  send(...parts: readonly Uint8Array[]): void {
    this.#post?.send(...parts)
  }

  accepted(): void {
    this.#post?.accepted()
  }

  refused(...parts: readonly Uint8Array[]): void {
    this.#status = 400
    this.answer(...parts)
  }

  cancelled(): void {
    clearTimeout(this.#timer)
    const post = this.#post
    this.#post = undefined
    post?.cancelled()
    this.#events.onEnded()
  }

  /** Puts a server's question to the client, with what else is asked in the same moment. */
  ask(question: Question): void {
    this.#questions.set(question.id, question)
    this.#timer ??= setTimeout(() => this.#putQuestions(), gatherMs)
  }

  /** A server takes a question back; false when it is none of this request. */
  takeBack(questionId: number): boolean {
    return this.#questions.delete(questionId)
  }

  /**
   * Goes on with the client's answers, or its waiting, in a request that asks for the same.
   *
   * @returns the id that the answer gets from now on, as JSON
   */
  resume(request: ClientRequest, post: HttpPost): string {
    this.#idText = request.idText
    this.#attach(post)
    for (const [key, text] of answersIn(request)) {
      const question = [...this.#questions.values()].find(({ id }) => keyOf(id) === key)
      if (question === undefined || !text.startsWith('{')) continue
      this.#questions.delete(question.id)
      this.#events.onAnswered(question.id, text)
    }
    const kept = this.#kept
    if (kept !== undefined) this.answer(...renamed(kept, request.idText))
    else if (this.#questions.size > 0) this.#putQuestions()
    return request.idText
  }

  #attach(post: HttpPost): void {
    this.#post = post
    post.onOver(() => {
      // Of an answered request the end of the connection means nothing.
      if (this.#post !== post) return
      this.#post = undefined
      this.#events.onGone()
    })
  }

  #putQuestions(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const post = this.#post
    if (post === undefined || this.#questions.size === 0) return
    this.#post = undefined
    const state = this.#events.newState()
    const asked = [...this.#questions.values()].map(({ id, method, paramsText }) => {
      const params = paramsText === undefined ? '' : `,"params":${paramsText}`
      return `"${keyOf(id)}":{"method":${JSON.stringify(method)}${params}}`
    })
    const result = `{"resultType":"input_required","inputRequests":{${asked.join(',')}},"requestState":${JSON.stringify(state)}}`
    this.#events.onHeld(state)
    post.answer(resultMessage(this.#idText, result))
  }
}

function keyOf(questionId: number): string {
  return `question-${String(questionId)}`
}

/** The client's answers, each as it wrote it. */
function answersIn({ bytes, spans }: ClientRequest): readonly (readonly [string, string])[] {
  if (spans.params === undefined) return []
  const responses = objectMembers(bytes, spans.params).find(({ name }) => name === 'inputResponses')
  if (responses === undefined || bytes[responses.value.start] !== 0x7b) return []
  return objectMembers(bytes, responses.value).map(({ name, value }) => [
    name,
    textAt(bytes, value),
  ])
}

/** An answer under another id. */
function renamed(parts: readonly Uint8Array[], idText: string): readonly Uint8Array[] {
  const bytes = Buffer.concat(parts)
  const message = inspectServerMessage(bytes)
  return message?.kind === 'response'
    ? pieces(bytes, [{ span: message.spans.id, text: idText }])
    : parts
}

/** A method that nobody knows is told apart by the status, too. */
function statusOf(error: unknown): number {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : 0
  return code === rpcCodes.methodNotFound ? 404 : 200
}
