import { describe, expect, test } from 'vitest'
import { ChainVerifier, verifyChain } from '../../src/audit/chain.ts'
import { encodeRecord } from '../../src/audit/codec.ts'
import type { RecordDraft, RecordPlace, StoredRow } from '../../src/audit/record.ts'
import { appendLeaf, emptyTree, rootOf } from '../../src/audit/tree.ts'
import type { TreeHead } from '../../src/audit/tree.ts'
import { callId, chainOf, decision, drafts, hexA, outcome, place } from './samples.ts'

const other = '01JD9999999999999999999999'

function draft(name: string): RecordDraft {
  const found = drafts[name]
  if (found === undefined) throw new Error(`no draft ${name}`)
  return found
}

const opening = [draft('log.open'), draft('proc.start')]
/** 0 open, 1 start, 2 decision 1, 3 decision 2, 4 outcome 1, 5 blocked 3, 6 outcome 2, 7 stop. */
const honest: readonly RecordDraft[] = [
  ...opening,
  decision(1),
  decision(2),
  outcome(1, 2),
  decision(3, { forwarded: false }),
  outcome(2, 3),
  draft('proc.stop'),
]

function verify(rows: readonly StoredRow[]): string | undefined {
  const { bad } = verifyChain(rows)
  return bad === null ? undefined : `${bad.seq}: ${bad.reason}`
}

/** One record made anew, and all after it built upon it: what a forger without keys can do. */
function reforged(seq: number, changes: Partial<RecordPlace>): readonly StoredRow[] {
  return chainOf(honest, (at) => (at === seq ? changes : {}))
}

describe('an honest log', () => {
  test('verifies, and has the root of the tree over its leaves', () => {
    const rows = chainOf(honest)
    let tree: TreeHead = emptyTree
    for (const { leaf } of rows) tree = appendLeaf(tree, Buffer.from(leaf).toString('hex'))
    const sound = { bad: null, clockSteps: [], orphans: [] }
    expect(verifyChain(rows)).toEqual({ size: 8, root: rootOf(tree), tree, ...sound })
  })

  test('may be empty', () => {
    expect(verifyChain([])).toMatchObject({ size: 0, bad: null, orphans: [] })
  })

  test('may hold every kind of record', () => {
    const placed = new Set(['log.open', 'proc.start', 'proc.stop', 'outcome', 'decision'])
    const rest = Object.values(drafts).filter(({ type }) => !placed.has(type))
    expect(verify(chainOf([...opening, decision(1), ...rest]))).toBeUndefined()
  })

  test('may have several writers, each with its own count', () => {
    const others = [
      draft('proc.start'),
      decision(1),
      outcome(1, 3),
      draft('proc.stop'),
      decision(2),
    ]
    const rows = chainOf([...opening, ...others], (seq) =>
      [2, 4].includes(seq) ? { w: other } : {},
    )
    expect(verify(rows)).toBe('6: writer 01JD1111111111111111111111 had stopped')
    const stopped = chainOf([...opening, ...others], (seq) =>
      [2, 4, 5].includes(seq) ? { w: other } : {},
    )
    expect(verify(stopped)).toBeUndefined()
  })

  test('lists calls without a known outcome, in their order', () => {
    const calls = [decision(1), decision(2), decision(3), outcome(2, 3), outcome(3, 4, 'unknown')]
    expect(verifyChain(chainOf([...opening, ...calls]))).toMatchObject({
      bad: null,
      orphans: [
        { call: callId(1), seq: 2 },
        { call: callId(3), seq: 4 },
      ],
    })
  })

  test('may say later what became of a call whose outcome was unknown', () => {
    const rows = chainOf([...opening, decision(1), outcome(1, 2, 'unknown'), outcome(1, 2)])
    expect(verifyChain(rows)).toMatchObject({ bad: null, orphans: [] })
  })

  test('may have a clock that steps back, which is noted', () => {
    const rows = chainOf(honest, (seq) => (seq === 4 ? { ts: '1999-01-01T00:00:00.000Z' } : {}))
    expect(verifyChain(rows)).toMatchObject({ bad: null, clockSteps: [4] })
  })

  test('notes at most a hundred steps', () => {
    const many = Array.from({ length: 300 }, (_, index) => decision(index, { forwarded: false }))
    const rows = chainOf([...opening, ...many], (seq) =>
      seq % 2 === 0 ? { ts: '1999-01-01T00:00:00.000Z' } : {},
    )
    expect(verifyChain(rows).clockSteps).toHaveLength(100)
  })
})

