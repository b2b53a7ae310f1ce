import { createServer, type Server } from 'node:http'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { parseAddCheckpoint } from '../../src/anchor/add-checkpoint.ts'
import { askWitness, type Asking, type SignedHead } from '../../src/anchor/witness-client.ts'
import { Witness } from '../../src/anchor/witness.ts'
import { serveWitness, type ListeningWitness } from '../../src/anchor/witness-server.ts'
import { WitnessState } from '../../src/anchor/witness-state.ts'
import {
  cosign,
  cosignedAt,
  cosigner,
  cosignerKeyOf,
  printCosignerKey,
} from '../../src/audit/cosignature.ts'
import { parseNote } from '../../src/audit/note.ts'
import { signingKey } from '../../src/crypto/ed25519.ts'
import { limits } from '../../src/limits.ts'
import { origin, SampleLog } from './log.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-witness-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const signer = cosigner('witness.example/w1', signingKey(new Uint8Array(32).fill(9)))
const key = cosignerKeyOf(signer)
const log = new SampleLog(60)
const fork = new SampleLog(60, { from: 20 })
const nowSeconds = 1_764_000_000
const failed = (text: string): unknown =>
  expect.objectContaining({
    code: 'ANCHOR_FAILED',
    message: expect.stringContaining(text) as unknown,
  })

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map(async (close) => close()))
})
let count = 0

async function honest(): Promise<{ url: string; witness: Witness }> {
  const path = join(folder, `${(count += 1)}.state`)
  const witness = new Witness({
    cosigner: signer,
    logs: [log.key],
    state: WitnessState.make(path, printCosignerKey(key)),
    nowSeconds: () => nowSeconds,
    onFork: () => undefined,
    onFailure: () => undefined,
  })
  const place = { address: '127.0.0.1', port: 0, hosts: [] }
  const serving: ListeningWitness = await serveWitness(witness, place)
  closing.push(() => serving.close())
  return { url: serving.url, witness }
}

interface Lie {
  readonly status?: number
  readonly type?: string
  readonly body?: string
  readonly location?: string
}

/** A witness that answers as it likes. */
async function liar(
  answer: (body: string, asked: number) => Lie,
): Promise<{ url: string; bodies: string[] }> {
  const bodies: string[] = []
  const server: Server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (piece: string) => (body += piece))
    request.on('end', () => {
      bodies.push(body)
      const {
        status = 200,
        type = 'text/plain',
        body: text = '',
        location,
      } = answer(body, bodies.length)
      response.writeHead(status, {
        'content-type': type,
        ...(location === undefined ? {} : { location }),
      })
      response.end(text)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies }
}

const headOf = (size: number, from = log): SignedHead => ({
  origin,
  size,
  root: from.root(size),
  note: from.note(size),
  proveFrom: async (fromSize) => from.proof(fromSize, size),
})

const asking = (size: number, options: Partial<Asking> = {}): Asking => ({
  head: async () => headOf(size),
  knownSize: 0,
  nowMs: () => nowSeconds * 1000,
  timeoutMs: 5000,
  stopped: new AbortController().signal,
  ...options,
})

const ask = (url: string, size: number, options?: Partial<Asking>) =>
  askWitness({ url, key }, asking(size, options))

describe('a log gets its cosignature', () => {
  test('from a witness that has never seen it', async () => {
    const { url } = await honest()
    const cosigned = await ask(url, 30)
    expect(cosigned).toMatchObject({ size: 30, timeSeconds: nowSeconds })
    expect(cosigned.note.startsWith(log.note(30))).toBe(true)
    expect(cosignedAt(parseNote(cosigned.note), key)).toBe(nowSeconds)
  })

  test.each([
    ['it remembers', 30],
    ['it remembers nothing', 0],
    ['it remembers too little', 7],
    ['it remembers more than there is', 99],
  ])('from one that has seen it before, when %s', async (_, knownSize) => {
    const { url } = await honest()
    await ask(url, 30)
    expect((await ask(url, 41, { knownSize })).size).toBe(41)
  })

  test('again for the same checkpoint', async () => {
    const { url } = await honest()
    await ask(url, 30)
    expect((await ask(url, 30, { knownSize: 30 })).size).toBe(30)
  })

  test('of a newer checkpoint when another gate was faster', async () => {
    const { url, witness } = await honest()
    await ask(url, 30)
    let reads = 0
    const head = async (): Promise<SignedHead> => {
      reads += 1
      // After this gate has read its head, another one writes ten records and anchors them.
      if (reads === 1) expect(witness.addCheckpoint(log.request(30, 50)).status).toBe(200)
      return headOf(reads === 1 ? 40 : 51)
    }
    expect((await ask(url, 0, { head, knownSize: 30 })).size).toBe(51)
  })

  test('without the signatures of others that came with it', async () => {
    const stranger = cosigner('stranger', signingKey(new Uint8Array(32).fill(4)))
    const { url } = await liar((body) => {
      const { text } = parseNote(parseAddCheckpoint(body).note)
      return { body: cosign(text, stranger, nowSeconds) + cosign(text, signer, nowSeconds) }
    })
    expect((await ask(url, 30)).note).toBe(
      log.note(30) + cosign(parseNote(log.note(30)).text, signer, nowSeconds),
    )
  })
})

