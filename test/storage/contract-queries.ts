import { describe, expect, test } from 'vitest'
import type { LogQuery, Store } from '../../src/runtime/store.ts'
import { decisionOn, newCall, outcomeOf, storing } from './drafts.ts'
import type { ContractContext } from './contract-context.ts'

/** Walks a query to its end, page by page. */
async function walk(store: Store, query: LogQuery): Promise<readonly number[]> {
  const seqs: number[] = []
  let from = query.from
  for (;;) {
    const page = await store.find(from === undefined ? query : { ...query, from })
    expect(page.records.length).toBeLessThanOrEqual(query.count)
    seqs.push(...page.records.map(({ seq }) => seq))
    if (page.next === null) return seqs
    from = page.next
  }
}

/** What must hold for questions about a log. */
export function queryContract({ newPlace, open }: ContractContext): void {
  /** 0 log.open, 1 proc.start, then per index: decision, and for allowed ones the outcome. */
  async function filled(): Promise<Store> {
    const store = await open(newPlace())
    for (let index = 0; index < 40; index += 1) {
      const call = newCall()
      const decision = index % 4 === 0 ? 'allow' : 'deny'
      const changes = { decision, server: index % 2 === 0 ? 'files' : 'a "quoted" one' } as const
      const actor = index % 3 === 0 ? 'ü' : 'agent'
      const seq = await store.commit(
        ({ nextSeq }) => ({ records: [decisionOn(call, { ...changes, actor })], result: nextSeq }),
        'process',
      )
      if (decision === 'allow') await store.commit(storing(outcomeOf(call, seq)), 'process')
    }
    return store
  }

  describe('find', () => {
    const queries: Readonly<Record<string, Omit<LogQuery, 'order' | 'count'>>> = {
      everything: {},
      'one kind': { types: ['outcome'] },
      'two kinds': { types: ['outcome', 'log.open'] },
      'no kind': { types: [] },
      'one decision': { decision: 'deny' },
      'a name that JSON escapes': { server: 'a "quoted" one' },
      'a name outside ASCII': { actor: 'ü' },
      'several at once': { decision: 'deny', server: 'files', actor: 'agent', tool: 'read' },
      'a decision among kinds that have none': { types: ['outcome'], decision: 'deny' },
      'a server that is not there': { server: 'nowhere' },
      'a part of a name': { server: 'file' },
      'a time before all': { toMs: 1 },
      'a time after all': { fromMs: 4_000_000_000_000 },
      'from the start of the second half': { from: 25 },
    }
    test.each(Object.entries(queries))(
      '%s, forwards and backwards, in pages of any size',
      async (_name, query) => {
        const store = await filled()
        const all = await store.records(0, 1000)
        const wanted = (order: 'oldest' | 'newest'): readonly number[] => {
          const inReach = all.filter(({ seq }) =>
            query.from === undefined
              ? true
              : order === 'oldest'
                ? seq >= query.from
                : seq <= query.from,
          )
          const matching = inReach.filter((record) => {
            const { data, type, ts } = record
            if (query.types?.includes(type) === false) return false
            const fields = ['decision', 'server', 'tool', 'actor'] as const
            if (fields.some((field) => query[field] !== undefined && data[field] !== query[field]))
              return false
            const atMs = Date.parse(ts)
            return atMs >= (query.fromMs ?? 0) && atMs < (query.toMs ?? Infinity)
          })
          const seqs = matching.map(({ seq }) => seq)
          return order === 'oldest' ? seqs : seqs.toReversed()
        }
        for (const order of ['oldest', 'newest'] as const) {
          for (const count of [1, 7, 1000]) {
            expect(await walk(store, { ...query, order, count })).toEqual(wanted(order))
          }
        }
      },
    )

    test('a time bound includes its start and excludes its end', async () => {
      const store = await filled()
      const [record] = await store.records(20, 1)
      const atMs = Date.parse(record?.ts ?? '')
      const at = await walk(store, { order: 'oldest', count: 100, fromMs: atMs, toMs: atMs + 1 })
      expect(at).toContain(20)
      const before = await walk(store, { order: 'oldest', count: 100, toMs: atMs })
      expect(before).not.toContain(20)
    })

    test('says where to look for what comes later', async () => {
      const store = await filled()
      const { next, size } = await store.find({ order: 'oldest', count: 1000 })
      expect(next).toBeNull()
      await store.commit(storing(decisionOn(newCall())), 'process')
      expect(await walk(store, { order: 'oldest', from: size, count: 10 })).toEqual([size])
    })

    test('a query past the end, or for nothing, is empty', async () => {
      const store = await filled()
      expect(await walk(store, { order: 'oldest', from: 1000, count: 10 })).toEqual([])
      expect(await store.find({ order: 'newest', count: 0 })).toMatchObject({ records: [] })
    })
  })

  test('records are read in pages', async () => {
    const store = await filled()
    const size = await store.size()
    expect((await store.records(3, 2)).map(({ seq }) => seq)).toEqual([3, 4])
    expect(await store.records(size, 10)).toEqual([])
    const rows = await store.rows(0, 1000)
    expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: size }, (_, seq) => seq))
  })

  test('a call is found with its outcome, and one that is not there is not', async () => {
    const store = await open(newPlace())
    const [open1, settled, blocked] = [newCall(), newCall(), newCall()]
    await store.commit(
      storing(decisionOn(open1), decisionOn(settled), decisionOn(blocked, { decision: 'deny' })),
      'process',
    )
    await store.commit(storing(outcomeOf(settled, 3)), 'process')
    expect((await store.call(open1)).map(({ seq }) => seq)).toEqual([2])
    expect((await store.call(settled)).map(({ seq }) => seq)).toEqual([3, 5])
    expect((await store.call(blocked)).map(({ seq }) => seq)).toEqual([4])
    expect(await store.call(newCall())).toEqual([])
    expect(await store.orphans()).toMatchObject([{ seq: 2, state: 'in_flight' }])
    expect(await store.policy('0'.repeat(64))).toBeUndefined()
    expect(await store.disclosures(1000)).toEqual([])
  })
}
