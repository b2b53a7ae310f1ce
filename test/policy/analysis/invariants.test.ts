import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { proveInvariants } from '../../../src/policy/analysis/invariants.ts'
import type { Problem } from '../../../src/policy/problem.ts'
import { policy, problems } from '../support.ts'
import { fuzz, lists, textOf, world } from './generate.ts'

const prod =
  'invariants: [{id: prod, never: allow_without_approval, capability: "*.delete.production"}]'
const locked = 'invariants: [{id: lock, never: allow, capability: "*.delete.production"}]'

const broken = (text: string): readonly Problem[] =>
  proveInvariants(policy(text)).flatMap(({ problem }) => problem ?? [])

function codes(text: string): readonly string[] {
  return broken(text).map(({ message }) => message)
}

describe('an invariant that holds is no problem', () => {
  test.each([
    ['nothing allows it', prod, 'allow: [db.read]'],
    ['everything it is about is denied', prod, 'deny: ["*.delete.production"]\nallow: ["*"]'],
    ['a person is asked', prod, 'require_approval: ["*.delete"]\nallow: ["*"]'],
    ['the grants are about something else', prod, 'allow: ["*.delete.staging", "*.read.*"]'],
    [
      'what is denied stays denied',
      locked,
      'deny: ["*.delete"]\nrequire_approval: ["*"]\nallow: ["*"]',
    ],
    [
      'its conditions and those of the rules meet at the border',
      'invariants: [{never: allow_without_approval, capability: pay, amount_gt: 1000}]',
      'allow: [{capability: pay, amount_lte: 1000}]',
    ],
    [
      'a parsed language stands only in rules about something else',
      prod,
      'allow: [{capability: db.query, args: {/q: {sql: {only: [select]}}}}]',
    ],
  ])('%s', (_, invariant, rules) => {
    expect(problems(`${rules}\n${invariant}\n`)).toEqual([])
  })
})

describe('an invariant that is broken refuses the policy, with a call', () => {
  test.each([
    [
      'a grant of everything',
      prod,
      'allow: ["*"]',
      /`\S+\.delete\.production \{.*\}` is allowed by rule `allow\[0\]` \(p\.yaml:1\)$/,
    ],
    [
      'a guard that leaves some',
      prod,
      'require_approval: [{capability: "*.delete", amount_gt: 5}]\nallow: ["*"]',
      /"amount":/,
    ],
    [
      'approval where not even that may be',
      locked,
      'require_approval: ["*"]',
      /may be approved by rule `require_approval\[0\]`/,
    ],
    [
      'a grant that a person is asked about',
      locked,
      'require_approval: ["*.delete"]\nallow: ["*"]',
      /is allowed by rule `allow\[0\]`/,
    ],
    ['another case', prod, 'allow: ["*.delete.Production"]', /`\S+\.delete\.Production /],
    [
      'a threshold that is one too high',
      'invariants: [{never: allow_without_approval, capability: pay, amount_gt: 1000}]',
      'allow: [{capability: pay, amount_lte: 1001}]',
      /"amount":100/,
    ],
    [
      'a label that no session has to have',
      prod,
      'labels: [{capability: web, adds: seen}]\ndeny: [{capability: "*.delete", session: {has: seen}}]\nallow: ["*.delete"]',
      /is allowed by rule/,
    ],
  ])('%s', (_, invariant, rules, expected) => {
    const found = codes(`${rules}\n${invariant}\n`)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(expected)
  })

  test('each of several, at its place, with the words of its author', () => {
    const text = `allow: ["*"]
invariants:
  - {id: one, never: allow, capability: a, message: a is for nobody}
  - {id: two, never: allow, capability: b, environment: production}
`
    const found = broken(text)
    expect(found.map(({ position: { line, column }, code }) => [line, column, code])).toEqual([
      [3, 5, 'policy-invariant'],
      [4, 5, 'policy-invariant'],
    ])
    expect(found[0]?.hint).toBe('a is for nobody')
  })

  test('what cannot be proven is refused as well', () => {
    const text = `allow: [{id: q, capability: db, args: {/q: {sql: {only: [select]}}}}]
invariants: [{id: w, never: allow, capability: db, args: {/q: {sql: {statements: [drop]}}}}]
`
    expect(problems(text)).toEqual([
      'p.yaml:2:14: the invariant `w` could not be proven: perhaps a call is allowed by rule `q` (p.yaml:1) [policy-invariant]',
    ])
  })
})

describe('what is no invariant is refused', () => {
  test.each([
    ['x', /an invariant is the text `x`; expected a mapping/],
    ['{capability: a}', /does not say what must `never` be/],
    ['{never: deny, capability: a}', /`never` is .*`deny`/],
    ['{never: allow}', /has no `capability`/],
    ['{never: allow, capability: a, contian: x}', /unknown key `contian`/],
    ['{never: allow, capability: a, approval: {uses: 1}}', /`approval` on a rule of `deny`/],
    [
      '{never: allow, capability: a, time: {zone: UTC, days: mon}}',
      /asks for the time, a limit or a label/,
    ],
    [
      '{never: allow, capability: a, limit: {max: 1, window: 1h}}',
      /asks for the time, a limit or a label/,
    ],
    [
      '{never: allow, capability: a, not: {session: {has: x}}}',
      /asks for the time, a limit or a label/,
    ],
    ['{id: r, never: allow, capability: a}', /the id `r` is taken/],
  ])('%s', (item, expected) => {
    const labels = item.includes('has: x') ? 'labels: [{capability: w, adds: x}]\n' : ''
    const found = problems(`${labels}deny: [{id: r, capability: z}]\ninvariants:\n  - ${item}\n`)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(expected)
  })

  test('a policy of nothing else is none', () => {
    expect(problems(`${prod}\n`)[0]).toMatch(/policy-empty/)
  })
})

test('an invariant decides nothing, and is no rule', () => {
  const plain = policy('allow: [a.b]')
  const guarded = policy(`allow: [a.b]\n${prod}\n`)
  expect(guarded.ruleCount).toBe(plain.ruleCount)
  for (const event of world) expect(guarded.decide(event)).toEqual(plain.decide(event))
})

test('where a call of a small world breaks an invariant, it is not taken to hold', () => {
  const calls = [
    'capability: fs',
    'capability: "*.write"',
    'capability: fs.read, environment: prod',
  ]
  let held = 0
  fc.assert(
    fc.property(lists, fc.constantFrom(...calls), fc.boolean(), (one, asked, isStrict) => {
      const never = isStrict ? 'allow' : 'allow_without_approval'
      const text = `${textOf(one)}invariants: [{never: ${never}, ${asked}}]\n`
      const invariantHolds = codes(text).length === 0
      if (invariantHolds) held += 1
      const of = policy(`deny: [{${asked}}]`)
      const rules = policy(textOf(one))
      for (const event of world) {
        if (of.decide(event).reason === 'default') continue
        const { decision } = rules.decide(event)
        const isBroken = decision === 'allow' || (isStrict && decision === 'require_approval')
        if (isBroken) expect(invariantHolds).toBe(false)
      }
    }),
    fuzz(200),
  )
  expect(held).toBeGreaterThan(20)
}, 120_000)
