import type { ActionEvent } from '../../event/action-event.ts'
import type { Effect, PolicyAnswer } from '../answer.ts'
import type { CapabilityPattern } from '../capability-pattern.ts'
import type { Policy } from '../policy.ts'
import { Analyst } from './analyst.ts'
import { situations } from './situation.ts'
import { contentOfClause, Subject } from './subject.ts'
import type { Cause, PolicyClause } from './subject.ts'

/** Calls of which two policies say something else, with one of them. */
export interface Region {
  /** What the new policy says of them. */
  readonly decision: Effect
  /** What of the new policy makes it so; undefined when no rule allows them any more. */
  readonly now: Cause | undefined
  /** What of the old policy made it otherwise; undefined when no rule allowed them. */
  readonly before: Cause | undefined
  /** A call that both policies were asked about; undefined when it could not be found out whether there is one. */
  readonly example: Example | undefined
}

/** A call, and what the two policies say of it. */
export interface Example {
  readonly event: ActionEvent
  readonly before: PolicyAnswer
  readonly now: PolicyAnswer
  /** When and where it is so, where that matters. */
  readonly situation: string | undefined
}

/** Everything of which two policies say something else: what is newly allowed first. */
export interface Comparison {
  readonly allowed: readonly Region[]
  /** What a person may allow now, or has to. */
  readonly approvable: readonly Region[]
  readonly denied: readonly Region[]
}

/**
 * Compares two policies by what they say of every call there is, not by how they are written.
 *
 * A region without an example is one of which it could not be found out whether it is empty.
 */
export function comparePolicies(before: Policy, now: Policy): Comparison {
  const comparer = new Comparer(new Subject(before), new Subject(now))
  return {
    allowed: comparer.regions('allow'),
    approvable: comparer.regions('require_approval'),
    denied: comparer.regions('deny'),
  }
}

/** One thing that may be otherwise: calls of which all of `required` is so and nothing of `excluded`. */
interface Difference {
  readonly now: PolicyClause | undefined
  readonly before: PolicyClause | undefined
  readonly required: readonly PolicyClause[]
  readonly excluded: readonly PolicyClause[]
}

class Comparer {
  readonly #before: Subject
  readonly #now: Subject
  readonly #analyst = new Analyst()

  constructor(before: Subject, now: Subject) {
    this.#before = before
    this.#now = now
  }

