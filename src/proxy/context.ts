import type { Loss } from '../mcp/connection.ts'
import { textAt } from '../mcp/rpc-id.ts'
import type { ClientRequest, ServerResponse } from '../mcp/message.ts'
import type { Outbox } from '../mcp/outbox.ts'
import type { PageTrail } from '../mcp/page-trail.ts'
import { rpcCodes } from '../mcp/rpc.ts'
import type { RpcError } from '../mcp/rpc.ts'
import { pieces } from '../mcp/splice.ts'
import type { Edit } from '../mcp/splice.ts'
import type { Pins } from '../mcp/pins.ts'
import type { ToolCatalogue, ToolDefinition } from '../mcp/tool-catalogue.ts'
import type { Upstream } from '../mcp/upstream.ts'
import type { ToolListing } from '../runtime/tool-definitions.ts'
import type { Asks } from './asks.ts'
import type { Downstream } from './downstream.ts'
import type { Flight, Flights } from './flights.ts'
import type { Relisting } from './relisting.ts'

/** What became of a forwarded call, for its outcome record. */
export interface CallOutcome {
  readonly status: 'ok' | 'tool_error' | 'rpc_error' | 'cancelled' | 'upstream_died'
  /** Size of the reply, bytes; 0 without one. */
  readonly bytes: number
  /** False when it certainly never reached a server; absent when it did, or may have. */
  readonly sent?: false
}

/** A tool call as the client asked for it. */
export interface GatedCall {
  readonly server: string
  readonly tool: string
  readonly arguments: ClientRequest['params']
  readonly client: ClientIdentity
  readonly definition: ToolDefinition | undefined
  /** Why that definition is not the accepted one; undefined when it is, or where nothing is pinned. */
  readonly held?: string | undefined
}

/** Who the client says it is, from its `initialize`. */
export interface ClientIdentity {
  readonly name: string
  readonly version: string
}

/** What the gate says of a call, once that stands in the log. */
export type CallVerdict =
  | {
      readonly kind: 'forward'
      settle(outcome: CallOutcome): void
      /** For the client, as JSON: where the decision stands in the log. Undefined when none is given. */
      readonly receiptText?: string | undefined
    }
  /** `resultText` is a `CallToolResult`, as JSON. */
  | { readonly kind: 'blocked'; readonly resultText: string }

/** A request with a method that is decided, and is no tool call. */
export interface GatedMethod {
  readonly server: string
  readonly method: string
  readonly params: ClientRequest['params']
  readonly client: ClientIdentity
  /** Hex SHA-256 of the definition that the request is about, where it was listed. */
  readonly definitionHash?: string | undefined
  /** Why that definition is not the accepted one; undefined when it is, or where nothing is pinned. */
  readonly held?: string | undefined
}

/** What the gate says of such a request, once that stands in the log. */
export type MethodVerdict =
  | { readonly kind: 'forward'; settle(outcome: CallOutcome): void }
  | { readonly kind: 'blocked'; readonly error: RpcError }

/** A message that was refused before it was a call. */
export interface Refusal {
  readonly reason: string
  readonly message: string
  readonly bytes: Uint8Array
  readonly server?: string
  readonly tool?: string
}

/** The one decision point, as the session uses it. */
export interface CallGate {
  /** Resolves when the decision is durable; never forwards anything itself. */
  judge(call: GatedCall): Promise<CallVerdict>
  /** The same for a request that is no tool call. */
  judgeMethod(call: GatedMethod): Promise<MethodVerdict>
  /** Leaves a bounded record of a refused message. */
  refused(refusal: Refusal): void
  /** A result that blocks a call whose arguments could not be admitted, as JSON. */
  refusedArguments(message: string): string
  /** Is told what tools a client was shown; takes its time, and never throws. */
  listed(listing: ToolListing): void
}

