import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { journalCalls, journalLines, layOut } from './gate.ts'
import type { GateFiles } from './gate.ts'
import { askOf, call, key, revision, text } from './modern-asks.ts'
import type { Asked } from './modern-asks.ts'
import { connectV2 } from './peers.ts'
import { lastMessage, messagesOf, RawHttp, startServe } from './serve.ts'
import type { Served } from './serve.ts'

const folder = mkdtempSync(join(tmpdir(), 'capfence-modern-'))
let laid: GateFiles
let gate: Served

const policy = `version: 1
deny:
  - {id: no-evil, capability: raw.echo.development, contains: evil}
allow:
  - "*"
`

beforeAll(async () => {
  const servers = { raw: 'raw', all: 'everything' } as const
  laid = layOut(folder, { servers, policy, config: { serve: { maxSessions: 100 } } })
  gate = await startServe(laid)
})
afterAll(async () => {
  await gate.stop()
  rmSync(folder, { recursive: true, force: true })
})

const ask = (server: string, asked: Asked, signal?: AbortSignal): Promise<Response> =>
  askOf(new RawHttp(gate.url(server), gate.token), asked, signal)

describe('a request says by itself who sends it', () => {
  test('the gate says what it is, and keeps nothing for long', async () => {
    const discovered = await lastMessage(await ask('all', { method: 'server/discover' }))
    expect(discovered.result).toMatchObject({
      resultType: 'complete',
      supportedVersions: [revision],
      capabilities: { tools: { listChanged: true }, logging: {} },
      instructions: 'Use me for tests.',
      ttlMs: 0,
      cacheScope: 'private',
      _meta: { [key('serverInfo')]: { name: 'everything' } },
    })
  })

  test('lists, calls and refusals are marked as complete; nothing of the envelope reaches a server', async () => {
    const list = await lastMessage(await ask('raw', { method: 'tools/list' }))
    expect(list.result).toMatchObject({ resultType: 'complete', ttlMs: 0, cacheScope: 'private' })
    const meta = { progressToken: 't', 'example.com/kept': [1.0] }
    const echo = await lastMessage(await ask('raw', call('echo', { a: 1 }, { meta })))
    expect(echo).toMatchObject({ id: 1, result: { resultType: 'complete' } })
    expect(text(echo)).toBe('{"a":1}')
    const sent = journalCalls(laid, 'raw').at(-1)
    expect(Object.keys(sent?.params?.['_meta'] ?? {})).toEqual([
      'progressToken',
      'example.com/kept',
    ])
    expect(journalLines(laid.journal('raw')).at(-1)).not.toContain('protocolVersion')
  })

  test('B7: the same rules hold as in every other revision', async () => {
    const before = journalCalls(laid, 'raw').length
    const denied = await lastMessage(await ask('raw', call('echo', { what: 'evil' })))
    expect(denied.result).toMatchObject({ resultType: 'complete', isError: true })
    expect(text(denied)).toContain('no-evil')
    expect(journalCalls(laid, 'raw')).toHaveLength(before)
  })

  test('B23: two clients that say the same of themselves and use the same id get their own answers', async () => {
    const late = (name: string): Promise<Response> => ask('raw', call('late', { ms: 300, name }))
    const answers = await Promise.all([late('a'), late('b'), late('c')])
    const texts = await Promise.all(answers.map(async (one) => text(await lastMessage(one))))
    expect(texts).toEqual(['a', 'b', 'c'].map((name) => JSON.stringify({ ms: 300, name })))
  })

  test('progress comes before the answer, in its stream', async () => {
    const meta = { progressToken: 7 }
    const messages = await messagesOf(await ask('raw', call('progress', {}, { meta })))
    expect(messages.map(({ params, id }) => params?.['progress'] ?? id)).toEqual([1, 2, 3, 1])
    expect(messages[0]?.params?.['progressToken']).toBe(7)
  })

  test('whoever closes the connection takes the call back', async () => {
    const stop = new AbortController()
    const gone = ask('raw', call('never'), stop.signal)
    await expect.poll(() => journalCalls(laid, 'raw').at(-1)?.params?.['name']).toBe('never')
    stop.abort()
    await expect(gone).rejects.toThrow(/abort/)
    await expect
      .poll(() => journalLines(laid.journal('raw')).at(-1))
      .toContain('notifications/cancelled')
  })
})

