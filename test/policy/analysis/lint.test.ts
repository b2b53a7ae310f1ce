import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lintPolicy } from '../../../src/policy/analysis/lint.ts'
import { policy } from '../support.ts'
import { fuzz, lists, textOf, world } from './generate.ts'

function warnings(text: string): readonly string[] {
  return lintPolicy(policy(text)).map(
    ({ position: { line, column }, message, code }) => `${line}:${column} ${message} [${code}]`,
  )
}

describe('rules that do nothing', () => {
  test.each([
    ['a number above five and below three', 'args: {/n: {gt: 5, lt: 3}}'],
    ['two values at once', 'args: {/n: {eq: a}, /m: {exists: true}}, not: {args: {/n: {eq: a}}}'],
    ['a text that begins in two ways', 'args: {/n: {starts_with: a, eq: b}}'],
    ['alternatives none of which can be', 'any: [{args: {/n: {gt: 5, lt: 3}}}]'],
  ])('%s is never so', (_, conditions) => {
    expect(warnings(`allow:\n  - {id: x, capability: a.b, ${conditions}}\n`)).toEqual([
      '2:5 rule `x` never applies: its conditions exclude each other [policy-lint]',
    ])
  })

  test.each([
    ['a stricter rule about the same', 'a.b.c', 'deny: [{id: d, capability: a.b.c}]', 'by `d`'],
    ['a stricter rule in other case', 'a.b.c', 'deny: [{id: d, capability: A.B}]', 'by `d`'],
    ['a pattern', 'a.b.c', 'require_approval: [{id: d, capability: "*.b"}]', 'by `d`'],
    [
      'two rules that share the calls',
      'a.b.c',
      'deny: [{id: d, capability: a, amount_gt: 5}]\nrequire_approval: [{id: q, capability: a, amount_lte: 5}]',
      'by `d`, `q`',
    ],
    [
      'risk levels that leave none',
      'a.b.c',
      'risk_levels: {low: {action: deny}, medium: {action: deny}, high: {action: deny}, critical: {action: deny}}',
      'by `risk_levels`',
    ],
  ])('%s leaves nothing of a rule', (_, capability, others, by) => {
    expect(warnings(`allow:\n  - {id: x, capability: ${capability}}\n${others}\n`)).toEqual([
      `2:5 rule \`x\` never decides: every call it is about is decided ${by} [policy-lint]`,
    ])
  })

  test('a rule that asks for approval is lost to one that denies', () => {
    expect(
      warnings('deny: [{id: d, capability: a}]\nrequire_approval: [{id: q, capability: a.b}]\n'),
    ).toEqual([
      '2:20 rule `q` never decides: every call it is about is decided by `d` [policy-lint]',
    ])
  })

  test.each([
    'deny: [{capability: a.b, amount_gt: 5}]\nallow: [{capability: a.b}]',
    'deny: [{capability: a.b.c}]\nallow: [{capability: a.b}]',
    'deny: [{capability: a.b, environment: production}]\nallow: [a.b]',
    'deny: [{capability: a.b, args: {/p: {regex: "x+"}}}]\nallow: [a.b]',
    'deny: [{capability: a.b, args: {/p: {cidr: 10.0.0.0/8}}}]\nallow: [a.b]',
    'require_approval: [a.b]\ndeny: [{capability: a.b, contains: x}]',
    'require_approval: [{capability: a.b, limit: {max: 5, window: 1h}}]\nallow: [a.b]',
    'risk_levels: {high: {action: deny}}\nallow: [a.b]',
    'allow: [{capability: a.b, limit: {max: 5, window: 1h}}]',
  ])('nothing is said of what may decide: %s', (text) => {
    expect(warnings(text)).toEqual([])
  })

  test('what is said to do nothing decides no call of a small world', () => {
    let found = 0
    fc.assert(
      fc.property(lists, (one) => {
        const linted = policy(textOf(one))
        const idle = lintPolicy(linted).filter(({ message }) => message.includes('never'))
        const places = new Set(idle.map(({ position }) => JSON.stringify(position)))
        found += places.size
        if (places.size === 0) return
        for (const event of world) {
          for (const { position, id } of linted.decide(event).rules) {
            expect(places.has(JSON.stringify(position)), id).toBe(false)
          }
        }
      }),
      fuzz(300),
    )
    expect(found).toBeGreaterThan(30)
  }, 600_000)
})

