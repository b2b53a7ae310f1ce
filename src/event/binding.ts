import { CapFenceError } from '../errors.ts'
import type { JsonObject } from '../json/value.ts'
import { ActionEvent } from './action-event.ts'
import type { Capability, RiskLevel } from './capability.ts'
import { capabilityName, higherRisk, isRiskLevel, isScope, isSegment } from './capability.ts'
import type { ArgumentRoles, EventContext } from './event.ts'
import { escapeName } from './name.ts'
import { rolesComplaint } from './pointer.ts'
import { printable } from './printable.ts'

/** What the configuration says about one tool. */
export interface ToolBinding {
  /** As text one to three or more names, such as `filesystem.delete.workspace`; what is left out is filled in. */
  readonly capability?: Capability | string | undefined
  readonly risk?: RiskLevel | undefined
  readonly argumentRoles?: ArgumentRoles | undefined
}

/** What the configuration says about one server. */
export interface ServerBinding {
  /** Stands in for the server's key: `filesystem`, or `filesystem.workspace` with the scope behind its first dot. */
  readonly resource?: string | undefined
  /** Stands in for the environment. */
  readonly scope?: string | undefined
  /** Pairs (such as a Map) of the tool's original name at that server and its binding. */
  readonly tools?: Iterable<readonly [string, ToolBinding]> | undefined
  /** Lets `readOnlyHint` lower the risk of a tool for which no risk is configured; see `Bindings`. */
  readonly trustAnnotations?: boolean | undefined
}

/** What a server says about its own tool: hints of an untrusted party, of whatever type it chose to send. */
export interface ToolAnnotations {
  readonly destructiveHint?: unknown
  readonly readOnlyHint?: unknown
}

/** One `tools/call`, as the gate has it. */
export interface ToolCall {
  readonly server: string
  readonly tool: string
  readonly arguments: JsonObject
  readonly actor: string
  readonly environment: string
  readonly context?: Omit<EventContext, 'server' | 'tool'>
  readonly annotations?: ToolAnnotations | undefined
}

/** The risk of a tool about which nobody said anything: neither harmless nor dangerous. */
const unknownRisk: RiskLevel = 'medium'

/** The part of a capability that a configuration fixes; the tool and the environment fill in the rest. */
interface CapabilityPrefix {
  readonly resource: string
  readonly action?: string
  readonly scope?: string
}

interface BoundTool {
  readonly capability: CapabilityPrefix | undefined
  readonly risk: RiskLevel | undefined
  readonly roles: ArgumentRoles | undefined
}

interface BoundServer {
  readonly resource: CapabilityPrefix
  readonly tools: ReadonlyMap<string, BoundTool>
  readonly trustAnnotations: boolean
}

/**
 * Turns a call of a tool at a server into an event, by what the configuration says and never by a guess.
 *
 * - Without a binding a tool is `<server>.<tool>.<environment>`, names escaped by `escapeName`. The identity of a tool
 *   is (server, tool): a tool of the same name at another server has another capability (THREATS B10).
 * - Risk: what is configured, else `medium`. A server that says `destructiveHint` raises it to `high`, always.
 *   `readOnlyHint: true` lowers it to `low` only where `trustAnnotations` is on, no risk is configured for the tool,
 *   and `destructiveHint` is absent or false; it never goes below a configured risk.
 */
export class Bindings {
  readonly #servers: ReadonlyMap<string, BoundServer>

  /** @throws CapFenceError `CONFIG_INVALID` for a binding that cannot be meant as it stands */
  constructor(servers: Iterable<readonly [string, ServerBinding]> = []) {
    this.#servers = new Map(
      Array.from(servers, ([server, binding]) => [server, boundServer(server, binding)]),
    )
  }

  /** @throws CapFenceError `EVENT_INVALID` when the call cannot be named; it must be blocked */
  bind(call: ToolCall): ActionEvent {
    const server = this.#servers.get(call.server) ?? boundServer(call.server, {})
    const tool = server.tools.get(call.tool)
    return ActionEvent.of({
      actor: call.actor,
      capability: capabilityOf(call, tool?.capability ?? server.resource),
      environment: call.environment,
      risk: riskOf({ configured: tool?.risk, server, annotations: call.annotations ?? {} }),
      arguments: call.arguments,
      context: { ...call.context, server: call.server, tool: call.tool },
      ...(tool?.roles === undefined ? {} : { argumentRoles: tool.roles }),
    })
  }
}

/**
 * Reads a capability as a binding may write it: `filesystem`, `filesystem.delete`, `filesystem.delete.workspace`.
 *
 * @returns undefined when it is none; a wildcard is none, because a call is one thing
 */
