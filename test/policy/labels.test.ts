import { describe, expect, test } from 'vitest'
import type { PolicyState } from '../../src/policy/state.ts'
import { stateWith } from './state-of-tests.ts'
import { call, policy } from './support.ts'
import type { Call } from './support.ts'

const trifecta = policy(`
deny:
  - {id: leak, capability: mail.send, session: {has: [untrusted, private]}}
allow: [web, mail]
labels:
  - {capability: web.fetch, adds: untrusted}
  - {capability: mail.read, adds: private}
`)
const send: Call = { capability: 'mail.send.x' }

const refunds = policy(`
allow:
  - {id: refund, capability: refund, session: {has: [looked_up], bind: /order_id}}
  - {capability: orders}
labels:
  - {capability: orders.lookup, adds: looked_up, bind: /order_id, ttl: 30m}
`)
const refund = (args: string): Call => ({ capability: 'refund.pay.x', arguments: args })

describe('taint: what a session has seen', () => {
  test.each<[string, PolicyState | undefined, string]>([
    ['neither', stateWith(), 'allow'],
    ['one of both', stateWith({}, { untrusted: 'proven' }), 'allow'],
    ['both', stateWith({}, { untrusted: 'proven', private: 'proven' }), 'deny'],
    [
      'both, of which one call is under way',
      stateWith({}, { untrusted: 'proven', private: 'held' }),
      'deny',
    ],
    ['what cannot be known', undefined, 'deny'],
  ])('%s', (_, state, decision) => {
    expect(trifecta.decide(call(send), state).decision).toBe(decision)
  })

  test('is added by the call that is about it, also in another case, but proven only in its own', () => {
    const labelsOf = (capability: string): unknown =>
      trifecta.decide(call({ capability }), stateWith()).consequences?.labels
    const untrusted = { label: 'untrusted', bind: '', ttlMs: undefined }
    expect(labelsOf('web.fetch.x')).toEqual([{ ...untrusted, proves: true }])
    expect(labelsOf('Web.Fetch.x')).toEqual([{ ...untrusted, proves: false }])
    expect(labelsOf('mail.send.x')).toBeUndefined()
  })

  test('is added in doubt: by a call that may be the one that is meant', () => {
    const loaded = policy(
      'labels: [{capability: x, adds: [big, seen], amount_gt: 5}]\nallow: [{capability: x, session: {not: [big, seen]}}]',
    )
    const labelsOf = (text: string): readonly boolean[] =>
      (loaded.decide(call({ arguments: text }), stateWith()).consequences?.labels ?? []).map(
        ({ proves }) => proves,
      )
    expect(labelsOf('{"amount": 6}')).toEqual([true, true])
    expect(labelsOf('{"amount": "many"}')).toEqual([false, false])
    expect(labelsOf('{"amount": 5}')).toEqual([])
  })
})

describe('evidence: what a session has done before', () => {
  test.each<[string, PolicyState | undefined, string, string]>([
    ['nothing', stateWith(), '{"order_id": 7}', 'deny'],
    ['the same value', stateWith({}, { 'looked_up 7': 'proven' }), '{"order_id": 7}', 'allow'],
    [
      'the same number, written otherwise',
      stateWith({}, { 'looked_up 7': 'proven' }),
      '{"order_id": 7.0}',
      'allow',
    ],
    ['another value', stateWith({}, { 'looked_up 8': 'proven' }), '{"order_id": 7}', 'deny'],
    [
      'a text is no number',
      stateWith({}, { 'looked_up 7': 'proven' }),
      '{"order_id": "7"}',
      'deny',
    ],
    [
      'a call that is under way',
      stateWith({}, { 'looked_up 7': 'held' }),
      '{"order_id": 7}',
      'deny',
    ],
    ['no value', stateWith({}, { 'looked_up 7': 'proven' }), '{}', 'deny'],
    [
      'a value that a lenient server reads',
      stateWith({}, { 'looked_up 7': 'proven' }),
      '{"Order_ID": 7}',
      'deny',
    ],
    ['what cannot be known', undefined, '{"order_id": 7}', 'deny'],
  ])('%s', (_, state, args, decision) => {
    expect(refunds.decide(call(refund(args)), state).decision).toBe(decision)
  })

  test('is about the value of the call that gives it, and lasts as long as it says', () => {
    const labelsOf = (args: string): unknown =>
      refunds.decide(call({ capability: 'orders.lookup.x', arguments: args }), stateWith())
        .consequences?.labels
    const looked = { label: 'looked_up', ttlMs: 1_800_000 }
    expect(labelsOf('{"order_id": "a/b"}')).toEqual([{ ...looked, bind: '"a/b"', proves: true }])
    expect(labelsOf('{"order_id": {"b": 1, "a": [2]}}')).toEqual([
      { ...looked, bind: '{"a":[2],"b":1}', proves: true },
    ])
    // Which order it was cannot be told: it may be any, and proves nothing.
    for (const args of ['{}', '{"Order_id": 7}', `{"order_id": "${'x'.repeat(5000)}"}`]) {
      expect(labelsOf(args)).toEqual([{ ...looked, bind: '', proves: false }])
    }
  })
})