  regions(decision: Effect): readonly Region[] {
    return distinct([...this.#each(decision)])
  }

  *#each(decision: Effect): Iterable<Region> {
    for (const difference of this.#differences(decision)) {
      if (!canMeet(difference.required) || isOpposed(difference)) continue
      const region = this.#ask(decision, difference)
      if (region !== undefined) yield region
    }
  }

  #ask(decision: Effect, { now, before, required, excluded }: Difference): Region | undefined {
    const unwanted = new Set(excluded)
    let example: Example | undefined
    const answer = this.#analyst.ask({
      required,
      excluded,
      broken: (event) =>
        [...this.#now.applied(event), ...this.#before.applied(event)].filter((one) =>
          unwanted.has(one),
        ),
      confirms: (event) => {
        example = this.#exampleOf(decision, required, event)
        return example !== undefined
      },
    })
    if (answer.kind === 'no') return undefined
    return {
      ...{ decision, now: now?.name, before: before?.name },
      example: answer.kind === 'yes' ? example : undefined,
    }
  }

  #exampleOf(
    decision: Effect,
    required: readonly PolicyClause[],
    event: ActionEvent,
  ): Example | undefined {
    const asksState = this.#now.asksState(event) || this.#before.asksState(event)
    // Without a state nothing that asks for one is known, and what is required of it cannot be seen.
    const tries = asksState ? situations : [undefined]
    for (const one of tries) {
      const now = this.#now.decide(event, one?.state)
      const before = this.#before.decide(event, one?.state)
      const isSo = now.decision === decision && before.decision !== decision
      if (isSo && (asksState || this.#areSo(required, event))) {
        return { event, before, now, situation: one?.name }
      }
    }
    return undefined
  }

  #areSo(clauses: readonly PolicyClause[], event: ActionEvent): boolean {
    const applied = new Set([...this.#now.applied(event), ...this.#before.applied(event)])
    return clauses.every((clause) => applied.has(clause))
  }

  #differences(decision: Effect): Iterable<Difference> {
    switch (decision) {
      case 'allow':
        return this.#allowed()
      case 'require_approval':
        return this.#approvable()
      case 'deny':
        return this.#denied()
    }
  }

  *#allowed(): Iterable<Difference> {
    const excluded = [...denying(this.#now), ...holding(this.#now)]
    const unruled = [...excluded, ...this.#before.allow]
    const stood = [...denying(this.#before), ...holding(this.#before)]
    for (const now of this.#now.allow) {
      yield { now, before: undefined, required: [now], excluded: unruled }
      for (const before of stood) yield { now, before, required: [now, before], excluded }
    }
  }

  *#approvable(): Iterable<Difference> {
    const { allow, riskApproval, approval } = this.#now
    const held = allow.flatMap((rule) => riskApproval.map((risk) => [risk, rule]))
    const excluded = denying(this.#now)
    const wasHeld = [...excluded, ...denying(this.#before), ...holding(this.#before)]
    const unruled = [...excluded, ...this.#before.approval, ...this.#before.allow]
    for (const causes of [...approval.map((rule) => [rule]), ...held]) {
      const [now] = causes
      for (const before of denying(this.#before)) {
        yield { now, before, required: [...causes, before], excluded }
      }
      for (const before of this.#before.allow) {
        yield { now, before, required: [...causes, before], excluded: wasHeld }
      }
      yield { now, before: undefined, required: causes, excluded: unruled }
    }
  }

  *#denied(): Iterable<Difference> {
    const passing = [...this.#before.allow, ...this.#before.approval]
    const excluded = denying(this.#before)
    const unruled = [...excluded, ...this.#now.allow, ...this.#now.approval]
    for (const before of passing) {
      for (const now of denying(this.#now)) {
        yield { now, before, required: [now, before], excluded }
      }
      yield { now: undefined, before, required: [before], excluded: unruled }
    }
  }
}

function denying(subject: Subject): readonly PolicyClause[] {
  return [...subject.deny, ...subject.riskDeny]
}

function holding(subject: Subject): readonly PolicyClause[] {
  return [...subject.approval, ...subject.riskApproval]
}

/** Whether the capabilities of rules may be one: most pairs of rules are about something else altogether. */
function canMeet([first, ...others]: readonly PolicyClause[]): boolean {
  return others.every((other) => {
    return fields.every((field) => {
      const [one, two] = [nameOf(first, field), nameOf(other, field)]
      return one === undefined || two === undefined || one === two
    })
  })
}

const fields = ['resource', 'action', 'scope'] as const

/** The one name that a rule is about, case aside; undefined when there is more than one. */
function nameOf(
  clause: PolicyClause | undefined,
  field: keyof CapabilityPattern,
): string | undefined {
  if (clause?.name.kind !== 'rule') return undefined
  const name = clause.name.lowered[field]
  return name.includes('*') ? undefined : name
}

const contents = new WeakMap<readonly PolicyClause[], ReadonlySet<string>>()

/** Whether what is excluded says the same as something that is required. */
function isOpposed({ required, excluded }: Difference): boolean {
  let known = contents.get(excluded)
  if (known === undefined) {
    known = new Set(excluded.map(contentOfClause))
    contents.set(excluded, known)
  }
  return required.some((clause) => known.has(contentOfClause(clause)))
}

/** Of regions whose examples were decided by the same rules one is enough. */
function distinct(regions: readonly Region[]): readonly Region[] {
  const seen = new Map<string, Region>()
  for (const region of regions) {
    const { example, now, before } = region
    const key =
      example === undefined
        ? `unproven ${now?.content ?? ''} ${before?.content ?? ''}`
        : [example.now, example.before].map(reasonOf).join('\n')
    if (!seen.has(key)) seen.set(key, region)
  }
  return [...seen.values()]
}

function reasonOf({ decision, reason, rules, risk }: PolicyAnswer): string {
  return [
    decision,
    reason,
    risk ?? '',
    ...rules.map(({ position: { file, line, column } }) => {
      return `${file}:${line}:${column}`
    }),
  ].join(' ')
}
