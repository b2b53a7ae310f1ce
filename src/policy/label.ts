import type { Position } from './answer.ts'
import type { Capability } from '../event/capability.ts'
import { patternFits } from './capability-pattern.ts'
import type { CapabilityPattern } from './capability-pattern.ts'
import type { Condition } from './condition.ts'
import type { Facts } from './facts.ts'
import type { Pointer } from './pointer.ts'
import { compileCondition, valueOf } from './predicate.ts'
import type { NeedlesOf, Predicate } from './predicate.ts'
import type { AddedLabel } from './state.ts'

/** What calls do to their session: an item of `labels`, read and found right. */
export interface LabelSource {
  readonly position: Position
  readonly pattern: CapabilityPattern
  readonly conditions: readonly Condition[]
  /** At least one. */
  readonly adds: readonly string[]
  /** Where the value stands that the labels are about; about any when undefined. */
  readonly bind: Pointer | undefined
  /** How long they last; for good when undefined. */
  readonly ttlMs: number | undefined
}

/** An item of `labels` that can be asked. */
export class CompiledLabel {
  readonly #source: LabelSource
  readonly #may: Predicate
  readonly #must: Predicate

  constructor(source: LabelSource, needlesOf: NeedlesOf) {
    const all: Condition = { kind: 'any', branches: [source.conditions] }
    this.#source = source
    this.#may = compileCondition(all, 'guard', needlesOf)
    this.#must = compileCondition(all, 'grant', needlesOf)
  }

  /**
   * What the call adds if it is forwarded, where it is known that its capability fits but for case.
   *
   * As with rules, a doubt falls on the safe side: a label that may be meant is added, but never becomes proven.
   */
  added(facts: Facts, capability: Capability): readonly AddedLabel[] {
    const { pattern, adds, bind, ttlMs } = this.#source
    if (valueOf(this.#may, facts) === 'false') return []
    const value = bind === undefined ? '' : facts.valueAt(bind)
    const proves =
      value !== undefined &&
      patternFits(pattern, capability) &&
      valueOf(this.#must, facts) === 'true'
    return adds.map((label) => ({ label, bind: value ?? '', ttlMs, proves }))
  }
}
