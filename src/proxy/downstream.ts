import type { RpcId } from '../mcp/message.ts'

/**
 * The client's side of a session, whatever carries it.
 *
 * `about` is the id of the client's request that a message belongs to, if it belongs to one: over stdio it does not
 * matter, over HTTP it picks the stream.
 */
export interface Downstream {
  send(about: RpcId | undefined, ...pieces: readonly Uint8Array[]): void
}
