import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { journalCalls, journalLines, layOut } from './gate.ts'
import type { GateFiles, Wire } from './gate.ts'
import { startHttpServer } from './http-peer.ts'
import { askOf, call, text } from './modern-asks.ts'
import type { Asked } from './modern-asks.ts'
import { lastMessage, RawHttp, startServe } from './serve.ts'
import type { Served } from './serve.ts'

const folder = mkdtempSync(join(tmpdir(), 'capfence-questions-'))
let laid: GateFiles
let gate: Served

beforeAll(async () => {
  const servers = { raw: 'raw', all: 'everything' } as const
  laid = layOut(folder, { servers, config: { serve: { maxSessions: 100 } } })
  gate = await startServe(laid)
})
afterAll(async () => {
  await gate.stop()
  rmSync(folder, { recursive: true, force: true })
})

const ask = (server: string, asked: Asked, signal?: AbortSignal): Promise<Response> =>
  askOf(new RawHttp(gate.url(server), gate.token), asked, signal)

describe('a server asks while it works', () => {
  const capabilities = { elicitation: {}, sampling: {}, roots: {} }
  const asking = (more: Record<string, unknown> = {}, id = 1): Promise<Response> =>
    ask('raw', {
      ...{ method: 'tools/call', id, capabilities },
      params: { name: 'ask_person', arguments: {}, ...more },
    })
  const stateOf = ({ result }: Wire): string => String(result?.['requestState'])
  const answersFor = ({ result }: Wire): Record<string, unknown> => {
    const keys = Object.keys(result?.['inputRequests'] ?? {})
    return Object.fromEntries(keys.map((one) => [one, { action: 'accept', content: { n: 1.5 } }]))
  }

  test('the question ends the request, the answer goes on with it, and the call is executed once', async () => {
    const before = journalCalls(laid, 'raw').length
    const first = await lastMessage(await asking())
    expect(first.result).toMatchObject({ resultType: 'input_required' })
    expect(JSON.stringify(first.result?.['inputRequests'])).toContain('elicitation/create')
    const again = { requestState: stateOf(first), inputResponses: answersFor(first) }
    const second = await lastMessage(await asking(again, 2))
    expect(second).toMatchObject({ id: 2, result: { resultType: 'complete' } })
    expect(JSON.stringify(second.result)).toContain('1.5')
    expect(journalCalls(laid, 'raw')).toHaveLength(before + 1)
  })

  test('B13: a state is good once, for the same request, and for nobody else', async () => {
    const first = await lastMessage(await asking())
    const requestState = stateOf(first)
    const inputResponses = answersFor(first)
    const refused = async (response: Promise<Response>): Promise<void> => {
      expect(await lastMessage(await response)).toMatchObject({ error: { code: -32602 } })
    }
    await refused(asking({ requestState, inputResponses, arguments: { other: true } }))
    await refused(asking({ requestState: `${requestState}x`, inputResponses }))
    await refused(asking({ requestState: { a: 1 }, inputResponses }))
    // A client that says something else of itself is another one.
    const stranger = { method: 'tools/call', capabilities: { elicitation: {} } }
    const params = { name: 'ask_person', arguments: {}, requestState, inputResponses }
    await refused(ask('raw', { ...stranger, params }))
    const answered = await lastMessage(await asking({ requestState, inputResponses }))
    expect(answered.result).toMatchObject({ resultType: 'complete' })
    await refused(asking({ requestState, inputResponses }))
  })

  test("a client that never comes back with an answer is in nobody's way", async () => {
    const abandoned = [await asking(), await asking(), await asking()]
    const first = await lastMessage(await asking())
    expect(first.result).toMatchObject({ resultType: 'input_required' })
    const again = { requestState: stateOf(first), inputResponses: answersFor(first) }
    expect((await lastMessage(await asking(again))).result).toMatchObject({
      resultType: 'complete',
    })
    for (const response of abandoned) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const late = await lastMessage(response)
      const answered = { requestState: stateOf(late), inputResponses: answersFor(late) }
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const done = await lastMessage(await asking(answered))
      expect(done.result).toMatchObject({ resultType: 'complete' })
    }
  })

  test('B23: a question that may belong to either of two requests is put to nobody', async () => {
    const stop = new AbortController()
    const never = ask('raw', { ...call('never'), capabilities }, stop.signal)
    await expect.poll(() => journalCalls(laid, 'raw').at(-1)?.params?.['name']).toBe('never')
    const reply = await lastMessage(await asking())
    expect(JSON.stringify(reply.result)).toContain('cannot be asked now')
    stop.abort()
    await expect(never).rejects.toThrow(/abort/)
  })

  test('an answer that is missing is asked for again, under another state', async () => {
    const first = await lastMessage(await asking())
    const again = await lastMessage(await asking({ requestState: stateOf(first) }))
    expect(again.result).toMatchObject({ resultType: 'input_required' })
    expect(stateOf(again)).not.toBe(stateOf(first))
    const last = { requestState: stateOf(again), inputResponses: answersFor(again) }
    expect((await lastMessage(await asking(last))).result).toMatchObject({ resultType: 'complete' })
  })

  test('a server that wants what the client did not declare ends the request, and hears of it', async () => {
    const response = await ask('raw', call('ask_person'))
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      error: { code: -32021, data: { requiredCapabilities: { elicitation: {} } } },
    })
    await expect
      .poll(() => journalLines(laid.journal('raw')).at(-1))
      .toContain('notifications/cancelled')
  })

  test('a client that cannot be asked is not', async () => {
    const reply = await lastMessage(await ask('all', call('elicit')))
    expect(reply.result).toMatchObject({ resultType: 'complete', isError: true })
  })
})

test('questions of a server over HTTP go to their own requests, of two clients that are the same', async () => {
  const server = await startHttpServer('v2', folder)
  const own = mkdtempSync(join(folder, 'far-'))
  const far = layOut(own, { servers: {}, config: { mcpServers: { far: { url: server.url } } } })
  const served = await startServe(far)
  try {
    const client = new RawHttp(served.url('far'), served.token)
    const elicit = async (more: object = {}): Promise<Wire> => {
      const asked = { capabilities: { elicitation: {} } }
      const params = { name: 'elicit', arguments: {}, ...more }
      return lastMessage(await askOf(client, { ...asked, method: 'tools/call', params }))
    }
    const first = await Promise.all([elicit(), elicit(), elicit()])
    const rest = first.map(async ({ result }, index) => {
      const [one = ''] = Object.keys(result?.['inputRequests'] ?? {})
      const content = { colour: `colour ${String(index)}` }
      const inputResponses = { [one]: { action: 'accept', content } }
      return elicit({ requestState: result?.['requestState'], inputResponses })
    })
    const texts = (await Promise.all(rest)).map((answer) => text(answer))
    expect(texts.map((one) => /colour \d/.exec(String(one))?.[0])).toEqual([
      'colour 0',
      'colour 1',
      'colour 2',
    ])
  } finally {
    await served.stop()
    await server.stop()
  }
})
