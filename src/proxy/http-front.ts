import { inspectClientMessage } from '../mcp/inspect-client.ts'
import { handshakeRevisions } from '../mcp/merge.ts'
import { MessageRefusal } from '../mcp/message.ts'
import type { ClientMessage, ClientNotification, ClientRequest } from '../mcp/message.ts'
import { errorMessage, rpcCodes } from '../mcp/rpc.ts'
import { acceptComplaint, bodyComplaint, guardComplaint } from '../transport/http-guard.ts'
import type { GuardRules, HttpRefusal } from '../transport/http-guard.ts'
import type { HttpAnswer, HttpVisit } from '../transport/http-server.ts'
import type { CallGate } from './context.ts'
import type { Downstream } from './downstream.ts'
import { HttpPost } from './http-post.ts'
import { HttpSession } from './http-session.ts'
import { HttpSessions } from './http-sessions.ts'
import type { HttpSessionBounds } from './http-sessions.ts'
import { admitModern, isModern } from './modern-front.ts'
import type { AdmittedRequest } from './modern-front.ts'
import { ModernSession } from './modern-session.ts'
import { refuseMessage } from './refused-message.ts'
import type { Session } from './session.ts'

/** Who sends a request, as its token says. */
export interface HttpCaller {
  /** Tells callers apart; no secret. */
  readonly id: string
  /** Who asks, as rules and the log name it. */
  readonly actor: string
}

/** What is served at one path. */
export interface HttpEndpoint {
  /** Servers that run as processes for each session, count. */
  readonly processes: number
  open(
    caller: HttpCaller,
    downstream: Downstream,
    onCongestion: (congested: boolean) => void,
  ): Session
}

/** What the HTTP front is made of. */
export interface HttpFrontOptions {
  /** By path: `/mcp` and `/mcp/<server>`. */
  readonly endpoints: ReadonlyMap<string, HttpEndpoint>
  readonly rules: GuardRules
  /** Says who sends a request with this `Authorization`; undefined for nobody who is known. */
  readonly callerOf: (authorization: string | undefined) => HttpCaller | undefined
  /** Records messages that belong to no session. */
  readonly gate: CallGate
  /** An id that nobody guesses. */
  readonly newId: () => string
  readonly maxMessageBytes: number
  readonly bounds: HttpSessionBounds
  log(text: string): void
}

const jsonHeaders = { 'content-type': 'application/json' }
const messageTypes = ['application/json', 'text/event-stream']

/**
 * MCP over Streamable HTTP, in front of the gate: where requests of any client become messages of a session.
 *
 * Each request is judged by itself before anything of it is used: where it comes from, who sends it, what it carries
 * (THREATS B3, B14, B16). What a session makes of a message is the same as over stdio.
 */
export class HttpFront {
  readonly #options: HttpFrontOptions
  readonly #sessions: HttpSessions
  #isClosing = false

  constructor(options: HttpFrontOptions) {
    this.#options = options
    this.#sessions = new HttpSessions(options.bounds, (text) => options.log(text))
  }

  /** Serves one request; never throws, and every request gets an answer. */
  async visit(visit: HttpVisit): Promise<void> {
    try {
      const refusal = await this.#serve(visit)
      if (refusal !== undefined) refuse(visit.answer, refusal)
    } catch (error) {
      this.#options.log(`bug: the gate failed on a request, which was refused: ${String(error)}`)
      refuse(visit.answer, { status: 500, text: 'the gate failed; nothing was executed' })
    }
  }

