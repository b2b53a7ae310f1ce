import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Charge, Effects, LabelChange, Store, StoreView } from '../../src/runtime/store.ts'
import { limits } from '../../src/limits.ts'
import { codeOf, verified } from './contract-context.ts'
import type { ContractContext } from './contract-context.ts'
import { decisionOn, newCall, outcomeOf, storing } from './drafts.ts'

const hour = 3_600_000

/** Reads something inside a transaction that stores nothing. */
function ask<T>(store: Store, question: (view: StoreView) => T): Promise<T> {
  return store.commit((view) => ({ records: [], result: question(view) }), 'process')
}

interface Charged {
  readonly ageMs?: number
  readonly windowMs?: number
  readonly shortestMs?: number
}

function chargeOf(
  { nowMs, nextSeq: decisionSeq }: StoreView,
  pot: string,
  amount: string,
  { ageMs = 0, windowMs = hour, shortestMs = windowMs }: Charged = {},
): Charge {
  const atMs = nowMs - ageMs
  return { pot, amount, atMs, expiresAtMs: atMs + windowMs, windowMs, shortestMs, decisionSeq }
}

/** A forwarded call that takes an amount out of a pot; gives the call and the seq of its decision. */
async function charge(
  store: Store,
  pot: string,
  amount: string,
  charged: Charged = {},
): Promise<{ readonly call: string; readonly seq: number }> {
  const call = newCall()
  const seq = await store.commit((view) => {
    const charges = [chargeOf(view, pot, amount, charged)]
    return { records: [decisionOn(call)], charges, result: view.nextSeq }
  }, 'process')
  return { call, seq }
}

/** Calls that have ended, each charged with the same, the oldest first; some at a time, so that they share commits. */
async function spend(
  store: Store,
  amount: string,
  ages: readonly number[],
  charged: Charged = {},
): Promise<void> {
  const oldestFirst = ages.toSorted((one, other) => other - one)
  for (let from = 0; from < oldestFirst.length; from += 50) {
    // oxlint-disable-next-line no-await-in-loop -- one batch after the other
    const calls = await Promise.all(
      oldestFirst
        .slice(from, from + 50)
        .map((ageMs) => charge(store, 'p', amount, { ...charged, ageMs })),
    )
    // oxlint-disable-next-line no-await-in-loop -- the same
    await Promise.all(
      calls.map(({ call, seq }) => store.commit(storing(outcomeOf(call, seq)), 'process')),
    )
  }
}

function centsOf(charges: readonly string[]): number {
  return charges.reduce((sum, amount) => sum + Math.round(Number(amount) * 100), 0)
}

async function amounts(store: Store, pot: string, withinMs = hour): Promise<readonly string[]> {
  const charges = await ask(store, (view) => view.charges(pot, view.nowMs - withinMs))
  return (charges ?? []).map(({ amount }) => amount)
}

const forever = Number.MAX_SAFE_INTEGER

function labelled(changes: Partial<LabelChange> = {}): LabelChange {
  return {
    subject: 's',
    label: 'x',
    bind: '',
    heldUntilMs: forever,
    provenUntilMs: 0,
    seq: 2,
    ...changes,
  }
}

function adding(...labels: readonly LabelChange[]): () => Effects<undefined> {
  return () => ({ records: [], labels, result: undefined })
}

/** Whether a label is held and proven, in two letters. */
async function stateOf(
  store: Store,
  asked: Partial<Parameters<StoreView['label']>[0]> = {},
): Promise<string> {
  const question = { subject: 's', label: 'x', bind: undefined, ...asked }
  const { held, proven } = await ask(store, (view) => view.label(question))
  return `${held ? 'h' : '-'}${proven ? 'p' : '-'}`
}

