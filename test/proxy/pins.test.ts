import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Pins, SeenDefinition } from '../../src/mcp/pins.ts'
import { harness, initialize, reply, request } from './harness.ts'
import type { Harness, Message } from './harness.ts'

const relistMs = 60_000

/** Pins that a test plays by hand. */
class FakePins implements Pins {
  isActive = true
  isEnforced = true
  relistMs = relistMs
  readonly seen: SeenDefinition[] = []
  readonly listeners = new Set<() => void>()
  held: (seen: SeenDefinition) => string | undefined = () => undefined

  heldBecause(seen: SeenDefinition): string | undefined {
    this.seen.push(seen)
    return this.held(seen)
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A client and a server that lists what `tools` holds. */
async function gated(pins: FakePins, tools: { names: readonly string[] }): Promise<Harness> {
  const all = harness(['solo'], 'deny', pins)
  const { solo } = all.servers
  if (solo === undefined) throw new Error('there is a server')
  solo.auto = ({ id, method }: Message) => {
    if (method === 'initialize') return reply(id, { capabilities: { tools: {} } })
    if (method === 'tools/list') return reply(id, { tools: tools.names.map((name) => ({ name })) })
    return method === 'tools/call' ? reply(id, { content: [] }) : undefined
  }
  all.send(request('initialize', initialize, 0))
  await all.settle()
  return all
}

const lists = (all: Harness): number =>
  (all.servers['solo']?.messages ?? []).filter(({ method }) => method === 'tools/list').length

test('B11: the tools of a running server are listed again every so often, and of one that was never asked not', async () => {
  const pins = new FakePins()
  const all = await gated(pins, { names: ['a'] })
  await vi.advanceTimersByTimeAsync(relistMs * 2)
  expect(lists(all)).toBe(0)
  all.send(request('tools/list', undefined, 1))
  await all.settle()
  await vi.advanceTimersByTimeAsync(relistMs * 3)
  await all.settle()
  expect(lists(all)).toBe(4)
  await all.session.close()
  await vi.advanceTimersByTimeAsync(relistMs * 3)
  expect(lists(all)).toBe(4)
  expect(pins.listeners.size).toBe(0)
})

test('B11: a tool that turns out to be another one is told to the client without its asking', async () => {
  const pins = new FakePins()
  const tools = { names: ['a'] }
  const all = await gated(pins, tools)
  all.send(request('tools/list', undefined, 1))
  await all.settle()
  tools.names = ['a', 'new']
  pins.held = ({ name }) => (name === 'new' ? 'nobody has accepted it yet' : undefined)
  await vi.advanceTimersByTimeAsync(relistMs)
  await all.settle()
  const told = all.received().filter(({ method }) => method?.endsWith('list_changed') === true)
  expect(told.map(({ method }) => method)).toEqual(['notifications/tools/list_changed'])
  expect(all.logs.join('\n')).toContain('1 of 2 tools are held')
})

test('B11: a server that says its tools changed, and does not list them, is called nothing', async () => {
  const pins = new FakePins()
  const all = await gated(pins, { names: ['a'] })
  const { solo } = all.servers
  all.send(request('tools/list', undefined, 1))
  await all.settle()
  const auto = solo?.auto
  if (solo === undefined || auto === undefined) throw new Error('there is a server')
  solo.auto = (message) =>
    message.method === 'tools/list'
      ? { jsonrpc: '2.0', id: message.id, error: { code: -32000, message: 'not now' } }
      : auto(message)
  solo.say({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
  all.send(request('tools/call', { name: 'a', arguments: {} }, 2))
  await all.settle()
  await all.settle()
  expect(all.gate.judged.map(({ held }) => held)).toEqual([
    'its server said that its tools have changed, and did not list them again',
  ])
})

test('B11: a call waits for the list that its server has announced', async () => {
  const pins = new FakePins()
  const all = await gated(pins, { names: ['a'] })
  const { solo } = all.servers
  all.send(request('tools/list', undefined, 1))
  await all.settle()
  if (solo === undefined) throw new Error('there is a server')
  solo.auto = undefined
  solo.say({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
  all.send(request('tools/call', { name: 'a', arguments: {} }, 2))
  await all.settle()
  expect(all.gate.judged).toEqual([])
  pins.held = () => 'it changed since it was accepted'
  solo.say(reply(solo.last.id, { tools: [{ name: 'a', description: 'other' }] }))
  await all.settle()
  expect(all.gate.judged.map(({ held }) => held)).toEqual(['it changed since it was accepted'])
})

test('B32: a server that floods the gate with changes is asked for one list after the other', async () => {
  const pins = new FakePins()
  const all = await gated(pins, { names: ['a'] })
  const { solo } = all.servers
  all.send(request('tools/list', undefined, 1))
  await all.settle()
  if (solo === undefined) throw new Error('there is a server')
  solo.auto = undefined
  solo.say({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
  await all.settle()
  for (let count = 0; count < 1000; count += 1) {
    solo.say({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
  }
  await all.settle()
  expect(lists(all)).toBe(2)
  solo.say(reply(solo.last.id, { tools: [{ name: 'a' }] }))
  await all.settle()
  expect(lists(all)).toBe(3)
  solo.say(reply(solo.last.id, { tools: [{ name: 'a' }] }))
  await all.settle()
  expect(lists(all)).toBe(3)
  all.send(request('tools/call', { name: 'a', arguments: {} }, 2))
  await all.settle()
  expect(all.gate.judged.map(({ held }) => held)).toEqual([undefined])
})

test('what is compared is the definition that the client was shown', async () => {
  const pins = new FakePins()
  const all = await gated(pins, { names: ['a'] })
  all.send(request('tools/list', undefined, 1))
  await all.settle()
  all.send(request('tools/call', { name: 'a', arguments: {} }, 2))
  await all.settle()
  const [call] = all.gate.judged
  expect(pins.seen.every(({ sha256 }) => sha256 === call?.definition?.hash)).toBe(true)
  expect(pins.seen.at(-1)).toMatchObject({ server: 'solo', kind: 'tool', name: 'a' })
})