describe('a log that was changed is found out', () => {
  test('when it was rolled back', async () => {
    const { url } = await honest()
    await ask(url, 30)
    for (const knownSize of [0, 20, 30]) {
      await expect(ask(url, 20, { knownSize })).rejects.toThrow(failed('it was rolled back'))
    }
  })

  test('when it is a fork of the same size', async () => {
    const { url } = await honest()
    await ask(url, 30)
    const head = async (): Promise<SignedHead> => headOf(30, fork)
    for (const knownSize of [0, 30]) {
      await expect(ask(url, 30, { head, knownSize })).rejects.toThrow(failed('it was forked'))
    }
  })

  test('when it is a fork that is longer', async () => {
    const { url } = await honest()
    await ask(url, 30)
    const head = async (): Promise<SignedHead> => headOf(40, fork)
    await expect(ask(url, 40, { head })).rejects.toThrow(failed('answered 422'))
  })
})

describe('a witness that lies is found out', () => {
  const line = cosign(parseNote(log.note(30)).text, signer, nowSeconds)
  const impostor = cosigner(signer.name, signingKey(new Uint8Array(32).fill(4)))
  const early = cosign(parseNote(log.note(30)).text, signer, nowSeconds - 601)
  const late = cosign(parseNote(log.note(30)).text, signer, nowSeconds + 602)
  test.each([
    ['nothing', '', 'answered no cosignature'],
    ['text', 'fine\n', 'answered no cosignature: fine'],
    ['a line without its end', line.slice(0, -1), 'answered no cosignature'],
    [
      'another key under its name',
      cosign(parseNote(log.note(30)).text, impostor, nowSeconds),
      'did not',
    ],
    [
      'a replayed cosignature of an earlier checkpoint',
      cosign(parseNote(log.note(29)).text, signer, nowSeconds),
      'did not',
    ],
    ['a replayed cosignature of an earlier time', early, 'which is not now'],
    ['a cosignature of a time to come', late, 'which is not now'],
    ['its line with a wrong one', line + line.replace(/.{8}==\n$/, 'AAAAAAAA==\n'), 'did not'],
    ['the note itself', log.note(30), 'answered no cosignature'],
    ['the signature of the log', log.note(30).split('\n\n')[1] ?? '', 'did not'],
  ])('with %s', async (_, body, text) => {
    const { url } = await liar(() => ({ body }))
    await expect(ask(url, 30)).rejects.toThrow(failed(text))
  })

  test.each([
    ['no number', 'many\n'],
    ['no newline', '9'],
    ['a zero before it', '09\n'],
    ['more digits than a number has', '99999999999999999999\n'],
  ])('with a size of %s', async (_, body) => {
    const { url } = await liar(() => ({ status: 409, type: 'text/x.tlog.size', body }))
    await expect(ask(url, 30)).rejects.toThrow(failed('answered no size'))
  })

  test('with a size in another type', async () => {
    const { url } = await liar(() => ({ status: 409, body: '9\n' }))
    await expect(ask(url, 30)).rejects.toThrow(failed('answered 409'))
  })

  test('with the size that it was asked from', async () => {
    const { url, bodies } = await liar((body) => ({
      status: 409,
      type: 'text/x.tlog.size',
      body: `${parseAddCheckpoint(body).oldSize}\n`,
    }))
    await expect(ask(url, 30)).rejects.toThrow(failed('names the size 0, and refuses it'))
    expect(bodies).toHaveLength(1)
  })

  test('with another size each time: it is asked three times and no more', async () => {
    const { url, bodies } = await liar((_, asked) => ({
      status: 409,
      type: 'text/x.tlog.size',
      body: `${asked}\n`,
    }))
    await expect(ask(url, 30)).rejects.toThrow(failed('another size each time'))
    expect(bodies).toHaveLength(3)
  })

  test('with a redirection, which is not followed', async () => {
    const { url: elsewhere } = await honest()
    const { url } = await liar(() => ({ status: 307, location: `${elsewhere}/add-checkpoint` }))
    await expect(ask(url, 30)).rejects.toThrow(failed('answered 307'))
  })

  test('with an answer without end', async () => {
    const { url } = await liar(() => ({ body: 'a'.repeat(limits.maxWitnessAnswerBytes + 1) }))
    await expect(ask(url, 30)).rejects.toThrow(failed('more than'))
  })

  test('with bytes that would move a cursor: only one short line of it is repeated', async () => {
    const { url } = await liar(() => ({ status: 500, body: `${'x'.repeat(5000)}\n\u001b[2J` }))
    await expect(ask(url, 30)).rejects.toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{1,300}$/) as unknown }),
    )
  })
})

describe('a witness that is not there', () => {
  test('is named', async () => {
    const { url } = await honest()
    await closing.pop()?.()
    await expect(ask(url, 30)).rejects.toThrow(failed('ECONNREFUSED'))
  })

  test('or never answers, is not waited for', async () => {
    const server = createServer(() => undefined)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    })
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await expect(ask(url, 30, { timeoutMs: 50 })).rejects.toThrow(failed('did not answer in time'))
  })
})
