import type { ActionEvent } from '../event/action-event.ts'
import { canonicalizeExact } from '../json/canonical.ts'
import { Decimal } from '../json/decimal.ts'
import type { JsonObject } from '../json/value.ts'
import { conditionKeys, contextKeys } from '../policy/language.ts'
import { loadPolicy } from '../policy/load.ts'
import type { Policy } from '../policy/policy.ts'
import { PolicyError } from '../policy/problem.ts'
import { asksState, type PolicyState } from '../policy/state.ts'
import { invalid, type Grant } from './grant.ts'

/** What a grant says of calls, compiled as the rule of a policy that it is. */
export type GrantRule = Pick<Policy, 'decide' | 'explain'>

/** What a call has to be told of beside its event. */
export interface GrantedCall {
  readonly event: ActionEvent
  readonly definitionHash: string | null
  readonly policyHash: string
}

/**
 * Compiles what a grant says of calls: an allowing rule of a policy, and nothing else, so that a matcher means in a grant
 * what it means in a policy, and what cannot be evaluated is not covered.
 *
 * @throws CapFenceError `GRANT_INVALID` when it asks what a grant cannot, or what no policy could
 */
export function compileGrant({ capability, actor, when }: Grant): GrantRule {
  const fault = reachFault(capability) ?? whenFault(when)
  if (fault !== undefined) throw invalid(fault)
  const rule: JsonObject = { ...when, id: 'grant', capability, actor }
  const text = canonicalizeExact({ allow: [rule], version: new Decimal('1') })
  const policy = loaded(text)
  if (policy.sources.some(({ conditions }) => conditions.some(asksState))) {
    throw invalid('it asks for the clock or for what the store remembers, which only a policy can')
  }
  return policy
}

/** Whether a call is one of those that a grant is about; whether it is in force is another question. */
export function grantFits(
  grant: Grant,
  rule: GrantRule,
  { event, definitionHash, policyHash }: GrantedCall,
  state?: PolicyState,
): boolean {
  const { context } = event
  return (
    event.environment === grant.environment &&
    isThat(grant.server, context.server) &&
    isThat(grant.tool, context.tool) &&
    isThat(grant.session, context.session) &&
    isThat(grant.definitionHash, definitionHash) &&
    isThat(grant.policyHash, policyHash) &&
    rule.decide(event, state).decision === 'allow'
  )
}

/** Null stands for any; what is not known is none of those that are named. */
function isThat(named: string | null, found: string | null | undefined): boolean {
  return named === null || named === found
}

/** A grant over everything is no grant but another policy. */
function reachFault(capability: string): string | undefined {
  const [resource = ''] = capability.split('.')
  return /[A-Za-z0-9]/.test(resource)
    ? undefined
    : 'its capability has to name a resource, such as `payment.execute.*`'
}

/** What the grant says in fields of its own is said there only. */
const ownKeys: ReadonlySet<string> = new Set(
  [...contextKeys].flatMap(([key, field]) =>
    ['actor', 'environment', 'server', 'tool', 'session'].includes(field) ? [key] : [],
  ),
)
const whenKeys = conditionKeys.filter((key) => !ownKeys.has(key))

function whenFault(when: JsonObject): string | undefined {
  const unknown = Object.keys(when).find((key) => !whenKeys.includes(key))
  if (unknown === undefined) return undefined
  return `its conditions cannot hold \`${unknown}\`; they are ${whenKeys.join(', ')}`
}

function loaded(text: string): Policy {
  try {
    return loadPolicy([{ path: 'grant', text }])
  } catch (cause) {
    if (!(cause instanceof PolicyError)) throw cause
    const [first] = cause.problems
    throw invalid(first === undefined ? cause.message : first.message)
  }
}