describe('B6: what headers say and what the request says is the same, or it is refused', () => {
  test.each<readonly [what: string, asked: Asked, code: number, status: number]>([
    ['another method', call('echo', {}, { headers: { 'Mcp-Method': 'ping' } }), -32020, 400],
    ['no method', call('echo', {}, { headers: { 'Mcp-Method': '' } }), -32020, 400],
    ['another tool', call('echo', {}, { headers: { 'Mcp-Name': 'late' } }), -32020, 400],
    ['no tool', call('echo', {}, { headers: { 'Mcp-Name': '' } }), -32020, 400],
    ['a tool in another case', call('echo', {}, { headers: { 'Mcp-Name': 'Echo' } }), -32020, 400],
    [
      'a tool that is badly written',
      call('echo', {}, { headers: { 'Mcp-Name': '=?base64?ZWNobw?=' } }),
      -32020,
      400,
    ],
    [
      'a name where none belongs',
      { method: 'tools/list', headers: { 'Mcp-Name': 'echo' } },
      -32020,
      400,
    ],
    [
      'another revision',
      call('echo', {}, { headers: { 'MCP-Protocol-Version': '2025-11-25' } }),
      -32020,
      400,
    ],
    ['no revision', call('echo', {}, { headers: { 'MCP-Protocol-Version': '' } }), -32020, 400],
    [
      'a revision that nobody speaks',
      call(
        'echo',
        {},
        {
          headers: { 'MCP-Protocol-Version': '2099-01-01' },
          meta: { [key('protocolVersion')]: '2099-01-01' },
        },
      ),
      -32022,
      400,
    ],
    ['no envelope', call('echo', {}, { meta: { [key('protocolVersion')]: null } }), -32602, 400],
    [
      'no capabilities',
      call('echo', {}, { meta: { [key('clientCapabilities')]: null } }),
      -32602,
      400,
    ],
    [
      'capabilities that are none',
      call('echo', {}, { meta: { [key('clientCapabilities')]: [] } }),
      -32602,
      400,
    ],
    [
      'a client without a name',
      call('echo', {}, { meta: { [key('clientInfo')]: {} } }),
      -32602,
      400,
    ],
    [
      'a level that is none',
      call('echo', {}, { meta: { [key('logLevel')]: 'loud' } }),
      -32602,
      400,
    ],
    ['a handshake', { method: 'initialize' }, -32601, 404],
    ['a method of other revisions', { method: 'logging/setLevel' }, -32601, 404],
    [
      'a method of other revisions, without its params',
      { method: 'resources/subscribe' },
      -32601,
      404,
    ],
    ['a method of none', { method: 'tools/run' }, -32601, 404],
  ])('%s', async (_, asked, code, status) => {
    const before = journalCalls(laid, 'raw').length
    const response = await ask('raw', asked)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ id: 1, error: { code } })
    expect(journalCalls(laid, 'raw')).toHaveLength(before)
  })

  test('B1: a batch is refused here, too', async () => {
    const client = new RawHttp(gate.url('raw'), gate.token)
    const response = await client.post('[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]', {
      'MCP-Protocol-Version': revision,
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: -32600 } })
  })

  test('a name in Base64 is the name', async () => {
    const Name = `=?base64?${Buffer.from('echo').toString('base64')}?=`
    const echo = await ask('raw', call('echo', { a: 1 }, { headers: { 'Mcp-Name': Name } }))
    expect(text(await lastMessage(echo))).toBe('{"a":1}')
  })

  test('what a header has to repeat of the arguments is looked at, although the client never listed tools', async () => {
    const send = (
      args: Record<string, unknown>,
      headers: Record<string, string>,
    ): Promise<Response> => ask('raw', call('region', args, { headers }))
    const right = await send(
      { region: 'eu', count: 1 },
      { 'Mcp-Param-Region': 'eu', 'Mcp-Param-Count': '1.0' },
    )
    expect(text(await lastMessage(right))).toContain('eu')
    const wrong: readonly Record<string, string>[] = [
      { 'Mcp-Param-Region': 'us', 'Mcp-Param-Count': '1' },
      { 'Mcp-Param-Count': '1' },
      { 'Mcp-Param-Region': 'eu', 'Mcp-Param-Count': '2' },
      { 'Mcp-Param-Region': 'eu', 'Mcp-Param-Count': '1', 'Mcp-Param-Dry': 'true' },
    ]
    const answers = await Promise.all(
      wrong.map((headers) => send({ region: 'eu', count: 1 }, headers)),
    )
    for (const answer of answers) {
      expect(answer.status).toBe(400)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await answer.json()).toMatchObject({ error: { code: -32020 } })
    }
  })
})

