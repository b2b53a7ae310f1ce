import { describe, expect, test } from 'vitest'
import type { Effects } from '../../src/runtime/store.ts'
import { verified } from './contract-context.ts'
import type { ContractContext } from './contract-context.ts'
import { decisionOn, hashOfTests, newCall, requestFor, sealedArguments, storing } from './drafts.ts'

/** What a commit that is stored does. */
export function commitContract({ newPlace, open }: ContractContext): void {
  describe('commit', () => {
    test('a new log begins with log.open and the start of its writer', async () => {
      const store = await open(newPlace())
      const records = await store.records(0, 10)
      expect(records.map(({ type }) => type)).toEqual(['log.open', 'proc.start'])
      expect(records[0]?.log).toMatch(/^capfence\.local\/[0-7][0-9A-HJKMNP-TV-Z]{25}$/)
      expect(records[1]?.data['software']).toBe('capfence/test')
    })

    test('everything a commit stores can be found, once it has resolved', async () => {
      const store = await open(newPlace())
      const call = newCall()
      const args = sealedArguments({ path: '/srv/x', password: 'hunter2' })
      const request = requestFor('d'.repeat(64), 2)
      const policy = {
        hash: hashOfTests,
        files: [{ path: 'a.yaml', bytes: new Uint8Array([1, 2]) }],
      }
      const result = await store.commit(
        () => ({
          records: [decisionOn(call, { args })],
          disclosures: args.disclosures,
          approvalRequests: [request],
          policies: [policy],
          result: { anything: 1 },
        }),
        'power',
      )
      expect(result).toEqual({ anything: 1 })
      expect(await store.call(call)).toMatchObject([{ type: 'decision', seq: 2 }])
      expect(await store.disclosures(2)).toEqual(args.disclosures)
      expect(args.disclosures).toHaveLength(1)
      expect(await store.approvalRequests()).toEqual([request])
      expect((await store.policy(hashOfTests))?.files.map(({ path }) => path)).toEqual(['a.yaml'])
      await verified(store)
    })

    test('commits are stored in the order in which they were made, whatever they must survive', async () => {
      const store = await open(newPlace())
      const durabilities = ['power', 'lazy', 'process'] as const
      const seqs = await Promise.all(
        Array.from({ length: 600 }, (_, index) =>
          store.commit(
            ({ nextSeq }) => ({ records: [decisionOn(newCall())], result: nextSeq }),
            durabilities[index % 3] ?? 'power',
          ),
        ),
      )
      expect(seqs).toEqual(Array.from({ length: 600 }, (_, index) => index + 2))
      await verified(store)
    })

    test('each commit sees the effects of those before it, also of the same turn', async () => {
      const store = await open(newPlace())
      const digest = 'e'.repeat(64)
      const ask = (): Promise<string> =>
        store.commit((view): Effects<string> => {
          const [pending] = view.approvals(digest)
          if (pending !== undefined) return { records: [], result: pending.request.id }
          const request = requestFor(digest, view.nextSeq)
          return {
            records: [decisionOn(newCall())],
            approvalRequests: [request],
            result: request.id,
          }
        }, 'process')
      const ids = await Promise.all([ask(), ask(), ask()])
      expect(new Set(ids).size).toBe(1)
      expect(await store.approvalRequests()).toHaveLength(1)
    })

    test('a request that has expired waits no longer', async () => {
      const store = await open(newPlace())
      const digest = 'e'.repeat(64)
      const request = { ...requestFor(digest, 0), expiresAtMs: Date.now() - 1 }
      await store.commit(() => ({ records: [], approvalRequests: [request], result: 0 }), 'process')
      const seen = await store.commit(
        (view) => ({ records: [], result: view.approvals(digest) }),
        'process',
      )
      expect(seen).toEqual([])
      expect(await store.approvalRequests()).toMatchObject([{ id: request.id, state: 'expired' }])
    })

    test('a lazy commit is stored soon by itself, and with any other that comes first', async () => {
      const store = await open(newPlace())
      await store.commit(storing(decisionOn(newCall())), 'lazy')
      let isStored = false
      void store.commit(storing(decisionOn(newCall())), 'lazy').then(() => (isStored = true))
      await store.commit(storing(decisionOn(newCall())), 'process')
      expect(isStored).toBe(true)
      expect(await store.size()).toBe(5)
    })

    test('many records in one commit stand next to each other', async () => {
      const store = await open(newPlace())
      const records = Array.from({ length: 300 }, () => decisionOn(newCall()))
      await Promise.all([
        store.commit(storing(...records), 'process'),
        store.commit(storing(decisionOn(newCall())), 'process'),
      ])
      const calls = (await store.records(2, 300)).map(({ data }) => data['call'])
      expect(calls).toEqual(records.map(({ data }) => data['call']))
    })
  })
}
