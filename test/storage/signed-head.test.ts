import Database from 'better-sqlite3'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { printCheckpoint } from '../../src/audit/checkpoint.ts'
import { noteSigner, signNote } from '../../src/audit/note.ts'
import type { NoteSigner } from '../../src/audit/note.ts'
import { signingKey } from '../../src/crypto/ed25519.ts'
import { readKeyFile } from '../../src/crypto/key-file.ts'
import { decisionOn, newCall, storing } from './drafts.ts'
import { change, closedLog, commitOne, errorOf, hashOf, openLog } from './log-files.ts'
import { expectSigned } from './signed-log.ts'
import { newSQLitePlace } from './sqlite-subject.ts'

function headNote(path: string): string {
  const db = new Database(path, { readonly: true })
  const note = db.prepare<[], string>('SELECT note FROM head').pluck().get() ?? ''
  db.close()
  return note
}

/** The log's own keys, as its files hold them. */
function signers(path: string): { readonly stable: NoteSigner; readonly epoch: NoteSigner } {
  const signer = (file: string): NoteSigner => {
    const { name, key } = readKeyFile(join(`${path}.keys`, file))
    return noteSigner(name, key)
  }
  return { stable: signer('log.key'), epoch: signer('epoch-1.key') }
}

const stranger = (name: string): NoteSigner =>
  noteSigner(name, signingKey(new Uint8Array(32).fill(7)))

describe('the head', () => {
  test('is signed by both keys in every commit, and says what the records say', async () => {
    const { path } = newSQLitePlace()
    const store = openLog(path)
    for (let size = 2; size < 12; size += 1) {
      expect(expectSigned(path).head.size).toBe(size)
      await commitOne(store)
    }
    await store.close()
    expectSigned(path)
  })

  test('is kept as a checkpoint at each multiple of 1000 and at a clean stop, whatever a commit holds', async () => {
    const { path } = newSQLitePlace()
    const store = openLog(path)
    const records = (count: number): (() => ReturnType<ReturnType<typeof storing>>) =>
      storing(...Array.from({ length: count }, () => decisionOn(newCall(), { decision: 'deny' })))
    for (const count of [700, 700, 1598, 1, 1]) await store.commit(records(count), 'process')
    await Promise.all(Array.from({ length: 30 }, () => store.commit(records(70), 'process')))
    await store.close()
    const { checkpoints } = expectSigned(path)
    expect(checkpoints.map(({ size }) => size)).toEqual([1000, 2000, 3000, 4000, 5000, 5103])
  })

  test('of a commit that is refused is not kept', async () => {
    const { path } = newSQLitePlace()
    const store = openLog(path)
    const call = newCall()
    const many = Array.from({ length: 996 }, () => decisionOn(newCall(), { decision: 'deny' }))
    await store.commit(storing(...many), 'process')
    const twice = [decisionOn(call), decisionOn(newCall()), decisionOn(call)]
    await expect(store.commit(storing(...twice), 'process')).rejects.toMatchObject({
      code: 'RECORD_INVALID',
    })
    expect(expectSigned(path).checkpoints).toEqual([])
    await store.commit(storing(decisionOn(call), decisionOn(newCall())), 'process')
    await store.close()
    expect(expectSigned(path).checkpoints.map(({ size }) => size)).toEqual([1000, 1001])
  })

  test('of two writers in turns is accepted by each, and signed by the same keys', async () => {
    const { path } = newSQLitePlace()
    const stores = [openLog(path), openLog(path)]
    for (let round = 0; round < 5; round += 1) {
      for (const store of stores) await commitOne(store)
      expectSigned(path)
    }
    for (const store of stores) await store.close()
    expect(expectSigned(path).epochs).toHaveLength(1)
  })
})

describe('a head that this log’s keys did not sign is refused, and nothing is changed', () => {
  const origin = (path: string): string => signers(path).stable.name
  const current = (path: string): { origin: string; size: number; root: string } => {
    const { head, report } = expectSigned(path)
    return { origin: origin(path), size: head.size, root: report.root }
  }
  const notes: Readonly<Record<string, (path: string) => string | null>> = {
    'no note': () => null,
    'an empty note': () => '',
    'a note without signatures': (path) => `${printCheckpoint(current(path))}\n`,
    'the stable key alone': (path) => noteOf(current(path), [signers(path).stable]),
    'the key of the epoch alone': (path) => noteOf(current(path), [signers(path).epoch]),
    'a stranger under the name of the stable key': (path) =>
      noteOf(current(path), [stranger(origin(path)), signers(path).epoch]),
    'a stranger under the name of the epoch': (path) =>
      noteOf(current(path), [signers(path).stable, stranger(`${origin(path)}/epoch-1`)]),
    'a key of an epoch that never began': (path) =>
      noteOf(current(path), [signers(path).stable, stranger(`${origin(path)}/epoch-2`)]),
    'a note of another size': (path) => own(path, { ...current(path), size: 4 }),
    'a note of another root': (path) => own(path, { ...current(path), root: 'ab'.repeat(32) }),
    'a note of another log': (path) =>
      own(path, { ...current(path), origin: 'capfence.local/01JD0000000000000000000000' }),
    'a note with a line more': (path) => {
      const { stable, epoch } = signers(path)
      return signNote(`${printCheckpoint(current(path))}more\n`, [stable, epoch])
    },
    'a note that was changed': (path) => headNote(path).replace('\n', '\n1'),
  }
  function noteOf(head: ReturnType<typeof current>, by: readonly NoteSigner[]): string {
    return signNote(printCheckpoint(head), by)
  }
  function own(path: string, head: ReturnType<typeof current>): string {
    const { stable, epoch } = signers(path)
    return noteOf(head, [stable, epoch])
  }

  test.each(Object.entries(notes))('at the start: %s', async (_, make) => {
    const path = await closedLog()
    change(path, 'UPDATE head SET note = ?', make(path))
    const before = hashOf(path)
    expect(errorOf(() => openLog(path))).toMatchObject({
      code: 'AUDIT_CORRUPT',
      hint: expect.stringContaining('restore the log') as string,
    })
    expect(hashOf(path)).toBe(before)
  })

  test.each(Object.entries(notes))('while a gate runs, with a record more: %s', async (_, make) => {
    const path = await closedLog()
    const store = openLog(path)
    const other = openLog(path)
    await commitOne(other)
    change(path, 'UPDATE head SET note = ?', make(path))
    await expect(commitOne(store)).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      message: expect.stringContaining('the audit log is damaged') as string,
      hint: expect.stringContaining('restore the log') as string,
    })
    await store.close()
    await other.close()
  })

  test('a head that was never signed, of a log without records', async () => {
    const path = await closedLog()
    change(path, 'DELETE FROM records')
    change(path, `UPDATE head SET size = 0, root = ?, frontier = x'', note = NULL`, emptyRoot())
    expect(errorOf(() => openLog(path))).toMatchObject({ code: 'AUDIT_CORRUPT' })
  })

  function emptyRoot(): Buffer {
    return createHash('sha256').digest()
  }
})
