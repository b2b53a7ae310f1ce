import fc from 'fast-check'
import { expect, test } from 'vitest'
import { eventOf, eventValue, loaded, policyValue, ruleValue, stateOf } from './generate.ts'
import * as reference from './reference.ts'
import type { PolicyValue } from './reference.ts'

/** `CAPFENCE_FUZZ_RUNS=20000` looks longer. */
const numRuns = Number(process.env['CAPFENCE_FUZZ_RUNS'] ?? 250)

const strictness = { allow: 0, require_approval: 1, deny: 2 } as const
const effects = ['deny', 'require_approval', 'allow'] as const

function strict(policy: Partial<PolicyValue>, event: reference.EventValue): number {
  return strictness[loaded(policy).decide(eventOf(event), stateOf(event)).decision]
}

test('the generators meet every decision and every value, so that no law here is empty', () => {
  const cases = fc.sample(fc.tuple(policyValue, eventValue), { numRuns: 700, seed: 7 })
  const seen = new Map<string, number>()
  const count = (what: string): unknown => seen.set(what, (seen.get(what) ?? 0) + 1)
  for (const [policy, event] of cases) {
    const compiled = loaded(policy)
    const { decision, reason } = compiled.decide(eventOf(event), stateOf(event))
    count(`${decision} by ${reason}`)
    for (const { value, rule } of compiled.explain(eventOf(event), stateOf(event)))
      count(`${rule.effect} ${value}`)
  }
  const often = [...seen].filter(([, times]) => times >= 3).map(([what]) => what)
  expect(often).toEqual(
    expect.arrayContaining([
      ...['deny by rule', 'deny by indeterminate', 'deny by risk', 'deny by default'],
      ...['require_approval by rule', 'require_approval by indeterminate'],
      ...['require_approval by risk', 'allow by rule'],
      ...effects.flatMap((effect) =>
        ['true', 'false', 'indeterminate'].map((value) => `${effect} ${value}`),
      ),
    ]),
  )
})

