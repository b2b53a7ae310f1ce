import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ActionEvent } from '../../src/event/action-event.ts'
import type { JsonObject } from '../../src/json/value.ts'
import { limits } from '../../src/limits.ts'
import { call, json, policy } from './support.ts'

describe('an answer', () => {
  test('names every rule of its tier that applied, in the order of the files, with values and words', () => {
    const first = `deny:
  - {id: never, capability: x, contains: nowhere}
  - id: text
    capability: x
    contains: secret
    message: no secrets
  - {capability: "*", amount_gt: 5}
`
    const second = 'deny: [{id: all, capability: x.y}]\nallow: ["*"]\n'
    const answer = policy(first, second).decide(call({ arguments: '{"t": "a secret"}' }))
    expect(answer).toEqual({
      decision: 'deny',
      reason: 'rule',
      rules: [
        {
          id: 'text',
          effect: 'deny',
          position: { file: 'p.yaml', line: 3, column: 5 },
          value: 'true',
          predicates: [{ predicate: 'contains: secret', value: 'true' }],
          message: 'no secrets',
        },
        {
          id: 'deny[2]',
          effect: 'deny',
          position: { file: 'p.yaml', line: 7, column: 5 },
          value: 'indeterminate',
          predicates: [{ predicate: 'amount_gt: 5', value: 'indeterminate' }],
        },
        {
          id: 'all',
          effect: 'deny',
          position: { file: 'p1.yaml', line: 1, column: 8 },
          value: 'true',
          predicates: [],
        },
      ],
    })
  })

  test('says so when no rule was sure', () => {
    const answer = policy('deny: [{capability: x, amount_gt: 5}]').decide(call())
    expect(answer).toMatchObject({ decision: 'deny', reason: 'indeterminate' })
    expect(answer.rules[0]?.value).toBe('indeterminate')
  })

  test('names as many rules as fit, and counts the others', () => {
    const of = (count: number): string => `deny: [${'x, '.repeat(count)}]`
    const full = policy(of(limits.maxDeterminingRules)).decide(call())
    expect(full.rules).toHaveLength(limits.maxDeterminingRules)
    expect(full).not.toHaveProperty('omittedRules')
    const more = policy(of(limits.maxDeterminingRules + 3)).decide(call())
    expect(more.rules).toHaveLength(limits.maxDeterminingRules)
    expect(more.rules.at(-1)?.id).toBe(`deny[${limits.maxDeterminingRules - 1}]`)
    expect(more.omittedRules).toBe(3)
  })

  test('is the same each time, and cannot be changed for the next caller', () => {
    const loaded = policy('allow: [{capability: x, environment: staging}]')
    const answer = loaded.decide(call())
    expect(loaded.decide(call())).toEqual(answer)
    expect(Object.isFrozen(answer)).toBe(true)
    expect(Object.isFrozen(answer.rules)).toBe(true)
    expect(Object.isFrozen(answer.rules[0])).toBe(true)
    expect(Object.isFrozen(answer.rules[0]?.predicates)).toBe(true)
  })
})

describe('explain', () => {
  test('shows what every rule about the capability came to, also those that did not take part', () => {
    const text = `allow:
  - {id: small, capability: x, amount_lte: 5, environment: prod}
  - {id: other, capability: z}
deny:
  - {id: text, capability: x.y, contains: [q, r]}
`
    expect(policy(text).explain(call({ arguments: '{"amount": 3, "t": "c"}' }))).toMatchObject([
      {
        rule: { id: 'small', predicates: ['amount_lte: 5', 'environment: prod'] },
        value: 'false',
        applies: false,
        predicates: [
          { predicate: 'amount_lte: 5', value: 'true' },
          { predicate: 'environment: prod', value: 'false' },
        ],
      },
      {
        rule: { id: 'text' },
        value: 'false',
        applies: false,
        predicates: [{ predicate: 'contains: [q, r]', value: 'false' }],
      },
    ])
  })
})