  /**
   * Ends it: new requests are refused, those that wait are answered within `graceMs`, then every session ends.
   *
   * @param hurry aborted when nothing is to be waited for any more
   */
  async close(graceMs: number, hurry: AbortSignal): Promise<void> {
    this.#isClosing = true
    const deadlineMs = performance.now() + graceMs
    while (this.#sessions.open > 0 && performance.now() < deadlineMs && !hurry.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      await new Promise((resolve) => {
        setTimeout(resolve, 20)
      })
    }
    await this.#sessions.close()
  }

  async #serve(visit: HttpVisit): Promise<FrontRefusal | undefined> {
    const complaint = guardComplaint(visit, this.#options.rules)
    if (complaint !== undefined) {
      this.#options.log(`refused an HTTP request: ${complaint.text}`)
      return complaint
    }
    // Whoever looks for a way to sign in must not be told that it, too, needs a token.
    if (!/^\/mcp(?:\/|$)/.test(visit.path)) return nothingThere
    const caller = this.#options.callerOf(visit.header('authorization'))
    if (caller === undefined) return unknownCaller
    const endpoint = this.#options.endpoints.get(visit.path)
    if (endpoint === undefined) return nothingThere
    if (this.#isClosing) return closing
    switch (visit.method) {
      case 'POST':
        return this.#post(visit, caller, endpoint)
      case 'GET':
        return this.#get(visit, caller)
      case 'DELETE':
        return this.#delete(visit, caller)
      default:
        return { status: 405, text: 'only POST, GET and DELETE', headers: { allow: allowed } }
    }
  }

  async #post(
    visit: HttpVisit,
    caller: HttpCaller,
    endpoint: HttpEndpoint,
  ): Promise<FrontRefusal | undefined> {
    const complaint = bodyComplaint(visit) ?? acceptComplaint(visit, messageTypes)
    if (complaint !== undefined) return complaint
    const session = this.#sessionOf(visit, caller)
    if (session !== undefined) {
      const unknown = revisionComplaint(visit)
      if (unknown !== undefined) return unknown
    }
    if (session !== undefined && !(session instanceof HttpSession)) return session
    await session?.ready()
    const body = await visit.body(this.#options.maxMessageBytes)
    if (body === undefined) return undefined
    if (!(body instanceof Uint8Array)) return this.#unread(body)
    if (session === undefined) return this.#begin(visit, caller, endpoint, body)
    // It may have ended while the body arrived.
    if (this.#sessionOf(visit, caller) !== session) return unknownSession
    session.receive(body, visit.answer)
    return undefined
  }

  /** A message outside a session: the one that begins one, or none that can be taken. */
  #begin(
    visit: HttpVisit,
    caller: HttpCaller,
    endpoint: HttpEndpoint,
    body: Uint8Array,
  ): FrontRefusal | undefined {
    const message = this.#read(body, visit.answer)
    if (message === undefined) return undefined
    if (message.kind !== 'response' && isModern(message, (name) => visit.header(name))) {
      return this.#modern(visit, caller, endpoint, message)
    }
    const unknown = revisionComplaint(visit)
    if (unknown !== undefined) return unknown
    if (message.kind !== 'request' || message.method !== 'initialize') {
      const idText = message.kind === 'request' ? message.idText : null
      return { ...noSession, idText }
    }
    const refusal = this.#room(endpoint)
    if (refusal !== undefined) return { ...refusal, idText: message.idText }
    const session = new HttpSession({
      id: this.#options.newId(),
      open: (downstream, onCongestion) => endpoint.open(caller, downstream, onCongestion),
      log: (text) => this.#options.log(text),
    })
    const { processes } = endpoint
    this.#sessions.add(session, { caller: caller.id, path: visit.path, processes })
    session.begin(message, visit.answer)
    return undefined
  }

  /** Why there is no room for another session; undefined when there is. */
  #room({ processes }: HttpEndpoint): HttpRefusal | undefined {
    if (this.#isClosing) return closing
    if (this.#sessions.hasRoom(processes)) return undefined
    this.#options.log('refused a session: there are as many as there may be')
    return full
  }

  /** A message of the revision without sessions. */
  #modern(
    visit: HttpVisit,
    caller: HttpCaller,
    endpoint: HttpEndpoint,
    message: ClientRequest | ClientNotification,
  ): FrontRefusal | undefined {
    if (message.kind === 'notification') {
      // There is none in this revision that a server has to know: a request is taken back by closing its connection.
      visit.answer.send(202, {})
      return undefined
    }
    const header = (name: string): string | undefined => visit.header(name)
    const admitted = admitModern(message, header)
    if ('error' in admitted) {
      const { status, error, reason } = admitted
      if (reason !== undefined) {
        this.#options.gate.refused({ reason, message: error.message, bytes: message.bytes })
      }
      visit.answer.send(status, jsonHeaders, errorMessage(message.idText, error))
      return undefined
    }
    const session = this.#sharedSession(visit, caller, endpoint, admitted)
    if (!(session instanceof ModernSession)) return { ...session, idText: message.idText }
    void session.request(message, admitted.envelope, { answer: visit.answer, header })
    return undefined
  }

  /** The session for all clients that bring this token, ask at this address, and say the same of themselves. */
  #sharedSession(
    visit: HttpVisit,
    caller: HttpCaller,
    endpoint: HttpEndpoint,
    { envelope, key }: AdmittedRequest,
  ): ModernSession | HttpRefusal {
    const id = JSON.stringify([caller.id, visit.path, key])
    const known = this.#sessions.find(id, caller.id, visit.path)
    if (known instanceof ModernSession) return known
    const refusal = this.#room(endpoint)
    if (refusal !== undefined) return refusal
    const session = new ModernSession({
      id,
      envelope,
      open: (downstream, onCongestion) => endpoint.open(caller, downstream, onCongestion),
      newState: () => this.#options.newId(),
      onLost: () => this.#sessions.end(id),
      log: (text) => this.#options.log(text),
    })
    const { processes } = endpoint
    this.#sessions.add(session, { caller: caller.id, path: visit.path, processes })
    return session
  }

  #read(body: Uint8Array, answer: HttpAnswer): ClientMessage | undefined {
    try {
      return inspectClientMessage(body)
    } catch (error) {
      if (!(error instanceof MessageRefusal)) throw error
      const post = new HttpPost(answer, {}, { onBacklog: () => undefined })
      refuseMessage(this.#options.gate, post, error, body)
      return undefined
    }
  }

  #unread(refusal: HttpRefusal): HttpRefusal {
    if (refusal.status === 413) {
      const { text } = refusal
      this.#options.gate.refused({ reason: 'too_large', message: text, bytes: new Uint8Array() })
    }
    return refusal
  }

  #get(visit: HttpVisit, caller: HttpCaller): FrontRefusal | undefined {
    const complaint = acceptComplaint(visit, ['text/event-stream']) ?? revisionComplaint(visit)
    if (complaint !== undefined) return complaint
    const session = this.#sessionOf(visit, caller)
    if (session === undefined) return noSession
    if (!(session instanceof HttpSession)) return session
    session.listen(visit.answer)
    return undefined
  }

  #delete(visit: HttpVisit, caller: HttpCaller): FrontRefusal | undefined {
    const session = this.#sessionOf(visit, caller)
    if (session === undefined) return noSession
    if (!(session instanceof HttpSession)) return session
    this.#sessions.end(session.id)
    visit.answer.send(204, {})
    return undefined
  }

  /** The session that a request names; undefined when it names none. */
  #sessionOf(visit: HttpVisit, caller: HttpCaller): HttpSession | HttpRefusal | undefined {
    const id = visit.header('mcp-session-id')
    if (id === undefined) return undefined
    const session = this.#sessions.find(id, caller.id, visit.path)
    return session instanceof HttpSession ? session : unknownSession
  }
}

