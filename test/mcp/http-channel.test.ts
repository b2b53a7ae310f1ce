import { describe, expect, test } from 'vitest'
import {
  dial,
  event,
  greeted,
  initialized,
  isCall,
  json,
  polite,
  result,
  stream,
} from './http-peer.ts'
import type { Reached } from './http-peer.ts'

describe('a session', () => {
  test('has its id, its revision and the configured headers in every request after the first', async () => {
    const [dialled, fake] = await dial(polite())
    await dialled.initialize()
    await dialled.ask('tools/call')
    await dialled.connection.stop()
    const heads = fake.reached.map(({ request: { method, headers } }) => [
      method,
      headers['mcp-session-id'],
      headers['mcp-protocol-version'],
      headers.authorization,
    ])
    const later = ['the-session', '2025-11-25', 'Bearer s3cret']
    expect(heads).toHaveLength(5)
    expect(heads[0]).toEqual(['POST', undefined, undefined, 'Bearer s3cret'])
    expect(heads).toContainEqual(['GET', ...later])
    expect(heads.filter((head) => head[0] === 'POST').slice(1)).toEqual([
      ['POST', ...later],
      ['POST', ...later],
    ])
    expect(heads.at(-1)).toEqual(['DELETE', ...later])
    expect(dialled.closed).toBe('was left')
  })

  test('nothing overtakes what gets no answer', async () => {
    const [dialled, fake] = await dial(
      polite(({ message, response }) => {
        if (message.method !== 'notifications/initialized') return false
        setTimeout(() => response.writeHead(202).end(), 200)
        return true
      }),
    )
    await dialled.ask('initialize')
    dialled.tell('notifications/initialized')
    const call = dialled.ask('tools/call')
    await expect.poll(() => fake.seen).toHaveLength(2)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(fake.seen).toEqual(['POST initialize', 'POST notifications/initialized'])
    expect(await call).toHaveProperty('reply')
  })

  test('is over at 404; the call is not sent again, and the owner is told', async () => {
    const [dialled, fake] = await greeted(({ response }) => response.writeHead(404).end())
    expect(await dialled.ask('tools/call')).toEqual({ lost: 'has ended the session', loss: 'died' })
    await expect.poll(() => dialled.closed).toBe('has ended the session')
    expect(fake.seen.filter((line) => line === 'POST tools/call')).toHaveLength(1)
  })

  test('is over too when a server says so with 400', async () => {
    const error = { code: -32_000, message: 'Bad Request: No valid session ID provided' }
    const [dialled] = await greeted((one) => {
      one.response.writeHead(400, { 'content-type': 'application/json' })
      one.response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error }))
    })
    expect(await dialled.ask('tools/call')).toMatchObject({ lost: 'has ended the session' })
    await expect.poll(() => dialled.closed).toBe('has ended the session')
  })

  test('404 on the stream of notifications ends nothing: many servers have none', async () => {
    const [dialled, fake] = await dial(
      polite(({ request, response }) => {
        if (request.method !== 'GET') return false
        response.writeHead(404).end()
        return true
      }),
    )
    await dialled.initialize()
    await expect.poll(() => fake.seen).toContain('GET')
    expect(await dialled.ask('tools/call')).toHaveProperty('reply')
    expect(dialled.closed).toBeUndefined()
  })

  test.each([
    ['a space', 'a b'],
    ['nothing', ''],
    ['too much', 'x'.repeat(1025)],
  ])('an id of %s is refused with the handshake', async (_, id) => {
    const [dialled] = await dial((one) =>
      json(one, result(one.message.id, initialized), { 'mcp-session-id': id }),
    )
    expect(await dialled.ask('initialize')).toMatchObject({
      lost: 'gave its session an id that is none',
    })
    expect(dialled.closed).toBe('gave its session an id that is none')
  })

  test('without an id there is none to leave', async () => {
    const [dialled, fake] = await dial((one) =>
      one.message.id === undefined
        ? one.response.writeHead(202).end()
        : json(one, result(one.message.id, initialized)),
    )
    await dialled.initialize()
    await dialled.connection.stop()
    expect(fake.seen).not.toContain('DELETE')
  })
})

describe('a stream that ends before the reply', () => {
  const note = { jsonrpc: '2.0', method: 'notifications/message', params: {} }

  test('goes on after its last event; the request is not sent again', async () => {
    const [dialled, fake] = await dial(
      polite((one) => {
        if (isCall(one)) {
          stream(one, `retry: 100\n${event(note, 'first')}`).end()
          return true
        }
        if (one.request.headers['last-event-id'] === undefined) return false
        stream(one, event(result(2, { late: true }), 'second')).end()
        return true
      }),
    )
    await dialled.initialize()
    expect(await dialled.ask('tools/call')).toMatchObject({
      reply: expect.stringContaining('late') as string,
    })
    expect(fake.seen.filter((line) => line === 'POST tools/call')).toHaveLength(1)
    const resumed = fake.reached.map(({ request }) => request.headers['last-event-id'])
    expect(resumed.filter((id) => id !== undefined)).toEqual(['first'])
    expect(dialled.told).toEqual(['notification notifications/message'])
  })

  test('B23: what it goes on with cannot answer another request', async () => {
    const [dialled] = await dial(
      polite((one) => {
        if (isCall(one)) {
          stream(one, `retry: 100\n${event(note, 'first')}`).end()
          return true
        }
        if (one.request.headers['last-event-id'] === undefined) return false
        stream(one, event(result(3, { stolen: true })) + event(result(2, {}))).end()
        return true
      }),
    )
    await dialled.initialize()
    const both = await Promise.all([dialled.ask('tools/call'), dialled.ask('ping')])
    expect(JSON.stringify(both)).not.toContain('stolen')
    expect(dialled.told).toContain('dropped a reply where another one belongs')
  })

  test.each([
    ['refuses', (one: Reached) => void one.response.writeHead(400).end()],
    ['answers with something else', (one: Reached) => json(one, result(2))],
  ])('is lost when the server %s to go on', async (_, answer) => {
    const [dialled] = await dial(
      polite((one) => {
        if (isCall(one)) {
          stream(one, `retry: 100\n${event(note, 'first')}`).end()
          return true
        }
        if (one.request.headers['last-event-id'] === undefined) return false
        answer(one)
        return true
      }),
    )
    await dialled.initialize()
    expect(await dialled.ask('tools/call')).toEqual({
      lost: 'ended its answer before the reply and does not go on with it',
      loss: 'died',
    })
  })
})

