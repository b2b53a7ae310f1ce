// What a call leaves behind in the reference evaluator; see reference.ts.

import { besideValue, guardsOf } from './reference.ts'
import type { EventValue, LabelItem, PolicyValue, Rule } from './reference.ts'
import { chargeOf, spansMs, valueAt } from './reference-state.ts'
import type { Charge, Label } from './reference-state.ts'
import { compare } from './reference-value.ts'

/** What becomes of the memory when a call is forwarded. */
export interface Traces {
  /** At most one for each pot. */
  readonly charges: readonly Charge[]
  readonly labels: readonly (Omit<Label, 'proven'> & { readonly proves: boolean })[]
}

/** Every limit that is about a call is charged, whatever was decided; of one pot the most. */
export function tracesOf(policy: PolicyValue, event: EventValue): Traces {
  const { deny, require_approval: held } = guardsOf(policy)
  const { nowMs = 0 } = event
  const most = new Map<string, Charge>()
  const add = (rule: Rule, guard: boolean): void => {
    const value = besideValue(rule, event, guard)
    const isMeant = guard ? value !== 'false' : value === 'true'
    for (const limit of isMeant ? (rule.limit ?? []) : []) {
      const charge = chargeOf(limit, rule.id ?? '', event)
      const known = charge === undefined ? undefined : most.get(charge.pot)
      if (charge === undefined) continue
      if (known !== undefined && compare(known.amount, charge.amount) >= 0n) continue
      most.set(charge.pot, { ...charge, atMs: nowMs })
    }
  }
  for (const rule of [...deny, ...held]) add(rule, true)
  for (const rule of policy.allow) add(rule, false)
  return {
    charges: [...most.values()].filter(({ amount }) => amount.digits > 0n),
    labels: (policy.labels ?? []).flatMap((item) => labelsOf(item, event, nowMs)),
  }
}

/** A label that may be meant is added; it is proven only where everything is certain. */
function labelsOf(item: LabelItem, event: EventValue, nowMs: number): Traces['labels'] {
  if (besideValue(item, event, true) === 'false') return []
  const about = item.bind === undefined ? undefined : valueAt(item.bind, event)
  const isKnown = item.bind === undefined || about !== undefined
  const proves = isKnown && besideValue(item, event, false) === 'true'
  const untilMs = item.ttl === undefined ? undefined : nowMs + spansMs[item.ttl]
  return item.adds.map((label) => ({ label, about, untilMs, proves }))
}
