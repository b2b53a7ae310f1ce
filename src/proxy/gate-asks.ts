import { inspectClientMessage } from '../mcp/inspect-client.ts'
import { isPlainObject } from '../mcp/merge.ts'
import type { PlainObject } from '../mcp/merge.ts'
import type { ClientMessage } from '../mcp/message.ts'
import { requestMessage, rpcCodes } from '../mcp/rpc.ts'
import type { RpcError } from '../mcp/rpc.ts'
import type { Origin } from './downstream.ts'

/** What the servers said to a request of the gate's own. */
export type GateReply = { readonly result: PlainObject } | { readonly error: RpcError }

/** Requests that the gate sends through a session as if it were the client, so that they take the same way. */
export class GateAsks {
  readonly #take: (message: ClientMessage, origin: Origin) => void
  #lastId = 0

  constructor(take: (message: ClientMessage, origin: Origin) => void) {
    this.#take = take
  }

  ask(method: string, params: PlainObject): Promise<GateReply> {
    return this.askText(method, JSON.stringify(params))
  }

  /** @param paramsText JSON */
  askText(method: string, paramsText: string): Promise<GateReply> {
    this.#lastId += 1
    const id = JSON.stringify(`gate-${String(this.#lastId)}`)
    const message = inspectClientMessage(requestMessage(id, method, paramsText))
    return new Promise((resolve) => {
      const end = (...parts: readonly Uint8Array[]): void => resolve(readReply(parts))
      this.#take(message, {
        answer: end,
        refused: end,
        cancelled: () => resolve({ error: noReply }),
        send: () => undefined,
        accepted: () => undefined,
      })
    })
  }
}

const noReply: RpcError = { code: rpcCodes.internalError, message: 'the servers did not answer' }

function readReply(parts: readonly Uint8Array[]): GateReply {
  const message: unknown = JSON.parse(Buffer.concat(parts).toString())
  if (!isPlainObject(message)) return { error: noReply }
  const { result, error } = message
  if (isPlainObject(result)) return { result }
  if (!isPlainObject(error)) return { error: noReply }
  const { code, message: text } = error
  return { error: { code: Number(code), message: String(text) } }
}