test('the compiled policy decides as the reference does', () => {
  const events = fc.array(eventValue, { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(policyValue, events, (policy, given) => {
      const compiled = loaded(policy)
      for (const event of given) {
        expect(compiled.decide(eventOf(event), stateOf(event)).decision).toBe(
          reference.decide(policy, event),
        )
      }
    }),
    { numRuns },
  )
})

test('each rule has the value that the reference gives it, and takes part accordingly', () => {
  fc.assert(
    fc.property(policyValue, eventValue, (policy, event) => {
      for (const { rule, value, applies } of loaded(policy).explain(
        eventOf(event),
        stateOf(event),
      )) {
        const given = policy[rule.effect][Number(/\d+/.exec(rule.id)?.[0])]
        if (given === undefined) throw new Error(`no rule ${rule.id}`)
        expect(value).toBe(reference.ruleValue(given, event, rule.effect !== 'allow'))
        expect(applies).toBe(rule.effect === 'allow' ? value === 'true' : value !== 'false')
      }
    }),
    { numRuns },
  )
})

test('every rule whose capability fits is accounted for, in order, and no other', () => {
  fc.assert(
    fc.property(policyValue, eventValue, (policy, event) => {
      const expected = effects.flatMap((effect) =>
        policy[effect].flatMap(({ capability }, at) => {
          const fits = reference.ruleValue({ capability }, event, effect !== 'allow') === 'true'
          return fits ? [`${effect}[${at}]`] : []
        }),
      )
      const accounts = loaded(policy).explain(eventOf(event), stateOf(event))
      expect(accounts.map(({ rule }) => rule.id)).toEqual(expected)
    }),
    { numRuns },
  )
})

test('an answer names the rules of its decision that take part, and only those', () => {
  fc.assert(
    fc.property(policyValue, eventValue, (policy, event) => {
      const compiled = loaded(policy)
      const answer = compiled.decide(eventOf(event), stateOf(event))
      if (answer.reason === 'risk' || answer.reason === 'default') {
        expect(answer.rules).toEqual([])
        return
      }
      const taking = compiled
        .explain(eventOf(event), stateOf(event))
        .filter(({ rule, applies }) => applies && rule.effect === answer.decision)
      expect(answer.rules.map(({ id }) => id)).toEqual(taking.map(({ rule }) => rule.id))
      expect(answer.rules.map(({ value }) => value)).toEqual(taking.map(({ value }) => value))
      const certain = answer.rules.some(({ value }) => value === 'true')
      expect(answer.reason).toBe(certain ? 'rule' : 'indeterminate')
    }),
    { numRuns },
  )
})

test('the order of the rules does not matter', () => {
  const shuffled = <T>(list: readonly T[]): fc.Arbitrary<T[]> =>
    fc.shuffledSubarray([...list], { minLength: list.length })
  const pair = policyValue.chain((policy) =>
    fc.record({
      policy: fc.constant(policy),
      lists: fc.record({
        deny: shuffled(policy.deny),
        require_approval: shuffled(policy.require_approval),
        allow: shuffled(policy.allow),
      }),
    }),
  )
  fc.assert(
    fc.property(pair, eventValue, ({ policy, lists }, event) => {
      expect(strict({ ...policy, ...lists }, event)).toBe(strict(policy, event))
    }),
    { numRuns },
  )
})

test('one more deny never makes the answer milder', () => {
  fc.assert(
    fc.property(policyValue, ruleValue, eventValue, (policy, rule, event) => {
      const stricter = { ...policy, deny: [...policy.deny, rule] }
      expect(strict(stricter, event)).toBeGreaterThanOrEqual(strict(policy, event))
    }),
    { numRuns },
  )
})

test('one more approval never allows: what it changes waits for a person', () => {
  fc.assert(
    fc.property(policyValue, ruleValue, eventValue, (policy, rule, event) => {
      const before = strict(policy, event)
      const held = { ...policy, require_approval: [...policy.require_approval, rule] }
      expect([before, strictness.require_approval]).toContain(strict(held, event))
    }),
    { numRuns },
  )
})

test('one more allow never undoes what a guard or a risk said', () => {
  fc.assert(
    fc.property(policyValue, ruleValue, eventValue, (policy, rule, event) => {
      const answer = loaded(policy).decide(eventOf(event), stateOf(event))
      const wider = loaded({ ...policy, allow: [...policy.allow, rule] }).decide(
        eventOf(event),
        stateOf(event),
      )
      if (answer.reason !== 'default') expect(wider.decision).toBe(answer.decision)
    }),
    { numRuns },
  )
})

test('one more risk action never makes the answer milder', () => {
  fc.assert(
    fc.property(policyValue, eventValue, fc.constantFrom(...effects), (policy, event, action) => {
      const { risk_levels: levels, ...rest } = policy
      const risky = { ...event, risk: 'medium' }
      const tightened = { ...rest, risk_levels: { ...levels, medium: action } }
      expect(strict(tightened, risky)).toBeGreaterThanOrEqual(strict(rest, risky))
    }),
    { numRuns },
  )
})

test('one more condition never makes a guard apply to more, or a grant', () => {
  fc.assert(
    fc.property(ruleValue, ruleValue, eventValue, (rule, other, event) => {
      const narrower = { ...other, ...rule }
      const guarded = (one: reference.Rule): number =>
        strict({ deny: [one], allow: [{ capability: '*' }] }, event)
      const granted = (one: reference.Rule): number => strict({ allow: [one] }, event)
      expect(guarded(narrower)).toBeLessThanOrEqual(guarded(rule))
      expect(granted(narrower)).toBeGreaterThanOrEqual(granted(rule))
    }),
    { numRuns },
  )
})

test('files together say what one file with all of their rules says', () => {
  fc.assert(
    fc.property(policyValue, policyValue, eventValue, (one, other, event) => {
      const { risk_levels: a = {} } = one
      const { risk_levels: b = {} } = other
      const levels = Object.fromEntries(
        [...new Set([...Object.keys(a), ...Object.keys(b)])].map((level) => {
          const actions = [a[level] ?? 'allow', b[level] ?? 'allow'] as const
          return [level, actions.toSorted((x, y) => strictness[y] - strictness[x])[0] ?? 'deny']
        }),
      )
      const united = {
        deny: [...one.deny, ...other.deny],
        require_approval: [...one.require_approval, ...other.require_approval],
        allow: [...one.allow, ...other.allow],
        ...(Object.keys(levels).length === 0 ? {} : { risk_levels: levels }),
      }
      expect(loaded(one, other).decide(eventOf(event), stateOf(event)).decision).toBe(
        loaded(united).decide(eventOf(event), stateOf(event)).decision,
      )
    }),
    { numRuns },
  )
})

test('an argument that nobody can read never allows a call, nor undoes a denial by a rule', () => {
  fc.assert(
    fc.property(policyValue, eventValue, (policy, event) => {
      const rules = [...policy.deny, ...policy.require_approval, ...policy.allow]
      // To a rule about text it is one more text, and no text is unreadable.
      if (rules.some(({ contains }) => contains !== undefined)) return
      const before = loaded(policy).decide(eventOf(event), stateOf(event))
      const after = loaded(policy).decide(eventOf(spoiled(event)))
      if (before.decision !== 'allow') expect(after.decision).not.toBe('allow')
      // Where no rule said anything, one that now has to be on the safe side may ask a person.
      if (before.reason !== 'default') {
        expect(strictness[after.decision]).toBeGreaterThanOrEqual(strictness[before.decision])
      }
    }),
    { numRuns },
  )
})

/** One more amount and one more path that nobody can read, under names that are free. */
function spoiled(event: reference.EventValue): reference.EventValue {
  const taken = new Set(Object.keys(event.arguments).map((key) => key.toLowerCase()))
  const added = {
    ...(taken.has('unit_cost') ? {} : { unit_cost: 'a lot' }),
    ...(taken.has('destination') ? {} : { destination: { number: '7' } }),
  }
  return { ...event, arguments: { ...event.arguments, ...added } }
}
