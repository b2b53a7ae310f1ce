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
    lintPolicy(policy(`${list}: [{id: x, capability: a.b, ${conditions}}]\n`), [
      'role',
      'tenant',
    ]).map(({ message }) => message)

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
        if (lintPolicy(linted, ['role']).every(({ message }) => !message.includes('only be')))
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
