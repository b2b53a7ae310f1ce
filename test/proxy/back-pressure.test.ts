import { expect, test, vi } from 'vitest'
import { limits } from '../../src/limits.ts'
import { request, shaken } from './harness.ts'

test('back-pressure: a server that does not keep up stops the client, and goes on when it has drained', async () => {
  const { servers, send, settle, congestion, session } = await shaken()
  const { solo } = servers
  if (solo === undefined) throw new Error('no server')
  solo.keepsUp = false
  send(request('prompts/list'))
  await settle()
  expect(congestion).toEqual([true])
  solo.drain()
  expect(congestion).toEqual([true, false])
  session.clientCongested(1)
  expect(solo.isPaused).toBe(true)
  session.clientDrained()
  expect(solo.isPaused).toBe(false)
  expect(congestion).toEqual([true, false])
})

test('a client that writes and never reads is itself no longer read, but not before a good deal waits for it', async () => {
  const { congestion, session } = await shaken()
  session.clientCongested(limits.maxBacklogBytes - 1)
  expect(congestion).toEqual([])
  session.clientCongested(limits.maxBacklogBytes)
  session.clientCongested(limits.maxBacklogBytes + 1)
  session.clientDrained()
  expect(congestion).toEqual([true, false])
})

test('an only server that reads nothing for long: the client is read on, and refused what cannot wait', async () => {
  const { servers, send, settle, congestion, answerTo, gate, logs } = await shaken()
  const { solo } = servers
  if (solo === undefined) throw new Error('no server')
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    solo.keepsUp = false
    solo.backlogBytes = limits.maxBacklogBytes
    send(request('prompts/list', {}, 4))
    solo.backlogBytes = 1000
    send(request('prompts/list', {}, 5))
    solo.backlogBytes = 950
    vi.advanceTimersByTime(limits.maxStallMs)
    expect(congestion).toEqual([true])
    solo.backlogBytes = 900
    vi.advanceTimersByTime(limits.maxStallMs)
    expect(congestion).toEqual([true])
    vi.advanceTimersByTime(limits.maxStallMs)
    expect(congestion).toEqual([true, false])
  } finally {
    vi.useRealTimers()
  }
  expect(logs.at(-1)).toContain('does not read')
  const before = solo.lines.length
  solo.backlogBytes = limits.maxBacklogBytes
  send(request('tools/call', { name: 'x' }, 6))
  send({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' })
  send({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' })
  await settle()
  expect(solo.lines).toHaveLength(before)
  expect(answerTo(4)?.error?.message).toContain('does not read its input')
  expect(answerTo(5)).toBeUndefined()
  expect(answerTo(6)?.error?.message).toContain('was not sent')
  expect(gate.outcomes).toEqual([{ status: 'cancelled', bytes: 0, sent: false }])
  expect(logs.filter((text) => text.includes('are dropped'))).toHaveLength(1)
  expect(congestion).toEqual([true, false])
  solo.drain()
  send(request('tools/call', { name: 'x' }, 7))
  await settle()
  expect(solo.calls).toHaveLength(1)
})

test('B32: what is in flight together is bounded in bytes; a single request is not', async () => {
  const { send, answerTo, gate } = await shaken()
  gate.policy = () => undefined
  const filler = 'x'.repeat(60_000_000)
  for (const id of [1, 2, 3, 4, 5])
    send(request('tools/call', { name: 'x', arguments: { filler } }, id))
  expect([1, 2, 3, 4, 5].map((id) => answerTo(id)?.error?.code)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    -32600,
  ])
  send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } })
  send(request('tools/call', { name: 'x', arguments: { filler } }, 6))
  expect(answerTo(6)).toBeUndefined()
})

test('B32: a server cannot ask without end', async () => {
  const { servers, lines } = await shaken()
  const before = lines.length
  for (let id = 0; id <= limits.maxQuestions; id += 1) {
    servers['solo']?.say({ jsonrpc: '2.0', id, method: 'roots/list' })
  }
  expect(lines.length - before).toBe(limits.maxQuestions)
  expect(servers['solo']?.last).toMatchObject({ id: limits.maxQuestions, error: { code: -32603 } })
})

test('B32: notifications behind a call that waits for its decision are bounded', async () => {
  const { servers, send, gate, logs, settle } = await shaken()
  gate.policy = () => undefined
  send(request('tools/call', { name: 'x' }, 1))
  const note = { jsonrpc: '2.0', method: 'acme/note', params: { filler: 'x'.repeat(1_000_000) } }
  for (let count = 0; count < 20; count += 1) send(note)
  expect(logs.filter((text) => text.includes('a notification too many'))).toHaveLength(11)
  gate.decide('allow')
  await settle()
  expect(servers['solo']?.messages.filter(({ method }) => method === 'acme/note')).toHaveLength(9)
})
