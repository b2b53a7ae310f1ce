import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { Witness } from '../../src/anchor/witness.ts'
import {
  serveWitness,
  type ListeningWitness,
  type WitnessPlace,
} from '../../src/anchor/witness-server.ts'
import { WitnessState } from '../../src/anchor/witness-state.ts'
import { cosigner, cosignerKeyOf, printCosignerKey } from '../../src/audit/cosignature.ts'
import { signingKey } from '../../src/crypto/ed25519.ts'
import { limits } from '../../src/limits.ts'
import { SampleLog } from './log.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-witness-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const signer = cosigner('witness.example/w1', signingKey(new Uint8Array(32).fill(9)))
const log = new SampleLog(60)
const open: ListeningWitness[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map(async (one) => one.close()))
})
let count = 0

async function listening(place: Partial<WitnessPlace> = {}): Promise<URL> {
  const witness = new Witness({
    cosigner: signer,
    logs: [log.key],
    state: WitnessState.make(
      join(folder, `${(count += 1)}.state`),
      printCosignerKey(cosignerKeyOf(signer)),
    ),
    nowSeconds: () => 1_764_000_000,
    onFork: () => undefined,
    onFailure: () => undefined,
  })
  const serving = await serveWitness(witness, {
    address: '127.0.0.1',
    port: 0,
    hosts: [],
    ...place,
  })
  open.push(serving)
  return new URL(serving.url)
}

interface Asked {
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
}

async function ask(url: URL, { method = 'POST', path, headers = {}, body = '' }: Asked) {
  const request = httpRequest(url, {
    method,
    path: path ?? '/add-checkpoint',
    headers,
    agent: false,
  })
  // The witness may close before everything is written, when it has answered already.
  request.on('error', () => undefined)
  request.end(body)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  let text = ''
  for await (const piece of response.setEncoding('utf8')) text += String(piece)
  return { status: response.statusCode, type: response.headers['content-type'], text }
}

describe('over HTTP a witness answers', () => {
  test('a checkpoint with its cosignature', async () => {
    const url = await listening()
    const answer = await ask(url, { body: log.request(0, 9) })
    expect(answer).toMatchObject({ status: 200, type: 'text/plain; charset=utf-8' })
    expect(answer.text).toMatch(/^— witness\.example\/w1 [A-Za-z0-9+/]{102}==\n$/)
  })

  test('a stale one with the size, in the type of the specification', async () => {
    const url = await listening()
    await ask(url, { body: log.request(0, 9) })
    expect(await ask(url, { body: log.request(0, 20) })).toEqual({
      status: 409,
      type: 'text/x.tlog.size',
      text: '9\n',
    })
  })

  test('by each name of the loopback, and by the names that it was given', async () => {
    const url = await listening({ hosts: ['witness.example.org'] })
    for (const host of [
      `127.0.0.1:${url.port}`,
      `localhost:${url.port}`,
      `LOCALHOST:${url.port}`,
    ]) {
      expect((await ask(url, { headers: { host } })).status).toBe(400)
    }
    expect((await ask(url, { headers: { host: 'witness.example.org' } })).status).toBe(400)
  })

  test('one of many requests that build on the same size, and tells the others the size', async () => {
    const url = await listening()
    await ask(url, { body: log.request(0, 10) })
    const sizes = Array.from({ length: 40 }, (_, at) => 11 + at)
    const answers = await Promise.all(
      sizes.map(async (size) => ({ size, ...(await ask(url, { body: log.request(10, size) })) })),
    )
    const cosigned = answers.filter(({ status }) => status === 200)
    expect(cosigned).toHaveLength(1)
    const others = answers.filter(({ status }) => status === 409)
    expect(others).toHaveLength(39)
    expect(new Set(others.map(({ text }) => text))).toEqual(new Set([`${cosigned[0]?.size}\n`]))
  })
})