describe('guards and grants ask for labels the other way round', () => {
  const both = (asked: string): ReturnType<typeof policy> => {
    const rule = `{capability: x, session: ${asked}}`
    return policy(
      `deny: [${rule}]\nallow: [${rule}]\nlabels: [{capability: q, adds: a, bind: /id}, {capability: r, adds: b}]`,
    )
  }
  test.each<[string, Parameters<typeof stateWith>[1], string, string]>([
    ['{has: a}', {}, 'false', 'false'],
    ['{has: a}', { a: 'held' }, 'true', 'false'],
    ['{has: a}', { a: 'proven' }, 'true', 'true'],
    ['{not: a}', {}, 'true', 'true'],
    ['{not: a}', { a: 'held' }, 'true', 'false'],
    ['{not: a}', { a: 'proven' }, 'false', 'false'],
    ['{has: b, not: a}', { b: 'proven' }, 'true', 'true'],
    ['{has: [a, b]}', { a: 'proven', b: 'held' }, 'true', 'false'],
    ['{has: a, bind: /id}', { 'a 1': 'proven' }, 'true', 'true'],
    ['{has: a, bind: /id}', { 'a 2': 'proven' }, 'false', 'false'],
    ['{not: a, bind: /id}', { 'a 2': 'proven' }, 'true', 'true'],
    ['{not: a, bind: /id}', { 'a 1': 'proven' }, 'false', 'false'],
    ['{has: a, bind: /missing}', { 'a 1': 'proven' }, 'true', 'indeterminate'],
    ['{not: a, bind: /missing}', { 'a 1': 'proven' }, 'true', 'indeterminate'],
  ])('%s with %j', (asked, labels, guard, grant) => {
    const values = both(asked)
      .explain(call({ arguments: '{"id": 1}' }), stateWith({}, labels))
      .map(({ value }) => value)
    expect(values).toEqual([guard, grant])
  })

  test('also inside not: a grant relies on nothing that is under way', () => {
    const loaded = policy(
      'allow: [{capability: x, not: {session: {has: a}}}]\nlabels: [{capability: q, adds: a}]',
    )
    const of = (how?: 'held'): string =>
      loaded.decide(call(), stateWith({}, how === undefined ? {} : { a: how })).decision
    expect([of(), of('held')]).toEqual(['allow', 'deny'])
  })
})

test('a session may still be named by its id, or by a list of them', () => {
  const loaded = policy(
    'allow: [{capability: x, session: s1}, {capability: x, session: ["t*", u]}]',
  )
  const of = (session: string): string => loaded.decide(call({ context: { session } })).decision
  expect([of('s1'), of('t9'), of('u'), of('v')]).toEqual(['allow', 'allow', 'allow', 'deny'])
})

test('a label that no rule asks for is a note', () => {
  const { notes } = policy(
    'labels: [{capability: x, adds: [a, b]}]\ndeny: [{capability: y, session: {has: a}}]',
  )
  expect(notes.map(({ message }) => message)).toEqual(['no rule asks for the label `b`'])
})
