import { isDecidedMethod } from '../event/method-event.ts'
import type { ClientRequest } from '../mcp/message.ts'
import { textMember } from '../mcp/params.ts'
import { rpcCodes } from '../mcp/rpc.ts'
import type { Edit } from '../mcp/splice.ts'
import type { Upstream } from '../mcp/upstream.ts'
import { outcomeOf, outcomeOfLoss, neverSent } from './call-outcome.ts'
import { fail, forward } from './context.ts'
import type { CallOutcome, ForwardHooks, MethodVerdict, SessionContext } from './context.ts'
import type { Flight } from './flights.ts'

/** Where a request goes, and what is changed in it on the way. */
export interface Forwarding {
  readonly upstream: Upstream
  readonly edits: readonly Edit[]
  readonly hooks: ForwardHooks
  /** The request's params with its server's own names, where the client knows others. */
  readonly params?: ClientRequest['params']
}

/**
 * Sends a request that is no tool call on to a server; one that reads, subscribes or asks for a prompt only if the gate
 * allows it (THREATS B8).
 *
 * The place in the outgoing order is taken before anything is asked for.
 */
export function forwardMethod(context: SessionContext, flight: Flight, to: Forwarding): void {
  const { method } = flight.request
  const { upstream, edits, hooks } = to
  if (!isDecidedMethod(method)) {
    context.outbox.push(() => forward(context, flight, upstream, edits, hooks))
    return
  }
  const ticket = context.outbox.reserve()
  decide(context, flight, to)
    .then((verdict) => {
      if (verdict.kind === 'forward') {
        const settled = withSettle(hooks, verdict)
        return ticket.fill(() => forward(context, flight, upstream, edits, settled))
      }
      ticket.release()
      return fail(context, flight, verdict.error)
    })
    .catch((error: unknown) => {
      ticket.release()
      context.log(`bug: the gate failed on a request, which was not forwarded: ${String(error)}`)
      fail(context, flight, {
        code: rpcCodes.internalError,
        message: 'the gate failed; the request was not forwarded',
      })
    })
}

async function decide(
  context: SessionContext,
  flight: Flight,
  { upstream, params = flight.request.params }: Forwarding,
): Promise<MethodVerdict> {
  const { method } = flight.request
  const call = { server: upstream.name, method, params, client: context.client() }
  const name = textMember(params, 'name')
  if (method !== 'prompts/get' || name === undefined || !context.pins.isActive) {
    return context.gate.judgeMethod(call)
  }
  const held = await context.relisting.promptHeldBecause(upstream.name, name)
  const definitionHash = context.relisting.promptDigest(upstream.name, name)
  return context.gate.judgeMethod({ ...call, definitionHash, held })
}

function withSettle(
  hooks: ForwardHooks,
  verdict: Extract<MethodVerdict, { readonly kind: 'forward' }>,
): ForwardHooks {
  let isSettled = false
  const settle = (outcome: CallOutcome): void => {
    if (isSettled) return
    isSettled = true
    verdict.settle(outcome)
  }
  return {
    onReply: (reply) => {
      queueMicrotask(() => settle({ status: outcomeOf[reply.outcome], bytes: reply.bytes.length }))
      return hooks.onReply?.(reply)
    },
    onLost: (loss) => {
      const sent = neverSent.has(loss) ? { sent: false as const } : {}
      settle({ status: outcomeOfLoss[loss], bytes: 0, ...sent })
      hooks.onLost?.(loss)
    },
    onCancelled: (sent) => {
      settle({ status: 'cancelled', bytes: 0, ...(!sent && { sent }) })
      hooks.onCancelled?.(sent)
    },
  }
}
