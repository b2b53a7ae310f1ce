import { expect, test } from 'vitest'
import { SQLiteLog } from '../../src/storage/sqlite-log.ts'
import type { GateFiles } from './gate.ts'
import { rawGates } from './raw-gates.ts'

const { files, client } = rawGates()

async function refusals(laid: GateFiles): Promise<readonly unknown[]> {
  const log = SQLiteLog.open(laid.database)
  const page = await log.find({ types: ['refusal'], order: 'oldest', count: 100 })
  await log.close()
  return page.records.map(({ data }) => [data['reason'], data['server']])
}

test('a reply that cannot be read answers its call with an error and leaves a record', async () => {
  const laid = files()
  const peer = client(laid, 'raw')
  await peer.initialize()
  const reply = await peer.call('not_a_number')
  expect(reply.error?.message).toContain('sent a reply that was refused')
  expect((await peer.call('echo', { after: 1 })).result).toBeDefined()
  await peer.close()
  expect(await refusals(laid)).toEqual([['syntax', 'raw']])
})

test('a reply over the limit answers its call, and only it', async () => {
  const laid = files({ config: { limits: { maxUpstreamMessageBytes: 100_000 } } })
  const peer = client(laid, 'raw')
  await peer.initialize()
  const slow = peer.request('tools/call', { name: 'late', arguments: { ms: 700 } }, 'slow')
  const reply = await peer.call('big', { bytes: 300_000 })
  expect(reply.error?.message).toContain('over the limit of 100000 bytes')
  expect((await slow).result).toBeDefined()
  await peer.close()
  expect(await refusals(laid)).toEqual([['too_large', 'raw']])
})

test('a refused answer of the client ends the wait of the server that asked', async () => {
  const peer = client(files(), 'raw')
  await peer.initialize({ elicitation: {} })
  peer.send({ id: 'asks', method: 'tools/call', params: { name: 'ask_person', arguments: {} } })
  const { id } = await peer.until(({ method }) => method === 'elicitation/create')
  peer.write(`{"jsonrpc":"2.0","id":${String(id)},"result":{"action":"accept","action":"decline"}}`)
  const reply = await peer.until((message) => message.id === 'asks')
  expect(JSON.stringify(reply.result)).toContain('refused')
})

test('a server that never reads holds up nobody else, and is told of when its bound is hit', async () => {
  const peer = client(files({ servers: { deaf: 'deaf', raw: 'raw' } }))
  await peer.initialize()
  const filler = 'x'.repeat(1_000_000)
  const ids = Array.from({ length: 14 }, (_, index) => `deaf-${String(index)}`)
  for (const id of ids) {
    peer.send({ id, method: 'tools/call', params: { name: 'deaf__any', arguments: { filler } } })
  }
  const refused = await peer.until(({ error }) => error !== undefined)
  expect(refused.error?.message).toContain('server `deaf` does not read its input')
  expect(refused.error?.message).toContain('was not sent')
  for (let count = 0; count < 20; count += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other is what must go on
    const reply = await peer.call('raw__echo', { count })
    expect(reply.result).toBeDefined()
  }
  const answered = peer.received.filter(({ id }) => String(id).startsWith('deaf-'))
  expect(answered.length).toBeGreaterThanOrEqual(5)
  expect(answered.length).toBeLessThan(8)
  peer.send({ method: 'notifications/cancelled', params: { requestId: 'deaf-0' } })
  expect((await peer.request('ping')).result).toEqual({})
}, 30_000)
