import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256Hex } from '../../src/crypto/sha256.ts'
import { journalCalls, journalLines, layOut } from './gate.ts'
import type { GateFiles } from './gate.ts'
import { lastMessage, RawHttp, startServe } from './serve.ts'
import type { Served } from './serve.ts'

const folder = mkdtempSync(join(tmpdir(), 'capfence-attacks-'))
let laid: GateFiles
let gate: Served
/** A session that is open while it is attacked. */
let client: RawHttp

const otherToken = `capfence_${'x'.repeat(43)}`
const ownToken = `capfence_${'y'.repeat(43)}`

beforeAll(async () => {
  laid = layOut(folder, {
    servers: { raw: 'raw', other: 'raw' },
    config: {
      limits: { maxClientMessageBytes: 65_536 },
      serve: {
        origins: ['http://localhost:6274'],
        tokens: [
          { sha256: sha256Hex(ownToken) },
          { sha256: sha256Hex(otherToken), actor: 'somebody-else' },
        ],
      },
    },
  })
  gate = await startServe(laid)
  client = new RawHttp(gate.url('raw'), ownToken)
  await client.initialize()
})
afterAll(async () => {
  await gate.stop()
  rmSync(folder, { recursive: true, force: true })
})

const call = { id: 7, method: 'tools/call', params: { name: 'echo', arguments: { evil: true } } }
const callText = JSON.stringify({ jsonrpc: '2.0', ...call })

interface Raw {
  readonly method?: string
  readonly path?: string
  readonly headers: Record<string, string | string[]>
  readonly body?: string
}

/** As `fetch`, but with headers that it does not let a program set. */
function send({ method = 'POST', path = '/mcp/raw', headers, body }: Raw): Promise<number> {
  return new Promise((resolve, reject) => {
    const one = request(
      {
        host: '127.0.0.1',
        port: gate.port,
        method,
        path,
        headers: { ...client.headers, ...headers },
      },
      (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      },
    )
    one.on('error', reject)
    one.end(method === 'POST' ? body : undefined)
  })
}

/** Bytes on a connection of their own; what the gate says until it closes the connection. */
function wire(text: string, withinMs = 3000): Promise<string> {
  return new Promise((resolve) => {
    let said = ''
    const socket = connect(gate.port, '127.0.0.1', () => socket.write(text))
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1')
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(said))
    setTimeout(() => socket.destroy(), withinMs).unref()
  })
}

const here = (): string => `127.0.0.1:${String(gate.port)}`

/** Nothing of all this may ever reach the server. */
function expectNothingReached(): void {
  expect(journalCalls(laid, 'raw')).toEqual([])
  expect(journalCalls(laid, 'other')).toEqual([])
}

describe('B14: requests that a page makes a browser send', () => {
  const evil = 'evil.example'
  test.each<readonly [what: string, raw: () => Raw, status: number]>([
    ['rebinding, POST', () => ({ headers: { Host: evil, Origin: `http://${evil}` } }), 403],
    ['rebinding, GET', () => ({ method: 'GET', headers: { Host: evil } }), 403],
    ['rebinding with the port', () => ({ headers: { Host: `${evil}:${String(gate.port)}` } }), 403],
    ['another name that leads here', () => ({ headers: { Host: `localhost.${evil}` } }), 403],
    ['the right name without its port', () => ({ headers: { Host: 'localhost' } }), 403],
    ['the right name with another port', () => ({ headers: { Host: 'localhost:1' } }), 403],
    ['a user in the name', () => ({ headers: { Host: `x@${here()}` } }), 403],
    ['a page elsewhere', () => ({ headers: { Origin: `https://${evil}` } }), 403],
    ['a page at another port', () => ({ headers: { Origin: 'http://localhost:3000' } }), 403],
    ['a page without an origin', () => ({ headers: { Origin: 'null' } }), 403],
    ['an origin that begins well', () => ({ headers: { Origin: `http://${here()}.evil` } }), 403],
    ['a request across sites', () => ({ headers: { 'Sec-Fetch-Site': 'cross-site' } }), 403],
    ['from another port of the site', () => ({ headers: { 'Sec-Fetch-Site': 'same-site' } }), 403],
    ['typed into the address bar', () => ({ headers: { 'Sec-Fetch-Site': 'none' } }), 403],
    ['a form', () => ({ headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }), 415],
    ['a form of plain text', () => ({ headers: { 'Content-Type': 'text/plain' } }), 415],
    ['a form with files', () => ({ headers: { 'Content-Type': 'multipart/form-data' } }), 415],
    [
      'a question whether it may',
      () => ({ method: 'OPTIONS', headers: { Origin: 'http://a' } }),
      403,
    ],
  ])('%s', async (_, raw, status) => {
    expect(await send({ body: callText, ...raw() })).toBe(status)
    expectNothingReached()
  })

  test('no answer allows a page to read it', async () => {
    const response = await client.post(call, { Origin: 'https://evil.example' })
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-'))).toEqual([])
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('cache-control')).toContain('no-store')
  })
})

