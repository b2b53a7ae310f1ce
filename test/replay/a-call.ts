import { ActionEvent } from '../../src/event/action-event.ts'
import type { EventFields } from '../../src/event/create.ts'
import { loadPolicy } from '../../src/policy/load.ts'
import { nothingMissing } from '../../src/replay/missing.ts'
import type { ReplayedPolicy } from '../../src/replay/simulation.ts'
import { Simulation } from '../../src/replay/simulation.ts'
import type { TraceCall, TraceEntry, TraceHeader, TraceVerdict } from '../../src/replay/trace.ts'

/** A policy of a text without its version. */
export function policyOf(text: string): ReplayedPolicy {
  const policy = loadPolicy([{ path: 'p.yaml', text: `version: 1\n${text}` }])
  return {
    hash: 'h',
    rules: policy.rules,
    asksState: (event) => policy.asksState(event),
    decide: (event, state) => policy.decide(event, state),
    explain: (event, state) => policy.explain(event, state),
  }
}

const header: TraceHeader = {
  kind: 'header',
  source: 'log',
  log: null,
  isComplete: true,
  policies: [],
  calls: null,
  hasChecksum: true,
}

const verdict: TraceVerdict = {
  decision: 'allow',
  reason: 'rule',
  rules: [],
  omittedRules: 0,
  policyHash: null,
  forwarded: true,
  mode: 'enforce',
  approval: null,
  grant: null,
}

/** What of a call a test says. */
export interface CallFields extends Partial<Omit<TraceCall, 'event' | 'verdict'>> {
  readonly seq: number
  readonly event?: Partial<EventFields>
  readonly verdict?: Partial<TraceVerdict>
}

/** A call that was allowed and made, one second after the one before. */
export function call({ event, verdict: said, ...fields }: CallFields): TraceCall {
  return {
    kind: 'call',
    line: fields.seq,
    atMs: 1_000_000 + fields.seq * 1000,
    missing: nothingMissing,
    told: undefined,
    definitionHash: null,
    isFlagged: false,
    ...fields,
    verdict: { ...verdict, ...said },
    event: ActionEvent.create({
      actor: 'agent',
      resource: 'payment',
      action: 'execute',
      scope: 'eu',
      arguments: { amount: 100 },
      ...event,
    }),
  }
}

/** What each call came to: its decision, or what is lacking behind a question mark. */
export function replayed(
  policy: ReplayedPolicy,
  entries: readonly TraceEntry[],
  given: Partial<TraceHeader> = {},
): readonly string[] {
  const simulation = new Simulation('replayed')
  simulation.begin({ ...header, ...given })
  return entries.flatMap((entry) => {
    if (entry.kind === 'outcome') simulation.outcome(entry)
    if (entry.kind === 'approval') simulation.approval(entry)
    if (entry.kind === 'carry') simulation.carry(entry)
    if (entry.kind !== 'call') return []
    const answer = simulation.decide(entry, policy)
    return [answer.kind === 'unknown' ? `?${answer.lacks}` : answer.decision]
  })
}

/** How a call has ended. */
export const ended = (of: number, status: 'ok' | 'tool_error' = 'ok', sent = true): TraceEntry => ({
  kind: 'outcome',
  line: of,
  of,
  atMs: 1_000_000 + of * 1000 + 1,
  status,
  sent,
})
