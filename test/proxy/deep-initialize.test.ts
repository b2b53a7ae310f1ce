import { expect, test } from 'vitest'
import { harness, initialize, request } from './harness.ts'

const deep = (levels: number): string => `${'{"a":'.repeat(levels)}{}${'}'.repeat(levels)}`
const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 15))

test.each([100, 126, 127, 128, 2000, 6000, 9990])(
  'B32: a server whose capabilities are %d levels deep ends nothing; the others go on',
  async (levels) => {
    const made = harness(['bad', 'good'])
    made.send(request('initialize', initialize, 'init'))
    const { bad, good } = made.servers
    bad?.raw(
      `{"jsonrpc":"2.0","id":${String(bad.last.id)},"result":{"protocolVersion":"2025-11-25","capabilities":${deep(levels)}}}`,
    )
    good?.say({
      jsonrpc: '2.0',
      id: good.last.id,
      result: { protocolVersion: '2025-11-25', capabilities: { tools: {} } },
    })
    await wait()
    expect(made.answerTo('init')?.result).toMatchObject({ capabilities: { tools: {} } })
    const isLeftOut = made.logs.some((line) => line.includes('`bad`'))
    expect(isLeftOut).toBe(levels > 126)
  },
)