describe('B16: whoever has no token is nobody, with a session too', () => {
  test.each<readonly [what: string, authorization: string]>([
    ['no token', ''],
    ['an empty one', 'Bearer '],
    ['another one', `Bearer capfence_${'z'.repeat(43)}`],
    ['as a password', `Basic ${Buffer.from(`x:${ownToken}`).toString('base64')}`],
    ['with something behind it', `Bearer ${ownToken} x`],
    ['its digest', `Bearer ${sha256Hex(ownToken)}`],
    ['in another case', `Bearer ${ownToken.toUpperCase()}`],
    ['two of them', `Bearer ${otherToken}, Bearer ${ownToken}`],
  ])('%s', async (_, Authorization) => {
    const response = await client.post(call, { Authorization })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/)
    expectNothingReached()
  })

  test('a token in the address counts for nothing', async () => {
    const plain = new RawHttp(`${gate.url('raw')}?token=${ownToken}`, '')
    expect((await plain.post(call, { Authorization: '' })).status).toBe(401)
  })

  test('a session of one caller is none of another, and none at another address', async () => {
    const session = client.headers['Mcp-Session-Id'] ?? ''
    const stranger = new RawHttp(gate.url('raw'), otherToken)
    const elsewhere = new RawHttp(gate.url('other'), ownToken)
    for (const one of [stranger, elsewhere]) {
      const named = { 'Mcp-Session-Id': session }
      const answers = [one.post(call, named), one.get(named), one.delete(named)]
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      for (const { status } of await Promise.all(answers)) expect(status).toBe(404)
    }
    expectNothingReached()
    expect((await client.post({ id: 1, method: 'ping' })).status).toBe(200)
  })
})

describe('B1-B6: messages that two readers would read differently', () => {
  test.each<readonly [what: string, body: string, status: number, code: number]>([
    ['B1: a batch', `[${callText}]`, 400, -32600],
    ['B1: a batch behind blanks', ` \n[${callText}]`, 400, -32600],
    ['B2: a key twice', callText.replace('{', '{"method":"ping",'), 400, -32600],
    ['B2: a key in another case', callText.replace('{', '{"Method":"ping",'), 400, -32600],
    ['B4: no JSON', '{"jsonrpc":"2.0","id":1,', 400, -32700],
    ['B4: nothing', '', 400, -32700],
    ['a call without an id', callText.replace('"id":7,', ''), 400, -32600],
    ['a line end inside a text', callText.replace('evil', 'ev\nil'), 400, -32700],
    ['B32: as deep as it goes', `{"a":`.repeat(9000), 400, -32600],
  ])('%s', async (_, body, status, code) => {
    const response = await client.post(body)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ error: { code } })
    expectNothingReached()
  })

  test.each<readonly [what: string, headers: Record<string, string>]>([
    ['B3: no type', { 'Content-Type': 'application/octet-stream' }],
    ['B3: a type that begins like ours', { 'Content-Type': 'application/json-seq' }],
    ['B3: another character set', { 'Content-Type': 'application/json; charset=utf-16' }],
    [
      'B3: two character sets',
      { 'Content-Type': 'application/json; charset=utf-8; charset=latin1' },
    ],
    ['B3: compressed', { 'Content-Encoding': 'gzip' }],
  ])('%s is refused unread', async (_, headers) => {
    expect((await client.post(callText, headers)).status).toBe(415)
    expectNothingReached()
  })

  test('B5: a body over the limit is refused, and no part of it is judged', async () => {
    const large = callText.replace('true', `"${'x'.repeat(70_000)}"`)
    expect((await client.post(large)).status).toBe(413)
    const chunked = await send({ headers: { 'Transfer-Encoding': 'chunked' }, body: large })
    expect(chunked).toBe(413)
    expectNothingReached()
  })

  test('B6: a header that stands twice is refused', async () => {
    const session = client.headers['Mcp-Session-Id'] ?? ''
    const twice = { 'Mcp-Session-Id': [session, 'another'] }
    expect(await send({ headers: twice, body: callText })).toBe(400)
    expectNothingReached()
  })

  test('B7: a revision that is not known is refused, an old one is judged like any other', async () => {
    const unknown = await client.post(call, { 'MCP-Protocol-Version': '1999-01-01' })
    expect(unknown.status).toBe(400)
    const old = { 'MCP-Protocol-Version': '2024-11-05' }
    expect((await client.post(`[${callText}]`, old)).status).toBe(400)
    expectNothingReached()
  })
})

