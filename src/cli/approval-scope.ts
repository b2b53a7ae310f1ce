import type { Answer, AnswerVerdict } from '../approval/answer.ts'
import type { RecordedApproval } from '../approval/recorded.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { RequestEntry } from './approval-entry.ts'
import { textOrNull } from './record-fields.ts'

/** How far an answer shall reach, as it was typed or chosen. */
export interface ScopeFlags {
  readonly minutes?: string | undefined
  readonly session?: boolean | undefined
}

/** An answer that somebody wants to give. */
export interface ScopeWanted {
  readonly verdict: AnswerVerdict
  readonly flags: ScopeFlags
  readonly nowMs: number
  readonly approval: RecordedApproval
  readonly entry: RequestEntry
}

/** How far an answer reaches. */
export type Scope = Pick<Answer, 'expiresAtMs' | 'uses' | 'session'>

/**
 * How far an answer reaches: once is what a person means who says no more.
 *
 * @throws CapFenceError `USAGE` for what cannot be chosen
 */
export function scopeOf({ verdict, flags, nowMs, approval, entry }: ScopeWanted): Scope {
  const { request } = approval
  const { uses } = request.terms
  if (verdict !== 'approve') return { expiresAtMs: request.expiresAtMs, uses: 0, session: null }
  if (flags.session === true && flags.minutes !== undefined) {
    throw new CapFenceError('USAGE', 'choose one of `--session` and `--minutes`')
  }
  const many = uses ?? limits.maxGrantUses
  if (flags.minutes !== undefined) {
    return {
      expiresAtMs: nowMs + minutesOf(flags.minutes) * 60_000,
      uses: many,
      session: null,
    }
  }
  if (flags.session !== true) {
    return { expiresAtMs: request.expiresAtMs, uses: uses ?? 1, session: null }
  }
  const session = textOrNull(entry.record.data, 'session')
  if (session === null) throw new CapFenceError('USAGE', 'the call belongs to no session')
  // What is signed must not be longer than what is taken a moment later.
  return { expiresAtMs: nowMs + limits.maxGrantMs, uses: many, session }
}

function minutesOf(text: string): number {
  const most = limits.maxGrantMs / 60_000
  const minutes = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (minutes >= 1 && minutes <= most) return minutes
  throw new CapFenceError('USAGE', `\`--minutes\` takes a whole number from 1 to ${String(most)}`)
}