describe('guards that are never certain', () => {
  test.each([
    'args: {/n: {gt: 5, lt: 3}}',
    'args: {/n: {gt: 5, in: [4, a]}}',
    'args: {/n: {exists: false, eq: x}}',
    'args: {/list: {type: array, contains: x}}',
    'args: {/n: {type: string, eq: true}}',
    'args: {/n: {type: boolean, cidr: private}}',
    'args: {/n: {type: "null", exists: true}}',
    'args: {/list/*: {gt: 5, lte: 4}}',
    'args: {/a/b: {type: boolean, regex: x}}',
    'not: {environment: "*"}',
    'any: [{args: {/n: {gt: 5, lt: 3}}}, {actor: a, args: {/n: {type: array, contains: x}}}]',
    'not: {any: [{environment: "**"}, {amount_gt: 5}]}',
    'not: {not: {args: {/n: {type: boolean, eq: a}}}}',
  ])('nothing makes them true: %s', (condition) => {
    for (const list of ['deny', 'require_approval']) {
      const [message, ...others] = warnings(`${list}: [{id: x, capability: a.b, ${condition}}]\n`)
      expect(message).toContain(
        'rule `x` is certain of no call, and applies only where it cannot be told: nothing makes `',
      )
      expect(message).toContain(condition.slice(0, 12))
      expect(others).toEqual([])
    }
  })

  test('which of several conditions it is, is said', () => {
    const text = 'deny: [{id: x, capability: a, actor: b, args: {/n: {gt: 1}, /m: {gt: 5, lt: 3}}}]'
    expect(warnings(text)).toEqual([
      '1:8 rule `x` is certain of no call, and applies only where it cannot be told: nothing makes `args: {/m: {gt: 5, lt: 3}}` true [policy-lint]',
    ])
  })

  test('one that applies to no call at all never applies', () => {
    expect(
      warnings('deny: [{id: x, capability: a, risk_level: low, not: {risk_level: low}}]'),
    ).toEqual([])
    expect(
      warnings(
        'deny: [{id: x, capability: a, args: {/n: {exists: true, type: "null"}}, actor: b}]',
      ),
    ).toHaveLength(1)
  })

  test.each([
    'args: {/n: {gt: 3, lt: 5}}',
    'args: {/n: {gte: 5, lte: 5}}',
    'args: {/n: {exists: false}}',
    'args: {/n: {type: string, gt: 5}}',
    'args: {/n: {type: array, max_length: 3}}',
    'args: {/n: {type: array, shell: {runs: rm}}}',
    'args: {/n: {host: a.com, scheme: https}}',
    'args: {/n: {sql: {statements: [drop]}}}',
    'amount_gt: 5, amount_lt: 3',
    'any: [{args: {/n: {gt: 5, lt: 3}}}, {actor: a}]',
    'not: {environment: "*", actor: a}',
    'not: {args: {/n: {gt: 5, lt: 3}}}',
    'not: {args: {/n: {glob: "**"}}}',
    // 5.00000000000000000001 is more, and to a reader with doubles it is 5.
    'args: {/n: {gt: 5, lte: 5}}',
  ])('nothing is said of those that may be: %s', (condition) => {
    expect(warnings(`deny: [{id: x, capability: a.b, ${condition}}]\n`)).toEqual([])
  })

  test('those of which it is said are true of no call of a small world', () => {
    const matcher = fc.constantFrom<object>(
      ...[{ gt: 3 }, { lt: 5 }, { lte: 3 }, { eq: 'a' }, { eq: 5 }, { eq: true }, { in: ['B', 8] }],
      ...[{ not_in: ['a', 5] }, { contains: 'b' }, { starts_with: ' a' }, { max_length: 1 }],
      ...[{ type: 'string' }, { type: ['array', 'boolean'] }, { exists: false }, { exists: true }],
      ...[{ under: '/srv' }, { not_under: '/srv/a' }, { glob: '/**' }, { regex: '[0-9]' }],
    )
    const argument = fc
      .tuple(fc.constantFrom('/x', '/path', '/list/*', '/list/0'), matcher, matcher, matcher)
      .map(([pointer, ...asked]): object => ({ args: { [pointer]: Object.assign({}, ...asked) } }))
    const condition = fc.oneof(
      { weight: 4, arbitrary: argument },
      argument.map((one): object => ({ not: { not: one } })),
      fc.tuple(argument, argument).map((any): object => ({ any })),
    )
    let found = 0
    fc.assert(
      fc.property(condition, (one) => {
        const linted = policy(`deny: [${JSON.stringify({ capability: '*', ...one })}]`)
        if (!lintPolicy(linted).some(({ message }) => message.includes('certain'))) return
        found += 1
        for (const event of world) {
          for (const { value } of linted.explain(event)) expect(value).not.toBe('true')
        }
      }),
      fuzz(300),
    )
    expect(found).toBeGreaterThan(50)
  }, 600_000)
})

