import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CapFenceError } from '../../../src/errors.ts'
import { Bindings } from '../../../src/event/binding.ts'
import { limits } from '../../../src/limits.ts'
import type { Policy } from '../../../src/policy/policy.ts'
import { eventOf, rulesWithoutCase, runCase } from '../../../src/policy/tests/run-case.ts'
import type { CaseResult, TestSetting } from '../../../src/policy/tests/run-case.ts'
import type { TestCase } from '../../../src/policy/tests/test-case.ts'
import { readTestFile } from '../../../src/policy/tests/test-file.ts'
import { policy } from '../support.ts'

const setting: TestSetting = { bindings: new Bindings(), actor: 'agent', environment: undefined }

function caseOf(members: string): TestCase {
  const { cases, problems } = readTestFile({
    path: 't.test.yaml',
    text: `tests:\n  - {name: a, ${members}}\n`,
  })
  expect(problems).toEqual([])
  const [first] = cases
  if (first === undefined) throw new Error('a case')
  return first
}

function run(of: Policy, members: string): CaseResult {
  const asked = caseOf(members)
  return runCase(of, asked, eventOf(asked, setting))
}

describe('a case', () => {
  const rules = policy(`
deny: [{id: no, capability: a.no.c}, {id: unsure, capability: a.pay.c, amount_gt: 5}]
require_approval: [{id: ask, capability: a.ask.c}]
allow: [{id: yes, capability: a.yes.c}, {id: too, capability: a.*.c}]
risk_levels: {critical: {action: deny}}
`)
  const event = (action: string, rest = ''): string =>
    `event: {capability: a.${action}.c, risk: low${rest}}`

  test.each([
    `${event('no')}, expect: deny, reason: rule, rule: no`,
    `${event('ask')}, expect: require_approval, rule: ask`,
    `${event('yes')}, expect: allow, rule: [yes, too]`,
    `${event('yes')}, expect: allow, rule: too`,
    `${event('pay')}, expect: deny, reason: indeterminate, rule: unsure`,
    `event: {capability: x.y.z, risk: low}, expect: deny, reason: default`,
    `event: {capability: a.yes.c, risk: critical}, expect: deny, reason: risk`,
  ])('passes: %s', (members) => {
    expect(run(rules, members).failure).toBe(undefined)
  })

  test.each([
    [`${event('no')}, expect: allow`, 'expected `allow`, the policy says `deny`'],
    [
      `${event('ask')}, expect: deny, rule: ask`,
      'expected `deny`, the policy says `require_approval`',
    ],
    [
      `${event('no')}, expect: deny, reason: default`,
      'expected `deny` with the reason `default`, the reason is `rule`',
    ],
    [
      `${event('yes')}, expect: allow, rule: [yes, no]`,
      'expected `allow` by `no`, it is `yes`, `too` that decides',
    ],
    [
      'event: {capability: x.y.z, risk: low}, expect: deny, rule: no',
      'expected `deny` by `no`, it is no rule that decides',
    ],
  ])('fails: %s', (members, failure) => {
    expect(run(rules, members).failure).toBe(failure)
  })

  test('of all answers that a policy could give, only the one that it gives is right', () => {
    const action = fc.constantFrom('no', 'ask', 'yes', 'pay', 'other')
    const risk = fc.constantFrom('low', 'critical')
    fc.assert(
      fc.property(action, risk, (name, level) => {
        const asked = `event: {capability: a.${name}.c, risk: ${level}}`
        const passing = ['deny', 'require_approval', 'allow'].filter(
          (decision) => run(rules, `${asked}, expect: ${decision}`).failure === undefined,
        )
        expect(passing).toEqual([run(rules, `${asked}, expect: deny`).answer.decision])
      }),
    )
  })

  test('knows rules beyond those that an answer names', () => {
    const count = limits.maxDeterminingRules + 6
    const ids = Array.from({ length: count }, (_, index) => `r${String(index)}`)
    const many = policy(`deny: [${ids.map((id) => `{id: ${id}, capability: a}`).join(', ')}]`)
    const last = ids.at(-1) ?? ''
    const result = run(many, `event: {capability: a.b.c}, expect: deny, rule: ${last}`)
    expect(result.answer.omittedRules).toBe(6)
    expect(result.failure).toBe(undefined)
    expect(rulesWithoutCase(many, [result])).toEqual([])
  })
})

