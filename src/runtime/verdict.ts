import type { AnswerReason, DeterminingRule, Effect } from '../policy/answer.ts'

/** Why a verdict is what it is: the policy's own reasons, and the gate's. */
export type ReasonCode =
  | AnswerReason
  /** The policy asks for a person, and one has approved exactly this call. */
  | 'approved'
  /** The policy asks for a person, and one has let such calls pass in advance. */
  | 'granted'
  /** The same, for an emergency. */
  | 'break_glass'
  /** The policy asks for a person, and one has said no to exactly this call. */
  | 'approval_denied'
  /** The definition of the tool is not the one that somebody has accepted. */
  | 'definition_held'
  /** No rule says anything about it, and then it passes: a method that only gives text to a person. */
  | 'unruled'
  /** What was given is no event. */
  | 'invalid_event'
  /** The decision could not be recorded, so nothing may happen. */
  | 'audit_unavailable'
  /** The policy could not be evaluated at all, which is a fault of the program. */
  | 'internal_error'

/** What every verdict says, to people and to the model. */
interface Told {
  /** The call's id in the log. */
  readonly callId: string
  /** One line for people; holds no argument and no text of a rule but its id and place. */
  readonly reason: string
  readonly reasonCode: ReasonCode
  /** The rules that decided. Their predicates are for the operator: they may quote what the policy looks for. */
  readonly rules: readonly DeterminingRule[]
  /** The policy author's words for whoever meets the rule. */
  readonly message: string | undefined
  /** What would work instead, as far as the deciding rules tell. */
  readonly suggestion: string | undefined
}

/** The call may go: its decision is durable in the log. */
export interface AllowVerdict extends Told {
  readonly decision: 'allow'
  readonly authorized: true
  readonly decisionSeq: number
  /** What the policy said, where `observe` mode let the call pass all the same. */
  readonly observed: Exclude<Effect, 'allow'> | undefined
  /** The approval that this call has consumed. */
  readonly approvalId: string | undefined
  /** The grant because of which nobody was asked. */
  readonly grantId: string | undefined
}

/** The call waits for a person; it has not been made, and the same call made again is the way to go on. */
export interface PendingVerdict extends Told {
  readonly decision: 'require_approval'
  readonly authorized: false
  readonly decisionSeq: number
  readonly approvalId: string
  readonly expiresAtMs: number
  readonly retryable: true
  /** When a repetition may pass by itself; undefined while that is for a person to say. */
  readonly retryAtMs: number | undefined
}

/** The call must not be made. */
export interface DenyVerdict extends Told {
  readonly decision: 'deny'
  readonly authorized: false
  /** Undefined when the log could not take the decision. */
  readonly decisionSeq: number | undefined
  /** Whether the same call may pass another time without anybody changing the policy. */
  readonly retryable: boolean
  readonly retryAtMs: number | undefined
  /** The request to which a person has said no. */
  readonly approvalId: string | undefined
}

/** What the gate says about one event; `authorized` is the literal to switch on, or `decision`. */
export type Verdict = AllowVerdict | PendingVerdict | DenyVerdict
