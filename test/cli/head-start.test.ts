import { expect, test } from 'vitest'
import { headStart } from '../../src/cli/head-start.ts'
import type { EarlyServer } from '../../src/cli/head-start.ts'
import type { ChannelEvents } from '../../src/transport/channel.ts'

/** A server that writes down what is done to it. */
class FakeServer implements EarlyServer {
  readonly backlogBytes = 0
  readonly events: ChannelEvents
  readonly done: string[] = []
  closed = false

  constructor(events: ChannelEvents) {
    this.events = events
  }

  send(): boolean {
    this.done.push('send')
    return true
  }

  pause(): void {
    this.done.push('pause')
  }

  resume(): void {
    this.done.push('resume')
  }

  stop(): Promise<void> {
    this.done.push('stop')
    return Promise.resolve()
  }
}

function started(): { servers: FakeServer[]; take: ReturnType<typeof headStart> } {
  const servers: FakeServer[] = []
  const take = headStart((events) => {
    const server = new FakeServer(events)
    servers.push(server)
    return server
  })
  return { servers, take }
}

function listener(): { events: ChannelEvents; heard: string[] } {
  const heard: string[] = []
  return {
    heard,
    events: {
      onMessage: (message) => heard.push(Buffer.from(message).toString()),
      onOversize: (bytes) => heard.push(`oversize ${String(bytes)}`),
      onDrain: () => heard.push('drain'),
      onClose: ({ code }) => heard.push(`close ${String(code)}`),
    },
  }
}

test('the server is started before anybody asks, and nothing it says is read meanwhile', () => {
  const { servers } = started()
  expect(servers.map(({ done }) => done)).toEqual([['pause']])
})

test('the first who asks gets it, and hears everything from then on', () => {
  const { servers, take } = started()
  const { events, heard } = listener()
  expect(take(events)).toBe(servers[0])
  expect(servers[0]?.done).toEqual(['pause', 'resume'])
  servers[0]?.events.onMessage(Buffer.from('hello'))
  servers[0]?.events.onOversize(7)
  servers[0]?.events.onDrain()
  servers[0]?.events.onClose({ code: 3, signal: null })
  expect(heard).toEqual(['hello', 'oversize 7', 'drain', 'close 3'])
})

test('whoever asks after a crash gets a new one, which is not held back', () => {
  const { servers, take } = started()
  take(listener().events)
  const { events } = listener()
  expect(take(events)).toBe(servers[1])
  expect(servers).toHaveLength(2)
  expect(servers[1]?.events).toBe(events)
  expect(servers[1]?.done).toEqual([])
})

test('a server that has gone before anybody asked is as good as none: its end is of no concern', () => {
  const { servers, take } = started()
  const { events, heard } = listener()
  if (servers[0] !== undefined) servers[0].closed = true
  expect(take(events)).toBe(servers[1])
  servers[0]?.events.onClose({ code: 1, signal: null })
  expect(heard).toEqual([])
  expect(servers[0]?.done).toEqual(['pause', 'stop'])
})
