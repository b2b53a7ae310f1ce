import { expect, test } from 'vitest'
import { journalCalls } from './gate.ts'
import type { GateFiles, RawClient, Wire } from './gate.ts'
import { rawGates } from './raw-gates.ts'

const { files, client } = rawGates()

const policy = `version: 1
budgets: [{id: spend, limit: 100, window: 1h, from: [{capability: raw, sum: /amount}]}]
allow: [raw]
`

const amountOf = ({ params = {} }: Wire): number =>
  (params['arguments'] as { readonly amount: number }).amount

/** What has reached the server. */
function spent(laid: GateFiles): number {
  return journalCalls(laid, 'raw').reduce((sum, call) => sum + amountOf(call), 0)
}

const isBlocked = ({ result }: Wire): boolean => result?.['isError'] === true

async function gates(laid: GateFiles, count: number): Promise<readonly RawClient[]> {
  const clients = Array.from({ length: count }, () => client(laid))
  await Promise.all(clients.map((one) => one.initialize()))
  return clients
}

test('gates that are processes of their own never spend more than there is, and all of it', async () => {
  const laid = files({ policy })
  const clients = await gates(laid, 2)
  const replies = await Promise.all(
    Array.from({ length: 60 }, async (_, at) => clients[at % 2]?.call('echo', { amount: 3 })),
  )
  expect(replies.filter((reply) => reply !== undefined && !isBlocked(reply))).toHaveLength(33)
  expect(spent(laid)).toBe(99)
})

test('a call that reached the server is not given back, whatever became of it or of its gate', async () => {
  const laid = files({ policy })
  const [first] = await gates(laid, 1)
  if (first === undefined) throw new Error('a gate')
  // The server dies in the middle of it, and is started again for the next one.
  expect(await first.call('die', { amount: 40 })).toHaveProperty('error')
  first.send({
    id: 'taken back',
    method: 'tools/call',
    params: { name: 'never', arguments: { amount: 30 } },
  })
  await first.call('echo', { amount: 10 })
  first.send({ method: 'notifications/cancelled', params: { requestId: 'taken back' } })
  expect(isBlocked(await first.call('echo', { amount: 21 }))).toBe(true)
  first.send({
    id: 'left',
    method: 'tools/call',
    params: { name: 'never', arguments: { amount: 15 } },
  })
  await first.call('echo', { amount: 1 })
  first.process.kill('SIGKILL')
  await first.exit()
  const [next] = await gates(laid, 1)
  expect(isBlocked((await next?.call('echo', { amount: 5 })) ?? {})).toBe(true)
  expect(isBlocked((await next?.call('echo', { amount: 4 })) ?? {})).toBe(false)
  expect(spent(laid)).toBe(100)
})
