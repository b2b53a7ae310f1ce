import type { JsonObject, JsonValue } from '../json/value.ts'
import { ActionEvent } from './action-event.ts'
import type { EventContext } from './event.ts'
import { escapeName } from './name.ts'

/** What a method of the protocol is to a policy. */
interface MethodRule {
  readonly action: string
  /** Stands before the server's name in the scope. */
  readonly verb: string
  /** Members of `params` that are the event's arguments. */
  readonly members: readonly string[]
  /** What happens where no rule says anything: `allow`, or what the policy does with everything else, which is no. */
  readonly unruled: 'allow' | 'deny'
}

/** Methods besides `tools/call` that are decided (THREATS B8); `docs/methods.md` has the same table. */
const rules: ReadonlyMap<string, MethodRule> = new Map([
  ['resources/read', { action: 'resource', verb: 'read', members: ['uri'], unruled: 'deny' }],
  [
    'resources/subscribe',
    { action: 'resource', verb: 'subscribe', members: ['uri'], unruled: 'deny' },
  ],
  [
    'prompts/get',
    { action: 'prompt', verb: 'get', members: ['name', 'arguments'], unruled: 'allow' },
  ],
  [
    'completion/complete',
    { action: 'completion', verb: 'complete', members: ['ref', 'argument'], unruled: 'allow' },
  ],
])

/** A request of a client with a method that is decided. */
export interface MethodCall {
  readonly server: string
  readonly method: string
  readonly params: JsonObject
  readonly actor: string
  readonly environment: string
  readonly context: Pick<EventContext, 'session' | 'client'>
}

/** Whether requests of this method are decided; `tools/call`, which is, is bound otherwise. */
export function isDecidedMethod(method: string): boolean {
  return rules.has(method)
}

/** What happens to a request of this method where no rule says anything. */
export function unruledMethod(method: string): 'allow' | 'deny' {
  return rules.get(method)?.unruled ?? 'deny'
}

/**
 * The event of a request that is no tool call: `mcp.resource.read.<server>` and its like. No tool can have such a
 * capability, for the resource `mcp` is kept from servers.
 *
 * @throws CapFenceError `EVENT_INVALID` when the request cannot be named; it must be blocked
 */
export function methodEvent(call: MethodCall): ActionEvent {
  const rule = rules.get(call.method)
  if (rule === undefined) throw new Error(`bug: \`${call.method}\` is not decided`)
  const given = rule.members.flatMap((name): readonly (readonly [string, JsonValue])[] => {
    const value = call.params[name]
    return value === undefined ? [] : [[name, value]]
  })
  return ActionEvent.of({
    actor: call.actor,
    capability: {
      resource: 'mcp',
      action: rule.action,
      scope: `${rule.verb}.${escapeName(call.server)}`,
    },
    environment: call.environment,
    risk: 'medium',
    arguments: Object.freeze({ __proto__: null, ...Object.fromEntries(given) }),
    context: { ...call.context, server: call.server },
  })
}
