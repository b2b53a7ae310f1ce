import { ask } from '../mcp/ask.ts'
import type { Asked, NoReply } from '../mcp/ask.ts'
import type { Connection } from '../mcp/connection.ts'
import { CursorSeal } from '../mcp/cursor.ts'
import type { ServerCursors } from '../mcp/cursor.ts'
import { textAt } from '../mcp/rpc-id.ts'
import { isDeeperThan, isPlainObject, mergeInitialized } from '../mcp/merge.ts'
import { limits } from '../limits.ts'
import type { Initialized, PlainObject } from '../mcp/merge.ts'
import type { ServerResponse } from '../mcp/message.ts'
import { listMethods } from '../mcp/methods.ts'
import type { ListMethod } from '../mcp/methods.ts'
import { notificationMessage, rpcCodes } from '../mcp/rpc.ts'
import type { Upstream } from '../mcp/upstream.ts'
import { fail, finish, paramsText } from './context.ts'
import type { SessionContext } from './context.ts'
import type { Flight } from './flights.ts'
import { admitPage, heldInstructions, readPage } from './lists.ts'
import type { ListPage } from './lists.ts'
import { routeSeveral } from './route-several.ts'
import type { Routing } from './routing.ts'
import { ResourceFinder } from './resource-finder.ts'
import { SessionMemory } from './session-memory.ts'

/** How long one server may keep the others' answers to `initialize` or a list waiting, milliseconds. */
const maxWaitMs = 20_000
/** Pages of tools that the gate reads of one server on its own account, count. */
const maxPages = 200

/** Tools that were listed this recently are not listed again for the next unknown name, milliseconds. */
const relearnAfterMs = 5000

/** One of several servers: what sets its names apart, and what it said of itself. */
export class Member {
  readonly upstream: Upstream
  readonly prefix: string
  readonly memory: SessionMemory = new SessionMemory()
  capabilities: PlainObject = {}

  constructor(upstream: Upstream, prefix: string) {
    this.upstream = upstream
    this.prefix = prefix
  }

  get name(): string {
    return this.upstream.name
  }

  has(capability: string): boolean {
    return isPlainObject(this.capabilities[capability])
  }
}

/**
 * Several servers behind one endpoint: names get each server's prefix, lists are joined, one that is slow or dead is
 * left out and never holds up the others.
 */
export class SeveralServers implements Routing {
  readonly #context: SessionContext
  readonly #members: readonly Member[]
  readonly #seal: CursorSeal
  readonly #finder: ResourceFinder
  #isInitialized = false
  #learnt: { readonly atMs: number; readonly done: Promise<unknown> } | undefined

  /** @param cursorKey random bytes of this process */
  constructor(context: SessionContext, members: readonly Member[], cursorKey: Uint8Array) {
    this.#context = context
    this.#members = members
    this.#seal = new CursorSeal(cursorKey)
    this.#finder = new ResourceFinder(members, (text) => context.log(text))
  }

  initialize(flight: Flight): void {
    void this.#initializeAll(flight)
  }

