import type { ActionEvent } from '../../event/action-event.ts'
import { capabilityName } from '../../event/capability.ts'
import { printable } from '../../event/printable.ts'
import { canonicalizeExact } from '../../json/canonical.ts'
import type { InvariantSource } from '../invariant.ts'
import { Policy } from '../policy.ts'
import { PolicyError } from '../problem.ts'
import type { Problem } from '../problem.ts'
import type { RuleSource } from '../rule.ts'
import { Analyst } from './analyst.ts'
import { situations } from './situation.ts'
import { Subject } from './subject.ts'
import type { Cause, PolicyClause } from './subject.ts'

/**
 * Refuses a policy for which one of its invariants does not hold, or could not be proven: unsure means no.
 *
 * @throws PolicyError `POLICY_INVALID`, with a call that breaks each invariant where one was found
 */
export function requireInvariants(policy: Policy): void {
  const problems = proveInvariants(policy).flatMap(({ problem }) => problem ?? [])
  if (problems.length > 0) throw new PolicyError(problems)
}

/** An invariant, and what is wrong with it: nothing when it is proven. */
export interface InvariantProof {
  readonly invariant: InvariantSource
  readonly problem: Problem | undefined
}

/** Tries to prove each invariant of a policy, in the order of the files. */
export function proveInvariants(policy: Policy): readonly InvariantProof[] {
  if (policy.invariants.length === 0) return []
  const prover = new Prover(policy)
  return policy.invariants.map((invariant) => ({ invariant, problem: prover.problem(invariant) }))
}

/** A way in which calls may pass. */
interface Way {
  /** What lets them pass, the rule first. */
  readonly passed: readonly PolicyClause[]
  /** What would stop them. */
  readonly stops: readonly PolicyClause[]
  readonly verb: string
}

class Prover {
  readonly #policy: Policy
  readonly #subject: Subject
  readonly #analyst = new Analyst()

  constructor(policy: Policy) {
    this.#policy = policy
    this.#subject = new Subject(policy)
  }

  problem(invariant: InvariantSource): Problem | undefined {
    let doubtful: Way | undefined
    const calls = new Subject(policyOf(invariant.calls, this.#policy))
    for (const way of this.#ways(invariant)) {
      const answer = this.#ask(invariant, calls, way)
      if (answer === 'unproven') doubtful ??= way
      else if (answer !== 'no') return broken(invariant, way, answer)
    }
    return doubtful === undefined ? undefined : unproven(invariant, doubtful)
  }

  *#ways({ never }: InvariantSource): Iterable<Way> {
    const { deny, riskDeny, approval, riskApproval, allow } = this.#subject
    const denying = [...deny, ...riskDeny]
    const all = [...denying, ...approval, ...riskApproval]
    const isStrict = never === 'allow'
    for (const rule of allow) {
      yield { passed: [rule], stops: isStrict ? denying : all, verb: 'is allowed by' }
    }
    if (!isStrict) return
    // What waits for a person may pass as well.
    for (const rule of approval)
      yield { passed: [rule], stops: denying, verb: 'may be approved by' }
  }

  #ask(
    { never }: InvariantSource,
    calls: Subject,
    { passed, stops }: Way,
  ): ActionEvent | 'no' | 'unproven' {
    const unwanted = new Set(stops)
    const answer = this.#analyst.ask({
      required: [...calls.deny, ...passed],
      excluded: stops,
      broken: (event) => this.#subject.applied(event).filter((one) => unwanted.has(one)),
      confirms: (event) => {
        if (calls.decide(event).reason === 'default') return false
        return [undefined, ...situations].some((one) => {
          const { decision } = this.#subject.decide(event, one?.state)
          return decision === 'allow' || (never === 'allow' && decision === 'require_approval')
        })
      },
    })
    return answer.kind === 'yes' ? answer.event : answer.kind
  }
}

/** A policy that denies the calls of an invariant, and says nothing else. */
function policyOf(calls: RuleSource, { labels }: Policy): Policy {
  return new Policy([calls], { risks: new Map(), notes: [], labels, invariants: [] })
}

const maxShownCharacters = 200

function broken(invariant: InvariantSource, way: Way, event: ActionEvent): Problem {
  const args = printable(canonicalizeExact(event.arguments), maxShownCharacters)
  const call = `${capabilityName(event.capability)} ${args}`
  return {
    ...problemOf(invariant),
    message: `the invariant ${nameOf(invariant)} is broken: \`${call}\` ${way.verb} ${causeOf(way)}`,
    hint: hintOf(invariant, 'narrow that rule, or deny these calls'),
  }
}

function unproven(invariant: InvariantSource, way: Way): Problem {
  return {
    ...problemOf(invariant),
    message: `the invariant ${nameOf(invariant)} could not be proven: perhaps a call ${way.verb} ${causeOf(way)}`,
    hint: hintOf(
      invariant,
      'deny these calls themselves, or narrow that rule to other capabilities',
    ),
  }
}

function problemOf({ calls }: InvariantSource): Pick<Problem, 'position' | 'code'> {
  return { position: calls.rule.position, code: 'policy-invariant' }
}

/** The author's words for whoever breaks it, if there are any. */
function hintOf({ calls }: InvariantSource, usual: string): string {
  return calls.rule.message ?? usual
}

function nameOf({ calls }: InvariantSource): string {
  return `\`${calls.rule.id}\``
}

function causeOf({ passed: [first] }: Way): string {
  const name: Cause | undefined = first?.name
  if (name?.kind !== 'rule') return 'the policy'
  const { id, position } = name.source.rule
  return `rule \`${id}\` (${position.file}:${position.line})`
}
