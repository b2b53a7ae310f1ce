import Database from 'better-sqlite3'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  truncateSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { KeyHistory } from '../../src/audit/key-history.ts'
import { KeyFolder } from '../../src/crypto/key-folder.ts'
import { systemRandom } from '../../src/crypto/random.ts'
import type { Store } from '../../src/runtime/store.ts'
import { nodeFiles } from '../../src/storage/files.ts'
import { openLog as enterLog } from '../../src/storage/open-log.ts'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { presenceBeside } from '../../src/storage/writer-presence.ts'
import { WriterChild } from './children.ts'
import { codeOf, typesOf } from './contract-context.ts'
import { decisionOn, newCall, storing } from './drafts.ts'
import { change, closedLog, commitOne, errorOf, openLog, software } from './log-files.ts'
import { expectSigned } from './signed-log.ts'
import { newSQLitePlace } from './sqlite-subject.ts'

const hour = 3_600_000

/** An engine whose clock the test sets. */
function clocked(path: string): { store: SQLiteEngine; at: (ms: number) => void } {
  let nowMs = Date.parse('2026-05-06T07:08:09.000Z')
  const clock = { nowMs: () => nowMs, elapsedMs: () => performance.now() }
  const store = SQLiteEngine.open({ path, software, clock })
  const start = nowMs
  return { store, at: (ms) => (nowMs = start + ms) }
}

function keysOf(path: string): readonly string[] {
  return readdirSync(`${path}.keys`).toSorted()
}

async function epochOf(store: Store): Promise<number> {
  return 1 + (await typesOf(store)).filter((type) => type === 'key.rotate').length
}

describe('a rotation', () => {
  test('is a record, ends its transaction, and is signed by the old key and the new one', async () => {
    const { path } = newSQLitePlace()
    const store = openLog(path)
    await commitOne(store)
    expect(await store.rotateKeys()).toEqual({ epoch: 2, keysLeft: [] })
    expect(expectSigned(path).head.size).toBe(4)
    await commitOne(store)
    expect(await store.rotateKeys()).toEqual({ epoch: 3, keysLeft: [] })
    await store.close()
    const { epochs, checkpoints, stable } = expectSigned(path)
    expect(checkpoints.map(({ size }) => size)).toEqual([4, 6, 7])
    expect(epochs.map(({ name }) => name)).toEqual(
      [1, 2, 3].map((epoch) => `${stable.name}/epoch-${epoch}`),
    )
    expect(new Set(epochs.map(({ id }) => id)).size).toBe(3)
  })

  test('erases the key of the epoch before, and leaves the stable key as it was', async () => {
    const path = await closedLog()
    const before = new KeyFolder(`${path}.keys`).read('log.key').key.publicKey
    const store = openLog(path)
    await store.rotateKeys()
    expect(keysOf(path)).toEqual(['epoch-2.key', 'log.key'])
    await store.close()
    expect(new KeyFolder(`${path}.keys`).read('log.key').key.publicKey).toEqual(before)
    await openLog(path).close()
    expectSigned(path)
  })

  test('is followed by other writers, whoever rotates', async () => {
    const { path } = newSQLitePlace()
    const [one, two, three] = [openLog(path), openLog(path), openLog(path)]
    await one.rotateKeys()
    await commitOne(two)
    await two.rotateKeys()
    await two.rotateKeys()
    await commitOne(one)
    await commitOne(two)
    await commitOne(three)
    expectSigned(path)
    expect(keysOf(path)).toEqual(['epoch-4.key', 'log.key'])
    for (const store of [one, two, three]) await store.close()
    expect(expectSigned(path).epochs).toHaveLength(4)
  })

  test('at a multiple of 1000 leaves one checkpoint there, with all three signatures', async () => {
    const { path } = newSQLitePlace()
    const store = openLog(path)
    const many = Array.from({ length: 997 }, () => decisionOn(newCall(), { decision: 'deny' }))
    await store.commit(storing(...many), 'process')
    await store.rotateKeys()
    expect(expectSigned(path).checkpoints.map(({ size }) => size)).toEqual([1000])
    await store.close()
    expectSigned(path)
  })

  test('that is rolled back leaves the epoch as it was, and does not stand in the way of the next', () => {
    const { path, folder } = newSQLitePlace()
    const db = new Database(path)
    onTestFinished(() => void db.close())
    const { transaction, writer } = enterLog(db, {
      random: systemRandom,
      nowMs: 0,
      software,
      presence: presenceBeside(path, nodeFiles),
      keys: new KeyFolder(join(folder, 'log.db.keys')),
      rotateMs: 0,
      highWater: undefined,
      recovery: undefined,
      succession: undefined,
    })
    const at = { ...writer, nowMs: 0 }
    const inTransaction = (end: 'COMMIT' | 'ROLLBACK', step: () => void): void => {
      db.exec('BEGIN IMMEDIATE')
      transaction.begin()
      step()
      transaction.finish()
      db.exec(end)
      if (end === 'COMMIT') transaction.committed()
      else transaction.rolledBack()
    }
    const decide = (): void => {
      const records = [decisionOn(newCall(), { decision: 'deny' })]
      transaction.store({ records, result: undefined }, at)
    }
    inTransaction('ROLLBACK', () => transaction.rotate('operator', at))
    expect(keysOf(path)).toEqual(['epoch-1.key', 'epoch-2.key', 'log.key'])
    inTransaction('COMMIT', decide)
    expect(expectSigned(path).epochs).toHaveLength(1)
    inTransaction('COMMIT', () => transaction.rotate('operator', at))
    inTransaction('COMMIT', decide)
    expect(expectSigned(path).epochs).toHaveLength(2)
    expect(keysOf(path)).toEqual(['epoch-2.key', 'log.key'])
  })

  test('in memory works like any other', async () => {
    const store = openLog(':memory:')
    expect(await store.rotateKeys()).toEqual({ epoch: 2, keysLeft: [] })
    await commitOne(store)
    expect(await epochOf(store)).toBe(2)
    await store.close()
  })
})

