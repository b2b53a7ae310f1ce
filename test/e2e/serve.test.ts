import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { sha256Hex } from '../../src/crypto/sha256.ts'
import { cli } from '../support/dist.ts'
import { journalCalls, layOut } from './gate.ts'
import type { GateFiles, GateOptions, Wire } from './gate.ts'
import { startHttpServer } from './http-peer.ts'
import { connectV1, connectV2 } from './peers.ts'
import { lastMessage, messagesOf, RawHttp, startServe } from './serve.ts'
import type { Served } from './serve.ts'

const folders: string[] = []
let open: { stop(): Promise<unknown> }[] = []

afterEach(async () => {
  await Promise.all(open.map((one) => one.stop()))
  open = []
})
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function files(options: GateOptions): GateFiles {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-serve-'))
  folders.push(folder)
  return layOut(folder, options)
}

async function served(
  options: GateOptions,
  ...flags: readonly string[]
): Promise<readonly [Served, GateFiles]> {
  const laid = files(options)
  const gate = await startServe(laid, ...flags)
  open.push(gate)
  return [gate, laid]
}

/** Runs a command of the program to its end. */
function command(...args: readonly string[]): {
  readonly status: number | null
  readonly text: string
} {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
  })
  return { status, text: stdout + stderr }
}

const raw: GateOptions = { servers: { raw: 'raw' } }

