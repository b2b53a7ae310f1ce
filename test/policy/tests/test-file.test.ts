import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '../../../src/limits.ts'
import { policyProblemLine } from '../../../src/policy/problem.ts'
import { readTestFile, readTestsInside } from '../../../src/policy/tests/test-file.ts'
import { stringify } from '../../support/to-js.ts'
import { policy, problems, refusals } from '../support.ts'

const path = 't.test.yaml'

const refused = refusals('tests/refused.txt')

const linesOf = (text: string): readonly string[] =>
  readTestFile({ path, text }).problems.map(policyProblemLine)

const hintsOf = (text: string): readonly (string | undefined)[] =>
  readTestFile({ path, text }).problems.map(({ hint }) => hint)

const one = (members: string): string => `tests:\n  - {name: a, ${members}}\n`

describe('what is no file of tests, and how it is said', () => {
  test.each(refused)('%s', (_, text, expected) => {
    expect(linesOf(text)).toEqual(expected)
  })

  test.each([
    ['event: {capability: a.b.c}, expct: deny', 'did you mean `expect`?'],
    ['event: {capability: a.b.c}, expect: alow', 'did you mean `allow`?'],
    ['event: {capability: a.b.c, args: {}}, expect: deny', 'did you mean `arguments`?'],
    ['event: {capability: a.b.c, risk_level: low}, expect: deny', 'did you mean `risk`?'],
    ['event: {resource: a}, expect: deny', 'did you mean `capability`?'],
    ['call: {server: s, name: t}, expect: deny', 'did you mean `tool`?'],
    ['call: {server: s, tool: t, actr: a}, expect: deny', 'did you mean `actor`?'],
  ])('%s: %s', (members, hint) => {
    expect(hintsOf(one(members))).toContain(hint)
  })

  test('a file or a list over its limit is refused, one at its limit is not', () => {
    const line = '- {name: a, event: {capability: a.b.c}, expect: deny}\n'
    expect(linesOf(`tests:\n${line.repeat(limits.maxPolicyTests)}`)).toEqual([])
    expect(linesOf(`tests:\n${line.repeat(limits.maxPolicyTests + 1)}`)).toEqual([
      expect.stringContaining(`at most ${limits.maxPolicyTests} are read [policy-limit]`),
    ])
    expect(linesOf(`#${' '.repeat(limits.maxPolicyBytes)}`)).toEqual([
      expect.stringContaining('[policy-limit]'),
    ])
  })
})

test('no text makes the reader throw, or say something other than a problem or tests', () => {
  const whole =
    'policy: a.yaml\ndefaults: {actor: a}\ntests:\n  - {name: a, state: {now: "2026-11-25T14:00:00Z"}, call: {server: s, tool: t, arguments: {a: [1, {b: null}]}}, expect: deny, rule: [x]}\n'
  const mutated = fc
    .tuple(fc.nat(whole.length), fc.nat(9), fc.string({ maxLength: 9 }))
    .map(([at, cut, put]) => whole.slice(0, at) + put + whole.slice(at + cut))
  fc.assert(
    fc.property(fc.oneof(mutated, fc.string(), fc.string({ unit: 'binary' })), (text) => {
      const file = readTestFile({ path, text })
      expect(file.problems.length + file.cases.length).toBeGreaterThan(0)
      readTestsInside({ path, text })
    }),
    { numRuns: 300 },
  )
})

describe('what a file of tests says', () => {
  const file = readTestFile({
    path,
    text: `
version: 1
description: what it is about
policy: [a.yaml, ../b.yaml]
config: capfence.mcp.json
defaults: {actor: someone, environment: production, tenant: t}
tests:
  - name: an event
    event: {capability: a.b.c.d, risk: low, tool: x, arguments: {n: 1000.00000000000000001, z: [null, true]}}
    expect: require_approval
    reason: indeterminate
    rule: one
  - name: a call
    call: {server: s, tool: "a b", actor: other}
    expect: allow
    rule: [one, two]
`,
  })

  test('stands in it', () => {
    expect(file.problems).toEqual([])
    expect(file.policies).toEqual(['a.yaml', '../b.yaml'])
    expect(file.config).toBe('capfence.mcp.json')
    expect(file.cases).toMatchObject([
      {
        name: 'an event',
        position: { file: path, line: 8, column: 5 },
        asked: {
          kind: 'event',
          capability: 'a.b.c.d',
          risk: 'low',
          context: { actor: 'someone', environment: 'production', tenant: 't', tool: 'x' },
        },
        expected: {
          decision: 'require_approval',
          reason: 'indeterminate',
          rules: [{ id: 'one', position: { line: 12, column: 11 } }],
        },
      },
      {
        asked: {
          kind: 'call',
          server: 's',
          tool: 'a b',
          context: { actor: 'other', environment: 'production', tenant: 't' },
        },
        expected: { decision: 'allow', rules: [{ id: 'one' }, { id: 'two' }] },
      },
    ])
  })

  test('its numbers keep their digits, and its objects have nothing that is not written', () => {
    const [first, second] = file.cases
    if (first === undefined || second === undefined) throw new Error('two cases')
    const { arguments: args } = first.asked
    expect(stringify(args)).toBe('{"n":1000.00000000000000001,"z":[null,true]}')
    expect(Object.getPrototypeOf(args)).toBe(null)
    expect(Object.getPrototypeOf(second.asked.arguments)).toBe(null)
  })
})

describe('tests inside a policy', () => {
  const text = `
allow: [a.b.c]
tests:
  - {name: a, event: {capability: a.b.c}, expect: allow}
`

  test('decide nothing, and are read where they are asked for', () => {
    expect(policy(text).rules.map(({ id }) => id)).toEqual(['allow[0]'])
    expect(readTestsInside({ path, text }).cases.map(({ name }) => name)).toEqual(['a'])
    expect(readTestsInside({ path, text: 'allow: [a.b.c]\n' })).toMatchObject({
      cases: [],
      problems: [],
    })
  })

  test('are no reason to take a policy that says nothing else', () => {
    expect(problems('tests:\n  - {name: a, event: {capability: a.b.c}, expect: deny}\n')).toEqual([
      expect.stringContaining('[policy-empty]'),
    ])
  })

  test('B25: a mistake in them is a mistake in the policy', () => {
    expect(problems(`${text}    rule: x\n`)).not.toEqual([])
    expect(problems(text.replace('expect: allow', 'expect: alow'))).toEqual([
      expect.stringContaining('`expect` is `alow`'),
    ])
    expect(problems(text.replace('name: a', 'nam: a'))).toEqual([
      expect.stringContaining('has no `name`'),
      expect.stringContaining('unknown key `nam` in a test'),
    ])
  })
})
