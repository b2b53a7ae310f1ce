import Database from 'better-sqlite3'
import { expect } from 'vitest'
import { verifyChain } from '../../src/audit/chain.ts'
import type { ChainReport } from '../../src/audit/chain.ts'
import { openCheckpoint } from '../../src/audit/checkpoint.ts'
import { decodeRecord } from '../../src/audit/codec.ts'
import { namedEpochKey } from '../../src/audit/log-keys.ts'
import { parseVerifierKey } from '../../src/audit/note.ts'
import type { VerifierKey } from '../../src/audit/note.ts'
import type { StoredRow } from '../../src/audit/record.ts'
import { appendLeaf, emptyTree, rootOf } from '../../src/audit/tree.ts'

interface SignedRow {
  readonly size: number
  readonly note: string | null
}

/** A log as it stands in its file, read past the engine. */
export interface SignedLog {
  readonly origin: string
  readonly report: ChainReport
  readonly stable: VerifierKey
  /** In their order, from the first epoch on. */
  readonly epochs: readonly VerifierKey[]
  readonly head: SignedRow
  readonly checkpoints: readonly SignedRow[]
}

/** Checks everything about a log's signatures that an honest log must fulfil. */
export function expectSigned(path: string): SignedLog {
  const log = readLog(path)
  expect(log.report.bad).toBeNull()
  const { rows, origin, stable, epochs, head, checkpoints, keySeqs } = log
  const current = (size: number): VerifierKey => {
    const index = keySeqs.findLastIndex((seq) => seq < size - 1)
    return epochs[Math.max(index, 0)] ?? stable
  }
  const roots = rootsOf(rows)
  const expectNote = ({ size, note }: SignedRow): void => {
    const opened = openCheckpoint(note ?? '', origin, [stable, current(size)])
    expect(opened).toMatchObject({ size, root: roots[size] })
    // At a rotation the old key and the new one sign.
    const rotated = keySeqs.slice(1).includes(size - 1)
    expect(opened.note.signatures).toHaveLength(rotated ? 3 : 2)
  }
  expect(head.size).toBe(rows.length)
  for (const row of [head, ...checkpoints]) expectNote(row)
  const kept = checkpoints.map(({ size }) => size)
  const first = keySeqs[0] ?? 0
  for (let size = 1000; size <= rows.length; size += 1000) {
    if (size > first) expect(kept).toContain(size)
  }
  for (const seq of keySeqs.slice(1)) expect(kept).toContain(seq + 1)
  return log
}

function readLog(path: string): SignedLog & {
  readonly rows: readonly StoredRow[]
  readonly keySeqs: readonly number[]
} {
  const db = new Database(path, { readonly: true, timeout: 2000 })
  const read = db.transaction(() => ({
    rows: db.prepare<[], StoredRow>('SELECT * FROM records ORDER BY seq').all(),
    head: db.prepare<[], SignedRow>('SELECT size, note FROM head').get(),
    checkpoints: db.prepare<[], SignedRow>('SELECT * FROM checkpoints ORDER BY size').all(),
    epochs: db.prepare<[], { epoch: number; seq: number }>('SELECT * FROM epochs').all(),
  }))
  const { rows, head = { size: 0, note: null }, checkpoints, epochs } = read()
  db.close()
  const keys = rows.flatMap(({ seq, body }) => {
    const record = decodeRecord(body)
    const named = namedEpochKey(record)
    return named === undefined ? [] : [{ seq, log: record.log, named }]
  })
  expect(epochs).toEqual(keys.map(({ seq, named }) => ({ epoch: named.epoch, seq })))
  return {
    rows,
    head,
    checkpoints,
    origin: keys[0]?.log ?? '',
    report: verifyChain(rows),
    stable: parseVerifierKey(keys[0]?.named.stable ?? ''),
    epochs: keys.map(({ named }) => parseVerifierKey(named.vkey)),
    keySeqs: keys.map(({ seq }) => seq),
  }
}

/** The roots after 0, 1, 2 … records. */
function rootsOf(rows: readonly StoredRow[]): readonly string[] {
  let tree = emptyTree
  const roots = [rootOf(tree)]
  for (const { leaf } of rows) {
    tree = appendLeaf(tree, Buffer.from(leaf).toString('hex'))
    roots.push(rootOf(tree))
  }
  return roots
}