describe('the stream of what is no answer', () => {
  const changed = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' }

  test('is asked for after the handshake, and again from its last event when it ends', async () => {
    let asked = 0
    const [dialled, fake] = await dial(
      polite((one) => {
        if (one.request.method !== 'GET') return false
        asked += 1
        const response = stream(one, `retry: 100\n${event(changed, `e${String(asked)}`)}`)
        if (asked < 3) response.end()
        return true
      }),
    )
    await dialled.initialize()
    await expect.poll(() => asked).toBe(3)
    const ids = fake.reached
      .filter(({ request }) => request.method === 'GET')
      .map(({ request }) => request.headers['last-event-id'])
    expect(ids).toEqual([undefined, 'e1', 'e2'])
    await expect.poll(() => dialled.told).toHaveLength(3)
  })

  test('B23: holds no replies', async () => {
    const [dialled] = await dial(
      polite((one) => {
        if (isCall(one)) return true
        if (one.request.method !== 'GET') return false
        setTimeout(() => one.response.write(event(result(2, { forged: true }))), 200)
        stream(one)
        return true
      }),
      { times: { silenceMs: 800 } },
    )
    await dialled.initialize()
    expect(await dialled.ask('tools/call')).toMatchObject({ loss: 'died' })
    expect(dialled.told).toContain('dropped a reply where another one belongs')
  })

  test('B32: a message over the limit is dropped, and the stream begun anew', async () => {
    let asked = 0
    const [dialled, fake] = await dial(
      polite((one) => {
        if (one.request.method !== 'GET') return false
        asked += 1
        const long = { ...changed, params: { x: 'x'.repeat(100_000) } }
        stream(one, event(asked === 1 ? long : changed, String(asked)))
        return true
      }),
    )
    await dialled.initialize()
    await expect
      .poll(() => dialled.told, { timeout: 5000 })
      .toEqual([
        'trouble sent a message over the limit of 100000 bytes, which was dropped',
        'notification notifications/tools/list_changed',
      ])
    expect(fake.reached.at(-1)?.request.headers['last-event-id']).toBeUndefined()
  })
})

test('a cancelled call is cancelled at the server before its stream is closed', async () => {
  const order: string[] = []
  const [dialled, fake] = await dial(
    polite((one) => {
      if (one.message.method === 'notifications/cancelled') order.push('told')
      if (!isCall(one)) return false
      stream(one).on('close', () => order.push('closed'))
      return true
    }),
  )
  await dialled.initialize()
  void dialled.ask('tools/call')
  await expect.poll(() => fake.seen).toContain('POST tools/call')
  dialled.connection.cancel(2)
  await expect.poll(() => order).toEqual(['told', 'closed'])
})

test('what the gate does not read, the server cannot send', async () => {
  let written = 0
  const [dialled, fake] = await greeted((one) => {
    const response = stream(one)
    const note = event({ jsonrpc: '2.0', method: 'notifications/message', params: {} }).repeat(100)
    const more = (): void => {
      if (response.destroyed) return
      response.write(note, () => {
        written += note.length
        setImmediate(more)
      })
    }
    more()
  })
  void dialled.ask('tools/call')
  await expect.poll(() => fake.seen).toContain('POST tools/call')
  dialled.connection.pause()
  await new Promise((resolve) => setTimeout(resolve, 700))
  const before = [written, dialled.told.length]
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect([written, dialled.told.length]).toEqual(before)
  dialled.connection.resume()
  await expect.poll(() => written).toBeGreaterThan(before[0] ?? 0)
})

test('a backlog is told, and its end', async () => {
  const [dialled] = await greeted((one) => json(one, result(one.message.id)))
  const call = dialled.ask('tools/call', JSON.stringify({ x: 'x'.repeat(5_000_000) }))
  expect(dialled.told).toEqual(['congested true'])
  expect(await call).toHaveProperty('reply')
  expect(dialled.told).toEqual(['congested true', 'congested false'])
  expect(dialled.connection.backlogBytes).toBe(0)
})

test('at the end, answers that are on their way are waited for, for a moment', async () => {
  const [dialled] = await greeted((one) => {
    setTimeout(() => json(one, result(one.message.id, { late: true })), 200)
  })
  const call = dialled.ask('tools/call')
  await dialled.connection.stop()
  expect(await call).toMatchObject({ reply: expect.stringContaining('late') as string })
})

test('at the end, a server that answers nothing is left in less than two seconds', async () => {
  const [dialled] = await dial(polite((one) => isCall(one) || one.request.method === 'DELETE'))
  await dialled.initialize()
  const call = dialled.ask('tools/call')
  const started = performance.now()
  await dialled.connection.stop()
  expect(performance.now() - started).toBeLessThan(1900)
  expect(await call).toEqual({ lost: 'was left', loss: 'died' })
})
