import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ActionEvent } from '../../src/event/action-event.ts'
import type { JsonObject, JsonValue } from '../../src/json/value.ts'
import { knownAnswer, partialAccount } from '../../src/policy/unknown.ts'
import type { RuleAccount } from '../../src/policy/policy.ts'
import type { MissingArguments } from '../../src/policy/unknown.ts'
import { eventOf, eventValue, loaded, policyValue, stateOf } from './generate.ts'

/** What is left of an event's arguments: each one whole, without its value, or not even by its name. */
function partOf(
  { arguments: args }: ActionEvent,
  fates: readonly number[],
): { readonly args: JsonObject; readonly missing: MissingArguments } {
  const left: Record<string, JsonValue> = { __proto__: null }
  const places: string[][] = []
  const nameless = new Set<string>()
  for (const [index, name] of Object.keys(args).entries()) {
    const fate = fates[index % fates.length]
    if (fate === 0) nameless.add(name)
    if (fate === 1) places.push([name])
    if (fate !== 0) left[name] = fate === 1 ? '[hidden]' : (args[name] ?? null)
  }
  const mayBeNamed = nameless.size === 0 ? undefined : (): boolean => true
  return { args: left, missing: { places, mayBeNamed } }
}

test('what is known of a call that is kept in part is so of the whole call', () => {
  const fates = fc.array(fc.nat(3), { minLength: 1, maxLength: 4 })
  let known = 0
  fc.assert(
    fc.property(policyValue, eventValue, fates, (policy, given, fate) => {
      const rules = loaded(policy)
      const [event, state] = [eventOf(given), stateOf(given)]
      const { args, missing } = partOf(event, fate)
      const part = ActionEvent.of({
        actor: event.actor,
        capability: event.capability,
        context: event.context,
        ...(event.environment === undefined ? {} : { environment: event.environment }),
        ...(event.risk === undefined ? {} : { risk: event.risk }),
        arguments: args,
        argumentRoles: event.argumentRoles,
      })
      const whole = rules.explain(event, state)
      const accounts = rules
        .explain(part, state)
        .map((one) => partialAccount(one, missing, 'nothing'))
      for (const [index, { value, applies, predicates }] of accounts.entries()) {
        const inFull = whole[index]
        if (value !== 'unknown') expect({ value, applies }).toMatchObject(pick(inFull))
        for (const [at, one] of predicates.entries()) {
          if (one.value !== 'unknown') expect(one).toEqual(inFull?.predicates[at])
        }
      }
      const answer = knownAnswer(rules.decide(part, state), accounts)
      if (answer === undefined) return
      known += accounts.some(({ value }) => value === 'unknown') ? 1 : 0
      expect(answer.decision).toBe(rules.decide(event, state).decision)
      if (answer.rules.length > 0) expect(answer.rules[0]?.effect).toBe(answer.decision)
    }),
    { numRuns: 600 },
  )
  // Some of the answers that are known are so although a rule is not.
  expect(known).toBeGreaterThan(0)
})

function pick(account: RuleAccount | undefined): object {
  return { value: account?.value, applies: account?.applies }
}
