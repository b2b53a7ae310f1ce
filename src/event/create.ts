import { CapFenceError } from '../errors.ts'
import { toJsonObject } from '../json/from-js.ts'
import type { JsonObject } from '../json/value.ts'
import type { Capability, RiskLevel } from './capability.ts'
import { isScope, isSegment } from './capability.ts'
import type { EventContext, EventParts } from './event.ts'
import { checkRisk, checkScope, checkSegment, checkText, checkWord, invalid } from './fields.ts'
import { freezeObject } from './freeze.ts'
import { nearestName } from './nearest.ts'
import { printable } from './printable.ts'

/** What `ActionEvent.create` takes: plain values. */
export interface EventFields {
  /** Who asks, such as `ops-agent`. */
  readonly actor: string
  /** What is asked, such as `delete`. */
  readonly action: string
  /** On what: `filesystem`, or `filesystem.workspace` with its scope behind the first dot. */
  readonly resource: string
  /** The part of the resource; without one the environment stands in. */
  readonly scope?: string | undefined
  readonly environment?: string | undefined
  readonly risk?: RiskLevel | undefined
  /** The tool's arguments: plain JSON values, `bigint` or `Decimal`. */
  readonly arguments?: { readonly [name: string]: unknown } | undefined
  /** The key of the server in the configuration. */
  readonly server?: string | undefined
  readonly tool?: string | undefined
  readonly role?: string | undefined
  readonly tenant?: string | undefined
  readonly session?: string | undefined
  readonly client?: string | undefined
}

const contextFields = ['server', 'tool', 'role', 'tenant', 'session', 'client'] as const
const knownFields: ReadonlySet<string> = new Set<keyof EventFields>([
  'actor',
  'action',
  'resource',
  'scope',
  'environment',
  'risk',
  'arguments',
  ...contextFields,
])
/** What others call the fields of an event, for hints. */
export const otherFieldNames: ReadonlyMap<string, keyof EventFields> = new Map([
  ['payload', 'arguments'],
  ['args', 'arguments'],
  ['params', 'arguments'],
  ['parameters', 'arguments'],
  ['input', 'arguments'],
  ['agent', 'actor'],
  ['user', 'actor'],
  ['env', 'environment'],
  ['risk_level', 'risk'],
  ['riskLevel', 'risk'],
])

/** A field's name to its value, read once, so that a getter cannot show one value now and another later. */
type Given = ReadonlyMap<string, unknown>

/**
 * Reads plain values into the exact parts of an event, with copies of everything that could change.
 *
 * @throws CapFenceError `EVENT_INVALID`
 */
export function partsOf(fields: EventFields): EventParts {
  const given = ownFields(fields)
  const actor = given.get('actor')
  checkWord('actor', actor)
  const environment = given.get('environment')
  if (environment !== undefined) checkScope('environment', environment)
  const risk = given.get('risk')
  if (risk !== undefined) checkRisk(risk)
  return {
    actor,
    capability: capabilityOf(given, environment),
    ...(environment === undefined ? {} : { environment }),
    ...(risk === undefined ? {} : { risk }),
    arguments: argumentsOf(given.get('arguments')),
    context: contextOf(given),
  }
}

function ownFields(fields: unknown): Given {
  if (typeof fields !== 'object' || fields === null) {
    throw new CapFenceError('EVENT_INVALID', 'an event is made from an object of fields')
  }
  // Own properties only: what somebody put on Object.prototype is nobody's risk or actor (THREATS B31).
  const given: Map<string, unknown> = new Map(Object.entries(fields))
  for (const name of given.keys()) if (!knownFields.has(name)) throw unknownField(name)
  return given
}

function unknownField(name: string): CapFenceError {
  const meant = otherFieldNames.get(name) ?? nearestName(name, knownFields)
  return new CapFenceError('EVENT_INVALID', `unknown field \`${printable(name)}\``, {
    hint:
      meant === undefined
        ? `the fields of an event are ${[...knownFields].join(', ')}`
        : meant === 'arguments'
          ? 'the arguments of the tool go into `arguments`'
          : `did you mean \`${meant}\`?`,
  })
}

function capabilityOf(given: Given, environment: string | undefined): Capability {
  const action = given.get('action')
  checkSegment('action', action)
  const { resource, scope } = splitResource(given.get('resource'))
  const scopeField = given.get('scope')
  if (scope !== undefined && scopeField !== undefined) {
    throw invalid('scope', scopeField, {
      wanted: `\`resource\` already names the scope \`${printable(scope)}\``,
      hint: 'give the scope once: in `scope`, or behind the first dot of `resource`',
    })
  }
  if (scopeField !== undefined) checkScope('scope', scopeField)
  const standing = scopeField ?? scope ?? environment
  if (standing === undefined) {
    throw new CapFenceError('EVENT_INVALID', 'an event needs a `scope` or an `environment`', {
      hint: 'without a scope the environment stands in as the last part of the capability',
    })
  }
  return { resource, action, scope: standing }
}

function splitResource(value: unknown): { resource: string; scope: string | undefined } {
  const dot = typeof value === 'string' ? value.indexOf('.') : -1
  if (typeof value !== 'string' || dot === -1) {
    checkSegment('resource', value)
    return { resource: value, scope: undefined }
  }
  const resource = value.slice(0, dot)
  const scope = value.slice(dot + 1)
  // The field that the caller wrote is named whole, not the half that was wrong.
  if (!isSegment(resource) || !isScope(scope)) checkScope('resource', value)
  return { resource, scope }
}

function contextOf(given: Given): EventContext {
  const context: { -readonly [Name in keyof EventContext]: EventContext[Name] } = {}
  for (const name of contextFields) {
    const value = given.get(name)
    if (value === undefined) continue
    checkText(name, value)
    context[name] = value
  }
  return context
}

function argumentsOf(value: unknown): JsonObject {
  try {
    return freezeObject(toJsonObject(value === undefined ? {} : value))
  } catch (cause) {
    if (!(cause instanceof CapFenceError)) throw cause
    throw new CapFenceError('EVENT_INVALID', `\`arguments\`: ${cause.message}`, {
      ...(cause.hint === undefined ? {} : { hint: cause.hint }),
      cause,
    })
  }
}
