import { isWindowsPath } from '../matchers/windows-path.ts'
import type { Condition } from '../condition.ts'
import type { Role } from '../predicate.ts'
import type { RuleSource } from '../rule.ts'
import { keyOfAsk } from './ask.ts'
import type { Ask } from './ask.ts'
import {
  argumentAttribute,
  contextAttribute,
  freeAttribute,
  nameAttribute,
  unaimedAttribute,
} from './attribute.ts'
import type { Attribute } from './attribute.ts'
import { all, any, atom, negate } from './formula.ts'
import type { Formula } from './formula.ts'

/** What a condition asks of one attribute, in the role of its rule. */
export interface ClaimAtom {
  readonly attribute: Attribute
  readonly asks: readonly Ask[]
  readonly role: Role
  readonly key: string
}

/** When a rule applies, as a statement about the call. */
export type Claim = Formula<ClaimAtom>

/** The statement of a rule: a guard applies unless it is surely not about the call, a grant if it surely is. */
export function claimOf({ rule, pattern, conditions }: RuleSource): Claim {
  const role = rule.effect === 'allow' ? 'grant' : 'guard'
  const names = (['resource', 'action', 'scope'] as const)
    .filter((field) => pattern[field] !== '*')
    .map((field) => claim(nameAttribute(field), [{ kind: 'name', data: pattern[field] }], role))
  return all([...names, ...conditions.map((one) => conditionClaim(one, role))])
}

/** That the risk of a call is one of some levels, or perhaps one of them. */
export function riskClaim(levels: readonly string[], isSure: boolean): Claim {
  const ask: Ask = { kind: 'pattern', data: levels }
  return claim(contextAttribute('risk'), [ask], isSure ? 'grant' : 'guard')
}

function claim(attribute: Attribute, asks: readonly Ask[], role: Role): Claim {
  return atom({
    attribute,
    asks,
    role,
    key: `${attribute.key}: ${role} ${asks.map(keyOfAsk).join(' & ')}`,
  })
}

function conditionClaim(condition: Condition, role: Role): Claim {
  switch (condition.kind) {
    case 'context': {
      const ask: Ask = { kind: 'pattern', data: condition.patterns }
      return claim(contextAttribute(condition.field), [ask], role)
    }
    case 'text': {
      const ask: Ask = { kind: 'contains', data: condition.needles }
      return claim(unaimedAttribute('texts'), [ask], role)
    }
    case 'amount': {
      const ask: Ask = { kind: condition.comparison, data: condition.threshold }
      return claim(unaimedAttribute('amounts'), [ask], role)
    }
    case 'path':
      return condition.prefixes.some(isWindowsPath)
        ? unknownClaim(condition, role)
        : claim(unaimedAttribute('paths'), [{ kind: 'under', data: condition.prefixes }], role)
    case 'table': {
      const ask: Ask = { kind: 'table', data: condition.patterns }
      return claim(unaimedAttribute('tables'), [ask], role)
    }
    case 'argument':
      return claim(argumentAttribute(condition.pointer), condition.matchers, role)
    case 'not': {
      const inner = role === 'guard' ? 'grant' : 'guard'
      return negate(all(condition.conditions.map((one) => conditionClaim(one, inner))))
    }
    case 'any':
      return any(
        condition.branches.map((branch) => all(branch.map((one) => conditionClaim(one, role)))),
      )
    default:
      return unknownClaim(condition, role)
  }
}

/** What the analysis does not look into may be so or not. */
function unknownClaim(condition: Condition, role: Role): Claim {
  return claim(freeAttribute(JSON.stringify(condition)), [], role)
}

/** A text that is the same for rules of one effect that apply to the same calls. */
export function contentOf({ rule, pattern, conditions }: RuleSource): string {
  const isGuard = rule.effect !== 'allow'
  const names = [pattern.resource, pattern.action, pattern.scope].join('.')
  const written = conditions.map((one) => JSON.stringify(one)).toSorted()
  return [rule.effect, isGuard ? names.toLowerCase() : names, ...new Set(written)].join('\n')
}