describe('nothing makes a decision throw or hang', () => {
  const everything = policy(`deny:
  - {capability: "*", contains: [secret, "rm -rf"], amount_gt: 5, path_prefix: [/etc, ./x], tool: "a*"}
require_approval:
  - {capability: "*", contains: "x y z"}
  - {capability: "*", amount_lt: -1e300}
  - {capability: "*", path_prefix: /}
allow:
  - {capability: "*", contains: a, amount_lte: 5, path_prefix: /srv, actor: agent-1}
  - {capability: "*", amount_gte: 0}
`)

  test('any arguments that a message can hold', () => {
    const key = fc.oneof(
      fc.constantFrom('amount', 'path', 'amount_cents'),
      fc.string({ unit: 'binary' }),
    )
    const value = fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' })
    fc.assert(
      fc.property(fc.dictionary(key, value), (args) => {
        let given: JsonObject
        try {
          given = json(JSON.stringify(args))
        } catch {
          return
        }
        const event = call()
        const odd = ActionEvent.of({ actor: 'a', capability: event.capability, arguments: given })
        expect(['deny', 'require_approval', 'allow']).toContain(everything.decide(odd).decision)
        expect(everything.explain(odd)).toHaveLength(6)
      }),
      { numRuns: 500 },
    )
  })

  test.each<[string, unknown]>([
    [
      'a getter that throws',
      {
        get amount() {
          throw new Error('no')
        },
      },
    ],
    ['a number', 5],
    [
      'a value that holds itself',
      (() => {
        const loop: Record<string, unknown> = {}
        return Object.assign(loop, { path: loop, amount: loop })
      })(),
    ],
    ['no arguments', undefined],
    [
      'a proxy that throws',
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('no')
          },
        },
      ),
    ],
    ['a symbol', { amount: Symbol('x') }],
    ['a function', { path: () => '/etc' }],
    ['a bigint', { amount: 5n }],
  ])('arguments that the gate never makes: %s', (_, args) => {
    const event = ActionEvent.of({
      actor: 'agent-1',
      capability: { resource: 'x', action: 'y', scope: 'z' },
      arguments: args as JsonObject,
    })
    expect(everything.decide(event).decision).not.toBe('allow')
  })

  test('a predicate that fails is one that cannot be evaluated: the guard applies, the grant does not', () => {
    const event = ActionEvent.of({
      actor: 'agent-1',
      capability: { resource: 'x', action: 'y', scope: 'z' },
      arguments: new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('no')
          },
        },
      ),
    })
    for (const asks of ['contains: a', 'amount_gt: 5', 'path_prefix: /']) {
      expect(
        policy(`deny: [{id: g, capability: x, ${asks}}]\nallow: [x]`).decide(event),
      ).toMatchObject({
        decision: 'deny',
        reason: 'indeterminate',
        rules: [{ id: 'g', value: 'indeterminate', predicates: [{ value: 'indeterminate' }] }],
      })
      expect(policy(`allow: [{capability: x, ${asks}}]`).decide(event).reason).toBe('default')
    }
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['an object of the same shape', Object.create(call())],
    ['a text', 'x'],
  ])('an event that is none is denied: %s', (_, event) => {
    expect(policy('allow: ["*"]').decide(event as ActionEvent)).toEqual({
      decision: 'deny',
      reason: 'indeterminate',
      rules: [],
    })
    expect(policy('allow: ["*"]').explain(event as ActionEvent)).toEqual([])
  })

  test('a thousand rules on a message as large as it gets', () => {
    const rules = Array.from({ length: 1000 }, (_, at) => {
      return [
        `{capability: x, contains: "needle ${at} of many"}`,
        `{capability: x, amount_gt: ${at}e9}`,
        `{capability: x, path_prefix: /p${at}}`,
      ][at % 3]
    })
    const heavy = policy(`deny: [${rules.join(', ')}]\nallow: [x]`)
    const lines = Array.from({ length: 60_000 }, (_, at) => `{"price":${at},"path":"/q/${at}"}`)
    const event = call({ arguments: `{"lines":[${lines.join(',')}]}` })
    const start = performance.now()
    heavy.decide(event)
    expect(performance.now() - start).toBeLessThan(3000)
  })
})
