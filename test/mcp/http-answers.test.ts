import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { event, greeted, json, result, stream } from './http-peer.ts'
import type { Reached } from './http-peer.ts'

describe('an answer', () => {
  test.each([
    ['a message', (one: Reached) => json(one, result(one.message.id, { n: 1 }))],
    [
      'a message of a long type',
      (one: Reached) =>
        json(one, result(one.message.id, { n: 1 }), {
          'content-type': 'Application/JSON; charset="UTF-8"',
        }),
    ],
    ['a stream', (one: Reached) => stream(one).end(event(result(one.message.id, { n: 1 })))],
    [
      'a stream that stays open',
      (one: Reached) => stream(one).write(event(result(one.message.id, { n: 1 }))),
    ],
    [
      'an error with the status of one',
      (one: Reached) => {
        one.response.writeHead(400, { 'content-type': 'application/json' })
        one.response.end(JSON.stringify(result(one.message.id, { n: 1 })))
      },
    ],
  ])('can be %s', async (_, answer) => {
    const [dialled] = await greeted(answer)
    expect(await dialled.ask('tools/call')).toEqual({
      reply: expect.stringContaining('{"n":1}') as string,
    })
  })

  test('a stream split at every byte says the same', async () => {
    const [dialled] = await greeted((one) => {
      const token = { progressToken: one.message.id, progress: 1 }
      const text =
        event({ jsonrpc: '2.0', method: 'notifications/progress', params: token }) +
        event(result(one.message.id, { text: 'hé✓' }))
      const response = stream(one)
      void (async () => {
        for (const byte of Buffer.from(text.replaceAll('\n\n', '\r\n\r\n'))) {
          response.write(Uint8Array.of(byte))
          await new Promise((resolve) => setImmediate(resolve))
        }
        response.end()
      })()
    })
    expect(await dialled.ask('tools/call')).toEqual({
      reply: '{"jsonrpc":"2.0","id":2,"result":{"text":"hé✓"}}',
    })
    expect(dialled.told).toEqual(['progress'])
  })

  const hostile: readonly (readonly [
    name: string,
    answer: (one: Reached) => unknown,
    lost: string | RegExp,
  ])[] = [
    [
      'a web page',
      ({ response }) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
      'sent an answer of the type "text/html"',
    ],
    [
      'no type',
      ({ response }) => response.writeHead(200).end('{}'),
      'sent an answer of the type ""',
    ],
    [
      'B3: another character set',
      (one) =>
        json(one, result(one.message.id), { 'content-type': 'application/json; charset=utf-16' }),
      'sent an answer that cannot be read: its text is not UTF-8',
    ],
    [
      'a compressed body',
      (one) => json(one, result(one.message.id), { 'content-encoding': 'gzip' }),
      'sent an answer that cannot be read: it is compressed, which was not asked for',
    ],
    [
      'B23: the id of another request',
      (one) => json(one, result(99)),
      'sent an answer that is no reply to the request',
    ],
    [
      'B1: a batch',
      (one) => json(one, [result(one.message.id)]),
      'sent an answer that is no reply to the request',
    ],
    ['no JSON', (one) => json(one, '{"jsonrpc":'), /^sent a/],
    ['nothing at all', (one) => json(one, ''), 'sent an answer that is no reply to the request'],
    [
      '202',
      ({ response }) => response.writeHead(202).end(),
      'took a request for one that gets no answer',
    ],
    [
      'a redirect elsewhere',
      ({ response }) => response.writeHead(307, { location: 'http://127.0.0.1:1/mcp' }).end(),
      /^answered 307, a redirect that is not followed/,
    ],
    [
      'a redirect to another host',
      ({ response }) => response.writeHead(308, { location: '//evil.example/mcp' }).end(),
      /^answered 308, a redirect that is not followed/,
    ],
    [
      'a redirect that makes a GET of it',
      ({ response }) => response.writeHead(303, { location: '/other' }).end(),
      /^answered 303, a redirect that is not followed/,
    ],
    [
      'a redirect in a circle',
      ({ response }) => response.writeHead(307, { location: '/mcp' }).end(),
      /^answered 307, a redirect that is not followed/,
    ],
    [
      'no permission',
      ({ response }) => response.writeHead(401, { 'www-authenticate': 'Bearer' }).end(),
      'answered 401: it wants to know who asks with a token or password, which belongs into `headers`',
    ],
    [
      'an error of its web server',
      ({ response }) => response.writeHead(502, { 'content-type': 'text/html' }).end('<p>secret'),
      'answered HTTP 502',
    ],
    [
      'an error with a word',
      ({ response }) =>
        response
          .writeHead(400, { 'content-type': 'application/json' })
          .end(JSON.stringify({ error: { message: `\u001B[31m${'x'.repeat(500)}` } })),
      `answered HTTP 400: "\\u001b[31m${'x'.repeat(195)}"`,
    ],
    [
      'an error without an end',
      ({ response }) => {
        response.writeHead(500, { 'content-type': 'application/json' })
        const more = (): void => {
          if (!response.destroyed) response.write('x'.repeat(10_000), () => setImmediate(more))
        }
        more()
      },
      'answered HTTP 500',
    ],
    [
      'B32: a message over the limit',
      (one) => json(one, result(one.message.id, 'x'.repeat(100_001))),
      'sent a message over the limit of 100000 bytes',
    ],
    [
      'B32: an event over the limit',
      (one) => stream(one).write(event(result(one.message.id, 'x'.repeat(100_001)))),
      'sent a message over the limit of 100000 bytes',
    ],
    [
      'B32: an event without an end',
      (one) => {
        const response = stream(one, 'data: ')
        const more = (): void => {
          if (!response.destroyed) response.write('x'.repeat(10_000), () => setImmediate(more))
        }
        more()
      },
      'sent a message over the limit of 100000 bytes',
    ],
    [
      'a stream that ends too soon',
      (one) => stream(one).end(),
      'ended its answer before the reply',
    ],
    [
      'a stream that breaks',
      (one) => {
        stream(one)
        setTimeout(() => one.response.destroy(), 20)
      },
      'ended its answer before the reply',
    ],
    [
      'a body that breaks',
      ({ response }) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
        response.write('{')
        setTimeout(() => response.destroy(), 20)
      },
      'broke off its answer',
    ],
    ['a closed door', ({ response }) => response.destroy(), /^broke the connection/],
    [
      'a head over the limit',
      ({ response }) =>
        response.writeHead(200, { 'x-long': 'x'.repeat(limits.maxHeadBytes) }).end(),
      'sent a head over the limit',
    ],
    ['no HTTP', ({ response }) => response.socket?.end('hello\r\n\r\n'), /^does not speak HTTP/],
    [
      'the reply to another request in its stream',
      (one) => stream(one).end(event(result(99)) + event(result(1))),
      'ended its answer before the reply',
    ],
  ]
  test.each(hostile)('that is %s loses this request, and no other', async (_, answer, lost) => {
    let isHostile = true
    const [dialled] = await greeted((one) => {
      if (isHostile) answer(one)
      else json(one, result(one.message.id))
    })
    const quiet = dialled.ask('ping')
    const fate = await dialled.ask('tools/call')
    expect(fate).toMatchObject({
      lost: (typeof lost === 'string' ? lost : expect.stringMatching(lost)) as string,
      loss: expect.stringMatching(/died|refused/) as string,
    })
    expect(await quiet).toHaveProperty('reply')
    isHostile = false
    expect(await dialled.ask('tools/call')).toHaveProperty('reply')
    expect(dialled.closed).toBeUndefined()
  })

  test('is not waited for without end', async () => {
    const [dialled] = await greeted(() => undefined, { times: { silenceMs: 300 } })
    expect(await dialled.ask('tools/call')).toEqual({ lost: 'sent nothing for 0 s', loss: 'died' })
  })

  test('a redirect within the server is followed, with the call and the credentials', async () => {
    const [dialled, fake] = await greeted((one) => {
      if (one.request.url === '/mcp/') json(one, result(one.message.id))
      else one.response.writeHead(307, { location: '/mcp/' }).end()
    })
    expect(await dialled.ask('tools/call')).toHaveProperty('reply')
    const followed = fake.reached.filter(({ request }) => request.url === '/mcp/')
    expect(followed.map(({ request }) => request.headers.authorization)).toEqual(['Bearer s3cret'])
  })

  test('a server that is not there has got nothing', async () => {
    const [dialled, fake] = await greeted(() => undefined)
    await fake.close()
    // The end of the connection that was kept is noticed a moment later.
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await dialled.ask('tools/call')).toEqual({
      lost: 'cannot be reached: nothing listens there',
      loss: 'gone',
    })
  })
})
