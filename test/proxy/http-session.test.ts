import { PassThrough } from 'node:stream'
import { expect, test, vi } from 'vitest'
import { limits } from '../../src/limits.ts'
import type { Downstream, Origin } from '../../src/proxy/downstream.ts'
import { HttpSession } from '../../src/proxy/http-session.ts'
import type { Session } from '../../src/proxy/session.ts'
import { EventWriter } from '../../src/transport/event-writer.ts'
import type { HttpAnswer } from '../../src/transport/http-server.ts'

/** An answer whose client reads only when a test says so. */
class FakeAnswer implements HttpAnswer {
  isOver = false
  backlogBytes = 0
  sent = ''
  status = 0
  drain: () => void = () => undefined
  readonly #over: (() => void)[] = []

  over(): void {
    for (const listener of this.#over) listener()
  }

  send(status: number, _headers: unknown, ...pieces: readonly Uint8Array[]): void {
    this.status = status
    this.sent += Buffer.concat(pieces).toString()
    this.isOver = true
  }

  stream(): EventWriter {
    this.status = 200
    const stream = new PassThrough()
    stream.on('data', (chunk: Buffer) => (this.sent += chunk.toString()))
    stream.on('end', () => (this.isOver = true))
    return new EventWriter(stream as never)
  }

  onOver(listener: () => void): void {
    this.#over.push(listener)
  }

  onDrain(listener: () => void): void {
    this.drain = listener
  }

  destroy(): void {
    this.isOver = true
  }
}

function opened(): {
  readonly session: HttpSession
  readonly calls: Record<
    'clientCongested' | 'clientDrained',
    ReturnType<typeof vi.fn<(bytes: number) => void>>
  >
  readonly send: Downstream['send']
  readonly congest: (congested: boolean) => void
  readonly origins: Origin[]
  readonly logs: string[]
} {
  const calls = {
    clientCongested: vi.fn<Session['clientCongested']>(),
    clientDrained: vi.fn<Session['clientDrained']>(),
  }
  const origins: Origin[] = []
  const logs: string[] = []
  const at: { send: Downstream['send']; congest: (congested: boolean) => void } = {
    send: () => undefined,
    congest: () => undefined,
  }
  const session = new HttpSession({
    id: 'x',
    open: (downstream, onCongestion) => {
      at.send = (about, ...pieces) => downstream.send(about, ...pieces)
      at.congest = onCongestion
      const receive = (_bytes: Uint8Array, origin: Origin): void => void origins.push(origin)
      return { ...calls, receive, close: () => Promise.resolve() } as unknown as Session
    },
    log: (text) => void logs.push(text),
  })
  return {
    ...{ session, calls, origins, logs },
    send: (about, ...pieces) => at.send(about, ...pieces),
    congest: (congested) => at.congest(congested),
  }
}

const bytes = (text: string): Uint8Array => Buffer.from(text)
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('B32: a client that does not read has its servers not read either, until it does', async () => {
  const { session, calls, origins } = opened()
  const answer = new FakeAnswer()
  session.receive(bytes('{}'), answer)
  answer.backlogBytes = 60_000
  origins[0]?.send(bytes('{}'))
  expect(calls.clientCongested).not.toHaveBeenCalled()
  answer.backlogBytes = 70_000
  origins[0]?.send(bytes('{}'))
  expect(calls.clientCongested).toHaveBeenCalledWith(70_000)
  answer.backlogBytes = 66_000
  answer.drain()
  expect(calls.clientDrained).not.toHaveBeenCalled()
  answer.backlogBytes = 0
  answer.drain()
  expect(calls.clientDrained).toHaveBeenCalledTimes(1)
  await settled()
})

test('a client that goes away while it did not read holds up nobody', () => {
  const { session, calls, origins } = opened()
  const answer = new FakeAnswer()
  session.receive(bytes('{}'), answer)
  answer.backlogBytes = 70_000
  origins[0]?.send(bytes('{}'))
  answer.backlogBytes = 0
  answer.over()
  expect(calls.clientDrained).toHaveBeenCalledTimes(1)
})

test('no body is read while the servers do not keep up, and all are read when the session ends', async () => {
  const { session, congest } = opened()
  congest(true)
  let isReady = false
  void session.ready().then(() => (isReady = true))
  await settled()
  expect(isReady).toBe(false)
  congest(false)
  await settled()
  expect(isReady).toBe(true)
  congest(true)
  const waiting = session.ready()
  await session.close()
  await expect(waiting).resolves.toBeUndefined()
})

test('a message goes to its request, else to the stream, else to the newest request, else it waits', async () => {
  const { session, send, origins, logs } = opened()
  const [one, two, stream] = [new FakeAnswer(), new FakeAnswer(), new FakeAnswer()]
  send(undefined, bytes('"waits"'))
  session.receive(bytes('{}'), one)
  session.receive(bytes('{}'), two)
  send(origins[0], bytes('"mine"'))
  send(undefined, bytes('"newest"'))
  session.listen(stream)
  send(undefined, bytes('"stream"'))
  origins[0]?.answer(bytes('"reply"'))
  send(origins[0], bytes('"late"'))
  await settled()
  const data = ({ sent }: FakeAnswer): readonly string[] =>
    sent.split('\n').filter((line) => line.startsWith('data: '))
  expect(data(one)).toEqual(['data: "mine"', 'data: "reply"'])
  expect(data(two)).toEqual(['data: "newest"'])
  expect(data(stream)).toEqual(['data: "waits"', 'data: "stream"', 'data: "late"'])
  expect(logs).toEqual([])
})

test('B32: what no stream takes is kept up to a bound, the newest of it', async () => {
  const { session, send, logs } = opened()
  const half = Buffer.alloc(limits.maxUnheardBytes / 2, 0x20)
  for (const name of ['first', 'second', 'third']) send(undefined, bytes(`"${name}"`), half)
  expect(logs.length).toBeGreaterThan(0)
  const stream = new FakeAnswer()
  session.listen(stream)
  await settled()
  expect(stream.sent).toContain('third')
  expect(stream.sent).not.toContain('first')
})

test('a connection on which nothing is said is kept alive, once every so often', async () => {
  const { session } = opened()
  const [answer, slow] = [new FakeAnswer(), new FakeAnswer()]
  session.receive(bytes('{}'), answer)
  session.receive(bytes('{}'), slow)
  slow.backlogBytes = 1
  const now = performance.now()
  session.keepAlive(now + 10, 15_000)
  expect(answer.status).toBe(0)
  session.keepAlive(now + 16_000, 15_000)
  session.keepAlive(now + 17_000, 15_000)
  await settled()
  expect(answer.sent).toBe(':\n\n')
  // Whoever does not read is not told that we are here.
  expect(slow.sent).toBe('')
})
