import {
  asksAbout,
  authorise,
  isEnded,
  type Authorised,
  type Authority,
} from '../approval/authority.ts'
import { openAnswer } from '../approval/answer.ts'
import { covers, type CoveredCall, type ReadyGrant } from '../approval/grant-authority.ts'
import { requestExpired } from '../approval/covers.ts'
import type { RequestDraft } from '../approval/new-request.ts'
import { approvalRequest } from '../approval/new-request.ts'
import type { RecordedApproval } from '../approval/recorded.ts'
import type { ApprovalRequest, ApprovalTerms } from '../approval/request.ts'
import { approvalExpireRecord, approvalUseRecord } from '../audit/approval-drafts.ts'
import { grantUseRecord } from '../audit/grant-drafts.ts'
import type { Sealed, SealedDigests } from '../audit/disclosure.ts'
import { approvalRequestRecord, decisionRecord, type DecisionFacts } from '../audit/drafts.ts'
import type { RecordDraft } from '../audit/record.ts'
import type { ActionEvent } from '../event/action-event.ts'
import type { Effect, PolicyAnswer } from '../policy/answer.ts'
import type { PolicyState } from '../policy/state.ts'
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
  /** Set where that definition is not the accepted one. */
  readonly held?: HeldDefinition | undefined
  /** What becomes of an event about which no rule says anything. */
  readonly unruled?: 'allow' | 'deny' | undefined
  /** The arguments as the log holds them: salted digests in the record, what they stand for beside it. */
  readonly args: Sealed
  /** Seals what the policy was told of the state, given as JSON. */
  readonly sealState: (json: string) => Sealed
  /** What is asked if this call has to wait and nobody was asked yet; computed once, on demand. */
  readonly question: (answer: PolicyAnswer) => Question
  /** Whose signatures count; asked only when somebody has answered, and as late as can be. */
  readonly authority: () => Authority
  /** Reads the text of a grant; undefined for one that is none. Asked for every grant in force, as late as can be. */
  readonly ready: (envelope: string) => ReadyGrant | undefined
  /** What grants are told of the disk; undefined where gate and server share none. */
  readonly disk: PolicyState | undefined
}

/** That the definition of a tool is not the one that somebody has accepted. */
export interface HeldDefinition {
  /** For people: what is the matter with it. */
  readonly reason: string
  /** For people: what the operator can do. */
  readonly suggestion: string
  /** False in `observe` mode where that is configured: then it is only recorded. */
  readonly isEnforced: boolean
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
      /** The approval that it consumed, where the policy asks for one. */
      readonly approved?: Authorised
      /** The grant that covered it, where nobody was asked. */
      readonly granted?: CoveredCall
      /** Set where the definition of its tool is not the accepted one, which is observed only. */
      readonly held?: HeldDefinition
      /** Set where no rule says anything about an event that passes then. */
      readonly isUnruled?: true
    }
  | {
      readonly kind: 'require_approval'
      readonly seq: number
      /** The request that now waits, whether this call asked or an identical one before it. */
      readonly approval: ApprovalRequest
    }
  | {
      readonly kind: 'deny'
      readonly seq: number
      /** Set where a person has said no to exactly this call. */
      readonly denied?: Denial
      /** Set where the definition of its tool is not the accepted one. */
      readonly held?: HeldDefinition
    }

/** That a person has said no. */
export interface Denial {
  readonly approval: string
  /** By name. */
  readonly approver: string
  /** When the same call may be asked about again. */
  readonly untilMs: number
}

/**
 * Decides an event, and says what has to be stored before anybody may act on the decision.
 *
 * Pure: the same event and input give the same decision and the same records, next year too. Only an `allow` leaves a
 * record that says `forwarded`; a policy that could not be evaluated denies, in `observe` mode as well.
 */
export function decide(event: ActionEvent, input: DecisionInput): Effects<Decision> {
  const { answer, held, mode, view } = input
  const seq = view.nextSeq
  if (held?.isEnforced === true) return decided(event, input, { kind: 'deny', seq, held })
  if (answer === undefined) return decided(event, input, { kind: 'deny', seq })
  if (held !== undefined) return forwarded(event, input, { observed: 'deny', held })
  if (answer.decision === 'allow') return forwarded(event, input, {})
  if (answer.reason === 'default' && input.unruled === 'allow') {
    return forwarded(event, input, { isUnruled: true })
  }
  if (mode === 'observe') return forwarded(event, input, { observed: answer.decision })
  if (answer.decision === 'deny') return decided(event, input, { kind: 'deny', seq })
  return hold(event, input, answer)
}

