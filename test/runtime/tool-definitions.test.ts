import { expect, test } from 'vitest'
import type { RecordData } from '../../src/audit/record.ts'
import { limits } from '../../src/limits.ts'
import { ToolDefinitionLog } from '../../src/runtime/tool-definitions.ts'
import { MemoryStore } from './memory-store.ts'

const hash = (text: string): string => Buffer.from(text).toString('hex').padEnd(64, '0')

/** A log of definitions over a store of its own or a shared one, and a server that lists what a test says. */
function gate(store = new MemoryStore()) {
  let nowMs = 0
  const failures: unknown[] = []
  const log = new ToolDefinitionLog({
    store,
    now: () => nowMs,
    onFailure: (error) => failures.push(error),
  })
  const list = async (
    tools: Readonly<Record<string, string>>,
    { server = 'fs', isComplete = true } = {},
  ): Promise<void> => {
    note(tools, { server, isComplete })
    await log.idle()
  }
  const note = (
    tools: Readonly<Record<string, string>>,
    { server = 'fs', isComplete = true } = {},
  ): void =>
    log.note({
      server,
      isComplete,
      names: () => Object.keys(tools),
      hashOf: (tool) => tools[tool],
    })
  return { store, log, failures, list, note, pass: (ms: number) => (nowMs += ms) }
}

const written = (store: MemoryStore): readonly RecordData[] =>
  store.ofType('tool.def').map(({ data }) => data)
const said = (store: MemoryStore): readonly string[] =>
  written(store).map(
    ({ change, server, tool }) => `${String(change)} ${String(server)}.${String(tool)}`,
  )

test('a tool is recorded when first seen, when changed and when gone, and not in between', async () => {
  const { store, list } = gate()
  await list({ read: hash('1'), write: hash('2') })
  await list({ read: hash('1'), write: hash('2') })
  expect(said(store)).toEqual(['first_seen fs.read', 'first_seen fs.write'])
  await list({ read: hash('x'), write: hash('2') })
  await list({ write: hash('2') })
  expect(written(store).slice(2)).toMatchObject([
    { change: 'changed', previous: hash('1'), server: 'fs', sha256: hash('x'), tool: 'read' },
    { change: 'removed', previous: hash('x'), server: 'fs', sha256: null, tool: 'read' },
  ])
})

test('B11: a tool that went and comes back says what it was before', async () => {
  const { store, list } = gate()
  await list({ read: hash('1') })
  await list({})
  await list({ read: hash('evil') })
  expect(written(store).at(-1)).toMatchObject({
    change: 'changed',
    previous: hash('1'),
    sha256: hash('evil'),
  })
})

test('several gates on one log say each thing once', async () => {
  const store = new MemoryStore()
  await gate(store).list({ read: hash('1') })
  const size = store.commits.length
  await gate(store).list({ read: hash('1') })
  expect(store.commits.length).toBeGreaterThan(size)
  await gate(store).list({ read: hash('2') })
  await gate(store).list({})
  await gate(store).list({})
  expect(said(store)).toEqual(['first_seen fs.read', 'changed fs.read', 'removed fs.read'])
})

test('an unchanged list asks nothing of the log', async () => {
  const { store, list } = gate()
  await list({ read: hash('1') })
  const size = store.commits.length
  await list({ read: hash('1') })
  expect(store.commits.length).toBe(size)
})

test('what is missing from a part of a list is not gone', async () => {
  const { store, list } = gate()
  await list({ read: hash('1'), write: hash('2') })
  await list({ write: hash('2') }, { isComplete: false })
  expect(said(store)).toHaveLength(2)
  await list({ write: hash('2') })
  expect(said(store).at(-1)).toBe('removed fs.read')
})