describe('a log that was changed', () => {
  const rows = chainOf(honest)

  test('in any byte of any record', () => {
    for (const { seq, body } of rows) {
      for (let index = 0; index < body.length; index += 7) {
        const changed = Buffer.from(body)
        changed[index] = (changed[index] ?? 0) ^ 1
        const tampered = rows.map((row) => (row.seq === seq ? { ...row, body: changed } : row))
        expect(verifyChain(tampered).bad?.seq, `byte ${index} of record ${seq}`).toBe(seq)
      }
    }
  })

  test('in any byte of any stored leaf', () => {
    for (const { seq, leaf } of rows) {
      for (let index = 0; index < 32; index += 1) {
        const changed = Buffer.from(leaf)
        changed[index] = (changed[index] ?? 0) ^ 0x10
        const tampered = rows.map((row) => (row.seq === seq ? { ...row, leaf: changed } : row))
        expect(verify(tampered)).toBe(`${seq}: the stored leaf is not the hash of the record`)
      }
    }
  })

  const cases: Readonly<
    Record<string, readonly [rows: () => readonly StoredRow[], complaint: RegExp]>
  > = {
    'a record deleted': [
      () => rows.filter(({ seq }) => seq !== 3),
      /^4: seq 4 where 3 should stand/,
    ],
    'a record deleted and the rest renumbered': [
      () => rows.filter(({ seq }) => seq !== 3).map((row, seq) => ({ ...row, seq })),
      /^3: the record calls itself 4/,
    ],
    'the first record deleted': [() => rows.slice(1), /^1: seq 1 where 0 should stand/],
    'two records swapped': [
      () => [...rows.slice(0, 2), ...rows.slice(3, 4), ...rows.slice(2, 3), ...rows.slice(4)],
      /^3: seq 3 where 2 should stand/,
    ],
    'a record twice': [
      () => [...rows.slice(0, 4), ...rows.slice(3)],
      /^3: seq 3 where 4 should stand/,
    ],
    'a record replaced by another in its place': [
      () => {
        const prev = Buffer.from(rows[2]?.leaf ?? []).toString('hex')
        const { body, leaf } = encodeRecord(decision(9), place({ seq: 3, prev, wn: 3 }))
        const forged = { seq: 3, body, leaf: Buffer.from(leaf, 'hex') }
        return rows.map((row) => (row.seq === 3 ? forged : row))
      },
      /^4: `prev` is not the leaf/,
    ],
    'a leaf that is cut short': [
      () => rows.map((row) => (row.seq === 2 ? { ...row, leaf: row.leaf.subarray(0, 31) } : row)),
      /^2: the stored leaf/,
    ],
    'a body that is empty': [
      () => rows.map((row) => (row.seq === 2 ? { ...row, body: new Uint8Array(0) } : row)),
      /^2: .*bounds are 2 and 65535/,
    ],
  }
  test.each(Object.entries(cases))('%s', (_name, [make, complaint]) => {
    expect(verify(make())).toMatch(complaint)
  })
})