describe('what a case does not say', () => {
  test('is unknown: the risk, and the environment of an event', () => {
    const event = eventOf(caseOf('event: {capability: a.b.c}, expect: deny'), setting)
    expect(event).toMatchObject({ actor: 'agent', risk: undefined, environment: undefined })
  })

  test('comes from the setting, unless the case says it', () => {
    const given = { ...setting, actor: 'ops', environment: 'production' }
    const quiet = caseOf('event: {capability: a.b}, expect: deny')
    expect(eventOf(quiet, given)).toMatchObject({
      actor: 'ops',
      environment: 'production',
      capability: { resource: 'a', action: 'b', scope: 'production' },
    })
    const told = caseOf(
      'event: {capability: a.b, actor: me, environment: staging, server: s, tool: t, role: r}, expect: deny',
    )
    expect(eventOf(told, given)).toMatchObject({
      actor: 'me',
      environment: 'staging',
      capability: { scope: 'staging' },
      context: { server: 's', tool: 't', role: 'r' },
    })
  })

  test.each([
    ['event: {capability: a.b}, expect: deny', 'the capability has no scope'],
    ['call: {server: s, tool: t}, expect: deny', 'a call needs an environment'],
    [
      'event: {capability: a.b.c, environment: "x y"}, expect: deny',
      '`environment` is `x y`; expected',
    ],
    [
      `event: {capability: a.b.c, actor: ${'x'.repeat(limits.maxNameCharacters + 1)}}, expect: deny`,
      '`actor` is',
    ],
  ])('and where it has to be known there is no event: %s', (members, message) => {
    const asked = caseOf(members)
    expect(() => eventOf(asked, setting)).toThrow(message)
    expect(() => eventOf(asked, setting)).toThrow(CapFenceError)
  })
})

test('the clock shows what a case says, and nothing when it does not', () => {
  const hours = policy(
    'allow: [{id: office, capability: a, time: {zone: Europe/Berlin, between: ["09:00", "17:00"]}}]\n',
  )
  const at = (now: string): string =>
    `event: {capability: a.b.c}, state: {now: "${now}"}, expect: allow, rule: office`
  expect(run(hours, at('2026-11-25T14:00:00Z')).failure).toBe(undefined)
  expect(run(hours, at('2026-11-25T09:30:00+01:00')).failure).toBe(undefined)
  expect(run(hours, at('2026-11-25T16:30:00Z')).answer.decision).toBe('deny')
  const unknown = run(hours, 'event: {capability: a.b.c}, expect: deny, reason: default')
  expect(unknown.failure).toBe(undefined)
  expect(unknown.accounts).toEqual([])
  const failed = run(hours, 'event: {capability: a.b.c}, expect: allow')
  expect(failed.accounts[0]?.value).toBe('indeterminate')
})