describe('rules that allow too much', () => {
  test('every capability, however it is written', () => {
    for (const capability of ['"*"', '"*.*"', '{capability: "*.*.*", environment: production}']) {
      const [message, ...others] = warnings(`allow:\n  - ${capability}\n`)
      expect(message).toMatch(/^2:5 rule `allow\[0\]` allows every capability/)
      expect(others).toEqual([])
    }
    expect(warnings('allow: ["a.*"]\ndeny: ["*.delete"]')).toEqual([])
  })

  test.each(['contains: ls', 'match_regex: "ls.*"', 'any: [{contains: ls}, {amount_lt: 5}]'])(
    'by a text that is aimed at nothing: %s',
    (condition) => {
      expect(warnings(`allow:\n  - {id: t, capability: a.b, ${condition}}\n`)).toEqual([
        '2:5 rule `t` allows by a text that may stand anywhere in the arguments [policy-lint]',
      ])
    },
  )

  test('a text that only makes a rule stricter, or that guards, is no reason', () => {
    expect(warnings('allow: [{capability: a.b, not: {contains: secret}}]')).toEqual([])
    expect(warnings('deny: [{capability: a.b, contains: secret}]\nallow: [a.b]')).toEqual([])
  })
})

describe('rules that ask for what nobody says', () => {
  const said = (list: string, conditions: string): readonly string[] =>
    lintPolicy(policy(`${list}: [{id: x, capability: a.b, ${conditions}}]\n`), {
      unstated: ['role', 'tenant'],
    }).map(({ message }) => message)

  test.each([
    'role: guest',
    'environment: production, tenant: acme',
    'not: {role: admin}',
    'any: [{role: a, amount_gt: 5}, {role: b}]',
    'not: {any: [{role: a}, {amount_gt: 5}]}, tenant: acme',
    'not: {not: {role: a}}',
    'not: {any: [{role: a}], not: {tenant: b}}, role: c',
  ])('are in doubt about every call: %s', (conditions) => {
    expect(said('deny', conditions)).toEqual([
      expect.stringMatching(
        /^rule `x` can only be indeterminate, and applies unless another condition is false: no call has a `(role|tenant)` behind/,
      ),
    ])
    expect(said('allow', conditions)).toEqual([
      expect.stringMatching(/^rule `x` never applies: no call has a `(role|tenant)` behind/),
    ])
  })

  test.each([
    'actor: guest',
    'any: [{role: a}, {amount_gt: 5}]',
    'not: {role: admin, amount_gt: 5}',
    'not: {any: [{role: a, amount_gt: 5}]}',
    'not: {not: {amount_gt: 5}}',
  ])('are no such rules: %s', (conditions) => {
    expect(said('deny', conditions)).toEqual([])
  })

  test('are said only where it is known that nobody says it', () => {
    expect(warnings('deny: [{capability: a, role: guest}]\nallow: [a]')).toEqual([])
  })

  test('what is said is so of every call without', () => {
    const asked = fc.letrec<{ condition: object }>((tie) => ({
      condition: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom({ role: 'a' }, { amount_gt: 5 }, { environment: 'dev' }),
        tie('condition').map((not) => ({ not })),
        fc.array(tie('condition'), { minLength: 1, maxLength: 2 }).map((any) => ({ any })),
      ),
    })).condition
    let found = 0
    fc.assert(
      fc.property(asked, (condition) => {
        const rule = JSON.stringify({ capability: '*', ...condition })
        const linted = policy(`deny: [${rule}]`)
        if (
          lintPolicy(linted, { unstated: ['role'] }).every(
            ({ message }) => !message.includes('only be'),
          )
        )
          return
        found += 1
        for (const event of world) {
          for (const { value } of linted.explain(event)) expect(value).not.toBe('true')
        }
      }),
      { numRuns: 200, seed: 20 },
    )
    expect(found).toBeGreaterThan(20)
  })
})

