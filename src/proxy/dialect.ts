import type { ServerResponse } from '../mcp/message.ts'
import type { RpcError } from '../mcp/rpc.ts'
import type { Edit } from '../mcp/splice.ts'

/** How a request and its answer differ between the client's revision of the protocol and the servers'. */
export interface Dialect {
  /** Changes of the request, besides its id, before it goes to a server. */
  readonly requestEdits: readonly Edit[]
  /**
   * Changes of a server's reply, besides its id, before it goes to the client.
   *
   * @param isAlone whether nothing else is put into the result
   */
  replyEdits(reply: ServerResponse, isAlone: boolean): readonly Edit[]
  /** A result of the gate's own; takes and gives JSON. */
  result(resultText: string): string
  /** An error of the gate's own. */
  error(error: RpcError): RpcError
}

/** Of a client that speaks as the servers do. */
export const plainDialect: Dialect = {
  requestEdits: [],
  replyEdits: () => [],
  result: (resultText) => resultText,
  error: (error) => error,
}
