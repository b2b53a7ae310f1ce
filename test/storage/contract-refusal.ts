import { describe, expect, test } from 'vitest'
import type { RecordDraft } from '../../src/audit/record.ts'
import type { Charge, Effects } from '../../src/runtime/store.ts'
import { codeOf, typesOf, verified } from './contract-context.ts'
import type { ContractContext } from './contract-context.ts'
import {
  decisionOn,
  hashOfTests,
  newCall,
  outcomeOf,
  requestFor,
  sealedArguments,
  storing,
} from './drafts.ts'

/** What cannot be stored, and who suffers for it. */
export function refusalContract({ newPlace, open }: ContractContext): void {
  const call = newCall()
  const args = sealedArguments({ path: '/srv/x' })
  const tooLong: RecordDraft = { type: 'proc.stop', data: { reason: 'x'.repeat(65_536) } }
  const wrongShape: RecordDraft = { type: 'proc.stop', data: { because: 'x' } }
  const aFloat: RecordDraft = {
    ...outcomeOf(call, 2),
    data: { ...outcomeOf(call, 2).data, ms: 0.5 },
  }
  const duplicate = requestFor('f'.repeat(64), 2)

  /** Each is tried after one forwarded decision on `call`, whose seq is 2. */
  const refused: Readonly<Record<string, Omit<Effects<undefined>, 'result'>>> = {
    'a record of the wrong shape': { records: [wrongShape] },
    'a record that outgrows its bound': { records: [tooLong] },
    'a record with a fraction': { records: [aFloat] },
    'a good record followed by a bad one': { records: [decisionOn(newCall()), tooLong] },
    'a second decision on an open call': { records: [decisionOn(call)] },
    'a second decision on an open call, blocked this time': {
      records: [decisionOn(call, { decision: 'deny' })],
    },
    'two outcomes in one commit': { records: [outcomeOf(call, 2), outcomeOf(call, 2)] },
    'an outcome of a call that nobody decided': { records: [outcomeOf(newCall(), 2)] },
    'an outcome that names another decision': { records: [outcomeOf(call, 1)] },
    'a disclosure that no record lists': {
      records: [decisionOn(newCall())],
      disclosures: args.disclosures,
    },
    'a disclosure twice': {
      records: [decisionOn(newCall(), { args })],
      disclosures: [...args.disclosures, ...args.disclosures],
    },
    'an approval request that is there already': {
      records: [decisionOn(newCall())],
      approvalRequests: [duplicate, duplicate],
    },
    'an approval request of the wrong shape': {
      records: [],
      approvalRequests: [{ ...duplicate, nonce: 'short' }],
    },
  }

  describe('a commit that cannot be stored is refused alone, whole, and without latching', () => {
    test.each(Object.entries(refused))('%s', async (_name, effects) => {
      const store = await open(newPlace())
      await store.commit(storing(decisionOn(call)), 'process')
      const codes = await Promise.all([
        codeOf(store.commit(storing(decisionOn(newCall())), 'process')),
        codeOf(
          store.commit(
            () => ({ policies: [{ hash: hashOfTests, files: [] }], ...effects, result: undefined }),
            'process',
          ),
        ),
        codeOf(store.commit(storing(decisionOn(newCall())), 'power')),
      ])
      expect(codes).toEqual(['stored', 'RECORD_INVALID', 'stored'])
      expect(await typesOf(store)).toEqual([
        'log.open',
        'proc.start',
        'decision',
        'decision',
        'decision',
      ])
      expect(await store.approvalRequests()).toEqual([])
      expect(await store.policy(hashOfTests)).toBeUndefined()
      expect(await store.disclosures(4)).toEqual([])
      await verified(store)
    })

    test('a decide that throws', async () => {
      const store = await open(newPlace())
      const [before, broken, after] = await Promise.allSettled([
        store.commit(storing(decisionOn(newCall())), 'process'),
        store.commit(() => {
          throw new RangeError('mine')
        }, 'process'),
        store.commit(storing(decisionOn(newCall())), 'process'),
      ])
      expect(broken).toMatchObject({ status: 'rejected', reason: new RangeError('mine') })
      expect([before.status, after.status]).toEqual(['fulfilled', 'fulfilled'])
      expect(await store.size()).toBe(4)
    })

    test('the commits around it get the results that match what is stored', async () => {
      const store = await open(newPlace())
      const seqOf = (records: readonly RecordDraft[]): Promise<number> =>
        store.commit(({ nextSeq }) => ({ records, result: nextSeq }), 'process')
      const [first, , third] = await Promise.allSettled([
        seqOf([decisionOn(call)]),
        seqOf([decisionOn(newCall()), decisionOn(call)]),
        seqOf([outcomeOf(call, 2)]),
      ])
      expect(first).toMatchObject({ value: 2 })
      expect(third).toMatchObject({ value: 3 })
      expect(await typesOf(store)).toEqual(['log.open', 'proc.start', 'decision', 'outcome'])
    })
  })

  test('what no record can be made of is refused alone, also when nobody foresaw how', async () => {
    const store = await open(newPlace())
    // What the types exclude is what a fault of the program looks like.
    const broken: unknown = [{ pot: 'p', amount: { canonical: '1' } }]
    const codes = await Promise.all([
      codeOf(store.commit(storing(decisionOn(newCall())), 'process')),
      codeOf(
        store.commit(
          () => ({
            records: [decisionOn(newCall())],
            charges: broken as readonly Charge[],
            result: undefined,
          }),
          'process',
        ),
      ),
      codeOf(store.commit(storing(decisionOn(newCall())), 'power')),
    ])
    expect(codes).toEqual(['stored', 'RECORD_INVALID', 'stored'])
    expect(await codeOf(store.commit(storing(decisionOn(newCall())), 'process'))).toBe('stored')
    await verified(store)
  })

  test('a settled call can be neither decided nor settled again', async () => {
    const store = await open(newPlace())
    const own = newCall()
    await store.commit(storing(decisionOn(own)), 'process')
    await store.commit(storing(outcomeOf(own, 2)), 'process')
    expect(await codeOf(store.commit(storing(outcomeOf(own, 2)), 'process'))).toBe('RECORD_INVALID')
    expect(await codeOf(store.commit(storing(decisionOn(own)), 'process'))).toBe('RECORD_INVALID')
    const blocked = newCall()
    await store.commit(storing(decisionOn(blocked, { decision: 'deny' })), 'process')
    expect(await codeOf(store.commit(storing(outcomeOf(blocked, 4)), 'process'))).toBe(
      'RECORD_INVALID',
    )
    expect(await codeOf(store.commit(storing(decisionOn(blocked)), 'process'))).toBe(
      'RECORD_INVALID',
    )
    expect(await store.size()).toBe(5)
  })

  test('the outcome `unknown` can be followed by the true one, once', async () => {
    const store = await open(newPlace())
    const own = newCall()
    await store.commit(storing(decisionOn(own)), 'process')
    await store.commit(storing(outcomeOf(own, 2, 'unknown')), 'process')
    expect(await store.orphans()).toMatchObject([{ seq: 2, state: 'unknown' }])
    const again = store.commit(storing(outcomeOf(own, 2, 'unknown')), 'process')
    expect(await codeOf(again)).toBe('RECORD_INVALID')
    await store.commit(storing(outcomeOf(own, 2)), 'process')
    expect(await store.orphans()).toEqual([])
    expect((await store.call(own)).map(({ seq }) => seq)).toEqual([2, 4])
    await verified(store)
  })
}
