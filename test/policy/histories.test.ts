import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { parsersReady, postgresParser } from '../../src/policy/parsers.ts'
import type { Policy } from '../../src/policy/policy.ts'
import type { Consequences, PolicyState } from '../../src/policy/state.ts'
import { usageOf } from '../../src/policy/usage.ts'
import { eventOf, loaded } from './generate.ts'
import { history, oracle, policyWithMemory } from './generate-history.ts'
import type { Step } from './generate-history.ts'
import * as reference from './reference.ts'
import { tracesOf } from './reference-traces.ts'
import type { Traces } from './reference-traces.ts'
import type { EventValue, PolicyValue } from './reference.ts'
import type { Charge, Label } from './reference-state.ts'
import { compare, exactOf } from './reference-value.ts'
import type { Exact } from './reference-value.ts'

/** `CAPFENCE_FUZZ_RUNS=20000` looks longer. */
const runs = process.env['CAPFENCE_FUZZ_RUNS']
const looked = runs === undefined ? { numRuns: 250, seed: 11 } : { numRuns: Number(runs) }

beforeAll(async () => {
  postgresParser()
  await parsersReady()
})

/** What the store of a gate remembers, as the policy is asked to say it. */
class GateMemory {
  readonly charges: { readonly pot: string; readonly atMs: number; readonly amount: string }[] = []
  readonly labels: {
    readonly label: string
    readonly bind: string
    readonly untilMs: number
    isProven: boolean
  }[] = []

  at(nowMs: number): PolicyState {
    return {
      nowMs,
      usage: (pot, sinceMs) =>
        usageOf(this.charges.filter((one) => one.pot === pot && one.atMs > sinceMs)),
      label: (name, bind) => {
        const found = this.labels.filter(
          (one) =>
            one.label === name &&
            nowMs < one.untilMs &&
            (bind === undefined || one.bind === '' || one.bind === bind),
        )
        return { held: found.length > 0, proven: found.some(({ isProven }) => isProven) }
      },
    }
  }

  /** @returns what to do once the outcome is known */
  forward({ charges, labels }: Consequences, nowMs: number, outcome: Step['outcome']): () => void {
    const reserved = charges.map(({ pot, amount }) => ({ pot, amount: amount.text, atMs: nowMs }))
    this.charges.push(...reserved)
    if (outcome === 'unsent') {
      return () => this.charges.splice(0, Infinity, ...without(this.charges, reserved))
    }
    const added = labels.map(({ label, bind, ttlMs = Infinity }) => {
      return { label, bind, untilMs: nowMs + ttlMs, isProven: false }
    })
    this.labels.push(...added)
    return () => {
      for (const [at, one] of added.entries()) {
        one.isProven = outcome === 'succeeds' && labels[at]?.proves === true
      }
    }
  }
}

/** The same, as the reference keeps it. */
class PlainMemory {
  charges: readonly Charge[] = []
  labels: readonly Label[] = []

  forward(traces: Traces, outcome: Step['outcome']): () => void {
    this.charges = [...this.charges, ...traces.charges]
    if (outcome === 'unsent') return () => (this.charges = without(this.charges, traces.charges))
    const added = traces.labels.map(({ label, about, untilMs }) => {
      return { label, about, untilMs, proven: false }
    })
    this.labels = [...this.labels, ...added]
    return () => {
      if (outcome !== 'succeeds') return
      const proven = added
        .filter((_, at) => traces.labels[at]?.proves === true)
        .map((one) => ({ ...one, proven: true }))
      this.labels = [...this.labels, ...proven]
    }
  }
}

function without<One>(all: readonly One[], some: readonly One[]): One[] {
  return all.filter((one) => !some.includes(one))
}

interface Moment {
  readonly event: EventValue
  readonly state: PolicyState
  readonly decision: string
  readonly consequences: Consequences
  readonly traces: Traces
}

/** Lets a policy and the reference go through the same calls, each with a memory of its own. */
function* played(of: Policy, policy: PolicyValue, steps: readonly Step[]): Iterable<Moment> {
  const [gate, plain] = [new GateMemory(), new PlainMemory()]
  const open: { left: number; readonly end: () => void }[] = []
  let nowMs = Date.UTC(2026, 10, 25, 12)
  for (const { event: given, afterMs, approved, outcome, later } of steps) {
    for (const one of open) if ((one.left -= 1) === 0) one.end()
    nowMs += afterMs
    const { charges, labels } = plain
    const event = { ...given, nowMs, memory: { charges, labels }, oracle }
    const state = gate.at(nowMs)
    const answer = of.decide(eventOf(event), state)
    const { decision, consequences = { charges: [], labels: [] } } = answer
    const traces = tracesOf(policy, event)
    yield { event, state, decision, consequences, traces }
    if (decision === 'deny' || (decision === 'require_approval' && !approved)) continue
    const ends = [gate.forward(consequences, nowMs, outcome), plain.forward(traces, outcome)]
    if (outcome !== 'open') open.push({ left: later + 1, end: () => ends.forEach((end) => end()) })
  }
}

