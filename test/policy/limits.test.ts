import { describe, expect, test } from 'vitest'
import type { PolicyAnswer } from '../../src/policy/answer.ts'
import { now, stateWith } from './state-of-tests.ts'
import { call, policy, problems } from './support.ts'
import type { Call } from './support.ts'

const minute = 60_000
const pot = (identity: string, ...per: readonly (readonly string[])[]): string =>
  JSON.stringify([identity, ...per])
const gh = pot('rule:gh', ['actor', 'agent-1'])
const rate = 'allow: [{id: gh, capability: http.get, limit: {max: 3, window: 1h, per: [actor]}}]'
const get: Call = { capability: 'http.get.x' }
const pay = (text: string): Call => ({ capability: 'pay.out.x', arguments: text })

const chargesOf = ({ consequences }: PolicyAnswer): readonly string[] =>
  (consequences?.charges ?? []).map(({ pot: name, amount }) => `${name} ${amount.canonical}`)

describe('a limit on what is allowed', () => {
  test('applies up to it, and says when there is room again', () => {
    const loaded = policy(rate)
    const used = (count: number): PolicyAnswer =>
      loaded.decide(
        call(get),
        stateWith({ [gh]: Array.from({ length: count }, (_, at) => [(50 - at) * minute, '1']) }),
      )
    expect(used(2)).toMatchObject({ decision: 'allow', reason: 'rule' })
    expect(chargesOf(used(2))).toEqual([`${gh} 1`])
    expect(used(3)).toMatchObject({
      decision: 'deny',
      reason: 'limit',
      rules: [{ id: 'gh', effect: 'allow', value: 'false' }],
      spent: [{ name: 'gh', countsCalls: true, windowMs: 60 * minute }],
      // The oldest charge is 50 minutes old.
      roomAtMs: now + 10 * minute,
    })
    expect(used(5).roomAtMs).toBe(now + 12 * minute)
  })

  test('slides: a charge counts for exactly its time', () => {
    const loaded = policy(rate)
    const at = (agoMs: number): string =>
      loaded.decide(
        call(get),
        stateWith({
          [gh]: [
            [agoMs, '1'],
            [1, '1'],
            [0, '1'],
          ],
        }),
      ).decision
    expect(at(60 * minute - 1)).toBe('deny')
    expect(at(60 * minute)).toBe('allow')
  })

  test('without a store allows nothing', () => {
    expect(policy(rate).decide(call(get))).toMatchObject({ decision: 'deny', reason: 'default' })
  })

  test('counts for each of what it is kept per, and not at all when that is not known', () => {
    const loaded = policy(
      'allow: [{id: a, capability: x, limit: {max: 1, window: 1h, per: [actor, tenant]}}]',
    )
    const full = {
      [pot('rule:a', ['actor', 'agent-1'], ['tenant', 't'])]: [[0, '1']] as const,
    }
    const of = (parts: Call): string => loaded.decide(call(parts), stateWith(full)).decision
    expect(of({ context: { tenant: 't' } })).toBe('deny')
    expect(of({ context: { tenant: 'u' } })).toBe('allow')
    expect(of({ actor: 'other', context: { tenant: 't' } })).toBe('allow')
    // No longer name is kept: nobody makes pots of any size.
    const [quotes, tenant] = ['"'.repeat(1014), '"'.repeat(1014)]
    const left = 4096 - pot('rule:a', ['actor', quotes], ['tenant', tenant]).length
    expect(of({ actor: quotes + 'x'.repeat(left), context: { tenant } })).toBe('allow')
    expect(of({ actor: `${quotes}x${'x'.repeat(left)}`, context: { tenant } })).toBe('deny')
    expect(loaded.decide(call(), stateWith())).toMatchObject({
      decision: 'deny',
      reason: 'default',
    })
  })

  test('is charged for every call that passes and that its rule is about, whichever rule let it pass', () => {
    const loaded = policy(`
allow:
  - {id: few, capability: http.get, limit: {max: 1, window: 1h}}
  - {id: all, capability: http}
  - {id: never, capability: http.get, amount_gt: 5, limit: {max: 1, window: 1h}}
  - {id: other, capability: HTTP.get, limit: {max: 1, window: 1h}}
`)
    const answer = loaded.decide(call(get), stateWith({ [pot('rule:few')]: [[0, '1']] }))
    expect(answer).toMatchObject({ decision: 'allow', rules: [{ id: 'all' }] })
    expect(chargesOf(answer)).toEqual([`${pot('rule:few')} 1`])
  })

  test('several limits of a rule all have to have room, and count the same calls', () => {
    const loaded = policy(
      'allow: [{id: a, capability: x, limit: [{max: 1, window: 1m}, {max: 3, window: 1h}]}]',
    )
    const of = (...agoMinutes: readonly number[]): PolicyAnswer => {
      const charges = agoMinutes.map((ago) => [ago * minute, '1'] as const)
      return loaded.decide(call(), stateWith({ [pot('rule:a')]: charges }))
    }
    expect(of(2, 1)).toMatchObject({ decision: 'allow' })
    expect(of(2, 0.5).roomAtMs).toBe(now + minute / 2)
    expect(of(30, 20, 2).roomAtMs).toBe(now + 30 * minute)
    expect(of(2).consequences?.charges).toMatchObject([
      { windowMs: 60 * minute, shortestMs: minute },
    ])
  })
})

