import type { Effect } from '../policy/answer.ts'
import type { Lack, Replayed } from './simulation.ts'
import type { TraceVerdict } from './trace.ts'

/** A rule, as a report names it. */
export interface NamedRule {
  readonly id: string
  readonly file: string
  /** From 1. */
  readonly line: number
}

/** A verdict, as a report tells it. */
export interface Side {
  readonly decision: Effect
  /** Null where nobody wrote it down. */
  readonly reason: string | null
  readonly rules: readonly NamedRule[]
}

/**
 * What a replay says of one call: `same`; `moved`, the same decision by another rule or for another reason; `different`;
 * `unknown`, it could not be evaluated; `unrecorded`, there is nothing to compare with.
 */
export type Compared =
  | { readonly kind: 'same' | 'moved' | 'different'; readonly before: Side; readonly now: Side }
  | { readonly kind: 'unrecorded'; readonly now: Side }
  | { readonly kind: 'unknown'; readonly before: Side | undefined; readonly lacks: Lack }

/** Compares a recorded verdict with what the same policy says now: reason and rules count too. */
export function comparedWithRecord(
  verdict: TraceVerdict | undefined,
  replayed: Replayed,
): Compared {
  const before = verdict === undefined ? undefined : sideOfRecord(verdict)
  if (replayed.kind === 'unknown') return { kind: 'unknown', before, lacks: replayed.lacks }
  const now = sideOf(replayed)
  if (verdict === undefined || before === undefined) return { kind: 'unrecorded', now }
  if (before.decision !== now.decision) return { kind: 'different', before, now }
  const isSame =
    (before.reason === null || before.reason === now.reason) && rulesAreRecorded(verdict, replayed)
  return { kind: isSame ? 'same' : 'moved', before, now }
}

/** Compares what two policies say. */
export function comparedWithOther(one: Replayed, other: Replayed): Compared {
  if (one.kind === 'unknown') return { kind: 'unknown', before: undefined, lacks: one.lacks }
  const before = sideOf(one)
  if (other.kind === 'unknown') return { kind: 'unknown', before, lacks: other.lacks }
  const now = sideOf(other)
  if (before.decision !== now.decision) return { kind: 'different', before, now }
  const isSame =
    before.reason === now.reason &&
    before.rules.length === now.rules.length &&
    before.rules.every(({ id }, at) => id === now.rules[at]?.id)
  return { kind: isSame ? 'same' : 'moved', before, now }
}

function sideOfRecord({ decision, reason, rules }: TraceVerdict): Side {
  return { decision, reason, rules: rules.map(({ id, file, line }) => ({ id, file, line })) }
}

function sideOf({ decision, reason, rules }: Extract<Replayed, { kind: 'decided' }>): Side {
  return {
    decision,
    reason,
    rules: rules.map(({ id, position: { file, line } }) => ({ id, file, line })),
  }
}

/** A record names as many rules as it had room for, and cuts long ids; where it names none and no reason, it says nothing. */
function rulesAreRecorded(
  { rules, omittedRules, reason }: TraceVerdict,
  replayed: Extract<Replayed, { kind: 'decided' }>,
): boolean {
  if (
    reason === null ||
    (rules.length === 0 && omittedRules === 0 && replayed.rules.length === 0)
  ) {
    return true
  }
  const isWhole = rules.length + omittedRules === replayed.rules.length + replayed.omittedRules
  return (
    isWhole &&
    rules.every(({ id, effect, line }, at) => {
      const rule = replayed.rules[at]
      return (
        rule !== undefined &&
        isIdOf(id, rule.id) &&
        rule.effect === effect &&
        rule.position.line === line
      )
    })
  )
}

function isIdOf(recorded: string, id: string): boolean {
  return recorded === id || (recorded.endsWith('…') && id.startsWith(recorded.slice(0, -1)))
}
