import type { Position } from '../answer.ts'
import type { CapabilityPattern } from '../capability-pattern.ts'
import type { Condition } from '../condition.ts'
import type { Pointer } from '../pointer.ts'
import type { Policy } from '../policy.ts'
import type { Role } from '../predicate.ts'
import type { RuleSource } from '../rule.ts'

/** Whatever in a policy is about some calls: a rule, a label that they add, an invariant. */
export interface PolicyPart {
  /** For people, such as ``rule `small` ``. */
  readonly name: string
  readonly position: Position
  readonly role: Role
  readonly pattern: CapabilityPattern
  readonly conditions: readonly Condition[]
  /** The argument whose value labels are about. */
  readonly bind: Pointer | undefined
  /** Whether it is proven, and decides nothing. */
  readonly isProven: boolean
  /** What it was read from, if it is a rule. */
  readonly rule: RuleSource | undefined
}

/** All parts: the rules first, with those that budgets are made of, in the order of the files. */
export function partsOf({ sources, labels, invariants }: Policy): readonly PolicyPart[] {
  return [
    ...sources.map((source) => ({ ...rulePart(source, 'rule'), rule: source })),
    ...labels.map(({ adds, position, pattern, conditions, bind }): PolicyPart => {
      const name = `label \`${adds.join('`, `')}\``
      // A label that may be meant is added.
      const said = { role: 'guard', isProven: false, rule: undefined } as const
      return { ...said, name, position, pattern, conditions, bind }
    }),
    ...invariants.map(({ calls }) => ({ ...rulePart(calls, 'invariant'), isProven: true })),
  ]
}

function rulePart({ rule, pattern, conditions }: RuleSource, what: string): PolicyPart {
  const { id, position, effect } = rule
  const role = effect === 'allow' ? 'grant' : 'guard'
  const name = `${what} \`${id}\``
  const said = { isProven: false, bind: undefined, rule: undefined }
  return { ...said, name, position, role, pattern, conditions }
}
