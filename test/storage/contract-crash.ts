import { describe, expect, onTestFinished, test } from 'vitest'
import type { LogReader } from '../../src/runtime/store.ts'
import { WriterChild } from './children.ts'
import type { Job } from './children.ts'
import { typesOf, verified } from './contract-context.ts'
import type { ContractContext } from './contract-context.ts'
import { decisionOn, newCall, outcomeOf, storing } from './drafts.ts'
import type { Place } from './subject.ts'

/** More for a long run: `CAPFENCE_CRASH_ROUNDS=200 npx vitest run test/storage`. */
const rounds = Number(process.env['CAPFENCE_CRASH_ROUNDS'] ?? '6')

function start(place: Place, job: Job): WriterChild {
  const child = new WriterChild(place, job)
  onTestFinished(() => child.kill())
  return child
}

/** Everything a child was told is stored must be in the log, at the seq it was told. */
async function expectAcknowledged(log: LogReader, child: WriterChild): Promise<void> {
  for (const { call, seq } of child.facts) {
    if (call === undefined || seq === undefined) continue
    const [decision] = await log.call(call)
    expect(decision).toMatchObject({ seq, data: { call } })
  }
}

/** What must hold when several processes write, and when they are killed. */
export function crashContract({ newPlace, open }: ContractContext): void {
  describe('several processes on one database', () => {
    test('write one log: nothing acknowledged is lost, no writer counts with a hole', async () => {
      const place = newPlace()
      const store = await open(place)
      const job = { kind: 'calls', count: 150, callers: 8, forwarded: true, settled: true } as const
      const children = [start(place, job), start(place, { ...job, durability: 'power' })]
      const own = Array.from({ length: 100 }, () =>
        store.commit(storing(decisionOn(newCall(), { decision: 'deny' })), 'process'),
      )
      await Promise.all([...own, ...children.map((child) => child.end())])
      expect(children.map(({ facts }) => facts.at(-1))).toEqual([
        { closed: true },
        { closed: true },
      ])
      for (const child of children) await expectAcknowledged(store, child)
      const report = await verified(store)
      expect(report.orphans).toEqual([])
      // Two records of the store's opening, two for each child's life, one for each blocked call, two for each other.
      expect(report.size).toBe(2 + 2 * 2 + 100 + 2 * 150 * 2)
    })

    test('one that never rests does not keep the others out', async () => {
      const place = newPlace()
      const store = await open(place)
      const restless = start(place, { kind: 'calls', count: 1_000_000, callers: 32 })
      await restless.until(({ call }) => call !== undefined)
      for (let round = 0; round < 30; round += 1) {
        // oxlint-disable-next-line no-await-in-loop -- each waits for the lock by itself
        await store.commit(storing(decisionOn(newCall(), { decision: 'deny' })), 'power')
      }
      const before = restless.facts.length
      await restless.until(() => restless.facts.length > before)
      await restless.kill()
      await verified(store)
    })

    test('may make a new database at the same moment', async () => {
      const place = newPlace()
      const job = { kind: 'calls', count: 5, callers: 1 } as const
      const children = Array.from({ length: 4 }, () => start(place, job))
      await Promise.all(children.map((child) => child.end()))
      expect(children.map(({ facts }) => facts.at(-1)?.closed)).toEqual([true, true, true, true])
      const store = await open(place)
      for (const child of children) await expectAcknowledged(store, child)
      expect((await verified(store)).size).toBe(1 + 4 * 7 + 1)
    })

    test('a call of a writer that still runs is left to it; of one that was killed it becomes unknown, once', async () => {
      const place = newPlace()
      const child = start(place, {
        kind: 'calls',
        count: 1,
        callers: 1,
        forwarded: true,
        wait: true,
      })
      const { call = '' } = await child.until((fact) => fact.call !== undefined)

      const while1 = await open(place)
      expect(await while1.orphans()).toMatchObject([{ state: 'in_flight' }])
      expect((await while1.call(call)).map(({ type }) => type)).toEqual(['decision'])
      await child.kill()
      expect(await while1.orphans()).toMatchObject([{ state: 'lost' }])

      const after = await open(place)
      expect(await after.orphans()).toMatchObject([{ state: 'unknown' }])
      expect(await after.call(call)).toMatchObject([
        {},
        { type: 'outcome', data: { status: 'unknown' } },
      ])
      const again = await open(place)
      expect((await again.call(call)).map(({ type }) => type)).toEqual(['decision', 'outcome'])
      expect((await typesOf(again)).filter((type) => type === 'outcome')).toHaveLength(1)
      await verified(again)
    })

    test('a writer in this process is alive too, and may still say how its call ended', async () => {
      const place = newPlace()
      const first = await open(place)
      const call = newCall()
      await first.commit(storing(decisionOn(call)), 'process')
      const second = await open(place)
      expect(await second.orphans()).toMatchObject([{ state: 'in_flight' }])
      await first.commit(storing(outcomeOf(call, 2)), 'process')
      expect(await second.orphans()).toEqual([])
    })
  })

  test(
    `kill -9 of a writer at any moment, ${rounds} rounds: no acknowledged record is lost, the log verifies, orphans are listed`,
    async () => {
      const place = newPlace()
      await (await open(place)).close()
      for (let round = 0; round < rounds; round += 1) {
        const durability = round % 2 === 0 ? 'process' : 'power'
        const job = {
          kind: 'calls',
          count: 1e6,
          callers: 8,
          forwarded: true,
          settled: true,
        } as const
        const child = start(place, { ...job, durability })
        await child.until((fact) => fact.call !== undefined)
        await new Promise((resolve) => {
          setTimeout(resolve, Math.random() * 120)
        })
        await child.kill()

        const reader = await place.openReader()
        await expectAcknowledged(reader, child)
        const { orphans } = await verified(reader)
        const listed = await reader.orphans()
        expect(listed.map(({ seq }) => seq)).toEqual(orphans.map(({ seq }) => seq))
        const settled = new Set(
          child.facts.flatMap((fact) => (fact.settled === true ? [fact.call] : [])),
        )
        expect(listed.filter(({ data }) => settled.has(String(data['call'])))).toEqual([])
        await reader.close()
      }
      const last = await open(place)
      expect((await last.orphans()).every(({ state }) => state === 'unknown')).toBe(true)
      await verified(last)
    },
    60_000 + rounds * 3000,
  )
}
