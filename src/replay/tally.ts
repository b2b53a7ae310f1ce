import { hideSecrets } from '../audit/hide-secrets.ts'
import { printJson } from '../audit/redacted-json.ts'
import { capabilityName } from '../event/capability.ts'
import { limits } from '../limits.ts'
import type { Effect } from '../policy/answer.ts'
import type { Compared, Side } from './comparison.ts'
import type { Lack } from './simulation.ts'
import type { Column, ColumnWidth } from './timeline.ts'
import { Timeline } from './timeline.ts'
import type { TraceCall, TraceHeader } from './trace.ts'

/** A call that a report names. */
export interface NamedCall {
  /** Where it stands in the trace. */
  readonly line: number
  readonly seq: number
  /** Milliseconds since the epoch; null where the trace has no clock. */
  readonly atMs: number | null
  readonly actor: string
  readonly capability: string
  /** JSON without secrets, cut where it is long. */
  readonly arguments: string
}

/** A call of which something else is said now, or that could not be evaluated. */
export interface Finding {
  readonly call: NamedCall
  readonly compared: Exclude<Compared, { kind: 'unrecorded' }>
}

/** Calls of one capability of which the same other thing is said now. */
export interface FindingGroup {
  readonly kind: 'moved' | 'different'
  readonly capability: string
  readonly before: Side
  readonly now: Side
  /** Calls. */
  readonly count: number
  /** The first of them. */
  readonly examples: readonly NamedCall[]
}

/** How many calls came to what. */
export interface Counts {
  readonly calls: number
  readonly same: number
  readonly moved: number
  readonly different: number
  readonly unknown: number
  readonly unrecorded: number
}

/** Everything that a replay has found, bounded however long the trace was. */
export interface ReplayReport {
  readonly header: TraceHeader
  readonly counts: Counts
  /** Calls by what was decided before and what is decided now. */
  readonly changes: Readonly<Record<Effect, Readonly<Record<Effect, number>>>>
  /** Calls without a recorded verdict by what is decided now. */
  readonly unrecorded: Readonly<Record<Effect, number>>
  /** Calls that could not be evaluated, by what the trace lacks. */
  readonly lacks: Readonly<Record<Lack, number>>
  /** The most frequent first. */
  readonly groups: readonly FindingGroup[]
  /** Calls in groups that are not named. */
  readonly ungrouped: number
  /** In the order of the trace, the first so many. */
  readonly findings: readonly Finding[]
  /** Findings that are not named. */
  readonly omitted: number
  readonly firstMs: number | null
  readonly lastMs: number | null
  readonly timeline: { readonly width: ColumnWidth; readonly columns: readonly Column[] }
}

interface GrowingGroup extends Omit<FindingGroup, 'count' | 'examples'> {
  count: number
  readonly examples: NamedCall[]
}

/** Adds up what a replay finds, call by call, in bounded memory. */
export class ReplayTally {
  readonly #counts = { calls: 0, same: 0, moved: 0, different: 0, unknown: 0, unrecorded: 0 }
  readonly #changes = { allow: noDecisions(), require_approval: noDecisions(), deny: noDecisions() }
  readonly #unrecorded = noDecisions()
  readonly #lacks = { policy: 0, arguments: 0, clock: 0, state: 0, approval: 0 }
  readonly #groups = new Map<string, GrowingGroup>()
  readonly #findings: Finding[] = []
  readonly #timeline = new Timeline()
  #ungrouped = 0
  #omitted = 0
  #firstMs: number | null = null
  #lastMs: number | null = null

  /** Counts one call; a replay under the recorded policies takes another rule for a difference. */
  add(call: TraceCall, compared: Compared): void {
    const { atMs } = call
    this.#counts.calls += 1
    this.#counts[compared.kind] += 1
    if (atMs !== null) {
      this.#firstMs = Math.min(this.#firstMs ?? atMs, atMs)
      this.#lastMs = Math.max(this.#lastMs ?? atMs, atMs)
    }
    this.#timeline.add(compared, atMs)
    if (compared.kind === 'unrecorded') {
      this.#unrecorded[compared.now.decision] += 1
      return
    }
    if (compared.kind === 'unknown') this.#lacks[compared.lacks] += 1
    else this.#changes[compared.before.decision][compared.now.decision] += 1
    if (compared.kind === 'same') return
    const isNamed = compared.kind !== 'moved'
    if (isNamed && this.#findings.length >= limits.maxReplayExamples) this.#omitted += 1
    else if (isNamed) this.#findings.push({ call: namedCall(call), compared })
    if (compared.kind !== 'unknown') this.#group(call, { ...compared, kind: compared.kind })
  }

  /** What was found in all. */
  report(header: TraceHeader): ReplayReport {
    return {
      header,
      counts: this.#counts,
      changes: this.#changes,
      unrecorded: this.#unrecorded,
      lacks: this.#lacks,
      // Sorting is stable: groups of one size stand in the order in which the trace has them.
      groups: [...this.#groups.values()].toSorted((one, other) => other.count - one.count),
      ungrouped: this.#ungrouped,
      findings: this.#findings,
      omitted: this.#omitted,
      firstMs: this.#firstMs,
      lastMs: this.#lastMs,
      timeline: this.#timeline.columns,
    }
  }

  #group(
    call: TraceCall,
    {
      kind,
      before,
      now,
    }: { readonly kind: FindingGroup['kind']; readonly before: Side; readonly now: Side },
  ): void {
    const capability = capabilityName(call.event.capability)
    const key = JSON.stringify([capability, sideKey(before), sideKey(now)])
    const known = this.#groups.get(key)
    if (known !== undefined) {
      known.count += 1
      if (known.examples.length < examplesOfGroup) known.examples.push(namedCall(call))
    } else if (this.#groups.size < limits.maxReplayGroups) {
      const examples = [namedCall(call)]
      this.#groups.set(key, { kind, capability, before, now, count: 1, examples })
    } else {
      this.#ungrouped += 1
    }
  }
}

const examplesOfGroup = 3
const maxArgumentCharacters = 400

function noDecisions(): Record<Effect, number> {
  return { allow: 0, require_approval: 0, deny: 0 }
}

function sideKey({ decision, reason, rules }: Side): readonly unknown[] {
  return [decision, reason, rules.map(({ id, file, line }) => [id, file, line])]
}

function namedCall({ line, seq, atMs, event }: TraceCall): NamedCall {
  // A report goes further than the trace.
  const json = printJson(hideSecrets(event.arguments).value)
  const isLong = json.length > maxArgumentCharacters
  return {
    line,
    seq,
    atMs,
    actor: event.actor,
    capability: capabilityName(event.capability),
    // Half a character at the cut would be no text.
    arguments: isLong
      ? `${json.slice(0, maxArgumentCharacters).replace(/\p{Surrogate}$/u, '')}…`
      : json,
  }
}