describe('a limit of a sum', () => {
  const sum = 'allow: [{id: a, capability: pay, limit: {max: 100, window: 1d, sum: /amount}}]'
  const spent = pot('rule:a /amount')

  test.each<[string, string, boolean]>([
    ['up to it', '{"amount": 40}', true],
    ['a hair more', '{"amount": 40.00000000000000001}', false],
    ['as plain text', '{"amount": "40"}', true],
    ['as more than a double takes it for', '{"amount": 39.99999999999999999999}', true],
    ['nothing', '{"amount": 0}', true],
    ['less than nothing', '{"amount": -1}', false],
    ['less than nothing, as text', '{"amount": "-0.01"}', false],
    ['no number', '{"amount": "1,0"}', false],
    ['infinity', '{"amount": 1e999}', false],
    ['next to nothing, with an exponent', '{"amount": 1e-300}', false],
    ['not there', '{}', false],
    ['null', '{"amount": null}', false],
    ['a list', '{"amount": [1]}', false],
    ['under another case, which a lenient server reads', '{"Amount": 1}', false],
    ['deeper', '{"x": {"amount": 1}}', false],
  ])('%s: %s', (_, text, isAllowed) => {
    const answer = policy(sum).decide(call(pay(text)), stateWith({ [spent]: [[0, '60']] }))
    expect(answer.decision).toBe(isAllowed ? 'allow' : 'deny')
  })

  test.each([
    ['39.99999999999999999999', '40'],
    ['40.00000000000000000001', '40.00000000000000000001'],
    ['7', '7'],
  ])('is charged with the most that a reader makes of it: %s', (text, charged) => {
    const budget =
      'budgets: [{id: b, limit: 50, window: 1h, from: [{capability: pay, sum: /amount}]}]'
    const answer = policy(budget).decide(call(pay(`{"amount": ${text}}`)), stateWith())
    expect(chargesOf(answer)).toEqual([`${pot('budget:b sum')} ${charged}`])
  })

  test('is charged with nothing that cannot be kept', () => {
    const list =
      'budgets: [{id: b, limit: 50, window: 1h, from: [{capability: pay, sum: "/all/*"}]}]'
    const half = '6'.repeat(21)
    const answer = policy(list).decide(call(pay(`{"all": [${half}, ${half}]}`)), stateWith())
    expect(answer.decision).toBe('deny')
    expect(chargesOf(answer)).toEqual([])
  })

  test('says that there is no room, by however little and whatever is used', () => {
    const most = '9'.repeat(21)
    const used = stateWith({
      [spent]: [
        [minute, most],
        [0, most],
      ],
    })
    const [little, much] = [pay('{"amount": 40.00000000000000001}'), pay(`{"amount": 100}`)]
    expect(policy(sum).decide(call(little), stateWith({ [spent]: [[0, '60']] }))).toMatchObject({
      reason: 'limit',
      roomAtMs: now + 24 * 60 * minute,
    })
    expect(policy(sum).decide(call(much), used)).toMatchObject({
      reason: 'limit',
      spent: [{ used: { text: `1.${'9'.repeat(20)}8e+21` } }],
    })
  })

  test('adds up every element of a list, and refuses when one of them cannot be read', () => {
    const loaded = policy(
      'allow: [{id: a, capability: pay, limit: {max: 10, window: 1d, sum: /items/*/price}}]',
    )
    const of = (text: string): PolicyAnswer => loaded.decide(call(pay(text)), stateWith())
    expect(chargesOf(of('{"items":[{"price":1.5},{"price":"2.25"}]}'))).toEqual([
      `${pot('rule:a /items/*/price')} 3.75`,
    ])
    expect(of('{"items":[{"price":6},{"price":6}]}').reason).toBe('limit')
    for (const text of [
      '{"items":[]}',
      '{"items":[{"price":1},{}]}',
      '{"items":[{"price":-1},{"price":5}]}',
    ]) {
      expect(of(text)).toMatchObject({ decision: 'deny', reason: 'default' })
    }
  })

  test('what is more than the limit never has room', () => {
    const answer = policy(sum).decide(call(pay('{"amount": 101}')), stateWith())
    expect(answer).toMatchObject({ decision: 'deny', reason: 'limit' })
    expect(answer.roomAtMs).toBeUndefined()
  })

  test('says when enough of it has passed for this call, and not just something', () => {
    const state = stateWith({
      [spent]: [
        [20 * 60 * minute, '10'],
        [60 * minute, '80'],
      ],
    })
    const at = (amount: number): number | undefined =>
      policy(sum).decide(call(pay(`{"amount": ${amount}}`)), state).roomAtMs
    expect(at(20)).toBe(now + 4 * 60 * minute)
    expect(at(21)).toBe(now + 23 * 60 * minute)
  })
})