/** What is said about a request that carries no message for a session, as JSON-RPC, since clients show that. */
interface FrontRefusal extends HttpRefusal {
  readonly idText?: string | null
}

function refuse(answer: HttpAnswer, refusal: FrontRefusal): void {
  const error = { code: rpcCodes.invalidRequest, message: `refused by the gate: ${refusal.text}` }
  const body = errorMessage(refusal.idText ?? null, error)
  answer.send(refusal.status, { ...jsonHeaders, ...refusal.headers }, body)
}

/** Says why a message of this revision cannot be taken. Nothing that is checked depends on the revision (THREATS B7). */
function revisionComplaint(visit: HttpVisit): HttpRefusal | undefined {
  const revision = visit.header('mcp-protocol-version')
  if (revision === undefined || handshakeRevisions.includes(revision)) return undefined
  const known = handshakeRevisions.join(', ')
  return { status: 400, text: `the revision in \`MCP-Protocol-Version\` is none of ${known}` }
}

const allowed = 'POST, GET, DELETE'

const nothingThere: HttpRefusal = { status: 404, text: 'there is nothing at this address' }
const unknownCaller: HttpRefusal = {
  status: 401,
  text: 'the token is missing or not known; send `Authorization: Bearer` and the token',
  headers: { 'www-authenticate': 'Bearer realm="capfence"' },
}
const closing: HttpRefusal = {
  status: 503,
  text: 'the gate is shutting down',
  headers: { 'retry-after': '5', connection: 'close' },
}
const full: HttpRefusal = {
  status: 503,
  text: 'there are as many sessions as there may be',
  headers: { 'retry-after': '30' },
}
const noSession: FrontRefusal = {
  status: 400,
  text: 'the header `Mcp-Session-Id` is missing; a session begins with `initialize`',
}
const unknownSession: HttpRefusal = {
  status: 404,
  text: 'there is no such session, or it is over; begin a new one with `initialize`',
}
