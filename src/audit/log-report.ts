import type { AnchorResult } from './anchor-watch.ts'
import type { ChainReport } from './chain.ts'

/**
 * What a verification came to.
 *
 * `tampered`: something that was written is not there as it was written; `rolled_back` and `forked`: the log is sound by
 * itself, but not what it was when an anchor was made; `cannot_verify`: nothing is proved, because a key, the log or
 * an anchor is missing; `incomplete`: it verifies, but does not know everything, and that was asked for.
 */
export type LogVerdict =
  | 'ok'
  | 'tampered'
  | 'rolled_back'
  | 'forked'
  | 'cannot_verify'
  | 'incomplete'

/** A size of the log at which everything was as it must be. */
export interface GoodCheckpoint {
  readonly size: number
  readonly root: string
}

/** Everything that a verification found. */
export interface LogReport extends ChainReport {
  readonly verdict: LogVerdict
  /** Why, for people; null when it is `ok`. */
  readonly reason: string | null
  /** Origin; null when there is no record. */
  readonly log: string | null
  /** Whether the keys came from a pin; otherwise the log was believed about its own. */
  readonly pinned: boolean
  /** Records before this one were signed only afterwards; null when nothing is signed. */
  readonly signedFrom: number | null
  /** Number of the epoch in force at the end; 0 when nothing is signed. */
  readonly epoch: number
  /** Kept checkpoints that were verified. */
  readonly checkpoints: number
  /** The last size up to which everything is proved; null when nothing is. */
  readonly lastGood: GoodCheckpoint | null
  readonly anchors: readonly AnchorResult[]
  /** Disclosures that were erased, with a record of it. */
  readonly redacted: number
  /** What the log itself says that it does not know, for people. */
  readonly unknown: readonly string[]
  /** Records that were read; fewer than `size` when an earlier verification was gone on with. */
  readonly read: number
}

/** One thing that was found, and what it makes of the log. */
export interface Finding {
  readonly verdict: Exclude<LogVerdict, 'ok'>
  readonly reason: string
}

/** What a verdict is made of. */
export interface VerdictFacts {
  readonly size: number
  readonly bad: ChainReport['bad']
  /** What is wrong with the log as a whole, or kept it from being read. */
  readonly broken: Finding | undefined
  readonly signed: boolean
  readonly trusted: boolean
  readonly anchors: readonly AnchorResult[]
  readonly strict: boolean
  readonly unknown: readonly string[]
}

/** The worst of what was found, and why. */
export function verdictOf(facts: VerdictFacts): Pick<LogReport, 'verdict' | 'reason'> {
  const { bad, broken, anchors, strict, unknown } = facts
  if (bad !== null) return { verdict: 'tampered', reason: `record ${bad.seq}: ${bad.reason}` }
  if (broken !== undefined) return broken
  return (
    anchorVerdict(anchors, facts.size) ??
    unprovedVerdict(facts) ??
    (strict && unknown.length > 0
      ? { verdict: 'incomplete', reason: unknown.join('; ') }
      : { verdict: 'ok', reason: null })
  )
}

function anchorVerdict(anchors: readonly AnchorResult[], size: number): Finding | undefined {
  const forked = anchors.find(({ state }) => state === 'forked')
  if (forked !== undefined) {
    const what = `\`${forked.name}\` has seen other records among the first ${String(forked.size)}`
    return { verdict: 'forked', reason: what }
  }
  const lost = anchors.find(({ state }) => state === 'rolled_back')
  if (lost === undefined) return undefined
  const what = `\`${lost.name}\` has seen ${String(lost.size)} records, there are ${size}`
  return { verdict: 'rolled_back', reason: what }
}

function unprovedVerdict({ size, signed, trusted, anchors }: VerdictFacts): Finding | undefined {
  const reason = ((): string | undefined => {
    if (size === 0) return 'the log is empty'
    if (!signed) return 'nothing in the log is signed'
    const other = anchors.find(({ state }) => state !== 'holds')
    if (other?.state === 'unreadable') {
      return `\`${other.name}\` is no checkpoint that this log has signed`
    }
    if (other !== undefined) return `\`${other.name}\` is older than what was verified now`
    return trusted ? undefined : 'unauthenticated: without a pinned key it may be any log'
  })()
  return reason === undefined ? undefined : { verdict: 'cannot_verify', reason }
}
