import { describe, expect, test } from 'vitest'
import { codeOf, typesOf, verified } from './contract-context.ts'
import type { ContractContext } from './contract-context.ts'
import { decisionOn, hashOfTests, newCall, requestFor, sealedArguments, storing } from './drafts.ts'

/** What must hold from opening to closing. */
export function lifeContract({ newPlace, open }: ContractContext): void {
  describe('from opening to closing', () => {
    test('close stores what waits, notes the stop, and refuses what comes later', async () => {
      const place = newPlace()
      const store = await open(place)
      const waiting = [
        store.commit(storing(decisionOn(newCall())), 'lazy'),
        store.commit(storing(decisionOn(newCall())), 'power'),
      ]
      const closed = store.close()
      expect(await codeOf(store.commit(storing(), 'process'))).toBe('AUDIT_UNAVAILABLE')
      await Promise.all([...waiting, closed, store.close()])
      expect(await codeOf(store.commit(storing(), 'process'))).toBe('AUDIT_UNAVAILABLE')
      await expect(store.size()).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' })
      const reader = await place.openReader()
      const types = await typesOf(reader)
      expect(types).toEqual(['log.open', 'proc.start', 'decision', 'decision', 'proc.stop'])
      await reader.close()
    })

    test('a lazy commit that waits while the store closes is not lost', async () => {
      const place = newPlace()
      const store = await open(place)
      const waiting = store.commit(storing(decisionOn(newCall())), 'lazy')
      await store.close()
      await waiting
      const reader = await place.openReader()
      expect((await typesOf(reader)).slice(-2)).toEqual(['decision', 'proc.stop'])
      await reader.close()
    })

    test('what was stored is there when the database is opened again, by another writer', async () => {
      const place = newPlace()
      const first = await open(place)
      const call = newCall()
      const args = sealedArguments({ path: '/srv/x' })
      const policy = { hash: hashOfTests, files: [{ path: 'a', bytes: Buffer.from('x: 1') }] }
      const request = requestFor('f'.repeat(64), 2)
      await first.commit(
        () => ({
          records: [decisionOn(call, { args })],
          disclosures: args.disclosures,
          approvalRequests: [request],
          policies: [policy],
          result: 0,
        }),
        'process',
      )
      const key = first.argumentKey()
      await first.close()

      const second = await open(place)
      expect(await typesOf(second)).toEqual([
        'log.open',
        'proc.start',
        'decision',
        'proc.stop',
        'proc.start',
        'outcome',
      ])
      const [, , , stop, start] = await second.records(0, 5)
      expect(start?.w).not.toBe(stop?.w)
      expect(start?.wn).toBe(0)
      expect(await second.disclosures(2)).toEqual(args.disclosures)
      expect(await second.approvalRequests()).toEqual([request])
      expect(
        Buffer.from((await second.policy(hashOfTests))?.files[0]?.bytes ?? []).toString(),
      ).toBe('x: 1')
      expect(second.argumentKey()).toEqual(key)
      await verified(second)
    })

    test('the key of argument digests is 32 bytes, and no two databases have the same', async () => {
      const keys = [await open(newPlace()), await open(newPlace())].map((store) =>
        Buffer.from(store.argumentKey()).toString('hex'),
      )
      expect(keys[0]).toMatch(/^[0-9a-f]{64}$/)
      expect(keys[0]).not.toBe(keys[1])
    })

    test('a reader sees what is written while it reads, and writes nothing', async () => {
      const place = newPlace()
      const store = await open(place)
      const reader = await place.openReader()
      expect(await reader.size()).toBe(2)
      await store.commit(storing(decisionOn(newCall())), 'process')
      expect(await reader.size()).toBe(3)
      await reader.close()
      expect(await store.size()).toBe(3)
    })
  })
}