describe('sessions', () => {
  test('each has servers of its own, which end with it', async () => {
    const [gate] = await served(raw)
    const [one, two] = [new RawHttp(gate.url(), gate.token), new RawHttp(gate.url(), gate.token)]
    await one.initialize()
    await two.initialize()
    expect(one.headers['Mcp-Session-Id']).not.toBe(two.headers['Mcp-Session-Id'])
    expect(one.headers['Mcp-Session-Id']).toMatch(/^[\w-]{32}$/)
    expect(await one.call('die')).toMatchObject({ error: { code: -32603 } })
    expect(await two.call('echo', { x: 1 })).toMatchObject({
      result: { content: [{ text: '{"x":1}' }] },
    })
    expect((await one.delete()).status).toBe(204)
    expect((await one.post({ id: 1, method: 'ping' })).status).toBe(404)
    expect((await one.delete()).status).toBe(404)
    expect((await two.post({ id: 1, method: 'ping' })).status).toBe(200)
  })

  test('nothing begins one but `initialize`, and none is found under a made-up id', async () => {
    const [gate] = await served(raw)
    const client = new RawHttp(gate.url(), gate.token)
    const call = { id: 5, method: 'tools/call', params: { name: 'echo' } }
    const without = await client.post(call)
    expect(without.status).toBe(400)
    expect(await without.json()).toMatchObject({ id: 5, error: { code: -32600 } })
    expect((await client.get()).status).toBe(400)
    expect((await client.delete()).status).toBe(400)
    const made = { 'Mcp-Session-Id': 'a'.repeat(32) }
    expect((await client.post(call, made)).status).toBe(404)
    expect((await client.get(made)).status).toBe(404)
  })

  test('B23: two requests with the same id at the same time, in one session and in two', async () => {
    const [gate] = await served(raw)
    const [one, two] = [new RawHttp(gate.url(), gate.token), new RawHttp(gate.url(), gate.token)]
    await Promise.all([one.initialize(), two.initialize()])
    const late = (client: RawHttp, name: string): Promise<Wire> =>
      client.call('late', { ms: 300, name }, 'same')
    const first = late(one, 'first')
    await new Promise((resolve) => setTimeout(resolve, 100))
    const answers = await Promise.all([first, late(one, 'second'), late(two, 'third')])
    expect(answers.map((answer) => answer.error?.code ?? text(answer))).toEqual([
      '{"ms":300,"name":"first"}',
      -32600,
      '{"ms":300,"name":"third"}',
    ])
  })

  test('B32: there are no more sessions than there may be', async () => {
    const [gate] = await served({ ...raw, config: { serve: { maxSessions: 2 } } })
    const clients = [1, 2, 3].map(() => new RawHttp(gate.url(), gate.token))
    const begin = (client: RawHttp): Promise<Response> =>
      client.post({ id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25' } })
    const statuses: number[] = []
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (const client of clients) statuses.push((await begin(client)).status)
    expect(statuses).toEqual([200, 200, 503])
  })

  test('B32: there are no more processes than there may be', async () => {
    const options = {
      servers: { a: 'raw', b: 'raw' },
      config: { serve: { maxProcesses: 3 } },
    } as const
    const [gate] = await served(options)
    await new RawHttp(gate.url(), gate.token).initialize()
    const second = await new RawHttp(gate.url(), gate.token).initialize()
    expect(second.error?.message).toContain('as many sessions as there may be')
    const small = new RawHttp(gate.url('a'), gate.token)
    await small.initialize()
    expect(small.headers['Mcp-Session-Id']).toMatch(/./)
    const tooMany = files({ ...options, config: { serve: { maxProcesses: 1 } } })
    const { status, text: said } = command('serve', '--config', tooMany.config)
    expect(status).toBe(2)
    expect(said).toContain('one session takes 2 processes')
  })
})

const text = (message: Wire): string | undefined =>
  (message.result as { content?: { text?: string }[] } | undefined)?.content?.[0]?.text

describe('answers', () => {
  test('are plain where nothing comes before the reply, else a stream that ends with it', async () => {
    const [gate] = await served(raw)
    const client = new RawHttp(gate.url(), gate.token)
    await client.initialize()
    const call = (name: string, more = {}): Promise<Response> =>
      client.post({ id: 1, method: 'tools/call', params: { name, ...more } })
    const plain = await call('echo')
    expect(plain.headers.get('content-type')).toBe('application/json')
    const stream = await call('progress', { _meta: { progressToken: 'p' } })
    expect(stream.headers.get('content-type')).toBe('text/event-stream')
    expect(stream.headers.get('x-accel-buffering')).toBe('no')
    const messages = await messagesOf(stream)
    expect(messages.map(({ params, id }) => params?.['progress'] ?? id)).toEqual([1, 2, 3, 1])
    expect(messages[0]?.params?.['progressToken']).toBe('p')
  })

  test('a notification and an answer are accepted without one', async () => {
    const [gate] = await served(raw)
    const client = new RawHttp(gate.url(), gate.token)
    await client.initialize()
    const note = await client.post({ method: 'notifications/roots/list_changed' })
    expect([note.status, await note.text()]).toEqual([202, ''])
    const answer = await client.post({ id: 99, result: {} })
    expect([answer.status, await answer.text()]).toEqual([202, ''])
  })

  test('a cancelled call has its stream ended, and the next one is served', async () => {
    const [gate] = await served(raw)
    const client = new RawHttp(gate.url(), gate.token)
    await client.initialize()
    const never = client.post({ id: 'n', method: 'tools/call', params: { name: 'never' } })
    await new Promise((resolve) => setTimeout(resolve, 200))
    await client.post({ method: 'notifications/cancelled', params: { requestId: 'n' } })
    expect(await messagesOf(await never)).toEqual([])
    expect(text(await client.call('echo', { on: 1 }))).toBe('{"on":1}')
  })

  test('a message on several lines reaches a server as one, unchanged but for them', async () => {
    const [gate, laid] = await served(raw)
    const client = new RawHttp(gate.url(), gate.token)
    await client.initialize()
    const call = { id: 1, method: 'tools/call', params: { name: 'echo', arguments: { a: 'b\nc' } } }
    const pretty = JSON.stringify({ jsonrpc: '2.0', ...call }, null, 2).replaceAll('\n', '\r\n')
    expect(text(await lastMessage(await client.post(pretty)))).toBe('{"a":"b\\nc"}')
    expect(journalCalls(laid, 'raw')).toHaveLength(1)
  })

  test('what belongs to no request waits for a stream, and a newer stream takes over', async () => {
    const [gate] = await served({ servers: { all: 'everything' } })
    const client = new RawHttp(gate.url(), gate.token)
    await client.initialize()
    const older = await client.get()
    const stop = new AbortController()
    const newer = await client.get({}, stop.signal)
    expect(await older.text()).not.toContain('data')
    await client.call('grow')
    const part = await firstPart(newer)
    expect(part).toContain('notifications/tools/list_changed')
    stop.abort()
  })
})

describe('the end', () => {
  test('a call on its way is answered, new ones are refused, and the exit code is 0', async () => {
    const [gate, laid] = await served(raw)
    const client = new RawHttp(gate.url(), gate.token)
    await client.initialize()
    const late = client.call('late', { ms: 800 })
    await expect.poll(() => journalCalls(laid, 'raw')).toHaveLength(1)
    open = []
    const ended = gate.stop()
    expect(text(await late)).toBe('{"ms":800}')
    expect(await ended).toBe(0)
    await expect(client.post({ id: 9, method: 'ping' })).rejects.toThrow(/fetch failed/)
    const { text: logs } = command('logs', '--orphans', '--config', laid.config)
    expect(logs).not.toContain('late')
  })

  test('a second signal waits for nothing', async () => {
    const [gate, laid] = await served(raw)
    const client = new RawHttp(gate.url(), gate.token)
    await client.initialize()
    const never = client.call('never')
    await expect.poll(() => journalCalls(laid, 'raw')).toHaveLength(1)
    open = []
    const started = Date.now()
    void gate.stop()
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(await gate.stop()).toBe(0)
    expect(Date.now() - started).toBeLessThan(5000)
    expect(await never).toMatchObject({ error: { code: -32603 } })
  })
})

describe('who may come in', () => {
  test('B15: the token is made at the first start, for this user alone, and kept', async () => {
    const [gate, laid] = await served(raw)
    const path = `${laid.database}.token`
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(gate.token).toMatch(/^capfence_[\w-]{43}$/)
    expect(gate.stderr()).toContain(path)
    expect(gate.stderr()).not.toContain(gate.token)
    await gate.stop()
    open = []
    const again = await startServe(laid)
    open.push(again)
    expect(again.token).toBe(gate.token)
  })

  test.each<readonly [what: string, change: (path: string) => void, says: string]>([
    [
      'that others can read',
      (path) => chmodSync(path, 0o644),
      'can be read or changed by other users',
    ],
    [
      'that holds no token',
      (path) => writeFileSync(path, 'hunter2\n'),
      'holds no token of CapFence',
    ],
  ])('a token file %s stops the start', async (_, change, says) => {
    const [gate, laid] = await served(raw)
    await gate.stop()
    open = []
    change(`${laid.database}.token`)
    const { status, text: said } = command('serve', '--config', laid.config, '--port', '0')
    expect(status).toBe(3)
    expect(said).toContain(says)
    expect(said).not.toContain('hunter2')
  })

  test('tokens of the configuration are digests, and each has its actor in the log', async () => {
    const made = JSON.parse(command('serve', 'token', '--json').text) as Record<string, string>
    const token = made['token'] ?? ''
    expect(made['sha256']).toBe(sha256Hex(token))
    const tokens = [{ sha256: made['sha256'], actor: 'ci' }]
    const [gate, laid] = await served({ ...raw, config: { serve: { tokens } } })
    const client = new RawHttp(gate.url(), token)
    await client.initialize()
    await client.call('echo')
    await gate.stop()
    open = []
    const { text: logged } = command('logs', '--json', '--config', laid.config)
    expect(JSON.parse(logged.split('\n')[0] ?? '')).toMatchObject({ actor: 'ci', tool: 'echo' })
    expect(readFileSync(laid.config, 'utf8')).not.toContain(token)
  })

  test.each<readonly [what: string, flags: readonly string[], says: string]>([
    ['every address without a token', ['--host', '0.0.0.0', '--no-token'], 'without a token'],
    ['an address of a network without a token', ['--host', '::', '--no-token'], 'without a token'],
    ['every address under no name', ['--host', '0.0.0.0'], 'under which name'],
    ['a port that is none', ['--port', '70000'], 'is no port'],
  ])('%s is not served', (_, flags, says) => {
    const { status, text: said } = command('serve', '--config', files(raw).config, ...flags)
    expect(status).toBe(2)
    expect(said).toContain(says)
  })

  test('a port that is taken is said', async () => {
    const [gate] = await served(raw)
    const port = String(gate.port)
    const { status, text: said } = command('serve', '--config', files(raw).config, '--port', port)
    expect(status).toBe(2)
    expect(said).toContain(`\`127.0.0.1:${port}\` is taken`)
  })

  test('without a token every program of this machine may call, and that is said', async () => {
    const [gate] = await served(raw, '--no-token')
    expect(gate.token).toBe('')
    const client = new RawHttp(gate.url(), '')
    await client.initialize()
    expect(text(await client.call('echo', { a: 1 }))).toBe('{"a":1}')
    expect(gate.stderr()).toContain('no token is asked for')
  })
})

describe.each(['v1', 'v2'] as const)('in front of a server of the SDK %s over HTTP', (version) => {
  test.each([
    ['SDK v1', connectV1],
    ['SDK v2', (to: { url: string; token: string }) => connectV2(to, 'auto')],
  ] as const)('%s calls, is asked, and hears of steps', async (_, connect) => {
    const laid = files({ servers: {} })
    const server = await startHttpServer(version, laid.folder)
    open.push(server)
    const far = layOut(laid.folder, {
      servers: {},
      config: { mcpServers: { far: { url: server.url } } },
    })
    const gate = await startServe(far)
    open.unshift(gate)
    const peer = await connect({ url: gate.url('far'), token: gate.token })
    expect(peer.serverName()).toBe('http-fixture')
    expect((await peer.call('echo', { message: 'hé' })).content[0]?.text).toBe('hé')
    const megabyte = (await peer.call('fill', { bytes: 1_000_000 })).content[0]?.text
    expect(megabyte).toHaveLength(1_000_000)
    const steps: number[] = []
    const onprogress = ({ progress }: { progress: number }): void => void steps.push(progress)
    await peer.call('progress', { steps: 3 }, { onprogress })
    expect(steps).toEqual([1, 2, 3].slice(0, steps.length))
    await peer.close()
  })
})

test('a question over HTTP goes to the request that it belongs to, however many are in flight', async () => {
  const laid = files({ servers: {} })
  const server = await startHttpServer('v2', laid.folder)
  open.push(server)
  const far = { far: { url: server.url } }
  const gate = await startServe(layOut(laid.folder, { servers: {}, config: { mcpServers: far } }))
  open.unshift(gate)
  const client = new RawHttp(gate.url('far'), gate.token)
  await client.initialize({ elicitation: {} })
  const call = (id: string, name: string): Promise<Response> =>
    client.post({ id, method: 'tools/call', params: { name, arguments: {} } })
  const slow = call('slow', 'slow')
  await new Promise((resolve) => setTimeout(resolve, 200))
  const asked = await Promise.all([call('one', 'elicit'), call('two', 'elicit')])
  const questions = await Promise.all(asked.map(firstPart))
  const ids = questions.map((one) => Number(/"id":(\d+)/.exec(one)?.[1]))
  expect(questions.every((one) => one.includes('elicitation/create'))).toBe(true)
  expect(new Set(ids).size).toBe(2)
  await client.post({ method: 'notifications/cancelled', params: { requestId: 'slow' } })
  expect(await messagesOf(await slow)).toEqual([])
})

/** What comes first in an answer that does not end. */
async function firstPart(response: Response): Promise<string> {
  const body: ReadableStream<Uint8Array> | null = response.body
  const part = await body?.getReader().read()
  return Buffer.from(part?.value ?? []).toString()
}
