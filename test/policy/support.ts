import { readFileSync } from 'node:fs'
import { ActionEvent } from '../../src/event/action-event.ts'
import type { ArgumentRoles, EventContext } from '../../src/event/event.ts'
import type { RiskLevel } from '../../src/event/capability.ts'
import { scanStrict, wanted } from '../../src/json/scan.ts'
import type { JsonObject, JsonValue } from '../../src/json/value.ts'
import { isJsonObject } from '../../src/json/value.ts'
import { requireInvariants } from '../../src/policy/analysis/invariants.ts'
import { loadPolicy } from '../../src/policy/load.ts'
import { PolicyError, policyProblemLine } from '../../src/policy/problem.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { root } from '../support/root.ts'

/** What a test says about a call; the rest is usual. */
export interface Call {
  /** `resource.action.scope`; what is behind the second dot is the scope. */
  readonly capability?: string
  /** JSON text, so that numbers keep their digits. */
  readonly arguments?: string
  readonly actor?: string
  readonly environment?: string | undefined
  readonly risk?: RiskLevel | undefined
  readonly context?: EventContext
  readonly roles?: ArgumentRoles
}

/** The arguments as the gate's own scanner builds them. */
export function json(text: string): JsonObject {
  const value: JsonValue = scanStrict(new TextEncoder().encode(text), wanted({})).value
  if (!isJsonObject(value)) throw new Error(`not an object: ${text}`)
  return value
}

export function call(parts: Call = {}): ActionEvent {
  const [resource = '', action = '', ...scope] = (parts.capability ?? 'x.y.z').split('.')
  const environment = 'environment' in parts ? parts.environment : 'staging'
  const risk = 'risk' in parts ? parts.risk : 'low'
  return ActionEvent.of({
    actor: parts.actor ?? 'agent-1',
    capability: { resource, action, scope: scope.join('.') },
    ...(environment === undefined ? {} : { environment }),
    ...(risk === undefined ? {} : { risk }),
    arguments: json(parts.arguments ?? '{}'),
    ...(parts.context === undefined ? {} : { context: parts.context }),
    ...(parts.roles === undefined ? {} : { argumentRoles: parts.roles }),
  })
}

export function policy(...texts: readonly string[]): Policy {
  return loadPolicy(
    texts.map((text, index) => ({ path: `p${index === 0 ? '' : index}.yaml`, text })),
  )
}

/** The lines that loading these files complains with; none when they load. */
export function problems(...texts: readonly string[]): readonly string[] {
  try {
    requireInvariants(policy(...texts))
    return []
  } catch (error) {
    if (error instanceof PolicyError) return error.problems.map(policyProblemLine)
    throw error
  }
}

/** The decision of a policy about a call. */
export function decide(text: string, parts: Call): string {
  return policy(text).decide(call(parts)).decision
}

/** What a guard and a grant make of the same conditions, such as `true indeterminate`. */
export function guardAndGrant(conditions: string, parts: Call): string {
  const text = `deny: [{capability: x, ${conditions}}]\nallow: [{capability: x, ${conditions}}]`
  const [guard, grant] = policy(text).explain(call(parts))
  return `${guard?.value} ${grant?.value}`
}

/** The blocks of a file below `test/policy`: a name, a text that is refused, the lines of its refusal. */
export function refusals(file: string): readonly (readonly [string, string, readonly string[]])[] {
  const blocks = readFileSync(`${root}/test/policy/${file}`, 'utf8').split(/^=== /m).slice(1)
  return blocks.map((block) => {
    const [name = '', ...rest] = block.split('\n')
    const mark = rest.indexOf('---')
    const text = rest.slice(0, mark).map((line) => `${line}\n`)
    return [name, text.join(''), rest.slice(mark + 1).filter((line) => line !== '')]
  })
}
