import Database from 'better-sqlite3'
import { statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseCheckpoint } from '../../src/audit/checkpoint.ts'
import { parseNote } from '../../src/audit/note.ts'
import { decisionOn, newCall, storing } from './drafts.ts'
import { openLog } from './log-files.ts'
import { expectSigned } from './signed-log.ts'
import { newSQLitePlace } from './sqlite-subject.ts'

const one = (): ReturnType<typeof storing> => storing(decisionOn(newCall(), { decision: 'deny' }))
const keep = () => ({ records: [], keepsCheckpoint: true, result: undefined })

describe('the head that a synced commit covers', () => {
  test('is the one after that commit, and signed', async () => {
    const store = openLog(newSQLitePlace().path)
    await store.commit(one(), 'power')
    const head = store.syncedHead()
    expect(head?.size).toBe(3)
    expect(parseCheckpoint(parseNote(head?.note ?? '').text)).toMatchObject({
      size: 3,
      root: head?.root,
    })
    await store.close()
  })

  test('does not move with commits that a power cut may take back', async () => {
    const store = openLog(newSQLitePlace().path)
    expect(store.syncedHead()).toBeUndefined()
    await store.commit(one(), 'process')
    expect(store.syncedHead()).toBeUndefined()
    await store.commit(one(), 'power')
    await store.commit(one(), 'process')
    await store.commit(one(), 'lazy')
    expect(store.syncedHead()?.size).toBe(4)
    await store.close()
  })

  test('does not move with a commit that stores nothing: nothing is synced then', async () => {
    const store = openLog(newSQLitePlace().path)
    await store.commit(one(), 'power')
    await store.commit(one(), 'process')
    await store.commit(() => ({ records: [], result: undefined }), 'power')
    expect(store.syncedHead()?.size).toBe(3)
    await store.close()
  })

  test('moves with one that keeps a checkpoint, records or not, and that writes to the disk', async () => {
    const { path } = newSQLitePlace()
    const store = openLog(path)
    await store.commit(one(), 'process')
    for (let round = 0; round < 3; round += 1) {
      const before = statSync(`${path}-wal`).size
      await store.commit(keep, 'power')
      expect(statSync(`${path}-wal`).size).toBeGreaterThan(before)
      expect(store.syncedHead()?.size).toBe(3)
    }
    await store.close()
    expect(expectSigned(path).checkpoints.map(({ size }) => size)).toEqual([3, 4])
  })

  test('does not move when the commit is refused', async () => {
    const store = openLog(newSQLitePlace().path)
    await store.commit(one(), 'power')
    const refused = store.commit(() => {
      throw new Error('refused')
    }, 'power')
    await expect(refused).rejects.toThrow('refused')
    expect(store.syncedHead()?.size).toBe(3)
    await store.close()
  })

  test('is the head of others too, when one writer keeps it', async () => {
    const { path } = newSQLitePlace()
    const [first, second] = [openLog(path), openLog(path)]
    await first.commit(one(), 'process')
    await second.commit(keep, 'power')
    expect(second.syncedHead()?.size).toBe(await first.size())
    await first.close()
    await second.close()
  })
})

test('a kept checkpoint stays as it was signed first', async () => {
  const { path } = newSQLitePlace()
  const store = openLog(path)
  await store.commit(() => ({ ...one()(), keepsCheckpoint: true }), 'power')
  const notes = (): readonly unknown[] => {
    const db = new Database(path, { readonly: true })
    const rows = db.prepare('SELECT size, note FROM checkpoints').all()
    db.close()
    return rows
  }
  const before = notes()
  expect(before).toHaveLength(1)
  await store.commit(keep, 'power')
  expect(notes()).toEqual(before)
  await store.close()
})