describe('an epoch ends by itself', () => {
  test('with the first commit after 24 hours, not before, and counts anew from then', async () => {
    const { path } = newSQLitePlace()
    const { store, at } = clocked(path)
    const seen: number[] = []
    for (const hours of [0, 23.99, 24, 24.01, 47.9, 48, 48.1, 500]) {
      at(hours * hour)
      await commitOne(store)
      seen.push(await epochOf(store))
    }
    expect(seen).toEqual([1, 1, 2, 2, 2, 3, 3, 4])
    await store.close()
    expectSigned(path)
  })

  test('and the record of the commit stands before that of the rotation', async () => {
    const { store, at } = clocked(newSQLitePlace().path)
    at(25 * hour)
    await commitOne(store)
    expect((await typesOf(store)).slice(-2)).toEqual(['decision', 'key.rotate'])
    const [record] = await store.records(3, 1)
    expect(record?.data).toMatchObject({ epoch: 2, reason: 'daily' })
    await store.close()
  })

  test('once, however many writers find that it is time', async () => {
    const { path } = newSQLitePlace()
    const writers = [clocked(path), clocked(path), clocked(path)]
    for (const { at } of writers) at(25 * hour)
    await Promise.all(writers.map(({ store }) => commitOne(store)))
    for (const { store } of writers) await store.close()
    expect(expectSigned(path).epochs).toHaveLength(2)
  })

  test('after a restart too', async () => {
    const { path } = newSQLitePlace()
    await clocked(path).store.close()
    const { store, at } = clocked(path)
    await commitOne(store)
    expect(await epochOf(store)).toBe(1)
    at(24 * hour)
    await commitOne(store)
    expect(await epochOf(store)).toBe(2)
    await store.close()
  })

  test('when the clock was set back by so much that nothing can be said of its time', async () => {
    const { store, at } = clocked(newSQLitePlace().path)
    at(-23 * hour)
    await commitOne(store)
    expect(await epochOf(store)).toBe(1)
    at(-25 * hour)
    await commitOne(store)
    expect(await epochOf(store)).toBe(2)
    await store.close()
  })

  test('never where that is asked for', async () => {
    const { path } = newSQLitePlace()
    const clock = { nowMs: () => nowMs, elapsedMs: () => performance.now() }
    let nowMs = 0
    const store = SQLiteEngine.open({ path, software, clock, rotateHours: 0 })
    nowMs = 10_000 * hour
    await commitOne(store)
    expect(await epochOf(store)).toBe(1)
    await store.close()
  })

  test('but where the next key cannot be made nothing is recorded without it, until it can', async () => {
    const { path } = newSQLitePlace()
    const { store, at } = clocked(path)
    at(25 * hour)
    mkdirSync(join(`${path}.keys`, 'epoch-2.key'))
    await expect(commitOne(store)).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      message: expect.stringContaining('epoch-2.key') as string,
      hint: expect.any(String) as string,
    })
    rmSync(join(`${path}.keys`, 'epoch-2.key'), { recursive: true })
    await commitOne(store)
    expect((await typesOf(store)).slice(2)).toEqual(['audit.gap', 'decision', 'key.rotate'])
    await store.close()
    expectSigned(path)
  })
})

