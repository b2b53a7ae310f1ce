import type { Effect } from '../../policy/answer.ts'
import { loadPolicy } from '../../policy/load.ts'
import type { Policy } from '../../policy/policy.ts'
import type { PolicyState } from '../../policy/state.ts'
import type { TraceCall } from '../trace.ts'
import type { LearnOptions } from './learn.ts'
import { Learner } from './learn.ts'

/** What a policy says of calls that it was not learned from. */
export interface HeldOut {
  /** Into how many parts the sessions were divided, each of which was judged by what the others taught. */
  readonly parts: number
  readonly sessions: number
  readonly calls: Readonly<Record<Effect, number>>
}

/** Parts, count: four fifths teach, one fifth is judged. */
const parts = 5

/**
 * Learns from some sessions and judges the others, in turn: what share of calls that were right would have been asked
 * about by a policy that did not know them.
 *
 * @returns undefined where there are too few sessions to tell
 */
export function heldOut(calls: readonly TraceCall[], options: LearnOptions): HeldOut | undefined {
  const sessions = new Map<string, TraceCall[]>()
  for (const call of calls) {
    const name = call.event.context.session ?? ''
    const known = sessions.get(name)
    if (known === undefined) sessions.set(name, [call])
    else known.push(call)
  }
  if (sessions.size < parts) return undefined
  const all = [...sessions.values()]
  const counts: Record<Effect, number> = { allow: 0, require_approval: 0, deny: 0 }
  for (let part = 0; part < parts; part += 1) {
    const learner = new Learner()
    for (const call of all.filter((_, at) => at % parts !== part).flat()) learner.note(call)
    const policy = loadPolicy([{ path: 'learned.yaml', text: learner.policy(options).text }])
    for (const session of all.filter((_, at) => at % parts === part)) judge(session, policy, counts)
  }
  return { parts, sessions: sessions.size, calls: counts }
}

/** What is held goes on: a person says yes to what was right. */
function judge(
  session: readonly TraceCall[],
  policy: Policy,
  counts: Record<Effect, number>,
): void {
  const labels = new Set<string>()
  for (const { event, atMs } of session) {
    const state: PolicyState = {
      nowMs: atMs ?? 0,
      usage: () => undefined,
      label: (name) => ({ held: labels.has(name), proven: labels.has(name) }),
    }
    const { decision, consequences } = policy.decide(event, state)
    counts[decision] += 1
    if (decision === 'deny') continue
    for (const { label } of consequences?.labels ?? []) labels.add(label)
  }
}