/** Lets a call pass, with all that this does to the store: reserved and noted in the transaction of its record. */
function forwarded(
  event: ActionEvent,
  input: DecisionInput,
  because: {
    readonly observed?: Exclude<Effect, 'allow'>
    readonly approved?: Authorised
    readonly granted?: CoveredCall
    readonly held?: HeldDefinition
    readonly isUnruled?: true
  },
): Effects<Decision> {
  const { state, view } = input
  const consequences = input.answer?.consequences
  const passed = {
    kind: 'allow',
    seq: view.nextSeq,
    observed: because.observed,
    ...because,
  } as const
  if (state === undefined || consequences === undefined) {
    return decided(event, input, { ...passed, proofs: [] })
  }
  const proofs = state.proofs(consequences)
  const changes = state.effects(consequences, view.nextSeq)
  return { ...decided(event, input, { ...passed, proofs }, changes), ...changes }
}

/**
 * A call that needs a person: it passes if one has approved it or a grant covers it, is denied if one has said no, and waits
 * otherwise. What was said about exactly this call comes before what was said about calls like it.
 */
function hold(event: ActionEvent, input: DecisionInput, answer: PolicyAnswer): Effects<Decision> {
  const { nowMs, nextSeq: seq } = input.view
  const question = input.question(answer)
  const { bindingDigest: digest, terms } = question.draft
  const known = input.view.approvals(digest).filter((one) => asksAbout(one, digest))
  const call = { digest, session: event.context.session ?? null, nowMs }
  for (const approval of known.filter(({ answers }) => answers.length > 0)) {
    const approved = authorise(approval, call, terms, input.authority())
    if (approved !== undefined) return consumed(event, input, approved)
    const denied = denialOf(approval, nowMs)
    if (denied !== undefined) return decided(event, input, { kind: 'deny', seq, denied })
  }
  const granted = coveringGrant(event, input, terms)
  if (granted !== undefined) return spent(event, input, granted)
  const waiting = known.find((approval) => waits(approval, nowMs))
  if (waiting === undefined) return asked(event, input, { question, answer })
  return decided(event, input, { kind: 'require_approval', seq, approval: waiting.request })
}

/** Whether a request still waits for an answer; what was used or is over is asked about anew. */
function waits(approval: RecordedApproval, nowMs: number): boolean {
  const { request, useCount } = approval
  return !isEnded(approval) && useCount === 0 && !requestExpired(request, nowMs)
}

/** A no holds as long as it says, and at most as long as the question would have waited. */
function denialOf({ request, answers }: RecordedApproval, nowMs: number): Denial | undefined {
  const no = answers.find(({ verdict }) => verdict === 'deny')
  if (no === undefined) return undefined
  const untilMs = Math.min(request.expiresAtMs, openAnswer(no.envelope).answer.expiresAtMs)
  const denied = { approval: request.id, approver: no.approver, untilMs }
  return nowMs < untilMs ? denied : undefined
}

/** The approval is used up, or one use nearer to it, in the commit of the decision that it allows. */
function consumed(
  event: ActionEvent,
  input: DecisionInput,
  approved: Authorised,
): Effects<Decision> {
  const passed = forwarded(event, input, { approved })
  const { approval, approvers, grants, usesLeft } = approved
  const used = approvalUseRecord({
    approval,
    approvers,
    call: input.callId,
    decisionSeq: input.view.nextSeq,
    grants,
    usesLeft,
  })
  return { ...passed, records: [...passed.records, used] }
}

/** The grant that covers a call, the one that ends first before the others. */
function coveringGrant(
  event: ActionEvent,
  input: DecisionInput,
  terms: ApprovalTerms,
): CoveredCall | undefined {
  const { view, definitionHash, policyHash, disk: state } = input
  const recorded = view.grants()
  if (recorded.length === 0) return undefined
  const authority = input.authority()
  const call = { event, definitionHash, policyHash }
  for (const one of recorded) {
    const ready = input.ready(one.envelope)
    const covering = { call, nowMs: view.nowMs, terms, authority, state }
    const covered = ready && covers(one, ready, covering)
    if (covered !== undefined) return covered
  }
  return undefined
}