describe('environments in which no call acts', () => {
  const said = (text: string, environments: readonly string[]): readonly string[] =>
    lintPolicy(policy(text), { environments }).map(({ message, hint }) => `${message} | ${hint}`)

  test.each([
    ['a rule', 'deny: [{id: x, capability: a.b, environment: prodution}]', 'rule `x`'],
    ['an exception', 'deny: [{id: x, capability: a, not: {environment: prodution}}]', 'rule `x`'],
    [
      'an alternative',
      'deny: [{id: x, capability: a, any: [{environment: prodution}, {actor: b}]}]',
      'rule `x`',
    ],
    ['a label', 'labels: [{capability: a, adds: seen, environment: prodution}]', 'label `seen`'],
    [
      'an invariant',
      'allow: [b]\ninvariants: [{id: i, never: allow, capability: a, environment: prodution}]',
      'invariant `i`',
    ],
    [
      'what pays from a budget',
      'budgets: [{id: b, limit: 1, window: 1h, from: [{capability: a, environment: prodution}]}]',
      'rule `b[0]`',
    ],
  ])('%s asks for one', (_, text, name) => {
    const near = 'did you mean `production`?'
    expect(said(text, ['production'])).toEqual([
      `${name} asks for the environment \`prodution\`, but calls act in \`production\` | ${near}`,
    ])
  })

  test('all of them are named, and what to do where none is near', () => {
    const text = 'deny: [{id: x, capability: a, environment: [dev, "test-*"]}]'
    expect(said(text, ['production', 'staging'])).toEqual([
      'rule `x` asks for the environment `dev` or `test-*`, but calls act in `production` or `staging` | name every configuration that the policy is used with: `--config FILE --config FILE`',
    ])
  })

  test.each([
    'deny: [{capability: a, environment: Production}]',
    'deny: [{capability: a, environment: "*"}]',
    'deny: [{capability: a, environment: [dev, prod*]}]',
    'deny: [{capability: a, not: {environment: staging}}]',
    'deny: [{capability: a, actor: dev}]',
  ])('nothing is said of one in which some do: %s', (text) => {
    expect(said(text, ['production', 'staging'])).toEqual([])
  })

  test('nothing is said where nobody has named any', () => {
    expect(said('deny: [{capability: a, environment: dev}]', [])).toEqual([])
  })
})
