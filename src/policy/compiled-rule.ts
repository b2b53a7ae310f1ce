import type { Capability } from '../event/capability.ts'
import type { DeterminingRule, PolicyAnswer, PredicateValue, Truth } from './answer.ts'
import { patternFits } from './capability-pattern.ts'
import type { Condition } from './condition.ts'
import type { Facts } from './facts.ts'
import { chargeOf } from './limit.ts'
import type { LimitTerms, SpentLimit } from './limit.ts'
import { allInTurn, costOf, valueOf } from './predicate.ts'
import type { Predicate } from './predicate.ts'
import type { RuleSource } from './rule.ts'
import { lowerCased } from './rule-index.ts'
import type { PotCharge } from './state.ts'
import { allOf } from './truth.ts'

/** A rule that can be asked. */
export class CompiledRule {
  readonly source: RuleSource
  /** The place of the rule among all rules. */
  readonly order: number
  /** Whether the pattern has no capitals, so that it fits lower case exactly if at all. */
  readonly isLowerCase: boolean
  /** In the order of the file. */
  readonly #predicates: readonly Predicate[]
  /** Cheap ones first. */
  readonly #inTurn: readonly Predicate[]
  /** What the rule says of itself when everything it asks is so; made once, because that is the usual case. */
  #certain: DeterminingRule | undefined
  #certainAnswer: PolicyAnswer | undefined
  /** Undefined for nearly all rules. */
  readonly #limited: Limited | undefined

  constructor(source: RuleSource, order: number, compile: (condition: Condition) => Predicate) {
    const { conditions } = source
    this.source = source
    this.order = order
    this.isLowerCase = lowerCased(source.pattern) === source.pattern
    this.#predicates = conditions.length === 0 ? none : conditions.map(compile)
    this.#inTurn = conditions.length < 2 ? this.#predicates : inTurn(this.#predicates, conditions)
    this.#limited = limitedBy(this.#predicates, conditions)
  }

  /** The whole answer when this rule alone decides, and certainly. */
  get certainAnswer(): PolicyAnswer {
    this.#certainAnswer ??= Object.freeze({
      decision: this.source.rule.effect,
      reason: 'rule',
      rules: Object.freeze([this.#certainly()]),
    })
    return this.#certainAnswer
  }

  /** Whether a capability fits with its case, of which it is known that it fits without. */
  fitsExactly(capability: Capability): boolean {
    return patternFits(this.source.pattern, capability)
  }

  /** Whether the rule has a limit. */
  get isLimited(): boolean {
    return this.#limited !== undefined
  }

  /** Whether the rule is about this call; a predicate that fails is one that cannot be evaluated. */
  evaluate(facts: Facts): Truth {
    return allInTurn(this.#inTurn, facts)
  }

  /** What this rule, whose capability fits, takes out of its pots if the call is forwarded. */
  charges(facts: Facts): readonly PotCharge[] {
    if (this.#limited === undefined) return []
    const { terms, beside } = this.#limited
    const value = allInTurn(beside, facts)
    const isMeant = this.source.rule.effect === 'allow' ? value === 'true' : value !== 'false'
    return isMeant ? terms.flatMap((one) => chargeOf(one, facts) ?? []) : []
  }

  /** The limits without room, if they are all that makes a grant not apply, or a guard apply. */
  spent(facts: Facts): readonly SpentLimit[] {
    if (this.#limited === undefined) return []
    const { terms, beside } = this.#limited
    if (allInTurn(beside, facts) !== 'true') return []
    const rooms = terms.map((one) => facts.room(one))
    if (rooms.some(({ kind }) => kind === 'unknown')) return []
    return rooms.flatMap((room) => (room.kind === 'spent' ? [room.spent] : []))
  }

  /** The rule with the value of each of its predicates. */
  account(facts: Facts): DeterminingRule {
    const values = this.#predicates.map((predicate) => valueOf(predicate, facts))
    return values.every((value) => value === 'true')
      ? this.#certainly()
      : accountOf(this.source, values)
  }

  #certainly(): DeterminingRule {
    this.#certain ??= accountOf(
      this.source,
      this.#predicates.map(() => 'true'),
    )
    return this.#certain
  }
}

/** What a rule with limits is about, and by what it is limited. */
interface Limited {
  readonly terms: readonly LimitTerms[]
  /** Everything else that it asks. */
  readonly beside: readonly Predicate[]
}

function limitedBy(
  predicates: readonly Predicate[],
  conditions: readonly Condition[],
): Limited | undefined {
  if (!conditions.some(({ kind }) => kind === 'limit')) return undefined
  return {
    terms: conditions.flatMap((one) => (one.kind === 'limit' ? [one.terms] : [])),
    beside: predicates.filter((_, at) => conditions[at]?.kind !== 'limit'),
  }
}

/** One for all rules that ask nothing, so that it is always near. */
const none: readonly Predicate[] = []

function inTurn(
  predicates: readonly Predicate[],
  conditions: readonly Condition[],
): readonly Predicate[] {
  return predicates
    .map((predicate, index) => ({ predicate, condition: conditions[index] }))
    .toSorted((one, other) => cost(one.condition) - cost(other.condition))
    .map(({ predicate }) => predicate)
}

function cost(condition: Condition | undefined): number {
  return condition === undefined ? 0 : costOf(condition)
}

function accountOf({ rule }: RuleSource, values: readonly Truth[]): DeterminingRule {
  return Object.freeze({
    id: rule.id,
    effect: rule.effect,
    position: rule.position,
    value: allOf(values),
    predicates: Object.freeze(
      values.map((value, index) => predicateValue(rule.predicates[index] ?? '', value)),
    ),
    ...(rule.message === undefined ? {} : { message: rule.message }),
  })
}

function predicateValue(predicate: string, value: Truth): PredicateValue {
  return Object.freeze({ predicate, value })
}