describe('what earlier calls have left', () => {
  const stateful = policy(`
deny:
  - {id: leak, capability: mail.send, session: {has: [untrusted, private]}}
allow:
  - {id: calls, capability: http, limit: {max: 3, window: 1h, per: [actor]}}
  - {id: refund, capability: refund, session: {has: [looked_up], bind: /order}}
  - {id: mail, capability: mail}
  - {id: pay, capability: pay}
budgets:
  - {id: spend, limit: 500, window: 24h, on_exceed: require_approval, from: [{capability: pay, sum: /amount}]}
labels:
  - {capability: web, adds: untrusted}
  - {capability: inbox, adds: private}
  - {capability: orders, adds: looked_up, bind: /order}
`)
  const send = 'event: {capability: mail.send.x}'
  const refund = 'event: {capability: refund.a.b, arguments: {order: o-7}}'
  const pay = 'event: {capability: pay.a.b, arguments: {amount: 60}}'
  const get = 'event: {capability: http.get.x}'

  test.each([
    ['a limit with room', get, '{used: {calls: 2}}', 'allow'],
    ['one without', get, '{used: {calls: 3}}', 'deny'],
    ['one of which nothing is said', get, '{used: {spend: 400}}', 'allow'],
    ['a budget with room', pay, '{used: {spend: 440}}', 'allow'],
    ['one without', pay, '{used: {spend: 440.01}}', 'require_approval'],
    ['no label', send, '{labels: []}', 'allow'],
    ['one of two', send, '{labels: untrusted}', 'allow'],
    ['both', send, '{labels: [untrusted, private]}', 'deny'],
    ['a label about this value', refund, '{labels: {name: looked_up, bind: o-7}}', 'allow'],
    ['one about another', refund, '{labels: [{name: looked_up, bind: o-8}]}', 'deny'],
    ['one about any', refund, '{labels: looked_up}', 'allow'],
    ['one whose call is under way', refund, '{labels: [{name: looked_up, proven: false}]}', 'deny'],
  ])('%s: %s %s', (_, event, state, decision) => {
    expect(run(stateful, `${event}, state: ${state}, expect: ${decision}`).failure).toBe(undefined)
  })

  test.each([
    [`${get}, state: {used: {calls: 3}}, expect: deny, reason: limit`, undefined],
    [`${pay}, state: {used: {spend: 440.01}}, expect: require_approval, reason: limit`, undefined],
    [
      `${get}, expect: deny, reason: limit`,
      'expected `deny` with the reason `limit`, the reason is `default`',
    ],
  ])('a spent limit is a reason of its own: %s', (text, failure) => {
    expect(run(stateful, text).failure).toBe(failure)
  })

  test.each([
    [get, 'deny'],
    [send, 'deny'],
    [pay, 'require_approval'],
    [refund, 'deny'],
  ])('without a state nothing of it is known: %s', (event, decision) => {
    expect(run(stateful, `${event}, expect: ${decision}`).failure).toBe(undefined)
  })
})

test('a call is what bindings make of it', () => {
  const bindings = new Bindings([
    [
      's',
      {
        tools: [
          ['t', { capability: 'pay.execute', risk: 'high', argumentRoles: { amount: ['/x'] } }],
        ],
      },
    ],
  ])
  const bound = { bindings, actor: 'agent', environment: 'live' }
  const made = (tool: string): unknown =>
    eventOf(caseOf(`call: {server: s, tool: ${tool}}, expect: deny`), bound)
  expect(made('t')).toMatchObject({
    capability: { resource: 'pay', action: 'execute', scope: 'live' },
    risk: 'high',
    argumentRoles: { amount: ['/x'] },
    context: { server: 's', tool: 't' },
  })
  expect(made('"a/b"')).toMatchObject({
    capability: { resource: 's', action: 'a-x2Fb', scope: 'live' },
    risk: 'medium',
  })
})

test('rules that decided nothing are named, whether the case passed or not', () => {
  const rules = policy(`
deny: [{id: no, capability: a.no.c}]
allow: [{capability: a.yes.c}, {capability: a.no.c}]
`)
  const untested = (...members: readonly string[]): readonly string[] =>
    rulesWithoutCase(
      rules,
      members.map((one) => run(rules, one)),
    ).map(({ id }) => id)
  expect(untested()).toEqual(['no', 'allow[0]', 'allow[1]'])
  expect(untested('event: {capability: a.no.c}, expect: allow')).toEqual(['allow[0]', 'allow[1]'])
  expect(untested('event: {capability: a.yes.c}, expect: allow')).toEqual(['no', 'allow[1]'])
})
