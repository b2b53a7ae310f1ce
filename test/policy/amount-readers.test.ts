import { expect, test } from 'vitest'
import { ActionEvent } from '../../src/event/action-event.ts'
import { Decimal } from '../../src/json/decimal.ts'
import type { JsonObject, JsonValue } from '../../src/json/value.ts'
import { loadPolicy } from '../../src/policy/load.ts'
import { PolicyError } from '../../src/policy/problem.ts'

/** Numbers keep the text of the message, as the gate's scanner hands them over. */
function decide(policy: string, name: string, value: JsonValue): string {
  const given: JsonObject = Object.assign(Object.create(null) as object, { [name]: value })
  const event = ActionEvent.of({
    actor: 'agent',
    capability: { resource: 'pay', action: 'execute', scope: 'any' },
    environment: 'test',
    risk: 'low',
    arguments: given,
  })
  return loadPolicy([{ path: 'p.yaml', text: policy }]).decide(event).decision
}

const guard = (condition: string): string =>
  `deny: [{capability: pay, ${condition}}]\nallow: ["*"]\n`
const grant = (condition: string): string => `allow: [{capability: pay, ${condition}}]\n`

test.each([
  // A server with doubles takes these for 1000, one with decimals does not.
  ['999.99999999999999999', 'amount_gte: 1000', 'amount_lt: 1000'],
  ['1000.00000000000000001', 'amount_gt: 1000', 'amount_lte: 1000'],
  ['1000.00000000000000001', 'amount_lte: 1000', 'amount_gt: 1000'],
  ['9007199254740993', 'amount_lte: 9007199254740992', 'amount_gt: 9007199254740992'],
  ['9007199254740993', 'amount_gt: 9007199254740992', 'amount_lte: 9007199254740992'],
  // One finds infinity, another a number.
  ['1e400', 'amount_lt: 5', 'amount_gt: 5'],
  ['-1e400', 'amount_gt: 5', 'amount_lt: 5'],
  // One finds zero, another something more.
  ['1e-400', 'amount_lte: 0', 'amount_gt: 0'],
  ['1e-400', 'amount_gt: 0', 'amount_lte: 0'],
])(
  'B21: %s, which readers take for two numbers, is denied by `%s` and not allowed by `%s`',
  (...given) => {
    const [text, guarded, granted] = given
    expect(decide(guard(guarded), 'amount', new Decimal(text))).toBe('deny')
    expect(decide(grant(granted), 'amount', new Decimal(text))).toBe('deny')
  },
)

test('B21: as text, too', () => {
  expect(decide(guard('amount_gte: 1000'), 'amount', '999.99999999999999999')).toBe('deny')
  expect(decide(grant('amount_lt: 1000'), 'amount', '999.99999999999999999')).toBe('deny')
})

test('B21: in cents, too', () => {
  expect(decide(guard('amount_gte: 1000'), 'amount_cents', '99999.999999999999999')).toBe('deny')
  expect(decide(grant('amount_lt: 1000'), 'amount_cents', '999.9999999999999999999')).toBe('deny')
})

test.each([
  ['0', 'amount_lte: 0'],
  ['-0', 'amount_lte: 0'],
  ['0.0e-500', 'amount_lte: 0'],
  ['1e3', 'amount_lte: 1000'],
  ['1000.0000000000000', 'amount_lte: 1000'],
  ['0.1', 'amount_lte: 0.1'],
  ['0.1000000000000000000000', 'amount_lte: 0.1'],
  ['12345678901234567', 'amount_lte: 12345678901234568'],
  ['1e308', 'amount_gt: 5'],
  ['5e-324', 'amount_gt: 0'],
])('%s means the same to every reader of `%s`, and is allowed', (text, granted) => {
  expect(decide(grant(granted), 'amount', new Decimal(text))).toBe('allow')
})

test.each(['1e400', '-1e400', '1e-400'])('B21: the threshold %s is refused', (threshold) => {
  const policy = guard(`amount_gt: ${threshold}`)
  expect(() => loadPolicy([{ path: 'p.yaml', text: policy }])).toThrow(PolicyError)
})
