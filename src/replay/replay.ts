import { CapFenceError } from '../errors.ts'
import type { Compared } from './comparison.ts'
import { comparedWithOther, comparedWithRecord } from './comparison.ts'
import type { ReplayedPolicy } from './simulation.ts'
import { Simulation } from './simulation.ts'
import type { ReplayReport } from './tally.ts'
import { ReplayTally } from './tally.ts'
import type { TraceCall, TraceEntry, TraceHeader } from './trace.ts'

/**
 * What a replay compares: `recorded`, the verdicts of the trace with what the policies of then say now; `policy`, with
 * what another one says; `policies`, what two policies say, whatever was recorded.
 */
export type ReplayQuestion =
  | { readonly kind: 'recorded' }
  | { readonly kind: 'policy'; readonly policy: ReplayedPolicy }
  | { readonly kind: 'policies'; readonly before: ReplayedPolicy; readonly now: ReplayedPolicy }

/** Replays a trace entry by entry: nothing but the entries and the policies decides what comes of it. */
export class Replay {
  readonly #question: ReplayQuestion
  readonly #tally = new ReplayTally()
  readonly #policies = new Map<string, ReplayedPolicy>()
  #header: TraceHeader | undefined
  #simulations: readonly [Simulation, ...Simulation[]] | undefined

  constructor(question: ReplayQuestion) {
    this.#question = question
  }

  /** Adds a policy that the trace has the bytes of; calls of policies that are not there cannot be evaluated. */
  addPolicy(policy: ReplayedPolicy): void {
    this.#policies.set(policy.hash, policy)
  }

  /**
   * Takes in the next entry; policies are handed to `addPolicy` by whoever can load them.
   *
   * @returns what came of a call, for whoever shows it at once
   */
  take(entry: TraceEntry): Compared | undefined {
    if (entry.kind === 'header') {
      this.#begin(entry)
      return undefined
    }
    const simulations = this.#simulations ?? []
    switch (entry.kind) {
      case 'call':
        return this.#call(entry)
      case 'outcome':
        for (const one of simulations) one.outcome(entry)
        return undefined
      case 'approval':
        for (const one of simulations) one.approval(entry)
        return undefined
      case 'grant':
        for (const one of simulations) one.grant(entry)
        return undefined
      case 'carry':
        for (const one of simulations) one.carry(entry)
        return undefined
      case 'policy':
        return undefined
    }
  }

  /** What was found; only once the reader has come to the end of the trace and found it whole. */
  report(): ReplayReport {
    if (this.#header === undefined) throw new CapFenceError('TRACE_INVALID', 'the trace is empty')
    return this.#tally.report(this.#header)
  }

  #begin(header: TraceHeader): void {
    const question = this.#question
    this.#header = header
    switch (question.kind) {
      case 'recorded':
        this.#simulations = [new Simulation('told')]
        break
      case 'policy':
        this.#simulations = [simulationOf(question.policy, header)]
        break
      case 'policies':
        this.#simulations = [
          simulationOf(question.before, header),
          simulationOf(question.now, header),
        ]
        break
    }
    for (const one of this.#simulations) one.begin(header)
  }

  #call(call: TraceCall): Compared {
    const compared = this.#compared(call)
    this.#tally.add(call, compared)
    return compared
  }

  #compared(call: TraceCall): Compared {
    const question = this.#question
    const [first, second] = this.#simulations ?? []
    if (first === undefined) throw new CapFenceError('TRACE_INVALID', 'the trace has no header')
    switch (question.kind) {
      case 'recorded': {
        const policy = this.#policies.get(call.verdict?.policyHash ?? '')
        const compared = comparedWithRecord(call.verdict, first.decide(call, policy))
        // The same policy has to say the same for the same reason.
        return compared.kind === 'moved' ? { ...compared, kind: 'different' } : compared
      }
      case 'policy':
        return comparedWithRecord(call.verdict, first.decide(call, question.policy))
      case 'policies': {
        const before = first.decide(call, question.before)
        const now = second?.decide(call, question.now) ?? before
        return comparedWithOther(before, now)
      }
    }
  }
}

/** The policy that has decided all of it knows what it was told; for another one that has to be worked out. */
function simulationOf({ hash }: ReplayedPolicy, { policies }: TraceHeader): Simulation {
  const hasDecided = policies.length > 0 && policies.every((one) => one === hash)
  return new Simulation(hasDecided ? 'told' : 'replayed')
}