/** What is charged, without the names of pots, which the reference does not know. */
function chargedBy({ charges }: Consequences): readonly Exact[] {
  return charges.map(({ amount }) => exactOf(amount.text))
}

function sorted(amounts: readonly Exact[]): readonly string[] {
  return amounts
    .toSorted((one, other) => Number(compare(one, other)))
    .map(({ digits, scale }) => String(digits * 10n ** BigInt(24 - scale)))
}

function labelledBy({ labels }: Consequences, nowMs: number): readonly string[] {
  return labels
    .map(({ label, bind, ttlMs, proves }) => {
      return [label, bind !== '', ttlMs === undefined ? undefined : nowMs + ttlMs, proves].join()
    })
    .toSorted()
}

function labelledIn({ labels }: Traces): readonly string[] {
  return labels
    .map(({ label, about, untilMs, proves }) => {
      return [label, about !== undefined, untilMs, proves].join()
    })
    .toSorted()
}

test('through any history of calls a policy decides, charges and labels as the reference does', () => {
  const seen = new Map<string, number>()
  fc.assert(
    fc.property(policyWithMemory, history, (policy, steps) => {
      const of = loaded(policy)
      for (const { event, decision, consequences, traces } of played(of, policy, steps)) {
        expect(decision).toBe(reference.decide(policy, event))
        expect(sorted(chargedBy(consequences))).toEqual(
          sorted(traces.charges.map(({ amount }) => amount)),
        )
        expect(labelledBy(consequences, event.nowMs ?? 0)).toEqual(labelledIn(traces))
        seen.set(decision, (seen.get(decision) ?? 0) + 1)
      }
    }),
    looked,
  )
  for (const decision of ['allow', 'require_approval', 'deny']) {
    expect(seen.get(decision) ?? 0).toBeGreaterThan(looked.numRuns / 4)
  }
}, 600_000)

test('in any history each rule has the value that the reference gives it', () => {
  const seen = new Map<string, number>()
  fc.assert(
    fc.property(policyWithMemory, history, (policy, steps) => {
      const of = loaded(policy)
      for (const { event, state } of played(of, policy, steps)) {
        for (const { rule, value, predicates } of of.explain(eventOf(event), state)) {
          const given = ruleNamed(policy, rule.id)
          expect(value).toBe(reference.ruleValue(given, event, rule.effect !== 'allow'))
          for (const one of predicates) {
            const key = `${kindOf(one.predicate)} ${rule.effect === 'allow' ? 'grant' : 'guard'}`
            seen.set(`${key} ${one.value}`, (seen.get(`${key} ${one.value}`) ?? 0) + 1)
          }
        }
      }
    }),
    looked,
  )
  // No law here is empty: everything that is asked of memory is met in every role and with every value.
  for (const kind of ['limit', 'session']) {
    for (const role of ['grant', 'guard']) {
      for (const value of ['true', 'false']) {
        expect(
          seen.get(`${kind} ${role} ${value}`) ?? 0,
          `${kind} ${role} ${value}`,
        ).toBeGreaterThan(10)
      }
    }
  }
  expect(seen.get('limit grant indeterminate') ?? 0).toBeGreaterThan(10)
  expect(seen.get('budget guard true') ?? 0).toBeGreaterThan(10)
}, 600_000)

function kindOf(predicate: string): string {
  return /^[a-z_]*/.exec(predicate.replace(/^"|"(?=:)/g, ''))?.[0] ?? ''
}

function ruleNamed(policy: PolicyValue, id: string): reference.Rule {
  const [, budget, at] = /^(budget\d)\[(\d)\]$/.exec(id) ?? []
  const guards = reference.guardsOf(policy)
  const all = [...guards.deny, ...guards.require_approval, ...policy.allow]
  const found =
    budget === undefined
      ? all.find((rule) => rule.id === id)
      : all.filter((rule) => rule.id === `${budget}: budget`)[Number(at)]
  if (found === undefined) throw new Error(`no rule ${id}`)
  return found
}

test('without a store nothing is known: guards that ask for it apply, and grants do not', () => {
  fc.assert(
    fc.property(policyWithMemory, history, (policy, steps) => {
      const of = loaded(policy)
      for (const { event } of steps) {
        const asked = { ...event, oracle }
        expect(of.decide(eventOf(event)).decision).toBe(reference.decide(policy, asked))
      }
    }),
    looked,
  )
}, 600_000)