describe('requests that are none', () => {
  const head = (more: string): string =>
    `POST /mcp/raw HTTP/1.1\r\nHost: ${here()}\r\nAuthorization: Bearer ${ownToken}\r\n${more}\r\n\r\n`

  test('a length beside chunks, by which two programs would cut differently', async () => {
    const smuggled = head('Content-Length: 4\r\nTransfer-Encoding: chunked')
    expect(await wire(`${smuggled}0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /)
  })

  test('a head without an end of its lines as they should be', async () => {
    expect(await wire(head('X: y').replaceAll('\r\n', '\n'))).toMatch(/^HTTP\/1\.1 400 /)
  })

  test('B32: a head over the limit', async () => {
    expect(await wire(head(`X: ${'y'.repeat(20_000)}`))).toMatch(/^HTTP\/1\.1 431 /)
  })

  test('B32: a head that comes drop by drop is not waited for', async () => {
    const started = Date.now()
    expect(await wire(head('X: y').slice(0, -2), 20_000)).toMatch(/^HTTP\/1\.1 408 /)
    expect(Date.now() - started).toBeLessThan(15_000)
  }, 25_000)

  test('B14: no name at all', async () => {
    const empty = head('X: y').replace(`Host: ${here()}`, 'Host:')
    expect(await wire(empty, 500)).toMatch(/^HTTP\/1\.1 403 /)
    const missing = head('X: y').replace(`Host: ${here()}\r\n`, '')
    expect(await wire(missing, 500)).toMatch(/^HTTP\/1\.1 400 /)
  })

  test('an address of somebody else', async () => {
    const target = head('X: y').replace('/mcp/raw', 'http://evil.example/mcp/raw')
    expect(await wire(target, 500)).toMatch(/^HTTP\/1\.1 404 /)
  })

  test('a change of the protocol', async () => {
    expect(await wire(head('Connection: Upgrade\r\nUpgrade: websocket'), 500)).toBe('')
  })

  test.each<readonly [what: string, method: string, path: string, status: number]>([
    ['a method that is not there', 'PUT', '/mcp', 405],
    ['a server that is not there', 'POST', '/mcp/nothing', 404],
    ['a path that leads around', 'POST', '/x/../mcp/raw', 404],
    ['a way to sign in', 'GET', '/.well-known/oauth-protected-resource', 404],
    ['B12: a way to approve', 'POST', '/api/approvals/apr_1', 404],
    ['B12: a page', 'GET', '/', 404],
  ])('%s', async (_, method, path, status) => {
    expect(await send({ method, path, headers: {}, body: '{}' })).toBe(status)
  })

  test('an answer that the client does not take', async () => {
    const wants = (Accept: string): Promise<Response> => client.post(call, { Accept })
    expect((await wants('application/json')).status).toBe(406)
    expect((await wants('text/event-stream, application/json;q=0')).status).toBe(406)
    expect((await client.get({ Accept: 'text/html' })).status).toBe(406)
    expectNothingReached()
  })
})

test('what was refused stands in the log of the gate, and the session lives on', async () => {
  expect(gate.stderr()).toContain('refused an HTTP request')
  expect(gate.stderr()).toContain('a batch; send one message at a time')
  expect(await client.call('echo', { fine: true })).toMatchObject({
    result: { content: [{ text: '{"fine":true}' }] },
  })
  expect(journalCalls(laid, 'raw')).toHaveLength(1)
  expect(journalLines(laid.journal('raw')).join('')).not.toContain('evil')
})

test('a page that the configuration names may ask, and so may a program that is no browser', async () => {
  const page = { Origin: 'http://localhost:6274', 'Sec-Fetch-Site': 'same-site' }
  expect((await client.post({ id: 2, method: 'ping' }, page)).status).toBe(200)
  const own = { Origin: `http://${here()}` }
  const message = await lastMessage(await client.post({ id: 3, method: 'ping' }, own))
  expect(message).toMatchObject({ id: 3, result: {} })
})
