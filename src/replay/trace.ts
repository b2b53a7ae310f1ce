import type { ActionEvent } from '../event/action-event.ts'
import type { Effect } from '../policy/answer.ts'
import type { Presence } from '../policy/rule.ts'
import type { MissingArguments } from '../policy/unknown.ts'
import type { Told } from './told-state.ts'

/** Where calls come from: a log of CapFence, a log of MCP messages, or a trace of the original CapFence. */
export type TraceSource = 'log' | 'mcp' | 'original'

/** What a trace says about itself; the first entry of each. */
export interface TraceHeader {
  readonly kind: 'header'
  readonly source: TraceSource
  /** The origin of the log; null where it comes from elsewhere. */
  readonly log: string | null
  /**
   * Whether it begins with the history that it is of, so that nothing was charged to limits and no label given before;
   * what of it was carried over stands in it.
   */
  readonly isComplete: boolean
  /** The policies that decided, by their hashes. */
  readonly policies: readonly string[]
  /** Calls that follow; null where that is not said. */
  readonly calls: number | null
  /** Whether its bytes were compared with a checksum that it carries. */
  readonly hasChecksum: boolean
}

/** A file of a policy that decided, as it governed. */
export interface TracePolicyFile {
  readonly kind: 'policy'
  readonly line: number
  /** Of the whole policy. */
  readonly hash: string
  /** Which of its files this is, from 0. */
  readonly index: number
  /** How many files it has. */
  readonly count: number
  readonly path: string
  readonly text: string
}

/** A rule that took part in a verdict, as it can be told from others. */
export interface TraceRule {
  readonly id: string
  readonly effect: Effect
  readonly file: string
  /** From 1. */
  readonly line: number
}

/** What was decided, and why. */
export interface TraceVerdict {
  readonly decision: Effect
  /** Why: an `AnswerReason`, or `approved`, `approval_denied`, `granted`, `break_glass`, `internal_error`; null where nobody wrote it down. */
  readonly reason: string | null
  readonly rules: readonly TraceRule[]
  /** Deciding rules that are not named. */
  readonly omittedRules: number
  /** Hex; null where it is not known which policy decided. */
  readonly policyHash: string | null
  /** Whether the call went to its server; null where nobody wrote it down. */
  readonly forwarded: boolean | null
  readonly mode: 'enforce' | 'observe'
  /** The approval that was asked for, used or denied. */
  readonly approval: string | null
  /** The grant that covered it. */
  readonly grant: string | null
}

/** A call, and what became of it. */
export interface TraceCall {
  readonly kind: 'call'
  readonly line: number
  /** What tells it from the other calls of the trace; it only grows. */
  readonly seq: number
  /** The clock of the decision, milliseconds since the epoch; null where nobody wrote it down. */
  readonly atMs: number | null
  readonly event: ActionEvent
  /** What of the arguments is not in the trace; `[hidden]` stands there. */
  readonly missing: MissingArguments
  /** What the policy was told of the store then. */
  readonly told: Told
  readonly definitionHash: string | null
  /** Undefined where nothing was decided, as in a log of MCP messages. */
  readonly verdict: TraceVerdict | undefined
  /** Whether somebody has marked it as one that should not have been made; nothing is learned from it. */
  readonly isFlagged: boolean
}

/** How a call ended. */
export interface TraceOutcome {
  readonly kind: 'outcome'
  readonly line: number
  /** The `seq` of the call. */
  readonly of: number
  /** When, milliseconds since the epoch; null where nobody wrote it down. */
  readonly atMs: number | null
  readonly status: TraceStatus
  /** False when it was certainly never sent, so that what it had reserved was given back. */
  readonly sent: boolean
}

/** How a call can end. */
export const traceStatuses = [
  'ok',
  'tool_error',
  'rpc_error',
  'timeout',
  'cancelled',
  'upstream_died',
  'unknown',
] as const

/** One of `traceStatuses`. */
export type TraceStatus = (typeof traceStatuses)[number]

interface AboutApproval {
  readonly kind: 'approval'
  readonly line: number
  readonly approval: string
  /** Milliseconds since the epoch. */
  readonly atMs: number
}

/** A question for a person, an answer to it, or its end. */
export type TraceApproval =
  | (AboutApproval & {
      readonly what: 'request'
      /** The `seq` of the call that is asked about. */
      readonly of: number
      readonly expiresAtMs: number
      readonly presence: Presence
      readonly quorum: number
      readonly uses: number | null
    })
  | (AboutApproval & {
      readonly what: 'grant'
      readonly approver: string
      readonly presence: Presence
      /** How many calls it covers. */
      readonly uses: number
      readonly expiresAtMs: number
      /** Set where it holds for one session only. */
      readonly session: string | null
    })
  | (AboutApproval & {
      readonly what: 'deny'
      readonly approver: string
      /** Until when the same call is refused. */
      readonly expiresAtMs: number
    })
  | (AboutApproval & { readonly what: 'revoke'; readonly approver: string })
  | (AboutApproval & { readonly what: 'use'; readonly of: number })
  | (AboutApproval & { readonly what: 'expire' })

interface AboutGrant {
  readonly kind: 'grant'
  readonly line: number
  readonly grant: string
  /** Milliseconds since the epoch. */
  readonly atMs: number
}

/** A grant, by which calls pass in advance that need a person, or its end. */
export type TraceGrant =
  | (AboutGrant & {
      readonly what: 'create'
      /** The signed grant itself, as text. */
      readonly envelope: string
      /** By name; `anyone` for what no approver's key signed. */
      readonly issuers: readonly string[]
    })
  | (AboutGrant & { readonly what: 'revoke'; readonly by: string })
  | (AboutGrant & { readonly what: 'use'; readonly of: number })
  | (AboutGrant & { readonly what: 'expire' })

/** What limits and labels stood at where the trace begins. */
export interface TraceCarry {
  readonly kind: 'carry'
  readonly line: number
  readonly charges: readonly {
    readonly pot: string
    readonly amount: string
    readonly atMs: number
    readonly expiresAtMs: number
  }[]
  readonly labels: readonly {
    readonly subject: string
    readonly label: string
    /** Whether it is about one value, of which only a keyed digest is known. */
    readonly isBound: boolean
    readonly heldUntilMs: number
    readonly provenUntilMs: number
    /** Until when it may be proven; what was known of it has not been kept. */
    readonly perhapsUntilMs: number
  }[]
}

/** One line of a trace, read. */
export type TraceEntry =
  | TraceHeader
  | TracePolicyFile
  | TraceCall
  | TraceOutcome
  | TraceApproval
  | TraceGrant
  | TraceCarry
