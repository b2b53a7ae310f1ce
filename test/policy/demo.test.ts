import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadPolicy } from '../../src/policy/load.ts'
import { root } from '../support/root.ts'
import { call } from './support.ts'

const path = 'policies/demo.yaml'
const demo = loadPolicy([{ path, text: readFileSync(`${root}/${path}`, 'utf8') }])

/** The roles that the sample configuration gives to the arguments of its tools. */
const roles = { path: ['/path'], amount: ['/amount'] }

describe('the policy of the sample configuration', () => {
  test.each([
    [
      'filesystem.read.workspace',
      { path: 'fixtures/workspace/notes.txt' },
      'allow',
      'read-workspace',
    ],
    ['filesystem.read.workspace', { path: './fixtures/workspace' }, 'allow', 'read-workspace'],
    ['filesystem.read.workspace', { path: 'fixtures/servers/ops.mjs' }, 'deny', undefined],
    [
      'filesystem.read.workspace',
      { path: 'fixtures/workspace/../../package.json' },
      'deny',
      undefined,
    ],
    ['filesystem.read.workspace', { path: '/etc/passwd' }, 'deny', undefined],
    ['filesystem.read.workspace', {}, 'deny', undefined],
    [
      'filesystem.write.workspace',
      { path: 'fixtures/workspace/a.txt', content: 'x' },
      'allow',
      'write-workspace',
    ],
    ['filesystem.write.workspace', { path: 'src/index.ts', content: 'x' }, 'deny', undefined],
    ['filesystem.move.workspace', { source: 'fixtures/workspace/a.txt' }, 'deny', undefined],
    ['filesystem.delete.workspace', { command: 'rm -rf /var/lib/postgresql' }, 'deny', 'no-rm-rf'],
    [
      'filesystem.delete.workspace',
      { command: 'rm notes.txt' },
      'require_approval',
      'delete-files',
    ],
    [
      'payment.execute.high_value',
      { amount: 1000, currency: 'EUR', recipient: 'a' },
      'allow',
      'small-payment',
    ],
    [
      'payment.execute.high_value',
      { amount: 1000.01, currency: 'EUR', recipient: 'a' },
      'require_approval',
      'large-payment',
    ],
    [
      'payment.execute.high_value',
      { amount: -5, currency: 'EUR', recipient: 'a' },
      'deny',
      undefined,
    ],
    [
      'payment.execute.high_value',
      { currency: 'EUR', recipient: 'a' },
      'require_approval',
      'large-payment',
    ],
  ] as const)('%s with %j: %s', (capability, args, decision, rule) => {
    const answer = demo.decide(call({ capability, arguments: JSON.stringify(args), roles }))
    expect([answer.decision, answer.rules[0]?.id]).toEqual([decision, rule])
  })
})
