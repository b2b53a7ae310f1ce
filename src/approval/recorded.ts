import type { AnswerVerdict } from './answer.ts'
import type { ApprovalRequest } from './request.ts'

/** An answer that the log holds. */
export interface RecordedAnswer {
  /** What its record is of; the envelope must say the same. */
  readonly verdict: AnswerVerdict
  readonly seq: number
  /** When it was recorded, milliseconds since the epoch. */
  readonly atMs: number
  /** Who gave it, by the name of then. */
  readonly approver: string
  /** The signed answer, as text. */
  readonly envelope: string
}

/**
 * A request and what the log itself says of it.
 *
 * Tables only say where to look: an answer without a record is none, and a use with one has happened (THREATS B37).
 */
export interface RecordedApproval {
  readonly request: ApprovalRequest
  /** The origin of the log. */
  readonly log: string
  /** Whether a record asks exactly this; without one the request is somebody else's invention. */
  readonly isAsked: boolean
  /** In the order of the log. */
  readonly answers: readonly RecordedAnswer[]
  /** How many calls have consumed it. */
  readonly useCount: number
  /** Whether it was recorded that its time is up. */
  readonly isOver: boolean
  /** The latest time that a record since the question bears; undefined when that cannot be told. */
  readonly latestMs: number | undefined
}

/** A request whose time is up and that no record says so of yet. */
export interface LapsedApproval {
  readonly id: string
  readonly expiresAtMs: number
}
