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

/**
 * The statement of a rule: a guard applies unless it is surely not about the call, a grant if it surely is.
 *
 * @param labels what tells apart policies that give sessions other labels; what asks for labels is not the same in them
 */
export function claimOf({ rule, pattern, conditions }: RuleSource, labels: string): Claim {
  const role = rule.effect === 'allow' ? 'grant' : 'guard'
  const names = (['resource', 'action', 'scope'] as const)
    .filter((field) => pattern[field] !== '*')
    .map((field) => claim(nameAttribute(field), [{ kind: 'name', data: pattern[field] }], role))
  const reader: ConditionReader = { labels }
  return all([...names, ...conditions.map((one) => conditionClaim(one, role, reader))])
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

interface ConditionReader {
  readonly labels: string
}

function conditionClaim(condition: Condition, role: Role, reader: ConditionReader): Claim {
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
        ? unknownClaim(condition, role, reader)
        : claim(unaimedAttribute('paths'), [{ kind: 'under', data: condition.prefixes }], role)
    case 'table': {
      const ask: Ask = { kind: 'table', data: condition.patterns }
      return claim(unaimedAttribute('tables'), [ask], role)
    }
    case 'argument':
      return claim(argumentAttribute(condition.pointer), condition.matchers, role)
    case 'not': {
      const inner = role === 'guard' ? 'grant' : 'guard'
      return negate(all(condition.conditions.map((one) => conditionClaim(one, inner, reader))))
    }
    case 'any':
      return any(
        condition.branches.map((branch) =>
          all(branch.map((one) => conditionClaim(one, role, reader))),
        ),
      )
    case 'only':
    case 'pattern':
    case 'time':
    case 'limit':
    case 'labels':
      return unknownClaim(condition, role, reader)
  }
}

/** What the analysis does not look into may be so or not. */
function unknownClaim(condition: Condition, role: Role, { labels }: ConditionReader): Claim {
  return claim(freeAttribute(keyOfCondition(condition, labels)), [], role)
}

function keyOfCondition(condition: Condition, labels: string): string {
  const key = JSON.stringify(condition)
  return asksLabels(condition) ? `${key} ${labels}` : key
}

function asksLabels(condition: Condition): boolean {
  if (condition.kind === 'not') return condition.conditions.some(asksLabels)
  if (condition.kind === 'any') return condition.branches.flat().some(asksLabels)
  return condition.kind === 'labels'
}

/** A text that is the same for rules of one effect that apply to the same calls. */
export function contentOf({ rule, pattern, conditions }: RuleSource, labels: string): string {
  const isGuard = rule.effect !== 'allow'
  const names = [pattern.resource, pattern.action, pattern.scope].join('.')
  const written = conditions.map((one) => keyOfCondition(one, labels)).toSorted()
  return [rule.effect, isGuard ? names.toLowerCase() : names, ...new Set(written)].join('\n')
}
