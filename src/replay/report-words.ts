import type { Effect } from '../policy/answer.ts'
import type { NamedRule, Side } from './comparison.ts'
import type { Lack } from './simulation.ts'
import type { ReplayReport } from './tally.ts'
import type { TraceSource } from './trace.ts'

/** What is compared, in words. */
export interface ReportWords {
  /** What the trace is called. */
  readonly trace: string
  /** The names of both sides, such as `recorded` and `now`. */
  readonly before: string
  readonly now: string
  /** What is compared with what, as a part of a sentence. */
  readonly against: string
  /** The policies that were asked beside those of the trace. */
  readonly policies: readonly { readonly name: string; readonly hash: string }[]
}

/** A verdict in a few words, such as `deny by big (ops.yaml:12)`. */
export function sideText({ decision, reason, rules }: Side): string {
  const [first, ...others] = rules
  if (reason === 'approved') return `${decision}: a person has approved it${askedBy(first)}`
  if (reason === 'approval_denied') return `${decision}: a person has said no${askedBy(first)}`
  if (reason === 'granted') return `${decision}: a grant covers it${askedBy(first)}`
  if (reason === 'break_glass')
    return `${decision}: a grant for an emergency covers it${askedBy(first)}`
  const how = reason === null ? undefined : reasonTexts.get(reason)
  if (first === undefined) return how === undefined ? decision : `${decision}: ${how}`
  const more = others.length === 0 ? '' : ` and ${others.length} more`
  const beside = reason === 'rule' || how === undefined ? '' : `, ${how}`
  return `${decision} by ${ruleText(first)}${more}${beside}`
}

function askedBy(rule: NamedRule | undefined): string {
  return rule === undefined ? '' : `, asked by ${ruleText(rule)}`
}

/** A rule as a person finds it again. */
function ruleText({ id, file, line }: NamedRule): string {
  return `${id} (${file}:${line})`
}

const reasonTexts: ReadonlyMap<string, string> = new Map([
  ['default', 'no rule allows it'],
  ['risk', 'for its risk'],
  ['limit', 'a limit has no room'],
  ['indeterminate', 'what it looks at could not be read'],
  ['internal_error', 'the policy could not be evaluated'],
])

/** What the trace lacks, as the end of a sentence. */
export const lackTexts: Readonly<Record<Lack, string>> = {
  policy: 'the policy that decided is not in the trace, or cannot be read any more',
  arguments: 'arguments that rules look at are not in the trace',
  clock: 'rules look at the time, and the trace has no clock',
  state: 'what limits and labels stood at is not in the trace',
  approval: 'the approval or grant that it used is not in the trace',
}

/** What can be lacking, in the order in which reports have it. */
export const lackNames: readonly Lack[] = ['policy', 'arguments', 'clock', 'state', 'approval']

/** Where a trace comes from. */
export const sourceTexts: Readonly<Record<TraceSource, string>> = {
  log: 'a log of CapFence',
  mcp: 'a log of MCP messages',
  original: 'a trace of the original CapFence',
}

/** The decisions, in the order in which reports have them. */
export const effects: readonly Effect[] = ['allow', 'require_approval', 'deny']

/**
 * The outcome in one word: `same`, `different`, or `incomplete` where nothing differs and not everything could be
 * evaluated.
 */
export function outcomeOf({ counts }: ReplayReport): 'same' | 'different' | 'incomplete' {
  if (counts.different > 0) return 'different'
  return counts.unknown > 0 ? 'incomplete' : 'same'
}

/** A time as every report writes it, the same on every machine. */
export function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}

/** The outcome as a sentence. */
export function sentenceOf(report: ReplayReport): string {
  const { counts } = report
  switch (outcomeOf(report)) {
    case 'same':
      return 'same: no decision differs'
    case 'different':
      return `different: ${amountText(counts.different, 'decision')} of ${amountText(counts.calls)}`
    case 'incomplete':
      return `incomplete: ${amountText(counts.unknown, 'call')} could not be evaluated, which is no pass`
  }
}

/** `1,234`, `1 call`, `1,234 calls`. */
export function amountText(count: number, noun?: string): string {
  const digits = String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
  return noun === undefined ? digits : `${digits} ${noun}${count === 1 ? '' : 's'}`
}

/** A length of time in its largest unit, such as `15 minutes`. */
export function durationText(ms: number): string {
  for (const [noun, size] of units) {
    if (ms % size === 0) return amountText(ms / size, noun)
  }
  return amountText(ms / 1000, 'second')
}

const units = [
  ['week', 604_800_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const