describe('a rotation that was cut off', () => {
  test('after the key file: the epoch goes on, and the next rotation makes its own key', async () => {
    const path = await closedLog()
    const keys = new KeyFolder(`${path}.keys`)
    const { publicKey } = keys.make('epoch-2.key', 'x', systemRandom(32)).key
    const store = openLog(path)
    await commitOne(store)
    expect(expectSigned(path).epochs).toHaveLength(1)
    await store.rotateKeys()
    expect(keys.read('epoch-2.key').key.publicKey).not.toEqual(publicKey)
    await store.close()
    expectSigned(path)
  })

  test('in the middle of the key file: as well', async () => {
    const path = await closedLog()
    new KeyFolder(`${path}.keys`).make('epoch-2.key', 'x', systemRandom(32))
    truncateSync(join(`${path}.keys`, 'epoch-2.key'), 9)
    const store = openLog(path)
    await store.rotateKeys()
    await store.close()
    expect(expectSigned(path).epochs).toHaveLength(2)
  })

  test('after COMMIT, before the old key was erased: whoever comes next erases it', async () => {
    const path = await closedLog()
    const file = join(`${path}.keys`, 'epoch-1.key')
    const aside = `${path}.aside`
    copyFileSync(file, aside)
    const [one, two] = [openLog(path), openLog(path)]
    await one.rotateKeys()
    copyFileSync(aside, file)
    await commitOne(two)
    expect(existsSync(file)).toBe(false)
    for (const store of [one, two]) await store.close()
    copyFileSync(aside, file)
    await openLog(path).close()
    expect(existsSync(file)).toBe(false)
    expectSigned(path)
  })

  test('while the old key cannot be erased: it is said, and each commit tries again', async () => {
    const path = await closedLog()
    const [one, two] = [openLog(path), openLog(path)]
    // Whoever erases it, it is a folder now.
    const file = join(`${path}.keys`, 'epoch-1.key')
    rmSync(file)
    mkdirSync(file)
    expect(await one.rotateKeys()).toEqual({ epoch: 2, keysLeft: [file] })
    expect(await codeOf(commitOne(one))).toBe('stored')
    expect(await codeOf(commitOne(two))).toBe('stored')
    rmSync(file, { recursive: true })
    copyFileSync(join(`${path}.keys`, 'epoch-2.key'), file)
    await commitOne(one)
    expect(keysOf(path)).toEqual(['epoch-2.key', 'log.key'])
    for (const store of [one, two]) await store.close()
    expectSigned(path)
  })

  test('by kill -9 at any moment: the log goes on and verifies', async () => {
    const place = newSQLitePlace()
    await openLog(place.path).close()
    for (let round = 0; round < 6; round += 1) {
      const child = new WriterChild(place, { kind: 'rotations', count: 1_000_000 })
      onTestFinished(() => child.kill())
      await child.until((fact) => fact.epoch !== undefined)
      await delay(Math.random() * 60)
      await child.kill()
      const store = openLog(place.path)
      await commitOne(store)
      await store.close()
      const { epochs } = expectSigned(place.path)
      const last = child.facts.findLast((fact) => fact.epoch !== undefined)
      expect(epochs.length).toBeGreaterThanOrEqual(last?.epoch ?? 0)
      expect(epochs.length).toBeLessThanOrEqual((last?.epoch ?? 0) + 1)
      expect(
        keysOf(place.path).filter((file) => file === `epoch-${epochs.length}.key`),
      ).toHaveLength(1)
    }
  }, 60_000)
})

