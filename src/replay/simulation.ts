import { CapFenceError } from '../errors.ts'
import { askingRules, termsOf } from '../approval/terms.ts'
import { limits } from '../limits.ts'
import type { DeterminingRule, Effect, PolicyAnswer } from '../policy/answer.ts'
import type { Consequences } from '../policy/state.ts'
import type { Lost } from '../policy/unknown.ts'
import { knownAnswer, partialAccount } from '../policy/unknown.ts'
import { sessionSubject } from '../runtime/decide-state.ts'
import type { GoverningPolicy } from '../runtime/policy.ts'
import { ApprovalBook } from './approval-book.ts'
import { GrantBook } from './grant-book.ts'
import { Pots } from './pots.ts'
import { ReplayedState } from './replayed-state.ts'
import type { WaitingProof } from './session-labels.ts'
import { SessionLabels } from './session-labels.ts'
import { ToldState } from './told-state.ts'
import type {
  TraceApproval,
  TraceCall,
  TraceCarry,
  TraceGrant,
  TraceHeader,
  TraceOutcome,
} from './trace.ts'

/** What a replay needs of a policy. */
export type ReplayedPolicy = Pick<
  GoverningPolicy,
  'hash' | 'rules' | 'asksState' | 'decide' | 'explain'
>

/**
 * Why a call could not be evaluated: what it depends on is not in the trace. `policy`: the rules that decided; `arguments`,
 * `clock`, `approval`: they are not there; `state`: what limits and labels stood at.
 */
export type Lack = 'policy' | 'arguments' | 'clock' | 'state' | 'approval'

/** What a policy says about a call of a trace. */
export type Replayed =
  | {
      readonly kind: 'decided'
      readonly decision: Effect
      /** An `AnswerReason`, `approved`, `approval_denied`, `granted` or `break_glass`. */
      readonly reason: string
      readonly rules: readonly DeterminingRule[]
      readonly omittedRules: number
    }
  | { readonly kind: 'unknown'; readonly lacks: Lack }

/** Where a replay knows from what limits and labels stand at: as it was told then, or as it follows from the replay. */
export type StateSource = 'told' | 'replayed'

/**
 * Replays the calls of a trace under policies, one after the other, in a world of its own: what limits, labels and
 * approvals stand at follows from the trace alone.
 */
export class Simulation {
  readonly #source: StateSource
  readonly #book = new ApprovalBook()
  readonly #grants = new GrantBook()
  readonly #labels = new SessionLabels()
  readonly #proofs = new Map<number, WaitingProof>()
  /** What was certainly charged. */
  #least = new Pots()
  /** What may have been charged; undefined while that is the same. */
  #most: Pots | undefined
  #isComplete = false
  #hasOutcomes = true
  /** What was charged before may be any sum; undefined where nothing was. */
  #potsKnownSinceMs: number | undefined
  #hasBegun = false

  constructor(source: StateSource) {
    this.#source = source
  }

  /** Takes in what the trace says about itself. */
  begin({ isComplete, source }: TraceHeader): void {
    this.#isComplete = isComplete
    this.#hasOutcomes = source !== 'original'
  }

  /** Takes in what limits and labels stood at where the trace begins. */
  carry({ charges, labels }: TraceCarry): void {
    for (const { pot, ...charge } of charges) this.#least.carry(pot, charge)
    for (const { subject, label, ...times } of labels) this.#labels.carry(subject, label, times)
  }

  /** Takes in how a call has ended. */
  outcome({ of, status, sent, atMs }: TraceOutcome): void {
    for (const pots of this.#everyPots()) {
      if (sent) pots.settle(of)
      else pots.giveBack(of)
    }
    const proof = this.#proofs.get(of)
    this.#proofs.delete(of)
    if (proof === undefined || !sent || atMs === null) return
    if (status === 'ok') this.#labels.prove(proof, atMs)
  }

  /** Takes in a question to a person, or an answer. */
  approval(line: TraceApproval): void {
    this.#book.note(line)
  }

  /** Takes in a grant, or its end. */
  grant(line: TraceGrant): void {
    this.#grants.note(line)
  }

