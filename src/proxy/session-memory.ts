import type { Connection, PendingRequest } from '../mcp/connection.ts'
import type { ClientRequest } from '../mcp/message.ts'
import { requestMessage } from '../mcp/rpc.ts'
import { textAt } from '../mcp/rpc-id.ts'

interface Remembered {
  readonly method: string
  readonly paramsText: string
}

/** Subscriptions that are remembered for one server, count. */
const maxSubscriptions = 10_000

/**
 * What a client has told a server that a new process of it would not know: its log level and subscriptions.
 */
export class SessionMemory {
  readonly #byKey = new Map<string, Remembered>()

  /** Takes in a request that the server has answered with a result. */
  note(request: ClientRequest): void {
    const { method, params, spans } = request
    if (spans.params === undefined) return
    const remembered = { method, paramsText: textAt(request.bytes, spans.params) }
    if (method === 'logging/setLevel') this.#byKey.set('level', remembered)
    const uri = params['uri']
    if (typeof uri !== 'string') return
    const isKnown = this.#byKey.has(`uri ${uri}`)
    if (method === 'resources/unsubscribe') this.#byKey.delete(`uri ${uri}`)
    if (method === 'resources/subscribe' && (isKnown || this.#byKey.size < maxSubscriptions)) {
      this.#byKey.set(`uri ${uri}`, { ...remembered, paramsText: JSON.stringify({ uri }) })
    }
  }

  /** Tells it all to a server that was started again; nobody waits for the replies. */
  replay(connection: Connection): void {
    for (const { method, paramsText } of this.#byKey.values()) {
      const id = String(connection.nextId)
      connection.request(nobody, requestMessage(id, method, paramsText))
    }
  }
}

const nobody: PendingRequest = {
  onReply: () => undefined,
  onLost: () => undefined,
}
