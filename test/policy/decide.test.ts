import { expect, test } from 'vitest'
import { ActionEvent } from '../../src/event/action-event.ts'
import { loadPolicy } from '../../src/policy/load.ts'

interface Given {
  readonly capability?: string
  readonly environment?: string
  readonly risk?: 'low' | 'medium' | 'high' | 'critical'
  readonly arguments?: Record<string, unknown>
}

function decide(policy: string, given: Given = {}): string {
  const [resource = '', action = '', scope = ''] = (given.capability ?? 'fs.read.ws').split('.')
  const event = ActionEvent.create({
    actor: 'agent',
    resource,
    action,
    scope,
    environment: given.environment ?? 'development',
    risk: given.risk ?? 'low',
    arguments: given.arguments ?? {},
  })
  return loadPolicy([{ path: 'p.yaml', text: policy }]).decide(event).decision
}

const allowAll = 'allow: ["*"]\n'

test.each([
  ['nothing is allowed without a rule', 'allow: []', {}, 'deny'],
  ['deny wins over all', 'deny: [fs]\nrequire_approval: [fs]\nallow: [fs]', {}, 'deny'],
  ['approval wins over allow', 'require_approval: [fs]\nallow: [fs]', {}, 'require_approval'],
  ['a guard ignores case', 'deny: [FS.Read]\nallow: ["*"]', {}, 'deny'],
  ['a grant does not', 'allow: [FS.Read]', {}, 'deny'],
  ['a star inside a name is a glob', 'allow: ["f*.r*d.ws"]', {}, 'allow'],
  ['a glob does not cross names', 'allow: ["f*"]', { capability: 'gfs.read.ws' }, 'deny'],
  [
    'risk only tightens',
    `risk_levels: {high: {action: deny}}\n${allowAll}`,
    { risk: 'high' },
    'deny',
  ],
  [
    'risk does not loosen',
    'risk_levels: {high: {action: allow}}\nallow: []',
    { risk: 'high' },
    'deny',
  ],
  [
    'an approval does not undo a risk that denies',
    'risk_levels: {high: {action: deny}}\nrequire_approval: [fs]',
    { risk: 'high' },
    'deny',
  ],
] as const)('%s', (_, policy, given, expected) => {
  expect(decide(policy, given)).toBe(expected)
})

const guardText = `deny: [{capability: fs, contains: "rm -rf"}]\n${allowAll}`

test.each([
  ['plain', { command: 'rm -rf /' }],
  ['in capitals', { command: 'RM -RF /' }],
  ['with more blanks', { command: 'rm  \t -rf /' }],
  ['full width', { command: 'ｒｍ -rf /' }],
  ['with a zero-width space', { command: 'r\u200bm -rf /' }],
  ['deep inside', { a: [{ b: { c: 'x; rm -rf /' } }] }],
  ['as a name', { 'rm -rf': true }],
  ['as an argument vector', { argv: ['rm', '-rf', '/'] }],
])('B22: a guard finds its text %s', (_, args) => {
  expect(decide(guardText, { arguments: args })).toBe('deny')
})

test('a guard whose text is not there does not apply', () => {
  expect(decide(guardText, { arguments: { command: 'ls' } })).toBe('allow')
})

test('text over the limit is not judged in part: the guard applies', () => {
  expect(decide(guardText, { arguments: { t: 'x'.repeat(300_000) } })).toBe('deny')
})

test.each([
  ['all texts hold it', { a: 'x ok', b: ['ok'] }, 'allow'],
  ['one does not', { a: 'ok', b: 'no' }, 'deny'],
  ['there is no text', { a: 1 }, 'deny'],
  ['a second line', { a: 'ok\nrm -rf /' }, 'deny'],
])('an allow with a text: %s', (_, args, expected) => {
  expect(decide('allow: [{capability: fs, contains: ok}]', { arguments: args })).toBe(expected)
})

const upTo = 'allow: [{capability: fs, amount_lte: 1000}]'
const over = `deny: [{capability: fs, amount_gt: 1000}]\n${allowAll}`

test.each([
  ['1000', { amount: 1000 }, true],
  ['a little more', { amount: '1000.00000000000000001' }, false],
  ['text', { amount: '999.5' }, true],
  ['separators', { amount: '1,000' }, false],
  ['hexadecimal', { amount: '0x10' }, false],
  ['an exponent as text', { amount: '1e2' }, false],
  ['true', { amount: true }, false],
  ['nested below another name', { order: { total: 1500 } }, false],
  ['two, one too large', { amount: 1, order: { price: 5000 } }, false],
  ['none', { note: 'hello' }, false],
  ['a list', { amount: [1, 2] }, false],
  ['an object', { amount: { value: 1 } }, false],
  ['camel case', { totalAmount: 2000 }, false],
])('B21, B22: amounts: %s', (_, args, passes) => {
  expect(decide(upTo, { arguments: args })).toBe(passes ? 'allow' : 'deny')
  // A guard applies to all that the grant does not take.
  if (!passes) expect(decide(over, { arguments: args })).toBe('deny')
})

const under = 'allow: [{capability: fs, path_prefix: /srv/ws}]'

test.each([
  ['/srv/ws/a', true],
  ['/srv/ws', true],
  ['/srv/ws/./a/../b', true],
  ['/srv/ws-evil/a', false],
  ['/srv/ws/../etc', false],
  ['/srv/ws/%2e%2e/etc', false],
  ['/SRV/WS/a', false],
  ['srv/ws/a', false],
  ['~/ws', false],
  ['/srv/ws/$HOME', false],
  ['/srv/ws/a\0b', false],
  ['', false],
])('B19: path %j below /srv/ws: %s', (path, passes) => {
  expect(decide(under, { arguments: { path } })).toBe(passes ? 'allow' : 'deny')
})

test('B19: every path of a call has to be below the prefix', () => {
  expect(decide(under, { arguments: { paths: ['/srv/ws/a', '/etc/passwd'] } })).toBe('deny')
  expect(decide(under, { arguments: { source: '/srv/ws/a', destination: '/etc/x' } })).toBe('deny')
})

test('context comes from the proxy, never from the arguments', () => {
  const policy = 'allow: [{capability: fs, environment: production}]'
  expect(decide(policy, { arguments: { environment: 'production' } })).toBe('deny')
  expect(decide(policy, { environment: 'production' })).toBe('allow')
})

test('B31: names of the prototype are ordinary names', () => {
  expect(decide(upTo, { arguments: { constructor: { amount: 5000 } } })).toBe('deny')
})

test('an answer names its rules, where they stand and what their predicates were', () => {
  const policy = loadPolicy([{ path: 'p.yaml', text: over }])
  const event = ActionEvent.create({
    actor: 'a',
    resource: 'fs',
    action: 'read',
    scope: 's',
    arguments: { amount: 'lots' },
  })
  expect(policy.decide(event)).toMatchObject({
    decision: 'deny',
    reason: 'indeterminate',
    rules: [
      {
        id: 'deny[0]',
        position: { file: 'p.yaml', line: 1 },
        value: 'indeterminate',
        predicates: [{ value: 'indeterminate' }],
      },
    ],
  })
})