/** What earlier calls leave for later ones. */
export function stateContract({ newPlace, open }: ContractContext): void {
  describe('charges of pots', () => {
    test('are there for the next commit of the same turn, for other gates and after a restart', async () => {
      const place = newPlace()
      const store = await open(place)
      const other = await open(place)
      const seen = await Promise.all(
        Array.from({ length: 5 }, async (_, at) => {
          const before = ask(store, (view) => view.charges('p', 0)?.length)
          await charge(store, 'p', String(at + 1))
          return before
        }),
      )
      expect(seen).toEqual([0, 1, 2, 3, 4])
      expect(await amounts(other, 'p')).toEqual(['1', '2', '3', '4', '5'])
      expect(await amounts(other, 'q')).toEqual([])
      await store.close()
      await other.close()
      const again = await open(place)
      expect(await amounts(again, 'p')).toEqual(['1', '2', '3', '4', '5'])
      expect(await again.pots(Date.now())).toMatchObject([
        { pot: 'p', charges: [{ amount: '1' }, {}, {}, {}, { amount: '5' }] },
      ])
      await verified(again)
    })

    test('count within their time and no longer, oldest first', async () => {
      const store = await open(newPlace())
      await charge(store, 'p', '3', { ageMs: 10_000 })
      await charge(store, 'p', '1', { ageMs: 60_000 })
      await charge(store, 'p', '2', { ageMs: 30_000 })
      expect(await amounts(store, 'p', 61_000)).toEqual(['1', '2', '3'])
      expect(await amounts(store, 'p', 31_000)).toEqual(['2', '3'])
      expect(await amounts(store, 'p', 1)).toEqual([])
    })

    test('are given back with the outcome that says so, and only while it is not known', async () => {
      const store = await open(newPlace())
      const [one, other] = [await charge(store, 'p', '1'), await charge(store, 'p', '2')]
      await store.commit(
        () => ({
          records: [outcomeOf(one.call, one.seq, 'cancelled')],
          returned: one.seq,
          result: 0,
        }),
        'process',
      )
      expect(await amounts(store, 'p')).toEqual(['2'])
      await store.commit(storing(outcomeOf(other.call, other.seq)), 'process')
      await store.commit(() => ({ records: [], returned: other.seq, result: 0 }), 'process')
      expect(await amounts(store, 'p')).toEqual(['2'])
    })

    test('of a commit that is refused are not made, and what it gives back is not given back', async () => {
      const store = await open(newPlace())
      const { seq } = await charge(store, 'p', '1')
      const refused = store.commit(
        (view) => ({
          records: [outcomeOf(newCall(), seq)],
          returned: seq,
          labels: [labelled()],
          charges: [chargeOf(view, 'p', '9')],
          result: 0,
        }),
        'process',
      )
      expect(await codeOf(refused)).toBe('RECORD_INVALID')
      expect(await amounts(store, 'p')).toEqual(['1'])
      expect(await stateOf(store)).toBe('--')
    })

    test('of a gate that died stay charged: its calls may have been made', async () => {
      const place = newPlace()
      const first = await open(place)
      await charge(first, 'p', '1')
      await first.close()
      const next = await open(place)
      expect((await next.orphans()).map(({ state }) => state)).toEqual(['unknown'])
      expect(await amounts(next, 'p')).toEqual(['1'])
    })

    test('that have expired do not pile up', async () => {
      const store = await open(newPlace())
      for (let at = 0; at < 200; at += 1) {
        // oxlint-disable-next-line no-await-in-loop -- each pot has one charge of its own
        await charge(store, `old ${at}`, '1', { ageMs: 2000, windowMs: 1000 })
      }
      const kept = await ask(store, (view) =>
        Array.from({ length: 200 }, (_, at) => view.charges(`old ${at}`, 0)?.length ?? 0),
      )
      expect(kept.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(1)
      expect(await store.pots(Date.now())).toEqual([])
    })

    test('however many there are, their sum is exact, and they count until the last of them would', async () => {
      const store = await open(newPlace())
      const ages = fc.sample(fc.integer({ min: 0, max: hour - 60_000 }), { numRuns: 1500, seed: 3 })
      await spend(store, '0.01', ages)
      const kept = await amounts(store, 'p')
      expect(kept.length).toBeLessThan(500)
      expect(centsOf(kept)).toBe(1500)
      for (const withinMs of [hour / 4, hour / 2]) {
        const exact = ages.filter((ageMs) => ageMs < withinMs).length
        // oxlint-disable-next-line no-await-in-loop -- two questions
        const counted = centsOf(await amounts(store, 'p', withinMs + 5000))
        expect(counted).toBeGreaterThanOrEqual(exact)
        expect(counted).toBeLessThanOrEqual(exact + 50)
      }
    }, 30_000)

    test('however many there are, the shortest of their limits has what it counts to itself', async () => {
      const store = await open(newPlace())
      const windows = { windowMs: 24 * hour, shortestMs: hour / 4 }
      // Two of three are older than the short limit looks, but not than a part of the long one.
      const ages = Array.from({ length: 900 }, (_, at) => 60_000 + at * 3000)
      await spend(store, '0.01', ages, windows)
      const kept = await amounts(store, 'p', 24 * hour)
      expect(kept.length).toBeLessThan(500)
      expect(centsOf(kept)).toBe(900)
      const exact = ages.filter((ageMs) => ageMs < hour / 4).length
      const counted = centsOf(await amounts(store, 'p', hour / 4))
      expect(Math.abs(counted - exact)).toBeLessThan(30)
    }, 30_000)

    test.each(['no number', '9'.repeat(21), '9'.repeat(65), '1e99'])(
      'of which the sum cannot be kept stay as they are: %s',
      async (amount) => {
        const store = await open(newPlace())
        const ages = Array.from({ length: 450 }, (_, at) => at)
        await spend(store, amount, ages)
        expect(await amounts(store, 'p')).toEqual(ages.map(() => amount))
      },
    )

    test('more than can be added up are not known', async () => {
      const store = await open(newPlace())
      await store.commit((view) => {
        const charges = Array.from({ length: limits.maxCharges + 1 }, (_, ageMs) =>
          chargeOf(view, 'p', '1', { ageMs }),
        )
        return { records: [decisionOn(newCall())], charges, result: 0 }
      }, 'process')
      const known = (sinceMs: (view: StoreView) => number): Promise<number | undefined> =>
        ask(store, (view) => view.charges('p', sinceMs(view))?.length)
      expect(await known(() => 0)).toBeUndefined()
      expect(await known(({ nowMs }) => nowMs - 10_000)).toBeLessThanOrEqual(10_000)
    }, 30_000)
  })

  describe('labels of sessions', () => {
    test('are held by their session alone, by every gate, and after a restart', async () => {
      const place = newPlace()
      const store = await open(place)
      const other = await open(place)
      expect(await stateOf(store)).toBe('--')
      await store.commit(adding(labelled()), 'process')
      expect(await stateOf(other)).toBe('h-')
      expect(await stateOf(other, { subject: 't' })).toBe('--')
      expect(await stateOf(other, { label: 'y' })).toBe('--')
      await store.close()
      await other.close()
      expect(await stateOf(await open(place))).toBe('h-')
    })

    test('are proven by what says so, and never less sure than they were', async () => {
      const store = await open(newPlace())
      await store.commit(adding(labelled({ provenUntilMs: forever })), 'process')
      expect(await stateOf(store)).toBe('hp')
      await store.commit(adding(labelled({ heldUntilMs: Date.now() + hour })), 'process')
      expect(await stateOf(store)).toBe('hp')
    })

    test('end when their time is over, each in its own time', async () => {
      const store = await open(newPlace())
      const past = Date.now() - 1
      await store.commit(adding(labelled({ heldUntilMs: past, provenUntilMs: past })), 'process')
      expect(await stateOf(store)).toBe('--')
      await store.commit(
        adding(labelled({ label: 'y', heldUntilMs: past + hour, provenUntilMs: past })),
        'process',
      )
      expect(await stateOf(store, { label: 'y' })).toBe('h-')
    })

    test('are about the value they were added for, or about any', async () => {
      const store = await open(newPlace())
      await store.commit(
        adding(
          labelled({ bind: 'a', provenUntilMs: forever }),
          labelled({ label: 'any' }),
          labelled({ bind: 'b' }),
        ),
        'process',
      )
      expect(await stateOf(store)).toBe('hp')
      expect(await stateOf(store, { bind: 'a' })).toBe('hp')
      expect(await stateOf(store, { bind: 'b' })).toBe('h-')
      expect(await stateOf(store, { bind: 'c' })).toBe('--')
      expect(await stateOf(store, { label: 'any', bind: 'c' })).toBe('h-')
    })

    test('that have ended do not pile up', async () => {
      const store = await open(newPlace())
      const old = Array.from({ length: 100 }, (_, at) =>
        labelled({ bind: String(at), heldUntilMs: 1 }),
      )
      await store.commit(adding(...old), 'process')
      await store.commit(adding(labelled({ label: 'y' })), 'process')
      expect(await stateOf(store)).toBe('--')
      expect(await stateOf(store, { label: 'y' })).toBe('h-')
    })
  })
}
