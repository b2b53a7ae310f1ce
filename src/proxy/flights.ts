import { limits } from '../limits.ts'
import type { ClientRequest, RpcId, ServerResponse } from '../mcp/message.ts'
import { errorMessage, resultMessage } from '../mcp/rpc.ts'
import type { RpcError } from '../mcp/rpc.ts'
import { pieces } from '../mcp/splice.ts'
import type { Edit } from '../mcp/splice.ts'
import { plainDialect } from './dialect.ts'
import type { Dialect } from './dialect.ts'
import type { Origin } from './downstream.ts'

/** Tells a server that the client has lost interest; `reasonText` is the client's own, as JSON. */
type CancelUpstream = (reasonText: string | undefined) => void

/** One request of the client that has not been answered. */
export class Flight {
  readonly request: ClientRequest
  readonly origin: Origin
  readonly dialect: Dialect
  /** The JSON text of the id that the answer gets: the one that the client gave last for this request. */
  idText: string
  #isOpen = true
  #cancelUpstream: CancelUpstream | undefined

  constructor(request: ClientRequest, origin: Origin, dialect: Dialect) {
    this.request = request
    this.origin = origin
    this.dialect = dialect
    this.idText = request.idText
  }

  /** False once it was answered or cancelled: nothing may be sent for it any more, in either direction. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Called when the request has been sent to a server. */
  sent(cancelUpstream: CancelUpstream): void {
    this.#cancelUpstream = cancelUpstream
  }

  /** A server's reply as the client is to get it, with further edits. */
  reply(reply: ServerResponse, edits: readonly Edit[] = []): readonly Uint8Array[] {
    return pieces(reply.bytes, [
      { span: reply.spans.id, text: this.idText },
      ...this.dialect.replyEdits(reply, edits.length === 0),
      ...edits,
    ])
  }

  /** A result of the gate's own; `resultText` is JSON. */
  result(resultText: string): Uint8Array {
    return resultMessage(this.idText, this.dialect.result(resultText))
  }

  /** An error of the gate's own. */
  error(error: RpcError): Uint8Array {
    return errorMessage(this.idText, this.dialect.error(error))
  }

  /** Ends it without an answer. */
  cancel(reasonText: string | undefined): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#cancelUpstream?.(reasonText)
    this.origin.cancelled()
  }

  /** Ends it with an answer, which the caller sends. */
  close(): void {
    this.#isOpen = false
  }
}

/** The client's requests in flight, by the ids that it gave them; `1` and `"1"` are different ids. */
export class Flights {
  readonly #byId = new Map<RpcId, Flight>()
  /** Of all their messages, which are kept until they are answered. */
  #bytes = 0

  /** @returns undefined when the id is in flight already, or when there are too many */
  open(
    request: ClientRequest,
    origin: Origin,
    dialect: Dialect = plainDialect,
  ): Flight | undefined {
    if (this.#byId.has(request.id) || this.#isFull(request.bytes.length)) return undefined
    const flight = new Flight(request, origin, dialect)
    this.#byId.set(request.id, flight)
    this.#bytes += request.bytes.length
    return flight
  }

  get size(): number {
    return this.#byId.size
  }

  /** The only request in flight, if there is exactly one. */
  get sole(): Flight | undefined {
    if (this.#byId.size !== 1) return undefined
    const [flight] = this.#byId.values()
    return flight
  }

  /**
   * The request in flight that something of a server belongs to: the owner where it is known, else the only one there is.
   */
  about(owner: object | undefined): Flight | undefined {
    return owner instanceof Flight && owner.isOpen ? owner : this.sole
  }

  cancel(id: RpcId, reasonText: string | undefined): boolean {
    const flight = this.#byId.get(id)
    if (flight === undefined) return false
    this.#forget(flight)
    flight.cancel(reasonText)
    return true
  }

  close(flight: Flight): void {
    flight.close()
    if (this.#byId.get(flight.request.id) === flight) this.#forget(flight)
  }

  #forget({ request }: Flight): void {
    this.#byId.delete(request.id)
    this.#bytes -= request.bytes.length
  }

  #isFull(bytes: number): boolean {
    if (this.#byId.size === 0) return false
    return (
      this.#byId.size >= limits.maxRequestsInFlight || this.#bytes + bytes > limits.maxBytesInFlight
    )
  }
}