/** One use less of a grant is left, in the commit of the decision that it allows. */
function spent(event: ActionEvent, input: DecisionInput, granted: CoveredCall): Effects<Decision> {
  const passed = forwarded(event, input, { granted })
  const { grant, issuers, createdSeq, usesLeft } = granted
  const use = grantUseRecord({
    grant: grant.id,
    breakGlass: grant.breakGlass,
    call: input.callId,
    createdSeq,
    decisionSeq: input.view.nextSeq,
    issuers,
    usesLeft,
  })
  return { ...passed, records: [...passed.records, use] }
}

/** Lapsed requests that one new request takes off the queue, count. */
const lapsedAtOnce = 8

/** Asks a person, and notes of some older requests that nobody has answered them in time. */
function asked(
  event: ActionEvent,
  input: DecisionInput,
  {
    question: { draft, binding },
    answer,
  }: { readonly question: Question; readonly answer: PolicyAnswer },
): Effects<Decision> {
  const { nowMs, nextSeq: seq } = input.view
  const approval = approvalRequest(draft, {
    nowMs,
    seq,
    rules: ruleIds(answer.rules),
    message: messageOf(answer.rules) ?? null,
  })
  const held = decided(event, input, { kind: 'require_approval', seq, approval })
  const question = approvalRequestRecord({
    request: approval,
    call: input.callId,
    binding: binding.digests,
  })
  const lapsed = input.view
    .lapsedApprovals(lapsedAtOnce)
    .map(({ id, expiresAtMs }) => approvalExpireRecord(id, expiresAtMs))
  return {
    records: [...held.records, question, ...lapsed],
    disclosures: [...(held.disclosures ?? []), ...binding.disclosures],
    approvalRequests: [approval],
    result: held.result,
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
  // What the policy said of a call of another tool than the accepted one decided nothing.
  const answer = isHeld(decision) ? undefined : input.answer
  return decisionRecord({
    call: input.callId,
    event,
    clockMs: input.state?.nowMs,
    state,
    ...saidOf(decision, answer),
    rules: answer?.rules ?? [],
    omittedRules: answer?.omittedRules ?? 0,
    policyHash: input.policyHash,
    toolDefinitionHash: input.definitionHash,
    args: input.args.digests,
    forwarded: decision.kind === 'allow',
    mode: input.mode,
  })
}

function isHeld(decision: Decision): boolean {
  return decision.kind !== 'require_approval' && decision.held !== undefined
}

/** What the record says was decided, why, and about which approval. */
function saidOf(
  decision: Decision,
  answer: PolicyAnswer | undefined,
): Pick<DecisionFacts, 'decision' | 'reason' | 'approval' | 'grant'> {
  const grant = null
  if (isHeld(decision))
    return { decision: 'deny', reason: 'definition_held', approval: null, grant }
  if (decision.kind === 'allow' && decision.isUnruled === true) {
    return { decision: 'allow', reason: 'unruled', approval: null, grant }
  }
  if (decision.kind === 'allow' && decision.approved !== undefined) {
    return { decision: 'allow', reason: 'approved', approval: decision.approved.approval, grant }
  }
  if (decision.kind === 'allow' && decision.granted !== undefined) {
    const { id, breakGlass } = decision.granted.grant
    const reason = breakGlass ? 'break_glass' : 'granted'
    return { decision: 'allow', reason, approval: null, grant: id }
  }
  if (decision.kind === 'deny' && decision.denied !== undefined) {
    return {
      decision: 'deny',
      reason: 'approval_denied',
      approval: decision.denied.approval,
      grant,
    }
  }
  return {
    // Observed calls too are recorded as what the policy said; `mode` and `forwarded` say what happened.
    decision: answer?.decision ?? 'deny',
    reason: answer?.reason ?? 'internal_error',
    approval: decision.kind === 'require_approval' ? decision.approval.id : null,
    grant,
  }
}
