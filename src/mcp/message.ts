import type { JsonReason, Span } from '../json/scan.ts'
import type { JsonObject } from '../json/value.ts'

export type { Span } from '../json/scan.ts'

/** The id of a request, or a progress token; an integer is always a safe one. */
export type RpcId = string | number

/** A request from a client; `params` is the value that policy judges, `spans` say where its parts stand. */
export interface ClientRequest {
  readonly kind: 'request'
  readonly bytes: Uint8Array
  readonly id: RpcId
  /** The JSON text of the id as it was sent. */
  readonly idText: string
  readonly method: string
  /** Empty when absent. */
  readonly params: JsonObject
  readonly spans: {
    readonly id: Span
    readonly method: Span
    readonly params?: Span | undefined
    readonly name?: Span | undefined
    readonly arguments?: Span | undefined
    readonly uri?: Span | undefined
    readonly cursor?: Span | undefined
    readonly meta?: Span | undefined
    /** `params._meta.progressToken`. */
    readonly progressToken?: Span | undefined
  }
}

/** A notification from a client. */
export interface ClientNotification {
  readonly kind: 'notification'
  readonly bytes: Uint8Array
  readonly method: string
  /** Empty when absent. */
  readonly params: JsonObject
  readonly spans: {
    readonly method: Span
    readonly params?: Span | undefined
    /** `params.requestId`. */
    readonly requestId?: Span | undefined
    /** `params.progressToken`. */
    readonly progressToken?: Span | undefined
  }
}

/** A client's answer to a server's request. */
export interface ClientResponse {
  readonly kind: 'response'
  readonly bytes: Uint8Array
  readonly id: RpcId
  /** The JSON text of the id as it was sent. */
  readonly idText: string
  readonly isError: boolean
  readonly spans: {
    readonly id: Span
    readonly result?: Span | undefined
    readonly error?: Span | undefined
  }
}

/** Everything a client may send. */
export type ClientMessage = ClientRequest | ClientNotification | ClientResponse

/** A server's answer; `id` is null when the server could not tell which request it answers. */
export interface ServerResponse {
  readonly kind: 'response'
  readonly bytes: Uint8Array
  readonly id: RpcId | null
  /** `tool_error` is a result with `isError`. */
  readonly outcome: 'result' | 'tool_error' | 'rpc_error'
  readonly spans: {
    readonly id: Span
    readonly result?: Span | undefined
    readonly error?: Span | undefined
  }
}

/** A request from an upstream server to the client. */
export interface ServerRequest {
  readonly kind: 'request'
  readonly bytes: Uint8Array
  readonly id: RpcId
  /** The JSON text of the id as it was sent. */
  readonly idText: string
  readonly method: string
  readonly spans: {
    readonly id: Span
    readonly method: Span
    readonly params?: Span | undefined
    /** `params._meta.progressToken`. */
    readonly progressToken?: Span | undefined
  }
}

/** A notification from an upstream server. */
export interface ServerNotification {
  readonly kind: 'notification'
  readonly bytes: Uint8Array
  readonly method: string
  /** `params.progressToken`. */
  readonly progressToken?: RpcId | undefined
  /** `params.requestId`. */
  readonly requestId?: RpcId | undefined
  readonly spans: {
    readonly method: Span
    readonly params?: Span | undefined
    readonly progressToken?: Span | undefined
    readonly requestId?: Span | undefined
  }
}

/** Everything an upstream server may send. */
export type ServerMessage = ServerResponse | ServerRequest | ServerNotification

/** Why a client's message was refused; for the record, the log and the answer. */
export type RefusalReason =
  /** The text itself: not JSON, or JSON that two parsers read differently. */
  | JsonReason
  | 'too_large'
  /** A top-level array (THREATS B1). */
  | 'batch'
  | 'not_object'
  | 'unknown_member'
  /** A member that differs from one the gate reads only by case, form or a NUL (THREATS B2). */
  | 'member_variant'
  | 'jsonrpc'
  /** Neither a request nor a notification nor a response, or more than one of them. */
  | 'shape'
  | 'id'
  | 'method'
  /** A method that differs from one of the protocol's only by case, form or a NUL. */
  | 'method_variant'
  | 'params'
  | 'progress_token'
  /** A `tools/call` that nobody could be answered about. */
  | 'call_without_id'
  /** Another request of the protocol without an id: some servers run it all the same. */
  | 'request_without_id'
  | 'call_name'
  | 'call_arguments'

/** Parse error, invalid request or invalid parameters (JSON-RPC 2.0, section 5.1). */
export type RefusalCode = -32700 | -32600 | -32602

/** Why a message was refused, and what of it can still be answered. */
export interface RefusalDetails {
  readonly reason: RefusalReason
  readonly rpcCode: RefusalCode
  readonly idText: string | null
  readonly answersIdText: string | null
  readonly callArguments: boolean
  readonly cause?: unknown
}

/** A message from a client that goes no further; its text is safe to print. */
export class MessageRefusal extends Error {
  override readonly name = 'MessageRefusal'
  readonly reason: RefusalReason
  readonly rpcCode: RefusalCode
  /** The JSON text of the id to answer: set when one valid top-level id was seen, and a method, but no result. */
  readonly idText: string | null
  /**
   * The JSON text of the id that the message answers: set when it was a response with one valid id.
   *
   * The server that asked still waits. Never send this id to the client: its own requests may use the same one.
   */
  readonly answersIdText: string | null
  /**
   * Whether the message is a well-formed `tools/call` request but for what is inside `params.arguments`.
   *
   * A model can produce that by cutting a text short, so it is the model that has to be told: by a result with
   * `isError`, not by a protocol error.
   */
  readonly callArguments: boolean

  constructor(message: string, details: RefusalDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.reason = details.reason
    this.rpcCode = details.rpcCode
    this.idText = details.idText
    this.answersIdText = details.answersIdText
    this.callArguments = details.callArguments
  }
}
