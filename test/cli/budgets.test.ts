import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { TestLog } from './a-log.ts'
import { withLog } from './a-log.ts'
import { capfence, testNowMs } from './capture.ts'

const folder = mkdtempSync(join(tmpdir(), 'capfence-budgets-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const policy = file(
  'p.yaml',
  `budgets:
  - {id: spend, limit: 500, window: 24h, per: [actor], from: [{capability: payment, sum: /amount}]}
  - {id: unused, limit: 5, window: 7d, from: [{capability: ads}]}
allow:
  - {id: pay, capability: payment, limit: {max: 2, window: 2h}}
`,
)
const config = file(
  'capfence.mcp.json',
  JSON.stringify({
    ...{ environment: 'production', actor: 'ops-agent', policies: ['p.yaml'] },
    mcpServers: { x: { command: 'x' } },
  }),
)

/** Calls from 13:00:01 on, an hour before the tests take place. */
async function payments(log: TestLog): Promise<void> {
  await log.call({ tool: 'execute_payment', arguments: { amount: '99.95' }, actor: 'a' })
  await log.call({ tool: 'execute_payment', arguments: { amount: 0.05 }, actor: 'b' })
  const third = await log.call({ tool: 'execute_payment', arguments: { amount: 1 }, actor: 'b' })
  expect(third).toMatchObject({ decision: 'deny', reasonCode: 'limit' })
}

const options = { policies: [policy], folder }
const budgets = (log: TestLog, ...args: readonly string[]): ReturnType<typeof capfence> =>
  capfence(['budgets', '--storage', log.path, ...args])

describe('budgets', () => {
  test('are shown with what is used and left, for each that they are kept apart for', async () => {
    await withLog(
      payments,
      async (log) => {
        const { code, out, err } = await budgets(log, '--config', config)
        expect({ code, err }).toEqual({ code: 0, err: '' })
        expect(out).toBe(`LIMIT   FOR      USED   OF   LEFT    WITHIN  NEXT ROOM
pay     all      2      2    0       2h      in 1h
spend   actor=a  99.95  500  400.05  1d      in 23h
spend   actor=b  0.05   500  499.95  1d      in 23h
unused  all      0      5    5       7d
`)
      },
      options,
    )
  })

  test('for programs, exact and with times', async () => {
    await withLog(
      payments,
      async (log) => {
        const { out } = await budgets(log, '--config', config, '--json')
        const lines = out.trim().split('\n')
        expect(JSON.parse(lines[0] ?? '')).toEqual({
          ...{ schemaVersion: 1, type: 'budget', name: 'pay', per: [], counts: 'calls' },
          ...{ used: '2', limit: '2', left: '0', windowSeconds: 7200 },
          freesAt: '2026-11-25T15:00:01.000Z',
        })
        expect(JSON.parse(lines[1] ?? '')).toMatchObject({ used: '99.95', counts: 'sum' })
        expect(lines).toHaveLength(4)
      },
      options,
    )
  })

  test('without a policy are what was charged, of which nobody knows how much there may be', async () => {
    await withLog(
      payments,
      async (log) => {
        const { out } = await budgets(log)
        expect(out).toContain('budget:spend sum  actor=a  99.95  no limit')
        expect(out).not.toContain('unused')
      },
      options,
    )
  })

  test('that have passed are used no more, and nothing is written', async () => {
    await withLog(
      payments,
      async (log) => {
        const later = { nowMs: testNowMs + 24 * 3_600_000 }
        const args = ['budgets', '--storage', log.path, '--config', config]
        const { out } = await capfence(args, later)
        expect(out).toMatch(/^pay +all +0 +2 +2/m)
        expect((await budgets(log, '--config', config)).out).toMatch(/^pay +all +2 +2 +0/m)
      },
      options,
    )
  })

  test('of a policy without limits are none', async () => {
    await withLog(
      async () => {},
      async (log) => {
        expect(await budgets(log)).toEqual({
          code: 0,
          out: '',
          err: 'capfence: the policy limits nothing, and nothing was charged\n',
        })
      },
    )
  })

  test('without a log are not known', async () => {
    expect(await capfence(['budgets', '--storage', join(folder, 'none.db')])).toMatchObject({
      code: 3,
    })
  })
})