test('what other gates saw and is gone meanwhile is found by the first whole list', async () => {
  const store = new MemoryStore()
  const many = Object.fromEntries(Array.from({ length: 250 }, (_, at) => [`t${at}`, hash('1')]))
  await gate(store).list(many)
  await gate(store).list({ t7: hash('1') })
  const removed = written(store).filter(({ change }) => change === 'removed')
  expect(new Set(removed.map(({ tool }) => tool)).size).toBe(249)
  expect(removed.some(({ tool }) => tool === 't7')).toBe(false)
})

test('servers are apart', async () => {
  const { store, list } = gate()
  await list({ read: hash('1') }, { server: 'fs' })
  await list({ read: hash('1') }, { server: 'git' })
  await list({}, { server: 'git' })
  expect(said(store)).toEqual(['first_seen fs.read', 'first_seen git.read', 'removed git.read'])
})

test('a server that changes its tools in a loop cannot fill the log; what is left out is counted', async () => {
  const { store, list, pass } = gate()
  const tools = (round: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`t${at}`, hash(`${round}`)]))
  for (let round = 0; round < 5; round += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one list after the other
    await list(tools(round))
  }
  expect(written(store)).toHaveLength(limits.maxToolRecordsPerHour)
  // Another server is not held to account.
  await list({ x: hash('1') }, { server: 'good' })
  expect(written(store)).toHaveLength(limits.maxToolRecordsPerHour + 1)
  pass(3_600_000 - 1)
  await list(tools(5))
  expect(written(store)).toHaveLength(limits.maxToolRecordsPerHour + 1)
  pass(1)
  await list(tools(6))
  const later = written(store).slice(limits.maxToolRecordsPerHour + 1)
  expect(later).toHaveLength(300)
  expect(later[0]?.['omitted']).toBe(500 + 300)
  expect(later.slice(1).every((data) => data['omitted'] === 0)).toBe(true)
})

test('what found no room is recorded when it is listed again', async () => {
  const { store, list, pass } = gate()
  const count = limits.maxToolRecordsPerHour + 1
  const tools = Object.fromEntries(Array.from({ length: count }, (_, at) => [`t${at}`, hash('1')]))
  await list(tools)
  pass(3_600_000)
  await list(tools)
  expect(said(store)).toHaveLength(count)
  expect(written(store).at(-1)).toMatchObject({ change: 'first_seen', tool: `t${count - 1}` })
})

test('names that may not stand in a record hold up no other', async () => {
  const { store, failures, list } = gate()
  const long = 'x'.repeat(limits.maxNameCharacters)
  await list({ '\ud800': hash('1'), [`${long}x`]: hash('1'), [long]: hash('1'), ok: hash('1') })
  expect(failures).toEqual([])
  expect(written(store).map(({ tool }) => tool)).toEqual([long, 'ok'])
})

test('a log that cannot be written is told of, and tried again with the next list', async () => {
  const { store, failures, list } = gate()
  store.failure = () => 'before deciding'
  await list({ read: hash('1') })
  expect(failures).toHaveLength(1)
  store.failure = () => undefined
  await list({ read: hash('1') })
  expect(said(store)).toEqual(['first_seen fs.read'])
})

test('a listing that has been replaced by another is left', async () => {
  const { store, log, note } = gate()
  note({ read: hash('1') })
  log.note({ server: 'fs', isComplete: true, names: () => ['gone'], hashOf: () => undefined })
  await log.idle()
  expect(said(store)).toEqual([])
  note({ read: hash('1') })
  await log.idle()
  expect(said(store)).toEqual(['first_seen fs.read'])
})

test('it is recorded after the caller has gone on, and lazily', async () => {
  const { store, log, note } = gate()
  let asked = 0
  log.note({
    server: 'fs',
    isComplete: true,
    names: () => [`t${(asked += 1)}`],
    hashOf: () => hash('1'),
  })
  expect(asked).toBe(0)
  await log.idle()
  note({})
  await log.idle()
  expect(new Set(store.commits)).toEqual(new Set(['lazy']))
})