  /**
   * Decides a call.
   *
   * @param policy undefined where the one that decided is not known
   */
  decide(call: TraceCall, policy: ReplayedPolicy | undefined): Replayed {
    if (call.verdict?.decision === 'require_approval') this.#book.held(call)
    if (!this.#hasBegun && !this.#isComplete) this.#potsKnownSinceMs = call.atMs ?? never
    this.#hasBegun = true
    if (policy === undefined) return lacking('policy')
    const evaluated = this.#evaluate(call, policy)
    const { answer } = evaluated
    if (answer === undefined) {
      this.#doubt(call, evaluated.consequences)
      return lacking(evaluated.lacks)
    }
    const replayed = this.#resolve(call, policy, answer)
    const isForwarded = replayed.kind === 'decided' && passes(replayed.decision, call)
    if (replayed.kind === 'unknown') this.#doubt(call, evaluated.consequences)
    else if (isForwarded) this.#forward(call, evaluated.consequences)
    this.#checkSize()
    return replayed
  }

  #evaluate(call: TraceCall, policy: ReplayedPolicy): Evaluated {
    const { event, told, atMs } = call
    if (this.#source === 'told' && told !== undefined) {
      const state = new ToldState(told, atMs ?? 0)
      return { ...evaluate(call, policy, state), consequences: undefined }
    }
    const asksState = policy.asksState(event)
    if (atMs === null && asksState) return evaluate(call, policy, undefined, 'clock')
    const hasPaths = told === 'erased' || told?.['paths'] !== undefined
    if (!asksState && !hasPaths) return evaluate(call, policy, undefined)
    const least = evaluate(call, policy, this.#stateOf(call, this.#least))
    if (this.#most === undefined || least.answer === undefined) return least
    if (!least.hasAskedPots) return least
    const most = evaluate(call, policy, this.#stateOf(call, this.#most))
    const isSame = most.answer !== undefined && saysTheSame(least.answer, most.answer)
    return isSame ? least : { ...least, answer: undefined, lacks: 'state' }
  }

  #stateOf({ event, told, atMs }: TraceCall, pots: Pots): ReplayedState {
    return new ReplayedState(
      {
        pots,
        potsSinceMs: this.#potsKnownSinceMs,
        labels: this.#labels,
        hasAllLabels: this.#isComplete,
      },
      { nowMs: atMs ?? 0, subject: sessionSubject(event.actor), told },
    )
  }

  /** What becomes of the call: a policy that holds it does so only until a person has said yes. */
  #resolve(call: TraceCall, policy: ReplayedPolicy, answer: PolicyAnswer): Replayed {
    const { decision, reason, rules, omittedRules = 0 } = answer
    const said = { kind: 'decided', decision, reason, rules, omittedRules } as const
    // Neither is the policy's to say: a definition that nobody accepted is held whatever it says, and what needs no rule
    // passes where no rule is about it.
    const recorded = call.verdict?.reason
    if (recorded === 'definition_held') return { ...said, decision: 'deny', reason: recorded }
    if (recorded === 'unruled' && reason === 'default') {
      return { ...said, decision: 'allow', reason: recorded }
    }
    if (decision !== 'require_approval' || call.verdict?.mode === 'observe') return said
    const isRecorded = this.#source === 'told'
    const terms = termsOf(askingRules(rules, policy.rules), 'any')
    const nowMs = call.atMs ?? 0
    const answered = this.#book.answer({
      call,
      nowMs,
      terms: isRecorded ? undefined : terms,
      policyHash: isRecorded ? policy.hash : undefined,
    })
    if (answered.kind === 'approved') return { ...said, decision: 'allow', reason: 'approved' }
    if (answered.kind === 'denied') return { ...said, decision: 'deny', reason: 'approval_denied' }
    const granted = this.#grants.cover({
      call,
      nowMs,
      policyHash: policy.hash,
      terms,
      isRecorded,
    })
    if (granted.kind === 'granted') {
      return { ...said, decision: 'allow', reason: granted.breakGlass ? 'break_glass' : 'granted' }
    }
    // A part of a log does not have what was asked or given before it.
    const grant = call.verdict?.grant ?? null
    const isLost = answered.kind === 'unknown' || (grant !== null && !this.#grants.has(grant))
    return isLost || granted.kind === 'unknown' ? lacking('approval') : said
  }

  #forward(call: TraceCall, consequences: Consequences | undefined): void {
    if (consequences === undefined) return
    const { seq, atMs: nowMs, event } = call
    if (nowMs === null || !isWhole(call)) {
      this.#doubt(call, consequences)
      return
    }
    const wasSent = isSent(call)
    for (const pots of this.#everyPots()) {
      pots.charge(consequences.charges, { seq, nowMs })
      if (!wasSent || !this.#hasOutcomes) pots.settle(seq)
    }
    const subject = sessionSubject(event.actor)
    this.#labels.hold(subject, consequences.labels, nowMs)
    const added = consequences.labels.filter(({ proves }) => proves)
    if (added.length === 0) return
    const proof = { subject, added }
    // Of a call that was not made nobody knows how it would have ended.
    if (!wasSent || !this.#hasOutcomes) this.#labels.perhapsProve(proof, nowMs)
    else this.#wait(seq, proof)
  }

  #wait(seq: number, proof: WaitingProof): void {
    this.#proofs.set(seq, proof)
    if (this.#proofs.size <= limits.maxReplayOpenCalls) return
    const [oldest] = this.#proofs.keys()
    if (oldest !== undefined) this.#proofs.delete(oldest)
  }

  /**
   * It is not known whether a call is forwarded, or what it does then: from here on there are a least and a most that was
   * charged, and labels that the session may have.
   */
  #doubt(call: TraceCall, consequences: Consequences | undefined): void {
    const { seq, atMs, event } = call
    const isVague = atMs === null || !isWhole(call)
    // A sum that is not known may be any, and so may what a label is about, and when it ends.
    if (isVague) this.#potsKnownSinceMs = Math.max(this.#potsKnownSinceMs ?? 0, atMs ?? never)
    if (consequences === undefined) return
    this.#most ??= this.#least.copy()
    this.#most.charge(consequences.charges, { seq, nowMs: atMs ?? 0 })
    const labels = isVague
      ? consequences.labels.map((one) => ({ ...one, bind: '', ttlMs: undefined }))
      : consequences.labels
    this.#labels.perhapsHold(sessionSubject(event.actor), labels, atMs ?? 0)
  }

  #everyPots(): readonly Pots[] {
    return this.#most === undefined ? [this.#least] : [this.#least, this.#most]
  }

  #checkSize(): void {
    const largest = Math.max(this.#least.size, this.#labels.size, this.#book.size)
    if (largest <= limits.maxReplayState) return
    throw new CapFenceError(
      'TRACE_INVALID',
      `the trace has more than ${limits.maxReplayState} pots, labels or approvals at the same time`,
    )
  }
}