describe('B14: over HTTP a witness refuses', () => {
  const body = log.request(0, 9)
  test.each([
    ['a name that was rebound to it', { headers: { host: 'evil.example' } }, 421],
    ['its name with another port', { headers: { host: '127.0.0.1:1' } }, 421],
    ['its name without a port', { headers: { host: '127.0.0.1' } }, 421],
    ['a page of another site', { headers: { origin: 'https://evil.example' } }, 403],
    ['a page without a site', { headers: { origin: 'null' } }, 403],
    ['a page of the same machine', { headers: { origin: 'http://localhost:1' } }, 403],
    ['what a browser sends', { headers: { 'sec-fetch-site': 'same-origin' } }, 403],
    ['another path', { path: '/' }, 404],
    ['a path with more', { path: '/add-checkpoint?x' }, 404],
    ['a path above', { path: '/x/../add-checkpoint' }, 404],
    ['GET', { method: 'GET' }, 405],
    ['PUT', { method: 'PUT' }, 405],
    ['OPTIONS, which asks for other pages', { method: 'OPTIONS' }, 405],
    ['a compressed body', { headers: { 'content-encoding': 'gzip' } }, 415],
    ['bytes that are no text', { body: Buffer.from([0xff, 0xfe]) }, 400],
  ])('%s', async (_, asked, status) => {
    const url = await listening()
    const answer = await ask(url, { body, ...asked })
    expect(answer.status).toBe(status)
    expect(answer.text).not.toContain('—')
    // The witness has seen nothing.
    expect((await ask(url, { body })).status).toBe(200)
  })

  test('a request without a name at all', async () => {
    const url = await listening()
    const answer = await raw(url, 'POST /add-checkpoint HTTP/1.0\r\ncontent-length: 0\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 421 /)
  })

  test('its own loopback names when it listens elsewhere', async () => {
    const url = await listening({ address: '0.0.0.0', hosts: ['witness.example.org'] })
    const local = new URL(`http://127.0.0.1:${url.port}`)
    expect((await ask(local, { body })).status).toBe(421)
    expect((await ask(local, { body, headers: { host: 'witness.example.org' } })).status).toBe(200)
  })
})

describe('a witness bounds', () => {
  const most = limits.maxWitnessRequestBytes
  test.each([
    ['of that length', most, {}, 400],
    ['a byte longer', most + 1, {}, 413],
    ['a byte longer in pieces', most + 1, { 'transfer-encoding': 'chunked' }, 413],
    ['of a hundred times that length', most * 100, {}, 413],
  ] as const)('a body %s', async (_, bytes, headers, status) => {
    const url = await listening()
    const answer = await ask(url, { body: Buffer.alloc(bytes, 'a'), headers }).catch(() => ({
      status: 'closed',
    }))
    // A client that still writes may find the connection closed before it reads the answer.
    expect(bytes > most * 2 ? [413, 'closed'] : [status]).toContain(answer.status)
    expect((await ask(url, { body: log.request(0, 9) })).status).toBe(200)
  })

  test.each([
    ['a head that never ends', 'POST /add-checkpoint HTTP/1.1\r\nhost: '],
    [
      'a body that never comes',
      'POST /add-checkpoint HTTP/1.1\r\nhost: HOST\r\ncontent-length: 9\r\n\r\no',
    ],
  ])('the time for %s', async (_, text) => {
    const url = await listening({ requestMs: 100 })
    expect(await raw(url, text.replace('HOST', url.host))).toMatch(/^$|^HTTP\/1\.1 (408|400) /)
  })

  test('heads', async () => {
    const url = await listening()
    const headers = { 'x-long': 'a'.repeat(10_000) }
    expect((await ask(url, { body: log.request(0, 9), headers })).status).toBe(431)
  })
})

/** Everything that comes back until the other side closes. */
async function raw(url: URL, text: string): Promise<string> {
  const socket = connect(Number(url.port), url.hostname)
  socket.write(text)
  let answer = ''
  for await (const piece of socket.setEncoding('utf8')) answer += String(piece)
  return answer
}
