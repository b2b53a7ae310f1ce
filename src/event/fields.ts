import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Capability, RiskLevel } from './capability.ts'
import { isRiskLevel, isScope, isSegment, riskLevels } from './capability.ts'
import type { ArgumentRoles, EventContext, EventParts } from './event.ts'
import { nearestName } from './nearest.ts'
import { rolesComplaint } from './pointer.ts'
import { printable } from './printable.ts'

// Almost every name is printable ASCII, and this is many times quicker than asking what kind of character each is.
const plain = /^[\x20-\x7e]+$/
const loneSurrogate = /\p{Cs}/u
const control = /\p{Cc}/u

/**
 * Refuses parts that are not exact, whoever made them: an event that exists is a valid event.
 *
 * Bounded fields also bound the record that a decision leaves (AUDIT.md "Bytes").
 *
 * @throws CapFenceError `EVENT_INVALID`, naming the field and its value
 */
export function checkParts(parts: EventParts): void {
  checkWord('actor', parts.actor)
  checkCapability(parts.capability)
  if (parts.environment !== undefined) checkScope('environment', parts.environment)
  if (parts.risk !== undefined) checkRisk(parts.risk)
  if (parts.context !== undefined) checkContext(parts.context)
  if (parts.argumentRoles !== undefined) checkRoles(parts.argumentRoles)
}

/**
 * Refuses what cannot be a resource or an action.
 *
 * @throws CapFenceError `EVENT_INVALID`
 */
export function checkSegment(field: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw notText(field, value)
  if (!isSegment(value)) throw notAName(field, value, 'one or more of `A-Z a-z 0-9 _ -`')
}

/**
 * Refuses what cannot be a scope.
 *
 * @throws CapFenceError `EVENT_INVALID`
 */
export function checkScope(field: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw notText(field, value)
  if (!isScope(value)) {
    throw notAName(field, value, 'one or more of `A-Z a-z 0-9 _ -`, with single dots between')
  }
}

/**
 * Refuses what is no risk level, naming the nearest one.
 *
 * @throws CapFenceError `EVENT_INVALID`
 */
export function checkRisk(value: unknown): asserts value is RiskLevel {
  if (isRiskLevel(value)) return
  const near = typeof value === 'string' ? nearestName(value, riskLevels) : undefined
  throw invalid('risk', value, {
    wanted: 'expected `low`, `medium`, `high` or `critical`',
    ...(near === undefined ? {} : { hint: `did you mean \`${near}\`?` }),
  })
}

/**
 * Text that names somebody or something and is shown to people: not empty, bounded, Unicode, no control characters.
 *
 * @throws CapFenceError `EVENT_INVALID`
 */
export function checkWord(field: string, value: unknown): asserts value is string {
  checkText(field, value)
  if (!plain.test(value) && control.test(value))
    throw invalid(field, value, { wanted: 'control characters are refused' })
}

/**
 * Any Unicode text, not empty and bounded.
 *
 * @throws CapFenceError `EVENT_INVALID`
 */
export function checkText(field: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw notText(field, value)
  if (value === '') throw invalid(field, value, { wanted: 'it must not be empty' })
  if (value.length > limits.maxNameCharacters) throw tooLong(field, value, limits.maxNameCharacters)
  if (!plain.test(value) && loneSurrogate.test(value)) {
    throw invalid(field, value, { wanted: 'half a character is refused' })
  }
}

/** Makes the `EVENT_INVALID` that says what was wrong with `field` and what is expected instead. */
export function invalid(
  field: string,
  value: unknown,
  say: { readonly wanted: string; readonly hint?: string; readonly cause?: unknown },
): CapFenceError {
  return new CapFenceError('EVENT_INVALID', `\`${field}\` is ${shown(value)}; ${say.wanted}`, say)
}

function checkCapability(capability: Capability): void {
  checkSegment('resource', capability.resource)
  checkSegment('action', capability.action)
  checkScope('scope', capability.scope)
}

function checkContext(context: EventContext): void {
  // A server's own names may hold anything; they are compared and escaped, and bounded like every text.
  if (context.server !== undefined) checkText('server', context.server)
  if (context.tool !== undefined) checkText('tool', context.tool)
  if (context.role !== undefined) checkWord('role', context.role)
  if (context.tenant !== undefined) checkWord('tenant', context.tenant)
  if (context.session !== undefined) checkWord('session', context.session)
  if (context.client !== undefined) checkWord('client', context.client)
}

function checkRoles(roles: ArgumentRoles): void {
  const complaint = rolesComplaint(roles)
  if (complaint !== undefined)
    throw new CapFenceError('EVENT_INVALID', `\`argumentRoles\`: ${complaint}`)
}

function notAName(field: string, value: string, wanted: string): CapFenceError {
  return value.length > limits.maxSegmentCharacters
    ? tooLong(field, value, limits.maxSegmentCharacters)
    : invalid(field, value, { wanted: `expected ${wanted}` })
}

function tooLong(field: string, value: string, most: number): CapFenceError {
  return invalid(field, value, {
    wanted: `it has ${value.length} characters and at most ${most} are read`,
  })
}

function notText(field: string, value: unknown): CapFenceError {
  return invalid(field, value, { wanted: 'expected a text' })
}

/** A value for an error message, at most 64 characters; what is not text shows its type only. */
function shown(value: unknown): string {
  if (typeof value === 'string') return `\`${printable(value)}\``
  if (value === null || value === undefined || typeof value === 'boolean') return `\`${value}\``
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
