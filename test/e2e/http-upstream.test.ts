import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { gateCommand, layOut, RawClient } from './gate.ts'
import type { GateFiles, GateOptions } from './gate.ts'
import { startHttpServer } from './http-peer.ts'
import type { HttpServerProcess } from './http-peer.ts'
import { connectV1, connectV2 } from './peers.ts'
import type { Peer, ToolResult } from './peers.ts'

const folders: string[] = []
let open: { close(): Promise<unknown> }[] = []
let servers: HttpServerProcess[] = []

afterEach(async () => {
  await Promise.all(open.map((peer) => peer.close()))
  await Promise.all(servers.map((server) => server.stop()))
  open = []
  servers = []
})
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-http-'))
  folders.push(folder)
  return folder
}

async function remote(
  version: 'v1' | 'v2',
  flags: readonly string[] = [],
  options: Partial<GateOptions> = {},
): Promise<readonly [HttpServerProcess, GateFiles]> {
  const folder = newFolder()
  const server = await startHttpServer(version, folder, ...flags)
  servers.push(server)
  const entry = { url: server.url, headers: { Authorization: 'Bearer ${REMOTE_TOKEN}' } }
  const laid = layOut(folder, {
    servers: {},
    ...options,
    config: { mcpServers: { far: entry }, ...options.config },
  })
  return [server, laid]
}

const first = (result: ToolResult): string | undefined => result.content[0]?.text
const token = { REMOTE_TOKEN: 's3cret' }
process.env['REMOTE_TOKEN'] = token.REMOTE_TOKEN

function rawClient(laid: GateFiles, server?: string): RawClient {
  const { command, args } = gateCommand(laid, server)
  const client = new RawClient(command, args, { ...process.env, ...token })
  open.push(client)
  return client
}

const clients = {
  'SDK v1': connectV1,
  'SDK v2': (command: { command: string; args: string[] }) => connectV2(command, 'legacy'),
}
const flavours = [
  ['v1', []],
  ['v2', []],
  ['v1', ['--json']],
  ['v2', ['--json']],
  ['v2', ['--stateless', '--json']],
] as const

describe.each(Object.entries(clients))(
  '%s through the gate to a server over HTTP',
  (_, connect) => {
    describe.each(flavours)('of the SDK %s %j', (version, flags) => {
      const start = async (): Promise<readonly [Peer, HttpServerProcess]> => {
        const [server, laid] = await remote(version, flags)
        const { command, args } = gateCommand(laid, 'far')
        // The SDK gives a server only a few variables; the token is one that the configuration of a client would name.
        const peer = await connect({
          command: 'env',
          args: ['REMOTE_TOKEN=s3cret', command, ...args],
        })
        open.push(peer)
        return [peer, server]
      }

      test('lists, calls, and ends its session', async () => {
        const [peer, server] = await start()
        expect(peer.serverName()).toBe('http-fixture')
        expect(peer.instructions()).toBe('Use me for tests.')
        expect(await peer.tools()).toContain('echo')
        expect(first(await peer.call('echo', { message: 'hé"llo' }))).toBe('hé"llo')
        const megabyte = first(await peer.call('fill', { bytes: 1_000_000 }))
        expect(megabyte).toHaveLength(1_000_000)
        await peer.close()
        open = []
        const lines = server.requests()
        expect(lines.every((line) => line.includes(' Bearer s3cret '))).toBe(true)
        const isStateless = (flags as readonly string[]).includes('--stateless')
        expect(lines.some((line) => line.startsWith('DELETE'))).toBe(!isStateless)
      })
    })
  },
)