describe('a writer that cannot follow a rotation', () => {
  type Way = readonly [whoHasTheKey: 'stored' | 'AUDIT_UNAVAILABLE', spoil: (file: string) => void]
  const ways: Readonly<Record<string, Way>> = {
    // Nobody could go on with the log after the one who still has it in memory.
    'the new key is gone': ['AUDIT_UNAVAILABLE', (file) => rmSync(file)],
    'the new key is open to others': ['stored', (file) => chmodSync(file, 0o644)],
    'the new key is another': [
      'stored',
      (file) => {
        rmSync(file)
        new KeyFolder(join(file, '..')).make('epoch-2.key', 'x', systemRandom(32))
      },
    ],
  }
  test.each(Object.entries(ways))('records nothing: %s', async (_, [whoHasTheKey, spoil]) => {
    const path = await closedLog()
    const [one, two] = [openLog(path), openLog(path)]
    await one.rotateKeys()
    spoil(join(`${path}.keys`, 'epoch-2.key'))
    await expect(commitOne(two)).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      message: expect.stringContaining('epoch-2.key') as string,
      hint: expect.any(String) as string,
    })
    expect(await codeOf(commitOne(one))).toBe(whoHasTheKey)
    for (const store of [one, two]) await store.close()
  })

  test.each([
    ['no epoch', 'DELETE FROM epochs'],
    ['an epoch less', 'DELETE FROM epochs WHERE epoch = 2'],
    ['an epoch more', 'INSERT INTO epochs VALUES (3, 4)'],
    ['an epoch of another record', 'UPDATE epochs SET seq = 1 WHERE epoch = 2'],
    ['an epoch of a record that is not there', 'UPDATE epochs SET seq = 99 WHERE epoch = 2'],
    ['the first epoch of another record', 'UPDATE epochs SET seq = 1 WHERE epoch = 1'],
  ])('a table that says otherwise than the log is refused: %s', async (_, sql) => {
    const path = await closedLog()
    const store = openLog(path)
    await store.rotateKeys()
    await store.close()
    change(path, sql)
    expect(['AUDIT_CORRUPT', 'AUDIT_UNAVAILABLE']).toContain(
      (errorOf(() => openLog(path)) as { code?: string } | undefined)?.code,
    )
  })
})

test('a reader of keys through the records agrees with the log, epoch after epoch', async () => {
  const path = await closedLog()
  const store = openLog(path)
  for (let round = 0; round < 3; round += 1) await store.rotateKeys()
  const records = await store.records(0, 100)
  const history = new KeyHistory(undefined)
  for (const record of records) {
    const read = { ...record, said: record.data }
    expect(history.complaint(read as never)).toBeUndefined()
    history.accept(read as never)
  }
  expect(history.state).toMatchObject({ epoch: 4 })
  const { epochs } = expectSigned(path)
  expect(history.state?.current.id).toBe(epochs.at(-1)?.id)
  await store.close()
})
