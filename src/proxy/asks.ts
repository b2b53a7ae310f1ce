import { limits } from '../limits.ts'
import { pieces } from '../mcp/splice.ts'
import type { Edit } from '../mcp/splice.ts'
import type { Connection } from '../mcp/connection.ts'
import type {
  ClientNotification,
  ClientResponse,
  RpcId,
  ServerNotification,
  ServerRequest,
} from '../mcp/message.ts'
import { textAt } from '../mcp/rpc-id.ts'
import { errorMessage, rpcCodes } from '../mcp/rpc.ts'

/** A server's question to the client: sampling, elicitation, roots. */
interface Ask {
  readonly connection: Connection
  /** The JSON text of the id under which the server waits. */
  readonly idText: string
  readonly id: RpcId
  /** The JSON text of the server's own progress token. */
  readonly tokenText: string | undefined
}

/**
 * The requests that servers have put to the client, under ids that the client has not seen from anyone else.
 *
 * Two servers may use the same id; the client answers the gate's id, and only the server that asked is told.
 */
export class Asks {
  readonly #open = new Map<number, Ask>()
  #lastId = 0

  /** Registers a server's request; returns it as the client is to see it, or undefined when too many are open. */
  put(
    connection: Connection,
    request: ServerRequest,
    edits: readonly Edit[] = [],
  ): readonly Uint8Array[] | undefined {
    if (this.#open.size >= limits.maxQuestions) return undefined
    this.#lastId += 1
    const id = this.#lastId
    const { progressToken } = request.spans
    const tokenText = progressToken && textAt(request.bytes, progressToken)
    this.#open.set(id, { connection, id: request.id, idText: request.idText, tokenText })
    const idEdits = [request.spans.id, ...(progressToken ? [progressToken] : [])].map((span) => ({
      span,
      text: String(id),
    }))
    return pieces(request.bytes, [...idEdits, ...edits])
  }

  /** Passes the client's answer to the server that asked; false when nobody asked (THREATS B23). */
  answer(response: ClientResponse): boolean {
    const ask = this.#take(response.id)
    if (ask === undefined) return false
    ask.connection.send(...pieces(response.bytes, [{ span: response.spans.id, text: ask.idText }]))
    return true
  }

  /** Tells the server that asked that the client's answer could not be passed on. */
  refuse(id: RpcId, message: string): boolean {
    const ask = this.#take(id)
    if (ask === undefined) return false
    ask.connection.send(errorMessage(ask.idText, { code: rpcCodes.internalError, message }))
    return true
  }

  /** Passes the client's progress on a question to the server that asked. */
  progress(notification: ClientNotification, token: RpcId | undefined): boolean {
    const ask = typeof token === 'number' ? this.#open.get(token) : undefined
    const { progressToken } = notification.spans
    if (ask?.tokenText === undefined || progressToken === undefined) return false
    ask.connection.send(
      ...pieces(notification.bytes, [{ span: progressToken, text: ask.tokenText }]),
    )
    return true
  }

  /** A server takes a question back: the client's id for it, or undefined when it is not open. */
  cancelled(connection: Connection, notification: ServerNotification): number | undefined {
    for (const [id, ask] of this.#open) {
      if (ask.connection !== connection || ask.id !== notification.requestId) continue
      this.#open.delete(id)
      return id
    }
    return undefined
  }

  /** Forgets the questions of a server that is gone; returns the client's ids for them. */
  drop(connection: Connection): readonly number[] {
    const dropped = [...this.#open].filter(([, ask]) => ask.connection === connection)
    for (const [id] of dropped) this.#open.delete(id)
    return dropped.map(([id]) => id)
  }

  #take(id: RpcId): Ask | undefined {
    if (typeof id !== 'number') return undefined
    const ask = this.#open.get(id)
    this.#open.delete(id)
    return ask
  }
}
