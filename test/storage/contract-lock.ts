import { describe, expect, test } from 'vitest'
import { codeOf, typesOf, verified } from './contract-context.ts'
import type { ContractContext } from './contract-context.ts'
import { decisionOn, newCall, storing } from './drafts.ts'

/** What happens while somebody else holds the lock. */
export function lockContract({ newPlace, open }: ContractContext): void {
  describe('a lock that others hold', () => {
    test('past the limit: everything waiting fails closed in time, and the outage is recorded afterwards', async () => {
      const place = newPlace()
      const store = await open(place, { maxLockWaitMs: 300 })
      const release = await place.holdLock()
      let beats = 0
      const heart = setInterval(() => (beats += 1), 5)
      const startMs = performance.now()
      const codes = await Promise.all([
        codeOf(store.commit(storing(decisionOn(newCall())), 'power')),
        codeOf(store.commit(storing(decisionOn(newCall())), 'process')),
        codeOf(store.commit(storing(decisionOn(newCall())), 'lazy')),
      ])
      const elapsedMs = performance.now() - startMs
      clearInterval(heart)
      expect(codes).toEqual(Array.from({ length: 3 }, () => 'AUDIT_UNAVAILABLE'))
      expect(elapsedMs).toBeGreaterThan(290)
      expect(elapsedMs).toBeLessThan(1500)
      // The event loop went on: it was not the database that waited.
      expect(beats).toBeGreaterThan(10)

      release()
      await store.commit(storing(decisionOn(newCall())), 'power')
      const records = await store.records(2, 10)
      expect(records.map(({ type }) => type)).toEqual(['audit.gap', 'decision'])
      expect(records[0]?.data).toMatchObject({ reason: 'locked', unrecorded: 3 })
      await store.commit(storing(decisionOn(newCall())), 'power')
      expect(await store.size()).toBe(5)
      await verified(store)
    })

    test('for less than the limit: nobody is refused, and no outage is recorded', async () => {
      const place = newPlace()
      const store = await open(place, { maxLockWaitMs: 5000 })
      const release = await place.holdLock()
      setTimeout(release, 200)
      await store.commit(storing(decisionOn(newCall())), 'power')
      expect(await typesOf(store)).toEqual(['log.open', 'proc.start', 'decision'])
    })

    test('the error tells what to do', async () => {
      const place = newPlace()
      const store = await open(place, { maxLockWaitMs: 20 })
      const release = await place.holdLock()
      await expect(store.commit(storing(decisionOn(newCall())), 'power')).rejects.toMatchObject({
        code: 'AUDIT_UNAVAILABLE',
        message: expect.stringContaining('held the lock for 20 ms') as string,
        hint: expect.stringContaining('another process') as string,
      })
      release()
    })

    test('reading goes on', async () => {
      const place = newPlace()
      const store = await open(place, { maxLockWaitMs: 20 })
      const release = await place.holdLock()
      expect(await store.size()).toBe(2)
      expect(await store.records(0, 10)).toHaveLength(2)
      release()
    })
  })
}
