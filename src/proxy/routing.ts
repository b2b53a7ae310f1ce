import type { ListMethod } from '../mcp/methods.ts'
import type { Connection } from '../mcp/connection.ts'
import type { Flight } from './flights.ts'

/**
 * How the requests of one session find their server: one server as if the gate were not there, or several behind one
 * endpoint.
 */
export interface Routing {
  /** Answers the client's `initialize` with what the server or servers say. */
  initialize(flight: Flight): void
  list(flight: Flight, method: ListMethod): void
  /** Any other request a client may send, but `tools/call`. */
  route(flight: Flight): void
  /** A request with a method the gate does not know, when the configuration lets such pass. */
  forwardUnknown(flight: Flight): void
  /** Learns the tools that a name might mean; resolves when nothing more can be learnt. */
  learnTools(): Promise<void>
  /** Tells a server that was started again what the one before it knew. */
  restore(server: string, connection: Connection): void
}
