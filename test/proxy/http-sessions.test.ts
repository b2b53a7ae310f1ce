import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { HttpSessions } from '../../src/proxy/http-sessions.ts'
import type { LiveSession } from '../../src/proxy/http-sessions.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A session that was last used at a time, or is in use. */
class FakeSession {
  readonly id: string
  usedAtMs = performance.now()
  isInUse = false
  isClosed = false
  readonly keepAlive = vi.fn<LiveSession['keepAlive']>()
  finish: () => void = () => undefined
  closes = true

  constructor(id: string) {
    this.id = id
  }

  idleMs(nowMs: number): number {
    return this.isInUse ? 0 : nowMs - this.usedAtMs
  }

  get open(): number {
    return this.isInUse ? 1 : 0
  }

  async close(): Promise<void> {
    this.isClosed = true
    if (!this.closes) await new Promise<void>((resolve) => (this.finish = resolve))
  }
}

function table(
  bounds: Partial<{ maxSessions: number; maxProcesses: number; idleMs: number }> = {},
): {
  readonly sessions: HttpSessions
  readonly logs: string[]
  readonly add: (id: string, processes?: number) => FakeSession
} {
  const logs: string[] = []
  const all = { maxSessions: 3, maxProcesses: 10, idleMs: 600_000, ...bounds }
  const sessions = new HttpSessions(all, (text) => void logs.push(text))
  return {
    sessions,
    logs,
    add: (id, processes = 1) => {
      const session = new FakeSession(id)
      const entry = { caller: 'me', path: '/mcp', processes }
      sessions.add(session, entry)
      return session
    },
  }
}

test('B16: a session is found by who began it, where it was begun, and by nobody else', () => {
  const { sessions, add } = table()
  const session = add('a')
  expect(sessions.find('a', 'me', '/mcp')).toBe(session)
  expect(sessions.find('a', 'you', '/mcp')).toBeUndefined()
  expect(sessions.find('a', 'me', '/mcp/x')).toBeUndefined()
  expect(sessions.find('b', 'me', '/mcp')).toBeUndefined()
})

test('B32: one that nobody used for long ends by itself, one in use never', () => {
  const { sessions, add } = table({ idleMs: 600_000 })
  const idle = add('idle')
  const used = add('used')
  used.isInUse = true
  vi.advanceTimersByTime(599_000)
  expect(idle.isClosed).toBe(false)
  vi.advanceTimersByTime(2000)
  expect(idle.isClosed).toBe(true)
  expect(sessions.find('idle', 'me', '/mcp')).toBeUndefined()
  vi.advanceTimersByTime(86_400_000)
  expect(used.isClosed).toBe(false)
  expect(used.keepAlive).toHaveBeenCalled()
})

test('B32: when it is full, the one that was unused longest makes room, if it was for a minute', () => {
  const { sessions, add, logs } = table({ maxSessions: 3 })
  const first = add('first')
  vi.advanceTimersByTime(30_000)
  const second = add('second')
  const third = add('third')
  expect(sessions.hasRoom(1)).toBe(false)
  vi.advanceTimersByTime(31_000)
  expect(sessions.hasRoom(1)).toBe(true)
  expect([first, second, third].map(({ isClosed }) => isClosed)).toEqual([true, false, false])
  expect(logs).toHaveLength(1)
  first.isInUse = true
  add('fourth')
  second.isInUse = true
  third.isInUse = true
  expect(sessions.hasRoom(1)).toBe(false)
})

test('B32: processes count until they have ended, and not only until nobody asks', async () => {
  const { sessions, add } = table({ maxProcesses: 4 })
  const session = add('a', 3)
  session.closes = false
  expect(sessions.hasRoom(1)).toBe(true)
  expect(sessions.hasRoom(2)).toBe(false)
  sessions.end('a')
  await vi.advanceTimersByTimeAsync(0)
  expect(sessions.hasRoom(2)).toBe(false)
  session.finish()
  await vi.advanceTimersByTimeAsync(0)
  expect(sessions.hasRoom(4)).toBe(true)
})

test('the end waits for the servers of every session', async () => {
  const { sessions, add } = table()
  const slow = add('slow')
  slow.closes = false
  let isOver = false
  const closed = sessions.close().then(() => (isOver = true))
  await vi.advanceTimersByTimeAsync(1000)
  expect(isOver).toBe(false)
  slow.finish()
  await closed
  expect(isOver).toBe(true)
})
