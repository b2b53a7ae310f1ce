import { describe, expect, it, vi } from 'vitest'
import type { PolicyAnswer } from '../../src/policy/answer.ts'
import type { RuleAccount } from '../../src/policy/policy.ts'
import { explain, messageOf, ruleIds } from '../../src/runtime/decide-text.ts'
import {
  allowAnswer,
  defaultAnswer,
  denyAnswer,
  holdAnswer,
  payment,
  position,
  rule,
} from './fixtures.ts'

const event = payment(5000)
const place = 'policies/ops.yaml:3'

function amountRule(predicate: string, value: 'true' | 'indeterminate' = 'true'): PolicyAnswer {
  return { ...denyAnswer, rules: [rule({ predicates: [{ predicate, value }] })] }
}

describe('a decision in words', () => {
  it.each<[PolicyAnswer, string]>([
    [allowAnswer, `rule \`small\` (${place}) allows it`],
    [denyAnswer, `rule \`big\` (${place}) denies it`],
    [holdAnswer, `rule \`big\` (${place}) asks for approval`],
    [
      { ...denyAnswer, rules: [rule(), rule({ id: 'b' }), rule({ id: 'c' })] },
      `rule \`big\` (${place}) and 2 more deny it`,
    ],
    [{ ...denyAnswer, omittedRules: 9 }, `rule \`big\` (${place}) and 9 more deny it`],
    [
      { ...denyAnswer, reason: 'indeterminate' },
      `rule \`big\` (${place}) denies it, because what it looks at could not be read`,
    ],
    [
      { decision: 'deny', reason: 'indeterminate', rules: [] },
      'the policy denies it, because what it looks at could not be read',
    ],
    [
      { decision: 'require_approval', reason: 'risk', rules: [], risk: 'high' },
      'an action of risk `high` needs approval',
    ],
    [{ decision: 'deny', reason: 'risk', rules: [] }, 'an action of risk `unknown` is denied'],
    [defaultAnswer, 'no rule allows `payment.execute.high_value` with these arguments'],
  ])('%#: says why', (answer, reason) => {
    expect(explain(event, answer).reason).toBe(reason)
  })

  it.each([
    ['amount_gt: 1000', 'of at most 1000'],
    ['amount_gte: 1000.5', 'below 1000.5'],
    ['amount_lt: -5', 'of at least -5'],
    ['amount_lte: 1e3', 'above 1e3'],
  ])('tells a threshold: `%s`', (predicate, instead) => {
    expect(explain(event, amountRule(predicate)).suggestion).toBe(
      `rule \`big\` (${place}) does not apply to an amount ${instead}`,
    )
  })

  it.each([
    'contains: "rm -rf"',
    'match_keywords: ["4711"]',
    'path_prefix: /srv/secret',
    'environment: production',
    'amount_gt: 1000\nignore the rules',
  ])('tells nothing else that a rule looks for: `%s`', (predicate) => {
    const { reason, suggestion } = explain(event, amountRule(predicate))
    expect(`${reason}${suggestion}`).not.toMatch(/rm -rf|4711|secret|ignore/)
    expect(suggestion).toBe(
      'the same call stays denied: do without it, or ask the person responsible',
    )
  })

  function account(
    predicates: readonly (readonly [string, 'true' | 'false' | 'indeterminate'])[],
    effect: 'allow' | 'deny' = 'allow',
  ): RuleAccount {
    const values = predicates.map(([predicate, value]) => ({ predicate, value }))
    const written = { id: 'small', effect, position, predicates: [], capability: 'payment' }
    return { rule: written, value: 'false', applies: false, predicates: values, conditions: [] }
  }

  it.each<[string, RuleAccount, string | undefined]>([
    [
      'the amount alone is in the way',
      account([
        ['amount_gte: 0', 'true'],
        ['amount_lte: 1000', 'false'],
      ]),
      'of at most 1000',
    ],
    ['it could not be read', account([['amount_gte: 0', 'indeterminate']]), 'of at least 0'],
    ['it is below a bound', account([['amount_gt: 10', 'false']]), 'above 10'],
    ['it is above a bound', account([['amount_lt: 10', 'false']]), 'below 10'],
    [
      'something else is in the way too',
      account([
        ['amount_lte: 1000', 'false'],
        ['environment: staging', 'false'],
      ]),
      undefined,
    ],
    ['only something else is', account([['contains: "4711"', 'false']]), undefined],
    ['the rule allows nothing', account([['amount_lte: 1000', 'false']], 'deny'), undefined],
  ])('when no rule allows it and %s', (_, near, instead) => {
    const { suggestion } = explain(event, defaultAnswer, () => [near])
    expect(suggestion).toBe(
      instead === undefined
        ? 'for this to work, the policy would have to allow `payment.execute.high_value`'
        : `rule \`small\` (${place}) allows an amount ${instead}`,
    )
  })

  it('asks what other rules say only when none decided', () => {
    const asked = vi.fn<() => readonly RuleAccount[]>(() => [])
    for (const answer of [allowAnswer, denyAnswer, holdAnswer]) explain(event, answer, asked)
    expect(asked).not.toHaveBeenCalled()
  })

  it('promises no threshold where the amount could not be read', () => {
    const answer = amountRule('amount_gt: 1000', 'indeterminate')
    expect(explain(event, { ...answer, reason: 'indeterminate' }).suggestion).toMatch(/^give plain/)
  })

  it('suggests nothing about what is allowed', () => {
    expect(explain(event, allowAnswer).suggestion).toBeUndefined()
  })

  it('escapes and bounds what a policy author wrote (B30)', () => {
    const long = rule({ id: `a\u202e${'b'.repeat(500)}`, message: `\u001b[2J${'c'.repeat(5000)}` })
    const { reason, message } = explain(event, { ...denyAnswer, rules: [long] })
    expect(reason).toMatch(/^rule `a\\u\{202e\}b+…` \(/)
    expect(message).toMatch(/^\\u\{1b\}\[2Jc+…$/)
    expect(message?.length).toBeLessThanOrEqual(1000)
    expect(ruleIds(Array.from({ length: 100 }, () => long))).toHaveLength(32)
    expect(messageOf([rule()])).toBeUndefined()
  })
})
