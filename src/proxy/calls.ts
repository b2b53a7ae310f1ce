import type { ServerResponse } from '../mcp/message.ts'
import type { Ticket } from '../mcp/outbox.ts'
import { receiptEdits } from '../mcp/receipt.ts'
import { rpcCodes } from '../mcp/rpc.ts'
import type { Edit } from '../mcp/splice.ts'
import type { Upstream } from '../mcp/upstream.ts'
import { neverSent, outcomeOf, outcomeOfLoss } from './call-outcome.ts'
import { fail, finish, forward } from './context.ts'
import type {
  CallOutcome,
  CallVerdict,
  ClientIdentity,
  GatedCall,
  SessionContext,
} from './context.ts'
import type { Flight } from './flights.ts'
import type { Routing } from './routing.ts'
import { emptyObject, isJsonObject, textMember } from '../mcp/params.ts'

interface CallTarget {
  readonly upstream: Upstream
  readonly tool: string
  /** Why its definition is not the accepted one. */
  readonly held: string | undefined
}

/**
 * Judges a `tools/call` and, only if it may pass, forwards it.
 *
 * The place in the outgoing order is taken before anything is asked for, so that a call never overtakes another.
 */
export function callTool(
  context: SessionContext,
  flight: Flight,
  client: ClientIdentity,
  routing: Routing,
): void {
  const ticket = context.outbox.reserve()
  decideCall(context, flight, client, routing, ticket).catch((error: unknown) => {
    ticket.release()
    context.log(`bug: the gate failed on a call, which was not forwarded: ${String(error)}`)
    fail(context, flight, {
      code: rpcCodes.internalError,
      message: 'the gate failed; the call was not executed',
    })
  })
}

async function decideCall(
  context: SessionContext,
  flight: Flight,
  client: ClientIdentity,
  routing: Routing,
  ticket: Ticket,
): Promise<void> {
  let target = findTarget(context, flight)
  if (target === undefined) {
    await routing.learnTools()
    target = findTarget(context, flight)
  }
  if (target !== undefined && context.relisting.isStale(target.upstream.name)) {
    await context.relisting.refresh(target.upstream.name)
    target = findTarget(context, flight)
  }
  if (target === undefined) {
    ticket.release()
    return refuseName(context, flight)
  }
  const verdict = await context.gate.judge(gatedCall(context, flight, client, target))
  if (verdict.kind === 'blocked') {
    ticket.release()
    return finish(context, flight, [flight.result(verdict.resultText)])
  }
  const allowed = target
  ticket.fill(() => forwardCall(context, flight, allowed, verdict))
}

function gatedCall(
  context: SessionContext,
  flight: Flight,
  client: ClientIdentity,
  { upstream, tool, held }: CallTarget,
): GatedCall {
  const given = flight.request.params['arguments']
  return {
    server: upstream.name,
    tool,
    arguments: isJsonObject(given) ? given : emptyObject,
    client,
    definition: context.catalogue.definition(upstream.name, tool),
    ...(held !== undefined && { held }),
  }
}

function forwardCall(
  context: SessionContext,
  flight: Flight,
  target: CallTarget,
  verdict: Extract<CallVerdict, { kind: 'forward' }>,
): void {
  let isSettled = false
  const settle = (outcome: CallOutcome): void => {
    if (isSettled) return
    isSettled = true
    verdict.settle(outcome)
  }
  forward(context, flight, target.upstream, nameEdits(flight, target.tool), {
    onReply: (reply: ServerResponse) => {
      // The client has its reply first: a record that cannot be written must not withhold what has happened.
      queueMicrotask(() => settle({ status: outcomeOf[reply.outcome], bytes: reply.bytes.length }))
      return receiptedReply(flight, reply, verdict.receiptText)
    },
    onLost: (loss) =>
      settle({
        status: outcomeOfLoss[loss],
        bytes: 0,
        ...(neverSent.has(loss) && { sent: false }),
      }),
    onCancelled: (sent) => settle({ status: 'cancelled', bytes: 0, ...(!sent && { sent }) }),
  })
}

/** The reply with a receipt in it; undefined when it goes as it is. */
function receiptedReply(
  flight: Flight,
  reply: ServerResponse,
  receiptText: string | undefined,
): readonly Uint8Array[] | undefined {
  const { result } = reply.spans
  if (receiptText === undefined || result === undefined) return undefined
  const edits = receiptEdits(reply.bytes, result, receiptText)
  return edits && flight.reply(reply, edits)
}

/** The tool a name means, if it means one. */
function findTarget(context: SessionContext, flight: Flight): CallTarget | undefined {
  const resolution = context.catalogue.resolve(toolName(flight))
  if (resolution.kind !== 'tool') return undefined
  const upstream = context.upstreams.find(({ name }) => name === resolution.server)
  if (upstream === undefined) return undefined
  const { server, tool, held } = resolution
  // A server that said it has changed, and does not say what, has no definition that anybody has accepted.
  const unsure = context.relisting.isStale(server) ? context.relisting.unsure : undefined
  return { upstream, tool, held: held ?? unsure }
}

function refuseName(context: SessionContext, flight: Flight): void {
  const name = toolName(flight)
  const resolution = context.catalogue.resolve(name)
  const why = resolution.kind === 'withheld' ? ` (${resolution.reason})` : ''
  const message = `Unknown tool: ${name}${why}`
  const reason = resolution.kind === 'withheld' ? 'tool_withheld' : 'unknown_tool'
  context.gate.refused({ reason, message, bytes: flight.request.bytes, tool: name })
  fail(context, flight, { code: rpcCodes.invalidParams, message })
}

function toolName(flight: Flight): string {
  // The scanner lets no `tools/call` pass whose name is not a text.
  return textMember(flight.request.params, 'name') ?? ''
}

function nameEdits(flight: Flight, tool: string): readonly Edit[] {
  const { params, spans } = flight.request
  if (spans.name === undefined || params['name'] === tool) return []
  return [{ span: spans.name, text: JSON.stringify(tool) }]
}