describe('a limit on a guard', () => {
  const capped = `
deny: [{id: cap, capability: pay, limit: {max: 2, window: 1h}}]
require_approval: [{id: ask, capability: pay, limit: {max: 1, window: 1h}}]
allow: [{capability: pay}]`
  const used = (deny: number, ask: number): PolicyAnswer => {
    const ones = (count: number): (readonly [number, string])[] =>
      Array.from({ length: count }, () => [0, '1'] as const)
    const state = stateWith({
      [pot('rule:cap')]: ones(deny),
      [pot('rule:ask')]: ones(ask),
    })
    return policy(capped).decide(call(pay('{}')), state)
  }

  test('applies when there is no room left, and is charged while there is', () => {
    expect(used(0, 0)).toMatchObject({ decision: 'allow' })
    expect(chargesOf(used(0, 0))).toHaveLength(2)
    expect(used(1, 1)).toMatchObject({
      decision: 'require_approval',
      reason: 'limit',
      roomAtMs: now + 60 * minute,
    })
    expect(used(2, 2)).toMatchObject({ decision: 'deny', reason: 'limit', rules: [{ id: 'cap' }] })
  })

  test('without a store applies', () => {
    expect(policy(capped).decide(call(pay('{}')))).toMatchObject({
      decision: 'deny',
      reason: 'indeterminate',
    })
  })

  test('beside a guard that always applies has no time at which there is room', () => {
    const both = policy(capped.replace('deny: [', 'deny: [{id: no, capability: pay}, '))
    const state = stateWith({ [pot('rule:cap')]: [[0, '2']] })
    const answer = both.decide(call(pay('{}')), state)
    expect(answer).toMatchObject({
      decision: 'deny',
      reason: 'rule',
      rules: [{ id: 'no' }, { id: 'cap' }],
    })
    expect(answer.roomAtMs).toBeUndefined()
  })
})

