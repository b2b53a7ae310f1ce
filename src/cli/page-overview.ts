import type { DecisionFact, LogFact, OutcomeFact } from './page-facts.ts'
import { schemaVersion } from './log-lines.ts'
import { shownJson } from './shown.ts'

/** Into how many parts a time is divided. */
const parts = 48
/** How many rules and tools are named, the most frequent first. */
const maxNamed = 8
/** Upper ends of the columns of a histogram, milliseconds; one more is for everything above. */
const columnsMs = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 60_000]

/** What an overview is made of. */
export interface OverviewFacts {
  readonly facts: readonly LogFact[]
  readonly hasOlder: boolean
  readonly hours: number
  readonly nowMs: number
}

/** What happened over the last hours, as one JSON text. */
export function overviewJson({ facts, hasOlder, hours, nowMs }: OverviewFacts): string {
  const sinceMs = nowMs - hours * 3_600_000
  const recent = facts.filter(({ atMs }) => atMs >= sinceMs)
  const decisions = recent.filter((fact) => fact.kind === 'decision')
  const outcomes = recent.filter((fact) => fact.kind === 'outcome')
  const [oldest] = facts
  const data = {
    schemaVersion,
    type: 'overview',
    since: new Date(sinceMs).toISOString(),
    until: new Date(nowMs).toISOString(),
    // Older records were left out, and some of them belong to this time.
    isPartial: hasOlder && oldest !== undefined && oldest.atMs > sinceMs,
    total: {
      allow: countOf(decisions, 'allow'),
      require_approval: countOf(decisions, 'require_approval'),
      deny: countOf(decisions, 'deny'),
      refused: recent.filter(({ kind }) => kind === 'refused').length,
      observed: decisions.filter((one) => one.isObserved && one.decision !== 'allow').length,
    },
    series: seriesOf(recent, sinceMs, nowMs),
    latency: latencyOf(facts, outcomes, sinceMs),
    statuses: tally(outcomes.map(({ status }) => status)),
    rules: rulesOf(decisions),
    tools: tally(decisions.map(({ tool }) => tool)),
  }
  return shownJson(JSON.stringify(data))
}

function countOf(decisions: readonly DecisionFact[], decision: string): number {
  return decisions.filter((one) => one.decision === decision).length
}

type Column = { at: string } & Record<'allow' | 'require_approval' | 'deny' | 'refused', number>

function seriesOf(facts: readonly LogFact[], sinceMs: number, nowMs: number): readonly Column[] {
  const stepMs = (nowMs - sinceMs) / parts
  const columns = Array.from({ length: parts }, (_, index): Column => {
    const at = new Date(sinceMs + index * stepMs).toISOString()
    return { at, allow: 0, require_approval: 0, deny: 0, refused: 0 }
  })
  for (const fact of facts) {
    const column = columns[Math.min(parts - 1, Math.floor((fact.atMs - sinceMs) / stepMs))]
    if (column === undefined) continue
    if (fact.kind === 'refused') column.refused += 1
    else if (fact.kind === 'decision' && isEffect(fact.decision)) column[fact.decision] += 1
  }
  return columns
}

function isEffect(decision: string): decision is 'allow' | 'require_approval' | 'deny' {
  return decision === 'allow' || decision === 'require_approval' || decision === 'deny'
}

/**
 * Where the time of a call went: at its server, on its way through the gate after it was decided, and waiting for a person.
 *
 * The gate's part is what lies between the record of the decision and that of the outcome beyond the server's time; both
 * clocks count milliseconds, and an outcome may wait up to 20 ms for company, so it is an upper bound.
 */
function latencyOf(
  facts: readonly LogFact[],
  outcomes: readonly OutcomeFact[],
  sinceMs: number,
): object {
  const decidedAt = new Map(
    facts.flatMap((fact) => (fact.kind === 'decision' ? [[fact.seq, fact.atMs] as const] : [])),
  )
  const measured = outcomes.flatMap((one) => (one.ms === null ? [] : [{ ...one, ms: one.ms }]))
  const gate = measured.flatMap(({ decisionSeq, atMs, ms }) => {
    const startMs = decidedAt.get(decisionSeq)
    return startMs === undefined ? [] : [Math.max(0, atMs - startMs - ms)]
  })
  return {
    upstream: spreadOf(measured.map(({ ms }) => ms)),
    gate: spreadOf(gate),
    wait: spreadOf(waitsOf(facts, sinceMs)),
    columnsMs,
  }
}

function waitsOf(facts: readonly LogFact[], sinceMs: number): readonly number[] {
  const asked = new Map<string, number>()
  const waits: number[] = []
  for (const fact of facts) {
    if (fact.kind === 'asked' && fact.id !== null) asked.set(fact.id, fact.atMs)
    if (fact.kind !== 'answered' || fact.id === null) continue
    const startMs = asked.get(fact.id)
    asked.delete(fact.id)
    if (startMs !== undefined && fact.atMs >= sinceMs) waits.push(fact.atMs - startMs)
  }
  return waits
}

function spreadOf(values: readonly number[]): object {
  const sorted = values.toSorted((one, other) => one - other)
  const at = (share: number): number | null =>
    sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? null
  const histogram = Array.from({ length: columnsMs.length + 1 }, () => 0)
  for (const value of sorted) {
    const column = columnsMs.findIndex((end) => value <= end)
    const index = column === -1 ? columnsMs.length : column
    histogram[index] = (histogram[index] ?? 0) + 1
  }
  const [median, p95, p99] = [at(0.5), at(0.95), at(0.99)]
  return { count: sorted.length, p50: median, p95, p99, max: sorted.at(-1) ?? null, histogram }
}

interface Count {
  readonly name: string
  readonly count: number
}

function tally(names: readonly string[]): readonly Count[] {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .toSorted((one, other) => other.count - one.count || (one.name < other.name ? -1 : 1))
    .slice(0, maxNamed)
}

function rulesOf(decisions: readonly DecisionFact[]): readonly object[] {
  const hits = decisions.flatMap(({ rules }) => rules)
  const places = new Map(hits.map((hit) => [keyOf(hit), hit]))
  return tally(hits.map(keyOf)).map(({ name, count }) => ({ ...places.get(name), count }))
}

function keyOf({ id, file, line }: DecisionFact['rules'][number]): string {
  return JSON.stringify([id, file, line])
}
