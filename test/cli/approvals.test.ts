import { describe, expect, test } from 'vitest'
import { capfence } from './capture.ts'
import type { TestLog } from './a-log.ts'
import { withLog } from './a-log.ts'

async function twoPayments(log: TestLog): Promise<void> {
  await log.call({
    tool: 'execute_payment',
    arguments: { amount: 1500, recipient: 'ACME\u202E', api_key: 'x' },
    actor: 'billing',
  })
  await log.call({ tool: 'execute_payment', arguments: { amount: 5000 } })
  await log.call({ tool: 'execute_payment', arguments: { amount: 5000 } })
}

/** The first asks at 13:00:01 and waits fifteen minutes. */
const at = (time: string): { readonly nowMs: number } => ({
  nowMs: Date.parse(`2026-11-25T${time}Z`),
})

const list = (log: TestLog, ...args: readonly string[]): readonly string[] => [
  'approvals',
  'list',
  '--storage',
  log.path,
  ...args,
]

/** Ids are drawn anew in each test. */
const plain = (text: string): string => text.replaceAll(/apr_[0-9A-Z]{26}/g, 'apr_ID')

describe('what waits for a person', () => {
  test('is shown with all that was asked, once for equal calls', async () => {
    await withLog(twoPayments, async (log) => {
      const { code, out, err } = await capfence(list(log), at('13:05:03'))
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(plain(out)).toBe(`apr_ID  payment.execute.high_value  ops.execute_payment
  asked 5m ago by billing, expires in 9m
  rule large-payment
  message payments over 1000 need a person
  arguments {"amount":1500,"recipient":"ACME\\u202e"} and 1 argument withheld

apr_ID  payment.execute.high_value  ops.execute_payment
  asked 5m ago by agent, expires in 9m
  rule large-payment
  message payments over 1000 need a person
  arguments {"amount":5000}
`)
    })
  })

  test('waits no longer than it may, to the millisecond', async () => {
    await withLog(twoPayments, async (log) => {
      const before = await capfence(list(log, '--json'), at('13:15:00.999'))
      expect(before.out.split('\n').filter((line) => line !== '')).toHaveLength(2)
      const after = await capfence(list(log, '--json'), at('13:15:01.000'))
      expect(after.out.split('\n').filter((line) => line !== '')).toHaveLength(1)
    })
  })

  test('is said to be nothing when nothing waits', async () => {
    await withLog(twoPayments, async (log) => {
      expect(await capfence(list(log), at('14:00:00'))).toEqual({
        code: 0,
        out: '',
        err: 'capfence: no call waits for an approval\n',
      })
      const { out } = await capfence(list(log, '--all'), at('14:00:00'))
      expect(out).toContain('asked 59m ago by billing, expired 44m ago')
    })
    await withLog(
      async () => {},
      async (log) => {
        expect(await capfence(list(log, '--all'))).toEqual({
          code: 0,
          out: '',
          err: 'capfence: no call ever waited for an approval\n',
        })
      },
    )
  })

  test('is a line of JSON each, for programs', async () => {
    await withLog(twoPayments, async (log) => {
      const { out } = await capfence(list(log, '--json', '--all'), at('13:15:01.000'))
      const [first, second] = out.trimEnd().split('\n')
      expect(second).toContain('"state":"pending"')
      const { id, policyHash, ...rest } = JSON.parse(first ?? '') as Record<string, unknown>
      expect(id).toMatch(/^apr_[0-9A-Z]{26}$/)
      expect(policyHash).toMatch(/^[0-9a-f]{64}$/)
      expect(rest).toEqual({
        schemaVersion: 1,
        type: 'approval.request',
        state: 'expired',
        requestedAt: '2026-11-25T13:00:01.000Z',
        expiresAt: '2026-11-25T13:15:01.000Z',
        actor: 'billing',
        server: 'ops',
        tool: 'execute_payment',
        capability: 'payment.execute.high_value',
        environment: 'development',
        session: null,
        rules: ['large-payment'],
        message: 'payments over 1000 need a person',
        terms: { presence: 'any', quorum: 1, uses: 1 },
        decisionSeq: 3,
        argumentsHidden: [],
        argumentsWithheld: 1,
        arguments: { amount: 1500, recipient: 'ACME\u202E' },
      })
    })
  })
})
