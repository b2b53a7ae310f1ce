import { describe, expect, test } from 'vitest'
import { call, guardAndGrant, policy } from './support.ts'
import type { Call } from './support.ts'

const given = (text: string): Call => ({ arguments: text })

describe('not: what holds for all is denied by one that does not, and the other way round', () => {
  test.each([
    ['not: {path_prefix: /srv}', '{"path":"/srv/a"}', 'false false'],
    ['not: {path_prefix: /srv}', '{"path":"/etc"}', 'true true'],
    // One path outside is enough for the guard; the grant wants every path outside.
    ['not: {path_prefix: /srv}', '{"paths":["/srv/a","/etc"]}', 'true false'],
    ['not: {path_prefix: /srv}', '{"path":"~/a"}', 'indeterminate indeterminate'],
    ['not: {path_prefix: /srv}', '{}', 'indeterminate indeterminate'],
    // Exact where the guard must be sure that it need not apply, generous where the grant must be sure.
    ['not: {args: {/a: x}}', '{"a":"X"}', 'true false'],
    ['not: {args: {/a: x}}', '{"a":"x"}', 'false false'],
    ['not: {args: {/a: x}}', '{"a":"y"}', 'true true'],
    ['not: {args: {/a: x}}', '{}', 'indeterminate indeterminate'],
    ['not: {contains: rm}', '{"a":"RM"}', 'true false'],
    ['not: {contains: rm}', '{"a":"ls"}', 'true true'],
    ['not: {contains: rm}', '{"a":"rm"}', 'false false'],
    ['not: {contains: rm}', '{"a":"rm","b":"ls"}', 'true false'],
    ['not: {amount_lte: 10}', '{"amount":11}', 'true true'],
    ['not: {amount_lte: 10}', '{"amount":9,"total":11}', 'true false'],
    ['not: {amount_lte: 10}', '{"amount":"x"}', 'indeterminate indeterminate'],
    // Not both: one that fails is enough.
    ['not: {amount_lte: 10, environment: live}', '{"amount":11}', 'true true'],
    ['not: {amount_lte: 10, environment: staging}', '{"amount":9}', 'false false'],
    ['not: {amount_lte: 10, environment: staging}', '{}', 'indeterminate indeterminate'],
    ['not: {amount_lte: 10, environment: live}', '{}', 'true true'],
    ['not: {not: {args: {/a: x}}}', '{"a":"X"}', 'true false'],
    ['not: {not: {not: {args: {/a: x}}}}', '{"a":"X"}', 'true false'],
    ['not: {args: {/a: {exists: true}}}', '{}', 'true true'],
  ])('%s of %s', (conditions, text, expected) => {
    expect(guardAndGrant(conditions, given(text))).toBe(expected)
  })
})

describe('any: one alternative is enough', () => {
  test.each([
    ['any: [{args: {/a: x}}, {args: {/b: y}}]', '{"a":"x"}', 'true true'],
    ['any: [{args: {/a: x}}, {args: {/b: y}}]', '{"a":"z","b":"y"}', 'true true'],
    ['any: [{args: {/a: x}}, {args: {/b: y}}]', '{"a":"z","b":"z"}', 'false false'],
    ['any: [{args: {/a: x}}, {args: {/b: y}}]', '{"a":"z"}', 'indeterminate indeterminate'],
    ['any: [{args: {/a: x, /b: y}}]', '{"a":"x","b":"z"}', 'false false'],
    [
      'any: [{args: {/a: x}, environment: live}, {amount_gt: 5}]',
      '{"a":"x"}',
      'indeterminate indeterminate',
    ],
    ['any: [{args: {/a: x}, environment: live}, {environment: staging}]', '{"a":"x"}', 'true true'],
    ['any: [{any: [{args: {/a: 1}}, {args: {/a: 2}}]}, {args: {/a: 3}}]', '{"a":2}', 'true true'],
    ['any: [{not: {args: {/a: x}}}]', '{"a":"X"}', 'true false'],
    ['not: {any: [{args: {/a: x}}, {args: {/a: y}}]}', '{"a":"Y"}', 'true false'],
    ['any: [{contains: rm}, {contains: dd}]', '{"a":"DD"}', 'true false'],
    ['any: [{args: {/a: x}}], environment: live', '{"a":"x"}', 'false false'],
  ])('%s of %s', (conditions, text, expected) => {
    expect(guardAndGrant(conditions, given(text))).toBe(expected)
  })

  test('what stands inside is explained as it is written', () => {
    const conditions = 'any: [{not: {contains: [a, "b c"]}}, {amount_gt: 5}]'
    expect(policy(`deny: [{capability: x, ${conditions}}]`).rules[0]?.predicates).toEqual([
      conditions,
    ])
  })

  test('texts inside not and any are looked for together with those of the neighbours', () => {
    const texts = Array.from(
      { length: 60 },
      (_, at) => `{capability: x, any: [{contains: w${at}v}]}`,
    )
    const loaded = policy(
      `deny: [${texts.join(', ')}]\nallow: [{capability: x, not: {contains: zz}}]`,
    )
    expect(loaded.decide(call(given('{"a":"W17V"}'))).rules.map(({ id }) => id)).toEqual([
      'deny[17]',
    ])
    expect(loaded.decide(call(given('{"a":"w17"}'))).decision).toBe('allow')
    expect(loaded.decide(call(given('{"a":"ZZ"}'))).decision).toBe('deny')
  })
})