  list(flight: Flight, method: ListMethod): void {
    const cursors = this.#cursorsOf(flight)
    if (cursors === 'invalid') {
      return fail(this.#context, flight, {
        code: rpcCodes.invalidParams,
        message: 'the cursor was not given out by this gate, or before it was started',
      })
    }
    const { capability } = listMethods[method]
    const members = this.#members.filter(
      (member) => member.has(capability) && (cursors === undefined || cursors.has(member.name)),
    )
    this.#context.outbox.push(() => this.#listMembers(flight, method, members, cursors))
  }

  route(flight: Flight): void {
    this.#context.outbox.push(() =>
      routeSeveral(this.#context, this.#members, this.#finder, flight),
    )
  }

  forwardUnknown(flight: Flight): void {
    fail(this.#context, flight, {
      code: rpcCodes.methodNotFound,
      message: `Method not found: ${flight.request.method} (with several servers the gate cannot tell whose it is)`,
    })
  }

  async learnTools(): Promise<void> {
    const now = performance.now()
    if (this.#learnt === undefined || now - this.#learnt.atMs > relearnAfterMs) {
      const members = this.#members.filter((member) => member.has('tools'))
      const pages = members.map((member) => this.#learnToolsOf(member, undefined, maxPages))
      this.#learnt = { atMs: now, done: Promise.all(pages) }
    }
    await this.#learnt.done
  }

  restore(server: string, connection: Connection): void {
    this.#members.find((member) => member.name === server)?.memory.replay(connection)
  }

  async #initializeAll(flight: Flight): Promise<void> {
    this.#isInitialized = false
    const text = paramsText(flight.request)
    const late = new Promise<undefined>((resolve) => {
      setTimeout(() => resolve(undefined), maxWaitMs).unref()
    })
    const answers = this.#members.map((member) =>
      Promise.race([this.#initializeOne(member, text), late]),
    )
    const known = (await Promise.all(answers)).filter((part) => part !== undefined)
    this.#isInitialized = true
    if (known.length === 0) {
      return fail(this.#context, flight, {
        code: rpcCodes.internalError,
        message: 'none of the configured servers could be started',
      })
    }
    const merged = mergeInitialized(known, this.#context.software)
    finish(this.#context, flight, [flight.result(JSON.stringify(merged))])
  }

  #initializeOne(member: Member, text: string): Promise<Initialized | undefined> {
    return new Promise((resolve) => {
      member.upstream.initialize(text, {
        onReply: (reply) => {
          const result = resultOf(reply)
          if (result === undefined) {
            this.#context.log(`server \`${member.name}\` refused to initialise`)
            return resolve(undefined)
          }
          // What is merged is written out again, and printing a value takes as much stack as it is deep (THREATS B32).
          if (isDeeperThan(result, limits.maxJsonDepth)) {
            this.#context.log(`server \`${member.name}\` is left out: its answer is too deep`)
            return resolve(undefined)
          }
          const { capabilities } = result
          member.capabilities = isPlainObject(capabilities) ? capabilities : {}
          if (this.#isInitialized) this.#announce(member)
          const isHeld = heldInstructions(this.#context, member.name, reply).length > 0
          resolve({
            server: member.name,
            result: isHeld ? { ...result, instructions: undefined } : result,
          })
        },
        onLost: (reason) => {
          this.#context.log(`server \`${member.name}\` ${reason}; the others go on without it`)
          resolve(undefined)
        },
      })
    })
  }

  /** Tells the client that a server which came late has something to list. */
  #announce(member: Member): void {
    for (const kind of ['tools', 'prompts', 'resources']) {
      if (!member.has(kind)) continue
      this.#context.downstream.send(
        undefined,
        notificationMessage(`notifications/${kind}/list_changed`),
      )
    }
  }

  #cursorsOf(flight: Flight): ServerCursors | undefined | 'invalid' {
    const { cursor } = flight.request.params
    if (cursor === undefined) return undefined
    return (typeof cursor === 'string' ? this.#seal.open(cursor) : undefined) ?? 'invalid'
  }

  #listMembers(
    flight: Flight,
    method: ListMethod,
    members: readonly Member[],
    cursors: ServerCursors | undefined,
  ): void {
    const asked = members.map((member) => {
      const cursor = cursors?.get(member.name)
      return ask(member.upstream, method, cursorParams(cursor), maxWaitMs)
    })
    flight.sent(() => {
      for (const one of asked) one.cancel()
    })
    void this.#join(flight, method, members, asked, cursors)
  }

  async #join(
    flight: Flight,
    method: ListMethod,
    members: readonly Member[],
    asked: readonly Asked[],
    cursors: ServerCursors | undefined,
  ): Promise<void> {
    const replies = await Promise.all(asked.map(({ reply }) => reply))
    const items: string[] = []
    const next = new Map<string, string>()
    members.forEach((member, index) => {
      const page = this.#pageOf(member, method, replies[index])
      if (page === undefined) return
      const cursor = cursors?.get(member.name)
      items.push(...admitPage(this.#context, member, method, page, cursor).items)
      this.#finder.learn(member, method, page)
      if (page.nextCursor !== undefined) next.set(member.name, page.nextCursor)
    })
    const cursorText =
      next.size === 0 ? '' : `,"nextCursor":${JSON.stringify(this.#seal.seal(next))}`
    const result = `{"${listMethods[method].member}":[${items.join(',')}]${cursorText}}`
    finish(this.#context, flight, [flight.result(result)])
  }

  #pageOf(
    member: Member,
    method: ListMethod,
    reply: ServerResponse | NoReply | undefined,
  ): ListPage | undefined {
    if (reply?.kind === 'response') {
      const page = readPage(reply, method)
      if (page !== undefined) return page
    }
    const reason = reply?.kind === 'no_reply' ? reply.reason : 'answered with an error'
    this.#context.log(`server \`${member.name}\` is left out of ${method}: ${reason}`)
    return undefined
  }

  async #learnToolsOf(
    member: Member,
    cursor: string | undefined,
    pagesLeft: number,
  ): Promise<void> {
    if (pagesLeft === 0) return
    const reply = await ask(member.upstream, 'tools/list', cursorParams(cursor), maxWaitMs).reply
    const page = this.#pageOf(member, 'tools/list', reply)
    if (page === undefined) return
    admitPage(this.#context, member, 'tools/list', page, cursor)
    if (page.nextCursor !== undefined) {
      await this.#learnToolsOf(member, page.nextCursor, pagesLeft - 1)
    }
  }
}

function cursorParams(cursor: string | undefined): string | undefined {
  return cursor === undefined ? undefined : JSON.stringify({ cursor })
}

function resultOf(reply: ServerResponse): PlainObject | undefined {
  const { result } = reply.spans
  if (result === undefined) return undefined
  const value: unknown = JSON.parse(textAt(reply.bytes, result))
  return isPlainObject(value) ? value : undefined
}