describe('budgets', () => {
  const text = `
budgets:
  - {id: spend, limit: 500, window: 24h, per: [actor], on_exceed: require_approval, from: [{capability: payment.execute, sum: /amount}, {capability: ads.buy, sum: /total, environment: staging}]}
  - {id: ads, limit: 100, window: 24h, from: [{capability: ads, sum: /total}], message: ask marketing}
allow: [payment, ads]`
  const spend = pot('budget:spend sum', ['actor', 'agent-1'])
  const ads = pot('budget:ads sum')
  const loaded = policy(text)
  const buy = (total: number): Call => ({
    capability: 'ads.buy.x',
    arguments: `{"total": ${total}}`,
  })
  const transfer = (amount: string): Call => ({
    capability: 'Payment.Execute.x',
    arguments: `{"amount": ${amount}}`,
  })

  test('are shared by several capabilities, and a call in two of them is charged to both', () => {
    const answer = loaded.decide(call(buy(20)), stateWith())
    expect(answer.decision).toBe('allow')
    expect(chargesOf(answer).toSorted()).toEqual([`${ads} 20`, `${spend} 20`])
    const paid = loaded.decide(
      call({ ...transfer('480'), capability: 'payment.execute.x' }),
      stateWith(),
    )
    expect(chargesOf(paid)).toEqual([`${spend} 480`])
    expect(loaded.decide(call(buy(30)), stateWith({ [spend]: [[minute, '480']] }))).toMatchObject({
      decision: 'require_approval',
      reason: 'limit',
      rules: [{ id: 'spend[1]', effect: 'require_approval' }],
      spent: [{ name: 'spend', countsCalls: false }],
      roomAtMs: now + 24 * 60 * minute - minute,
    })
  })

  test('deny when nothing else is said, with their message, before others hold', () => {
    const state = stateWith({ [spend]: [[0, '500']], [ads]: [[0, '90']] })
    expect(loaded.decide(call(buy(20)), state)).toMatchObject({
      decision: 'deny',
      reason: 'limit',
      rules: [{ id: 'ads[0]', message: 'ask marketing' }],
    })
  })

  test('are guards: they ignore case, and what they cannot read does not pass', () => {
    expect(chargesOf(loaded.decide(call(transfer('5')), stateWith()))).toEqual([`${spend} 5`])
    for (const amount of ['-1', '"x"', 'null']) {
      const { decision, reason } = loaded.decide(call(transfer(amount)), stateWith())
      expect([decision, reason]).toEqual(['require_approval', 'indeterminate'])
    }
    expect(loaded.decide(call(buy(1)))).toMatchObject({ decision: 'deny', reason: 'indeterminate' })
  })

  test('are about the calls alone that they name', () => {
    const live = call({ ...buy(20), environment: 'live' })
    expect(chargesOf(loaded.decide(live, stateWith()))).toEqual([`${ads} 20`])
  })

  test('take what a call costs once, however many of their entries it is in', () => {
    const twice = policy(
      'budgets: [{id: b, limit: 10, window: 1h, from: [{capability: x, sum: /fee}, {capability: "*.y", sum: /price}]}]\nallow: [x]',
    )
    const answer = twice.decide(call({ arguments: '{"fee": 2, "price": 7}' }), stateWith())
    expect(chargesOf(answer)).toEqual([`${pot('budget:b sum')} 7`])
  })

  test('may count calls', () => {
    const counted = policy(
      'budgets: [{id: b, limit: 1, window: 1h, from: [{capability: x}, {capability: w}]}]\nallow: [x, w]',
    )
    const state = stateWith({ [pot('budget:b')]: [[0, '1']] })
    expect(counted.decide(call(), state).reason).toBe('limit')
    expect(counted.decide(call({ capability: 'w.y.z' }), stateWith()).decision).toBe('allow')
  })
})

describe('a limit goes on when the policy changes', () => {
  const potsOf = (text: string): readonly string[] =>
    (policy(text).decide(call({ arguments: '{"a":1}' }), stateWith()).consequences?.charges ?? [])
      .map((charge) => charge.pot)
      .toSorted()
  const limit = 'limit: {max: 5, window: 1h}'

  test('under the id of its rule, whatever else is changed', () => {
    const before = potsOf(`allow: [{id: a, capability: x, ${limit}}]`)
    expect(
      potsOf(`allow: [{capability: q}, {id: a, capability: x.y, limit: {max: 9, window: 2h}}]`),
    ).toEqual(before)
    expect(
      potsOf('allow: [{id: a, capability: x, limit: {max: 9, window: 2h, sum: /a}}]'),
    ).not.toEqual(before)
    expect(potsOf(`allow: [{id: b, capability: x, ${limit}}]`)).not.toEqual(before)
  })

  test('without one under what the rule says, wherever it stands', () => {
    const one = `{capability: x, args: {/a: {gte: 1}}, ${limit}}`
    const before = potsOf(`allow: [${one}]`)
    expect(
      potsOf(
        `allow: [{capability: q}, {${limit}, args: {/a: {gte:   1}},   capability: x, message: m}]`,
      ),
    ).toEqual(before)
    expect(potsOf(`deny: [${one}]\nallow: [x]`)).not.toEqual(before)
    expect(potsOf(`allow: [{capability: x, args: {/a: {gte: 0}}, ${limit}}]`)).not.toEqual(before)
    expect(potsOf(`allow: [${one}, {capability: x, args: {/a: 1}, ${limit}}]`)).toHaveLength(2)
  })
})

test('a rule with a limit needs the store, and no other rule does', () => {
  const loaded = policy(`${rate}\ndeny: [{capability: a}]`)
  expect(loaded.asksState(call(get))).toBe(true)
  expect(loaded.asksState(call({ capability: 'a.b.c' }))).toBe(false)
  expect(problems('allow: [{capability: x, limit: {max: 1, window: 31d}}]')).toEqual([])
})
