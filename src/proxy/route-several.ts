import { ask } from '../mcp/ask.ts'
import { objectMembers } from '../mcp/list-items.ts'
import { textAt } from '../mcp/rpc-id.ts'
import type { ClientRequest, Span } from '../mcp/message.ts'
import { rpcCodes } from '../mcp/rpc.ts'
import type { Edit } from '../mcp/splice.ts'
import { fail, finish, paramsText } from './context.ts'
import type { ForwardHooks, SessionContext } from './context.ts'
import type { Flight } from './flights.ts'
import { forwardMethod } from './methods.ts'
import type { ResourceFinder } from './resource-finder.ts'
import type { Member } from './several-servers.ts'
import { isJsonObject, textMember } from '../mcp/params.ts'

const maxLevelWaitMs = 10_000

/** Sends a request other than `tools/call`, a list or `initialize` to the one of several servers it is for. */
export function routeSeveral(
  context: SessionContext,
  members: readonly Member[],
  finder: ResourceFinder,
  flight: Flight,
): void {
  const { method, params, spans } = flight.request
  switch (method) {
    case 'prompts/get':
      return toPromptOwner(context, members, flight, textMember(params, 'name'), spans.name)
    case 'resources/read':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return toResourceOwner(context, finder, flight, textMember(params, 'uri'))
    case 'completion/complete': {
      const name = textMember(params['ref'], 'name')
      if (name !== undefined) {
        return toPromptOwner(context, members, flight, name, refNameSpan(flight))
      }
      return toResourceOwner(context, finder, flight, textMember(params['ref'], 'uri'))
    }
    case 'logging/setLevel':
      return void setLevel(context, members, flight)
    default:
      return fail(context, flight, {
        code: rpcCodes.methodNotFound,
        message: `Method not found: ${method} (not available with several servers)`,
      })
  }
}

/** Prompts carry their server's prefix; the longest that fits is the server's. */
function toPromptOwner(
  context: SessionContext,
  members: readonly Member[],
  flight: Flight,
  name: string | undefined,
  span: Span | undefined,
): void {
  const owner = members
    .filter((member) => name?.startsWith(member.prefix) === true)
    .reduce<Member | undefined>(
      (best, member) => (best && best.prefix.length >= member.prefix.length ? best : member),
      undefined,
    )
  if (owner === undefined || name === undefined || span === undefined) {
    return fail(context, flight, {
      code: rpcCodes.invalidParams,
      message: `Unknown prompt: ${String(name)}`,
    })
  }
  const own = name.slice(owner.prefix.length)
  forwardMethod(context, flight, {
    upstream: owner.upstream,
    edits: [{ span, text: JSON.stringify(own) }],
    hooks: {},
    params: withOwnName(flight.request, own),
  })
}

/** The params as they are forwarded: a prompt has its server's own name there. */
function withOwnName({ method, params }: ClientRequest, name: string): ClientRequest['params'] {
  const { ref } = params
  return method === 'completion/complete' && isJsonObject(ref)
    ? { __proto__: null, ...params, ref: { __proto__: null, ...ref, name } }
    : { __proto__: null, ...params, name }
}

function toResourceOwner(
  context: SessionContext,
  finder: ResourceFinder,
  flight: Flight,
  uri: string | undefined,
): void {
  if (uri === undefined) {
    return fail(context, flight, { code: rpcCodes.invalidParams, message: 'no resource is named' })
  }
  const owner = finder.known(uri)
  if (owner !== undefined) return tryInOrder(context, flight, [owner])
  void finder.candidates(uri).then((candidates) => tryInOrder(context, flight, candidates))
}

/** Asks the first server and, if it answers with an error, the next; the last answer is the answer. */
function tryInOrder(context: SessionContext, flight: Flight, candidates: readonly Member[]): void {
  const [first, ...others] = candidates
  const { request } = flight
  if (first === undefined) {
    return fail(context, flight, {
      code: rpcCodes.invalidParams,
      message: 'no server has resources',
    })
  }
  const hooks: ForwardHooks = {
    onReply: (reply) => {
      if (reply.outcome === 'result') first.memory.note(request)
      if (reply.outcome !== 'rpc_error' || others.length === 0) return undefined
      tryInOrder(context, flight, others)
      return 'handled'
    },
  }
  forwardMethod(context, flight, { upstream: first.upstream, edits: noEdits, hooks })
}

const noEdits: readonly Edit[] = []

/** The log level is every server's. */
async function setLevel(
  context: SessionContext,
  members: readonly Member[],
  flight: Flight,
): Promise<void> {
  const { request } = flight
  const asked = members
    .filter((member) => member.has('logging'))
    .map(async (member) => {
      member.memory.note(request)
      return ask(member.upstream, request.method, paramsText(request), maxLevelWaitMs).reply
    })
  const replies = await Promise.all(asked)
  if (
    replies.length > 0 &&
    replies.every((reply) => reply.kind !== 'response' || reply.outcome === 'rpc_error')
  ) {
    return fail(context, flight, {
      code: rpcCodes.invalidParams,
      message: 'no server accepted the log level',
    })
  }
  finish(context, flight, [flight.result('{}')])
}

/** Where `params.ref.name` stands. */
function refNameSpan(flight: Flight): Span | undefined {
  const { bytes, spans } = flight.request
  if (spans.params === undefined) return undefined
  const ref = objectMembers(bytes, spans.params).find(({ name }) => name === 'ref')?.value
  if (ref === undefined || !textAt(bytes, ref).startsWith('{')) return undefined
  return objectMembers(bytes, ref).find(({ name }) => name === 'name')?.value
}