describe.each(['v1', 'v2'] as const)(
  'what an HTTP server of the SDK %s says besides replies',
  (version) => {
    const begin = async (): Promise<readonly [RawClient, HttpServerProcess, GateFiles]> => {
      const [server, laid] = await remote(version)
      const client = rawClient(laid, 'far')
      await client.initialize({ sampling: {}, elicitation: {} })
      return [client, server, laid]
    }

    test('progress arrives, every step, before the reply', async () => {
      const [client] = await begin()
      client.send({
        id: 'p',
        method: 'tools/call',
        params: { name: 'progress', arguments: { steps: 20 }, _meta: { progressToken: 'tok' } },
      })
      await client.until(({ id }) => id === 'p')
      const steps = client.received
        .filter(({ method }) => method === 'notifications/progress')
        .map(({ params }) => [params?.['progressToken'], params?.['progress']])
      expect(steps).toEqual(Array.from({ length: 20 }, (_, index) => ['tok', index + 1]))
    })

    test('questions reach the client, and its answers the server', async () => {
      const [client] = await begin()
      client.send({ id: 'q', method: 'tools/call', params: { name: 'elicit', arguments: {} } })
      const question = await client.until(({ method }) => method === 'elicitation/create')
      client.send({ id: question.id, result: { action: 'accept', content: { colour: 'blue' } } })
      const reply = await client.until(({ id }) => id === 'q')
      expect(JSON.stringify(reply.result)).toContain('blue')
    })

    test('a cancelled call is cancelled at the server', async () => {
      const [client, server] = await begin()
      client.send({ id: 's', method: 'tools/call', params: { name: 'slow', arguments: {} } })
      await expect.poll(() => server.requests().length, { timeout: 5000 }).toBeGreaterThan(3)
      client.send({
        method: 'notifications/cancelled',
        params: { requestId: 's', reason: 'enough' },
      })
      await expect.poll(() => server.requests(), { timeout: 5000 }).toContain('cancelled')
    })

    test('a stream that the server ends early goes on, and the call runs once', async () => {
      const [client, server] = await begin()
      const reply = await client.call('interrupted')
      expect(JSON.stringify(reply.result)).toContain('after')
      const logged = client.received
        .filter(({ method }) => method === 'notifications/message')
        .map(({ params }) => params?.['data'])
      expect(logged).toEqual(['before', 'between'])
      expect(server.requests().filter((line) => line.endsWith(' resume'))).toHaveLength(1)
    })

    test('notifications of its own accord come in the stream beside the calls', async () => {
      const [client, server] = await begin()
      await expect
        .poll(() => server.requests().some((line) => line.startsWith('GET')), { timeout: 5000 })
        .toBe(true)
      await client.call('touch')
      await client.until(({ method }) => method === 'notifications/resources/updated')
    })

    test('a session that the server has forgotten is begun anew; the call is not repeated', async () => {
      const [client, server] = await begin()
      await client.request('logging/setLevel', { level: 'debug' })
      expect(JSON.stringify((await client.call('who')).result)).toContain('session 1')
      await server.forget()
      const lost = await client.call('who')
      expect(lost.error?.message).toBe(
        'server `far` has ended the session; the request was not sent again',
      )
      expect(JSON.stringify((await client.call('who')).result)).toContain('session 2')
      await client.until(({ method }) => method === 'notifications/tools/list_changed')
    })
  },
)

describe('the gate judges calls to a server over HTTP as any others', () => {
  test('a denied call never reaches it', async () => {
    const policy = 'version: 1\ndeny:\n  - far.echo.*\nallow:\n  - "*"\n'
    const [server, laid] = await remote('v2', [], { policy })
    const client = rawClient(laid, 'far')
    await client.initialize()
    const before = server.requests().length
    const denied = await client.call('echo', { message: 'x' })
    expect(denied.result?.['isError']).toBe(true)
    expect(JSON.stringify((await client.call('who')).result)).toContain('session 1')
    const posts = server
      .requests()
      .slice(before)
      .filter((line) => line.startsWith('POST'))
    // `initialized`, and the call that is allowed.
    expect(posts.length).toBeLessThanOrEqual(2)
  })

  test('a server that is not there loses its own calls, and those of others go on', async () => {
    const [server, laid] = await remote('v2')
    const config = {
      mcpServers: {
        far: { url: server.url },
        gone: { url: 'http://127.0.0.1:1/mcp' },
      },
    }
    const both = layOut(laid.folder, { servers: {}, config })
    const client = rawClient(both)
    await client.initialize()
    const tools = await client.request('tools/list')
    expect(JSON.stringify(tools.result)).toContain('far__echo')
    expect(JSON.stringify((await client.call('far__echo', { message: 'hi' })).result)).toContain(
      'hi',
    )
  })

  test('alone, a server that is not there is said to be so', async () => {
    const laid = layOut(newFolder(), {
      servers: {},
      config: { mcpServers: { gone: { url: 'http://127.0.0.1:1/mcp' } } },
    })
    const client = rawClient(laid)
    const reply = await client.initialize()
    expect(reply.error?.message).toBe('server `gone` cannot be reached: nothing listens there')
  })

  test('a killed server: what was in flight is lost and not repeated, and the next one is used', async () => {
    const [server, laid] = await remote('v1')
    const client = rawClient(laid, 'far')
    await client.initialize()
    client.send({ id: 's', method: 'tools/call', params: { name: 'slow', arguments: {} } })
    await expect.poll(() => server.requests().length, { timeout: 5000 }).toBeGreaterThan(3)
    await server.stop()
    const lost = await client.until(({ id }) => id === 's')
    expect(lost.error?.message).toMatch(/the request was not sent again$/)
    const gone = await client.call('who')
    expect(gone.error?.message).toMatch(/cannot be reached.*the request was not sent$/)
  }, 60_000)
})
