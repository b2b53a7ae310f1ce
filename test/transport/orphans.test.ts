import { describe, expect, test } from 'vitest'
import { hasCommand, requireOrSkip } from '../support/needs.ts'
import { startGate } from './gates.ts'
import { eventually, fixture, isRunning, pause, runningWith, uniqueTag } from './processes.ts'
import type { Gate } from './gates.ts'
import type { Command } from './processes.ts'

const posix = process.platform !== 'win32' && hasCommand('ps')
const linux = process.platform === 'linux'
const skip = requireOrSkip('POSIX process groups and ps', posix)

interface Family {
  readonly gate: Gate
  readonly pids: readonly number[]
}

/** A gate whose server is up, with its helper. */
async function startFamily(server: Command): Promise<Family> {
  const gate = startGate(server)
  const pids = Object.values(JSON.parse(await gate.line()) as Record<string, number>)
  for (const pid of pids) expect(isRunning(pid)).toBe(true)
  return { gate, pids }
}

const ends: Readonly<Record<string, (gate: Gate) => unknown>> = {
  'the end of its input': (gate) => gate.process.stdin.end(),
  SIGTERM: (gate) => gate.process.kill('SIGTERM'),
  SIGINT: (gate) => gate.process.kill('SIGINT'),
  SIGHUP: (gate) => gate.process.kill('SIGHUP'),
  SIGKILL: (gate) => gate.process.kill('SIGKILL'),
  'SIGTERM to its whole group': (gate) => process.kill(-(gate.process.pid ?? 0), 'SIGTERM'),
  'SIGKILL to its whole group': (gate) => process.kill(-(gate.process.pid ?? 0), 'SIGKILL'),
}
const families: Readonly<Record<string, Command>> = {
  'a polite wrapper, server and helper': fixture('family', 'wrapper'),
  'a stubborn wrapper, server and helper': fixture('family', 'wrapper', 'stubborn'),
  'a stubborn server without a wrapper': fixture('family', 'server', 'stubborn'),
}

// Most of the time here is spent waiting for processes to end.
describe.skipIf(skip).concurrent('B33: no process of a server outlives the gate', () => {
  for (const [how, end] of Object.entries(ends)) {
    test.each(Object.entries(families))(`after ${how}: %s`, async (_name, server) => {
      const { gate, pids } = await startFamily(server)
      const own = server.args.includes('wrapper') ? pids : pids.slice(1)
      end(gate)
      await eventually(() => !own.some(isRunning), 'all of them have ended')
    })
  }

  test.skipIf(requireOrSkip('/proc', linux)).each(Object.entries(ends))(
    'after %s: a stubborn helper that went into a session of its own',
    async (_how, end) => {
      const { gate, pids } = await startFamily(fixture('family', 'wrapper', 'stubborn', 'loose'))
      end(gate)
      await eventually(() => !pids.some(isRunning), 'all of them have ended')
    },
  )

  // After SIGKILL this is a race: the server may end before the reaper has seen whom it leaves behind.
  test.skipIf(!linux).each(Object.entries(ends).slice(0, 3))(
    'after %s: a helper in a session of its own, left behind by a polite server',
    async (_how, end) => {
      const { gate, pids } = await startFamily(fixture('family', 'wrapper', 'loose'))
      end(gate)
      await eventually(() => !pids.some(isRunning), 'all of them have ended')
    },
  )

  test('after SIGKILL: a server whose environment no shell would hand on', async () => {
    const server = { ...fixture('family', 'wrapper', 'stubborn'), env: { 'A.B': '1' } }
    const { gate, pids } = await startFamily(server)
    gate.process.kill('SIGKILL')
    await eventually(() => !pids.some(isRunning), 'all of them have ended')
  })

  test('after SIGKILL: several servers, one of which had ended before', async () => {
    const tag = uniqueTag()
    const stubborn = fixture('family', 'wrapper', 'stubborn', tag)
    const gate = startGate(stubborn, stubborn, fixture('environment', tag))
    await gate.said()
    expect(await gate.said()).toMatchObject({ closed: { code: 0 } })
    await eventually(() => runningWith(tag).length === 7, 'six of them and the gate run')
    gate.process.kill('SIGKILL')
    await eventually(() => runningWith(tag).length === 0, 'all of them have ended')
  })

  test('after SIGKILL at any moment, also while the server is only being started', async () => {
    const tag = uniqueTag()
    const server = fixture('family', 'server', 'stubborn', tag)
    const gates = Array.from({ length: 12 }, () => startGate(server, server))
    for (const [index, gate] of gates.entries()) {
      if (index === 0) await gate.said()
      await pause(7)
      gate.process.kill('SIGKILL')
    }
    await Promise.all(gates.map(async ({ ended }) => ended))
    await eventually(() => runningWith(tag).length === 0, 'all of them have ended')
  })

  test('the gate ends before a client loses patience, although its servers are stubborn', async () => {
    const { gate } = await startFamily(fixture('family', 'wrapper', 'stubborn'))
    const startedMs = performance.now()
    gate.process.stdin.end()
    expect(await gate.ended).toEqual({ code: 0, signal: null })
    // It takes 1.5 s (see the sum of its parts in stop.test.ts); the rest is for a busy machine. A client waits 2 s,
    // sends SIGTERM, and waits 2 s more.
    expect(performance.now() - startedMs).toBeLessThan(4000)
  })

  test('a polite server is not waited for longer than it takes', async () => {
    const { gate } = await startFamily(fixture('family', 'wrapper'))
    const startedMs = performance.now()
    gate.process.stdin.end()
    await gate.ended
    expect(performance.now() - startedMs).toBeLessThan(1400)
  })
})