/** What the parts of one client session share. */
export interface SessionContext {
  readonly downstream: Downstream
  readonly upstreams: readonly Upstream[]
  readonly catalogue: ToolCatalogue
  /** Which definitions somebody has accepted. */
  readonly pins: Pins
  /** Whether what is known of the servers' tools is still so. */
  readonly relisting: Relisting
  /** How far the tools of each server have been listed. */
  readonly pages: PageTrail
  readonly gate: CallGate
  readonly flights: Flights
  readonly asks: Asks
  readonly outbox: Outbox
  /** Who the client says it is; names are empty until it has. */
  client(): ClientIdentity
  /** The gate's own name and version. */
  readonly software: { readonly name: string; readonly version: string }
  /** Says something to the operator; never to the client. */
  log(text: string): void
}

/** What the forwarder of a request wants to know of its course. */
export interface ForwardHooks {
  /** Called before the reply goes to the client; may replace it, or say that it has been dealt with. */
  onReply?(reply: ServerResponse): readonly Uint8Array[] | 'handled' | undefined
  onLost?(loss: Loss): void
  /** @param sent whether it may have reached the server */
  onCancelled?(sent: boolean): void
}

/** Sends a request on to a server under an id of the gate's own, and its reply back under the client's. */
export function forward(
  context: SessionContext,
  flight: Flight,
  upstream: Upstream,
  edits: readonly Edit[] = [],
  hooks: ForwardHooks = {},
): void {
  const lost = (reason: string, loss: Loss): void => {
    hooks.onLost?.(loss)
    fail(context, flight, {
      code: rpcCodes.internalError,
      message: `server \`${upstream.name}\` ${reason}; ${lossText[loss]}`,
    })
  }
  upstream.use({
    fail: (reason) => lost(reason, 'gone'),
    run: (connection) => {
      if (!flight.isOpen) return hooks.onCancelled?.(false)
      const { request } = flight
      const id = connection.request(
        {
          owner: flight,
          onReply: (reply) => {
            const replaced = hooks.onReply?.(reply)
            if (replaced === 'handled') return
            finish(context, flight, replaced ?? flight.reply(reply))
          },
          onProgress: (notification) => {
            const { progressToken } = notification.spans
            const clientToken = request.spans.progressToken
            if (!flight.isOpen || progressToken === undefined || clientToken === undefined) return
            const text = textAt(request.bytes, clientToken)
            flight.origin.send(...pieces(notification.bytes, [{ span: progressToken, text }]))
          },
          onLost: lost,
        },
        ...pieces(request.bytes, [
          ...idEdits(request, connection.nextId),
          ...flight.dialect.requestEdits,
          ...edits,
        ]),
      )
      flight.sent((reasonText) => {
        hooks.onCancelled?.(true)
        context.outbox.push(() => connection.cancel(id, reasonText))
      })
    },
  })
}

const lossText: Readonly<Record<Loss, string>> = {
  died: 'the request was not sent again',
  refused: 'the request may have been executed',
  gone: 'the request was not sent',
  unread: 'the request was not sent',
}

/** Answers a request, unless it has been answered or cancelled meanwhile. */
export function finish(
  context: SessionContext,
  flight: Flight,
  answer: readonly Uint8Array[],
): void {
  if (!flight.isOpen) return
  context.flights.close(flight)
  flight.origin.answer(...answer)
}

/** Answers a request with an error, unless it has been answered or cancelled meanwhile. */
export function fail(context: SessionContext, flight: Flight, error: RpcError): void {
  finish(context, flight, [flight.error(error)])
}

function idEdits(request: ClientRequest, id: number): readonly Edit[] {
  const { id: idSpan, progressToken } = request.spans
  const spans = progressToken === undefined ? [idSpan] : [idSpan, progressToken]
  return spans.map((span) => ({ span, text: String(id) }))
}

/** The params of a client's request as JSON; an empty object when it has none. */
export function paramsText(request: ClientRequest): string {
  const { params } = request.spans
  return params === undefined ? '{}' : textAt(request.bytes, params)
}