interface Evaluated {
  /** Undefined when it depends on what the trace lacks. */
  readonly answer: PolicyAnswer | undefined
  readonly lacks: Lack
  /** What a forwarded call does to limits and labels. */
  readonly consequences: Consequences | undefined
  readonly hasAskedPots: boolean
}

function evaluate(
  call: TraceCall,
  policy: ReplayedPolicy,
  state: ToldState | ReplayedState | undefined,
  lostWithoutState: Lost = 'nothing',
): Evaluated {
  const { event, missing } = call
  const answer = policy.decide(event, state)
  const { consequences } = answer
  const hasAskedPots = state instanceof ReplayedState && state.hasAskedPots
  const lost = state?.isIncomplete === true ? 'store' : lostWithoutState
  if (lost === 'nothing' && isWhole(call))
    return { answer, lacks: 'state', consequences, hasAskedPots }
  const explained = policy.explain(event, state)
  const known = (what: Lost): PolicyAnswer | undefined =>
    knownAnswer(
      answer,
      explained.map((one) => partialAccount(one, missing, what)),
    )
  const said = known(lost)
  const lacksArguments = said === undefined && known('nothing') === undefined
  const lacks = lacksArguments ? 'arguments' : lost === 'clock' ? 'clock' : 'state'
  return { answer: said, lacks, consequences, hasAskedPots }
}

/** Whether all arguments are there. */
function isWhole({ missing }: TraceCall): boolean {
  return missing.places.length === 0 && missing.mayBeNamed === undefined
}

/** For good: later than any clock. */
const never = Number.MAX_SAFE_INTEGER

function lacking(lacks: Lack): Replayed {
  return { kind: 'unknown', lacks }
}

function passes(decision: Effect, { verdict }: TraceCall): boolean {
  return decision === 'allow' || verdict?.mode === 'observe'
}

/** Whether the call was made when it was recorded; in a log of messages every one was. */
function isSent({ verdict }: TraceCall): boolean {
  return verdict === undefined || (verdict.forwarded ?? verdict.decision === 'allow')
}

function saysTheSame(one: PolicyAnswer, other: PolicyAnswer): boolean {
  return (
    one.decision === other.decision &&
    one.reason === other.reason &&
    one.rules.length === other.rules.length &&
    one.rules.every(({ id, position }, at) => {
      const same = other.rules[at]
      return same?.id === id && same.position.line === position.line
    })
  )
}
