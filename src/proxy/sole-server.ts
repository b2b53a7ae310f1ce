import type { Connection } from '../mcp/connection.ts'
import type { ServerResponse } from '../mcp/message.ts'
import type { ListMethod } from '../mcp/methods.ts'
import { rpcCodes } from '../mcp/rpc.ts'
import type { Upstream } from '../mcp/upstream.ts'
import { fail, finish, forward, paramsText } from './context.ts'
import type { ForwardHooks, SessionContext } from './context.ts'
import type { Flight } from './flights.ts'
import { heldInstructions, soleListReply } from './lists.ts'
import { forwardMethod } from './methods.ts'
import type { Routing } from './routing.ts'
import { SessionMemory } from './session-memory.ts'

/**
 * One server with its names unchanged: what it says reaches the client byte for byte, under the client's ids.
 */
export class SoleServer implements Routing {
  readonly #context: SessionContext
  readonly #upstream: Upstream
  readonly #memory = new SessionMemory()

  constructor(context: SessionContext, upstream: Upstream) {
    this.#context = context
    this.#upstream = upstream
  }

  initialize(flight: Flight): void {
    this.#upstream.initialize(paramsText(flight.request), {
      onReply: (reply) => {
        const edits = heldInstructions(this.#context, this.#upstream.name, reply)
        finish(this.#context, flight, flight.reply(reply, edits))
      },
      onLost: (reason) =>
        fail(this.#context, flight, {
          code: rpcCodes.internalError,
          message: `server \`${this.#upstream.name}\` ${reason}`,
        }),
    })
  }

  list(flight: Flight, method: ListMethod): void {
    const onReply = (reply: ServerResponse): readonly Uint8Array[] | undefined =>
      soleListReply(this.#context, this.#upstream.name, method, flight, reply)
    this.#send(flight, { onReply })
  }

  route(flight: Flight): void {
    const onReply = (reply: ServerResponse): undefined => {
      if (reply.outcome === 'result') this.#memory.note(flight.request)
      return undefined
    }
    const to = { upstream: this.#upstream, edits: [], hooks: { onReply } }
    forwardMethod(this.#context, flight, to)
  }

  forwardUnknown(flight: Flight): void {
    this.#send(flight, {})
  }

  learnTools(): Promise<void> {
    // Every name is the server's own; there is nothing to tell apart, but with a lock something to compare.
    return this.#context.relisting.learn(this.#upstream.name)
  }

  restore(_server: string, connection: Connection): void {
    this.#memory.replay(connection)
  }

  #send(flight: Flight, hooks: ForwardHooks): void {
    this.#context.outbox.push(() => forward(this.#context, flight, this.#upstream, [], hooks))
  }
}
