import { CapFenceError } from '../errors.ts'
import { blockedResult, invalidCallResult } from '../proxy/blocked.ts'
import { BlockedCallError, decided, type GateContext } from './gate-call.ts'

type Method = (...args: readonly unknown[]) => unknown

/** With what a client of the MCP SDK sends a call of a tool that neither `callTool` nor `request` has seen. */
const wayPast = new Set([
  ...['experimental', 'requestStream', 'transport'],
  ...['_requestWithSchema', '_requestWithSchemaViaCodec'],
])

/**
 * A client of the MCP SDK (version 1 or 2) whose calls of tools are decided first.
 *
 * A call that is not allowed is answered as the gate in front of a server answers it: a result with `isError`, whose text
 * says why and what a person can do. `callTool` and `request` are decided; what would send calls past both, such as
 * `transport`, is refused. Everything else is the client's own.
 *
 * It is for code that is not out to get past: who has the client itself calls that.
 *
 * @throws CapFenceError `USAGE` for what is no client
 */
export function gateClient<Client extends object>(client: Client, context: GateContext): Client {
  if (typeof Reflect.get(client, 'callTool') !== 'function') {
    throw new CapFenceError('USAGE', 'what shall be gated is no client of the MCP SDK', {
      hint: 'it has no `callTool`: for a function there is `gate`, for tools `gateTools`',
    })
  }
  return new Proxy(client, {
    get: (target, name) => {
      if (typeof name === 'string' && wayPast.has(name)) {
        throw new CapFenceError('USAGE', `\`${name}\` of a gated client would go past the gate`, {
          hint: 'call tools with `callTool`',
        })
      }
      const found: unknown = Reflect.get(target, name)
      if (typeof found !== 'function') return found
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a function, which is all that is known of it
      const method = found as Method
      if (name === 'callTool') {
        return (params: unknown, ...rest: readonly unknown[]) =>
          judged(context, params, (own) => method.call(target, own, ...rest))
      }
      if (name === 'request') return requesting(context, target, method)
      return method.bind(target)
    },
  })
}

function requesting(context: GateContext, target: object, method: Method): Method {
  return (request, ...rest) => {
    const own = copied(request)
    if (memberOf(own, 'method') !== 'tools/call') return method.call(target, own, ...rest)
    return judged(context, memberOf(own, 'params'), (params) =>
      method.call(target, { method: 'tools/call', params }, ...rest),
    )
  }
}

/** What is decided on is what is sent: a copy that nobody else can change meanwhile. */
async function judged(
  context: GateContext,
  params: unknown,
  send: (params: unknown) => unknown,
): Promise<unknown> {
  try {
    const own = copied(params)
    const name = memberOf(own, 'name')
    if (typeof name !== 'string') {
      throw new CapFenceError('EVENT_INVALID', 'the call names no tool')
    }
    const called = { tool: name, arguments: memberOf(own, 'arguments') ?? {} }
    return await decided(
      context,
      called,
      async () => send(own),
      (result) => memberOf(result, 'isError') === true,
    )
  } catch (error) {
    if (error instanceof BlockedCallError) return JSON.parse(blockedResult(error.verdict))
    if (error instanceof CapFenceError && error.code === 'EVENT_INVALID') {
      return JSON.parse(invalidCallResult(error))
    }
    throw error
  }
}

function copied(value: unknown): unknown {
  try {
    return structuredClone(value)
  } catch (cause) {
    throw new CapFenceError('EVENT_INVALID', 'the call holds what is no data', { cause })
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