export function capabilityPrefix(text: string): CapabilityPrefix | undefined {
  const [resource = '', action, ...scope] = text.split('.')
  if (!isSegment(resource)) return undefined
  if (action === undefined) return { resource }
  if (!isSegment(action)) return undefined
  if (scope.length === 0) return { resource, action }
  return isScope(scope.join('.')) ? { resource, action, scope: scope.join('.') } : undefined
}

function capabilityOf(call: ToolCall, prefix: CapabilityPrefix): Capability {
  return {
    resource: prefix.resource,
    action: prefix.action ?? escapeName(call.tool),
    scope: prefix.scope ?? call.environment,
  }
}

interface RiskSources {
  readonly configured: RiskLevel | undefined
  readonly server: BoundServer
  readonly annotations: ToolAnnotations
}

function riskOf({ configured, server, annotations }: RiskSources): RiskLevel {
  // Whatever is not plainly "no" counts as a warning; only a plain "yes" counts as a promise.
  const destructive = annotations.destructiveHint ?? false
  if (destructive !== false) return higherRisk(configured ?? unknownRisk, 'high')
  if (configured !== undefined) return configured
  return server.trustAnnotations && annotations.readOnlyHint === true ? 'low' : unknownRisk
}

function boundServer(server: string, binding: ServerBinding): BoundServer {
  const tools = Array.from(binding.tools ?? [], ([tool, given]): [string, BoundTool] => {
    return [tool, boundTool(`${server}.${tool}`, given)]
  })
  return {
    resource: serverResource(server, binding),
    tools: new Map(tools),
    trustAnnotations: binding.trustAnnotations === true,
  }
}

function serverResource(server: string, binding: ServerBinding): CapabilityPrefix {
  const given = binding.resource ?? escapeName(server)
  const dot = given.indexOf('.')
  const resource = dot === -1 ? given : given.slice(0, dot)
  const scope = dot === -1 ? binding.scope : given.slice(dot + 1)
  if (!isSegment(resource)) throw notBound(server, `\`${printable(given)}\` is no resource`)
  if (dot !== -1 && binding.scope !== undefined) {
    throw notBound(server, `\`${printable(given)}\` and \`scope\` both name a scope`)
  }
  if (scope === undefined) return reserved(server, { resource })
  if (!isScope(scope)) throw notBound(server, `\`${printable(scope)}\` is no scope`)
  return reserved(server, { resource, scope })
}

function boundTool(tool: string, binding: ToolBinding): BoundTool {
  const { capability, risk, argumentRoles } = binding
  if (risk !== undefined && !isRiskLevel(risk)) {
    throw notBound(tool, `\`${printable(String(risk))}\` is no risk level`)
  }
  const complaint = argumentRoles === undefined ? undefined : rolesComplaint(argumentRoles)
  if (complaint !== undefined) throw notBound(tool, complaint)
  return {
    capability: capability === undefined ? undefined : toolCapability(tool, capability),
    risk,
    roles: argumentRoles === undefined ? undefined : frozenRoles(argumentRoles),
  }
}

function toolCapability(tool: string, given: Capability | string): CapabilityPrefix {
  const text = typeof given === 'string' ? given : capabilityName(given)
  // Three names stay three names: joined and split again, a dot inside one of them would move the borders.
  const prefix = typeof given === 'string' ? capabilityPrefix(given) : exactPrefix(given)
  if (prefix === undefined) throw notBound(tool, `\`${printable(text)}\` is no capability`)
  return reserved(tool, prefix)
}

function exactPrefix({ resource, action, scope }: Capability): CapabilityPrefix | undefined {
  const exact = isSegment(resource) && isSegment(action) && isScope(scope)
  return exact ? { resource, action, scope } : undefined
}

/** A copy that is shared by every event of the tool. */
function frozenRoles({ amount, path }: ArgumentRoles): ArgumentRoles {
  return Object.freeze({
    ...(amount === undefined ? {} : { amount: Object.freeze([...amount]) }),
    ...(path === undefined ? {} : { path: Object.freeze([...path]) }),
  })
}

/**
 * `mcp` is kept for the protocol's own methods (`mcp.resource.read.<server>`): a tool must not be able to wear a
 * capability that a rule for those allows.
 */
function reserved(name: string, prefix: CapabilityPrefix): CapabilityPrefix {
  if (prefix.resource.toLowerCase() !== 'mcp') return prefix
  throw new CapFenceError(
    'CONFIG_INVALID',
    `\`${printable(name)}\` would be the resource \`mcp\`, which stands for the protocol's own methods`,
    { hint: 'give the server another key, or a `resource` of its own under `capfence`' },
  )
}

function notBound(name: string, problem: string): CapFenceError {
  return new CapFenceError('CONFIG_INVALID', `binding of \`${printable(name)}\`: ${problem}`, {
    hint: 'names are made of `A-Z a-z 0-9 _ -`; a binding names one capability, such as `filesystem.delete.workspace`',
  })
}
