import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { loadPolicy } from '../../src/policy/load.ts'
import { root } from '../support/root.ts'
import { call } from './support.ts'

const path = 'policies/ops.yaml'
const ops = loadPolicy([{ path, text: readFileSync(`${root}/${path}`, 'utf8') }])

test('the delete of the seed example is refused by its deny rule', () => {
  const answer = ops.decide(
    call({
      capability: 'filesystem.delete.workspace',
      arguments: '{"command": "rm -rf /var/lib/postgresql"}',
    }),
  )
  expect(answer).toMatchObject({ decision: 'deny', reason: 'rule' })
  expect(answer.rules.map(({ id }) => id)).toEqual(['no-rm-rf'])
  expect(answer.rules[0]?.predicates).toEqual([{ predicate: "contains: 'rm -rf'", value: 'true' }])
})

test.each([
  ['1000', 'allow', 'small-payment'],
  ['1000.00', 'allow', 'small-payment'],
  ['1000.01', 'require_approval', 'large-payment'],
  ['1000.00000000000000001', 'require_approval', 'large-payment'],
  ['"1000.01"', 'require_approval', 'large-payment'],
  ['"1,001"', 'require_approval', 'large-payment'],
  ['-1', 'deny', undefined],
])('a payment of %s: %s', (amount, decision, rule) => {
  const answer = ops.decide(
    call({
      capability: 'payment.execute.high_value',
      arguments: `{"amount": ${amount}, "currency": "EUR", "recipient": "acme"}`,
    }),
  )
  expect(answer.decision).toBe(decision)
  expect(answer.rules[0]?.id).toBe(rule)
})

test('reading the workspace is allowed, and nothing that no rule names', () => {
  expect(ops.decide(call({ capability: 'filesystem.read.workspace' })).decision).toBe('allow')
  expect(ops.decide(call({ capability: 'filesystem.read.home' }))).toEqual({
    decision: 'deny',
    reason: 'default',
    rules: [],
  })
  expect(ops.decide(call({ capability: 'filesystem.delete.workspace' })).decision).toBe('deny')
})
