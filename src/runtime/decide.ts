import { requestCovers } from '../approval/covers.ts'
import type { RequestDraft } from '../approval/new-request.ts'
import { approvalRequest } from '../approval/new-request.ts'
import type { ApprovalRequest } from '../approval/request.ts'
import type { Sealed, SealedDigests } from '../audit/disclosure.ts'
import { approvalRequestRecord, decisionRecord } from '../audit/drafts.ts'
import type { RecordDraft } from '../audit/record.ts'
import type { ActionEvent } from '../event/action-event.ts'
import type { Effect, PolicyAnswer } from '../policy/answer.ts'
import type { AskedState, Proof } from './decide-state.ts'
import { messageOf, ruleIds } from './decide-text.ts'
import type { Effects, StoreView } from './store.ts'

/**
 * Whether decisions bind: `enforce`, or `observe`, where every call that can be recorded is forwarded and the record
 * says what the policy would have done.
 */
export type Mode = 'enforce' | 'observe'

/** Everything a decision depends on beside the event; drawn and looked up beforehand, so that deciding is pure. */
export interface DecisionInput {
  /** The state inside the transaction that will store what is decided. */
  readonly view: StoreView
  /** What of it the policy was asked with; undefined when its answer depends on nothing but the event. */
  readonly state: AskedState | undefined
  /** What the policy says about the event; undefined when it could not be evaluated at all. */
  readonly answer: PolicyAnswer | undefined
  /** Hex SHA-256 of the policy that answered. */
  readonly policyHash: string
  readonly mode: Mode
  readonly callId: string
  /** Hex SHA-256 of the canonical tool definition; null while none was seen. */
  readonly definitionHash: string | null
  /** The arguments as the log holds them: salted digests in the record, what they stand for beside it. */
  readonly args: Sealed
  /** Seals what the policy was told of the state, given as JSON. */
  readonly sealState: (json: string) => Sealed
  /** What is asked if this call has to wait and nobody was asked yet; computed once, on demand. */
  readonly question: (answer: PolicyAnswer) => Question
}

/** A request for an approval before it is stored, and its binding as the log holds it. */
export interface Question {
  readonly draft: RequestDraft
  readonly binding: Sealed
}

/** What was decided; `seq` is where the record of it stands. */
export type Decision =
  | {
      readonly kind: 'allow'
      readonly seq: number
      /** What the policy said, where it is observed only. */
      readonly observed: Exclude<Effect, 'allow'> | undefined
      /** What the call proves to later ones if it ends without an error. */
      readonly proofs: readonly Proof[]
    }
  | {
      readonly kind: 'require_approval'
      readonly seq: number
      /** The request that now waits, whether this call asked or an identical one before it. */
      readonly approval: ApprovalRequest
    }
  | { readonly kind: 'deny'; readonly seq: number }

/**
 * Decides an event, and says what has to be stored before anybody may act on the decision.
 *
 * Pure: the same event and input give the same decision and the same records, next year too. Only an `allow` leaves a
 * record that says `forwarded`; a policy that could not be evaluated denies, in `observe` mode as well.
 */
export function decide(event: ActionEvent, input: DecisionInput): Effects<Decision> {
  const { answer, mode, view } = input
  const seq = view.nextSeq
  if (answer === undefined) return decided(event, input, { kind: 'deny', seq })
  if (answer.decision === 'allow') return forwarded(event, input, undefined)
  if (mode === 'observe') return forwarded(event, input, answer.decision)
  if (answer.decision === 'deny') return decided(event, input, { kind: 'deny', seq })
  return hold(event, input, answer)
}

/** Lets a call pass, with all that this does to the store: reserved and noted in the transaction of its record. */
function forwarded(
  event: ActionEvent,
  input: DecisionInput,
  observed: Exclude<Effect, 'allow'> | undefined,
): Effects<Decision> {
  const { state, view } = input
  const consequences = input.answer?.consequences
  const seq = view.nextSeq
  if (state === undefined || consequences === undefined) {
    return decided(event, input, { kind: 'allow', seq, observed, proofs: [] })
  }
  const proofs = state.proofs(consequences)
  const changes = state.effects(consequences, seq)
  return { ...decided(event, input, { kind: 'allow', seq, observed, proofs }, changes), ...changes }
}

/** Puts a call on hold: behind the request that already asks about exactly this call, or behind a new one. */
function hold(event: ActionEvent, input: DecisionInput, answer: PolicyAnswer): Effects<Decision> {
  const { nowMs, nextSeq: seq } = input.view
  const { draft, binding } = input.question(answer)
  const waiting = input.view.pendingApproval(draft.bindingDigest)
  if (waiting !== undefined && requestCovers(waiting, { digest: draft.bindingDigest, nowMs })) {
    return decided(event, input, { kind: 'require_approval', seq, approval: waiting })
  }
  const approval = approvalRequest(draft, {
    nowMs,
    seq,
    rules: ruleIds(answer.rules),
    message: messageOf(answer.rules) ?? null,
  })
  const {
    records,
    disclosures = [],
    result,
  } = decided(event, input, {
    kind: 'require_approval',
    seq,
    approval,
  })
  const asked = approvalRequestRecord({
    request: approval,
    call: input.callId,
    binding: binding.digests,
  })
  return {
    records: [...records, asked],
    disclosures: [...disclosures, ...binding.disclosures],
    approvalRequests: [approval],
    result,
  }
}

function decided(
  event: ActionEvent,
  input: DecisionInput,
  decision: Decision,
  changes: StateChanges = {},
): Effects<Decision> {
  const state = input.state && input.sealState(input.state.account(changes))
  return {
    records: [recordOf(event, input, { decision, state: state?.digests })],
    disclosures: [...input.args.disclosures, ...(state?.disclosures ?? [])],
    result: decision,
  }
}

type StateChanges = Pick<Effects<unknown>, 'charges' | 'labels'>

/** What was decided, and the digest of what the policy was told of the state. */
interface Decided {
  readonly decision: Decision
  readonly state: SealedDigests | undefined
}

function recordOf(
  event: ActionEvent,
  input: DecisionInput,
  { decision, state }: Decided,
): RecordDraft {
  const { answer } = input
  return decisionRecord({
    call: input.callId,
    event,
    clockMs: input.state?.nowMs,
    state,
    // Observed calls too are recorded as what the policy said; `mode` and `forwarded` say what happened.
    decision: answer?.decision ?? 'deny',
    reason: answer?.reason ?? 'internal_error',
    rules: answer?.rules ?? [],
    omittedRules: answer?.omittedRules ?? 0,
    policyHash: input.policyHash,
    toolDefinitionHash: input.definitionHash,
    grant: null,
    approval: decision.kind === 'require_approval' ? decision.approval.id : null,
    args: input.args.digests,
    forwarded: decision.kind === 'allow',
    mode: input.mode,
  })
}