describe('a log that was forged as a whole', () => {
  const request = draft('approval.request')
  const early = { ...request, data: { ...request.data, decision_seq: 2 } }
  const use = draft('approval.use')
  const earlyUse = { ...use, data: { ...use.data, decision_seq: 2 } }
  const drafted: Readonly<
    Record<string, readonly [drafts: readonly RecordDraft[], complaint: RegExp]>
  > = {
    'no log.open': [honest.slice(1), /^0: `log\.open` is the first record, and only it/],
    'log.open once more': [[...opening, draft('log.open')], /^2: `log\.open` is the first record/],
    'a record after the stop of its writer': [
      [...opening, draft('proc.stop'), decision(1)],
      /^3: writer .* had stopped/,
    ],
    'an outcome without a decision': [
      [...opening, outcome(1, 1)],
      /^2: an outcome without a forwarded decision/,
    ],
    'an outcome of a blocked call': [
      [...opening, decision(1, { forwarded: false }), outcome(1, 2)],
      /^3: an outcome without a forwarded decision/,
    ],
    'a second outcome': [
      [...opening, decision(1), outcome(1, 2), outcome(1, 2)],
      /^4: an outcome without/,
    ],
    'an outcome that names another decision': [
      [...opening, decision(1), decision(2), outcome(1, 3)],
      /^4: an outcome of 2 that names another decision/,
    ],
    'an outcome before its decision': [
      [...opening, outcome(1, 3), decision(1)],
      /^2: an outcome without/,
    ],
    'the outcome unknown twice': [
      [...opening, decision(1), outcome(1, 2, 'unknown'), outcome(1, 2, 'unknown')],
      /^4: the outcome is unknown already/,
    ],
    'an open call decided again': [
      [...opening, decision(1), decision(1)],
      /^3: call 01930000-0000-7000-8000-000000000001 was decided in 2/,
    ],
    'a request for approval that names a later decision': [
      [...opening, early],
      /^2: the decision that asked is not in the log/,
    ],
    'an approval that was used by a decision not made yet': [
      [...opening, earlyUse],
      /^2: the decision that used the approval is not in the log/,
    ],
  }
  test.each(Object.entries(drafted))('%s', (_name, [records, complaint]) => {
    expect(verify(chainOf(records))).toMatch(complaint)
  })

  const placed: Readonly<Record<string, readonly [rows: readonly StoredRow[], complaint: RegExp]>> =
    {
      'a record of another log in between': [
        reforged(3, { log: `capfence.local/${other}` }),
        /^3: a record of capfence\.local\/01JD9/,
      ],
      'a hole in the count of a writer': [
        reforged(3, { wn: 4 }),
        /^3: writer .* counts 4 where 3 should stand: a record is lost/,
      ],
      'a count that goes back': [
        reforged(3, { wn: 1 }),
        /^3: writer .* counts 1 where 3 should stand/,
      ],
      'a writer that begins in the middle': [
        reforged(3, { w: other, wn: 1 }),
        /^3: writer .* counts 1 where 0/,
      ],
      'a prev that points elsewhere': [reforged(3, { prev: hexA }), /^3: `prev` is not the leaf/],
      'a first record with a prev': [reforged(0, { prev: hexA }), /^0: `prev` is not the leaf/],
      'a seq that jumps': [reforged(3, { seq: 4 }), /^3: the record calls itself 4/],
    }
  test.each(Object.entries(placed))('%s', (_name, [rows, complaint]) => {
    expect(verify(rows)).toMatch(complaint)
  })
})

describe('the verifier', () => {
  test('stops at the first bad record, and reports what was sound before it', () => {
    const rows = chainOf(honest)
    const verifier = new ChainVerifier()
    const accepted = rows.map((row) =>
      verifier.push(row.seq === 4 ? { ...row, leaf: new Uint8Array(32) } : row),
    )
    expect(accepted).toEqual([true, true, true, true, false, false, false, false])
    const { bad, ...sound } = verifier.report()
    expect(bad?.seq).toBe(4)
    expect(verifyChain(rows.slice(0, 4))).toEqual({ ...sound, bad: null })
  })

  test('goes on where it stood, a page at a time', () => {
    const rows = chainOf(honest)
    const verifier = new ChainVerifier()
    for (const row of rows.slice(0, 5)) verifier.push(row)
    expect(verifier.report()).toMatchObject({ size: 5, orphans: [{ call: callId(2) }] })
    for (const row of rows.slice(5)) verifier.push(row)
    expect(verifier.report()).toEqual(verifyChain(rows))
  })
})
