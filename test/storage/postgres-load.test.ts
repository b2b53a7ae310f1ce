import { expect, onTestFinished, test } from 'vitest'
import { WriterChild } from './children.ts'
import { verified } from './contract-context.ts'
import { postgresPlaceOn, usePostgres } from './postgres-subject.ts'

const server = usePostgres()

function pauseMs(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

test('four gates under load, kill -9 of one and of the database: nothing acknowledged is lost, nothing unrecorded', async () => {
  const place = postgresPlaceOn(server())
  await (await place.open()).close()
  const job = {
    kind: 'calls-through-outages',
    count: 1e6,
    callers: 8,
    forwarded: true,
    settled: true,
    durability: 'power',
  } as const
  const gates = Array.from({ length: 4 }, () => new WriterChild(place, job))
  onTestFinished(async () => {
    await Promise.all(gates.map((gate) => gate.kill()))
  })
  const stored = ({ call }: { readonly call?: string }): boolean => call !== undefined
  await Promise.all(gates.map((gate) => gate.until(stored)))
  await pauseMs(700)
  const [killed, ...others] = gates
  await killed?.kill()
  await pauseMs(700)
  await server().kill()
  await pauseMs(500)
  await server().startAgain()
  const before = others.map(({ facts }) => facts.length)
  // Each of those that are left goes on by itself.
  await Promise.all(
    others.map((gate, at) => gate.until(() => gate.facts.slice(before[at]).some(stored))),
  )
  await pauseMs(700)
  await Promise.all(others.map((gate) => gate.stop()))
  expect(others.map(({ facts }) => facts.at(-1))).toEqual(others.map(() => ({ closed: true })))
  expect(others.some(({ facts }) => facts.some(({ refused }) => refused !== undefined))).toBe(true)

  const log = await place.open()
  onTestFinished(() => log.close())
  const { size } = await verified(log)
  expect((await log.verify({ trustLog: true, strict: false })).verdict).toMatch(
    /^(?:ok|incomplete)$/,
  )
  const decided = new Map<unknown, number>()
  const settled = new Set<unknown>()
  for (let from = 0; from < size; from += 1000) {
    // oxlint-disable-next-line no-await-in-loop -- page after page
    for (const { type, seq, data } of await log.records(from, 1000)) {
      if (type === 'decision') decided.set(data['call'], seq)
      if (type === 'outcome' && data['status'] === 'ok') settled.add(data['call'])
    }
  }
  const facts = gates.flatMap((gate) => gate.facts)
  const acknowledged = facts.flatMap(({ call, seq }) =>
    call === undefined || seq === undefined ? [] : [{ call, seq }],
  )
  expect(acknowledged.length).toBeGreaterThan(200)
  expect(acknowledged.filter(({ call, seq }) => decided.get(call) !== seq)).toEqual([])
  const ended = facts.flatMap((fact) => (fact.settled === true ? [fact.call] : []))
  expect(ended.filter((call) => !settled.has(call))).toEqual([])
  // What is in the log and no gate was told of: only what was under way when a gate or the database died.
  const unknown = decided.size - acknowledged.length
  expect(unknown).toBeLessThanOrEqual(4 * job.callers * 2)
}, 120_000)