describe('subscriptions', () => {
  let stop = new AbortController()
  afterEach(() => {
    stop.abort()
    stop = new AbortController()
  })

  /** What a stream has said so far. */
  async function listen(notifications: unknown, id: string | number = 'sub'): Promise<string[]> {
    const response = await ask(
      'all',
      { method: 'subscriptions/listen', id, params: { notifications } },
      stop.signal,
    )
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const seen: string[] = []
    const read = async (): Promise<void> => {
      for await (const chunk of response.body ?? [])
        seen.push(Buffer.from(chunk as Uint8Array).toString())
    }
    read().catch(() => undefined)
    return seen
  }

  test('only what was asked for is told, under the id of who asked', async () => {
    const tools = await listen({ toolsListChanged: true, promptsListChanged: false }, 'tools')
    const note = await listen({ resourceSubscriptions: ['note://one'] }, 17)
    const other = await listen({ resourceSubscriptions: ['note://two'] }, 18)
    await expect.poll(() => tools.join('')).toContain('notifications/subscriptions/acknowledged')
    expect(tools.join('')).toContain('"notifications":{"toolsListChanged":true}')
    await ask('all', call('grow'))
    await ask('all', call('touch'))
    await expect.poll(() => tools.join('')).toContain('notifications/tools/list_changed')
    await expect.poll(() => note.join('')).toContain('notifications/resources/updated')
    expect(tools.join('')).toContain(`"${key('subscriptionId')}":"tools"`)
    expect(note.join('')).toContain(`"${key('subscriptionId')}":17`)
    expect(tools.join('')).not.toContain('resources/updated')
    expect(other.join('')).not.toContain('resources/updated')
  })

  test('what servers do not tell is not promised, and the stream ends', async () => {
    const none = await listen({ promptsListChanged: 1, nonsense: true }, 'none')
    await expect.poll(() => none.join('')).toContain('"resultType":"complete"')
  })

  test.each([undefined, [], 'x', { resourceSubscriptions: 'x' }, { resourceSubscriptions: [1] }])(
    'a wish that is none is refused: %j',
    async (notifications) => {
      const asked = { method: 'subscriptions/listen', params: { notifications } }
      const reply = await lastMessage(await ask('all', asked))
      expect(reply).toMatchObject({ error: { code: -32602 } })
    },
  )

  test('log lines are for who asked for them, from the level on that was asked for', async () => {
    const lines = async (logLevel: string | null): Promise<unknown> => {
      const meta = logLevel === null ? {} : { [key('logLevel')]: logLevel }
      const messages = await messagesOf(await ask('all', call('log', {}, { meta })))
      return messages.filter(({ method }) => method === 'notifications/message').length
    }
    expect(await lines(null)).toBe(0)
    expect(await lines('debug')).toBe(1)
    expect(await lines('emergency')).toBe(0)
  })
})

test('several servers at one address, with a real client', async () => {
  const peer = await connectV2({ url: gate.url(), token: gate.token }, 'auto')
  expect(peer.revision).toBe(revision)
  expect(await peer.tools()).toEqual(expect.arrayContaining(['raw__echo', 'all__echo']))
  expect((await peer.call('all__elicit')).content[0]?.text).toContain('blue')
  const denied = await peer.call('raw__echo', { a: 'evil' })
  expect(denied.isError).toBe(true)
  await peer.close()
})
