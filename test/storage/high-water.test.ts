import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { HighWaterFile } from '../../src/anchor/high-water.ts'
import { parseCheckpoint } from '../../src/audit/checkpoint.ts'
import { noteSigner, parseNote, signNote } from '../../src/audit/note.ts'
import { signingKey } from '../../src/crypto/ed25519.ts'
import type { Store } from '../../src/runtime/store.ts'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { WriterChild } from './children.ts'
import { codeOf, typesOf } from './contract-context.ts'
import { decisionOn, newCall, storing } from './drafts.ts'
import { closedLog, commitOne, errorOf, hashOf, openLog, software } from './log-files.ts'
import { olderLog } from './older-log.ts'
import { expectSigned } from './signed-log.ts'
import { newSQLitePlace } from './sqlite-subject.ts'

const fileOf = (path: string): string => `${path}.highwater`
const noteIn = (path: string): string => new HighWaterFile(fileOf(path)).read() ?? ''
const sizeIn = (path: string): number => parseCheckpoint(parseNote(noteIn(path)).text).size

function commitPower(store: Store): Promise<undefined> {
  return store.commit(storing(decisionOn(newCall(), { decision: 'deny' })), 'power')
}

/** Writes `count` records and closes. */
async function grow(path: string, count = 1): Promise<void> {
  const store = openLog(path)
  for (let index = 0; index < count; index += 1) await commitOne(store)
  await store.close()
}

/** A log that was put back to an older state of itself. */
async function rolledBackLog(): Promise<string> {
  const path = await closedLog()
  copyFileSync(path, `${path}.old`)
  await grow(path)
  copyFileSync(`${path}.old`, path)
  return path
}

describe('the high-water file', () => {
  test('holds the head, signed, after each commit that survives a power cut', async () => {
    const { path } = newSQLitePlace()
    const store = openLog(path)
    expect(noteIn(path)).toBe(expectSigned(path).head.note)
    for (let round = 0; round < 3; round += 1) {
      await commitPower(store)
      expect(noteIn(path)).toBe(expectSigned(path).head.note)
    }
    await store.close()
    expect(noteIn(path)).toBe(expectSigned(path).head.note)
  })

  test('does not run ahead of what a power cut would leave', async () => {
    const { path } = newSQLitePlace()
    const store = openLog(path)
    await commitOne(store)
    expect(sizeIn(path)).toBe(2)
    await store.commit(storing(decisionOn(newCall(), { decision: 'deny' })), 'lazy')
    await store.commit(() => ({ records: [], result: undefined }), 'power')
    expect(sizeIn(path)).toBe(2)
    await commitPower(store)
    expect(sizeIn(path)).toBe(5)
    await store.close()
  })

  test('follows a rotation, and the keys of any epoch prove it', async () => {
    const path = await closedLog()
    const store = openLog(path)
    await store.rotateKeys()
    expect(noteIn(path)).toBe(expectSigned(path).head.note)
    const before = noteIn(path)
    await store.rotateKeys()
    await store.close()
    new HighWaterFile(fileOf(path)).make(before)
    await openLog(path).close()
  })

  test('is made for a log that was not signed before', async () => {
    const { path } = olderLog(3)
    await openLog(path).close()
    expect(noteIn(path)).toBe(expectSigned(path).head.note)
  })

  test('can be elsewhere', async () => {
    const { path, folder } = newSQLitePlace()
    const highWater = join(folder, 'elsewhere')
    const store = SQLiteEngine.open({ path, software, highWater })
    await store.close()
    expect(existsSync(fileOf(path))).toBe(false)
    expect(new HighWaterFile(highWater).read()).toBe(expectSigned(path).head.note)
    await SQLiteEngine.open({ path, software, highWater }).close()
  })

  test('of an earlier head lets the log go on: the process was killed before it wrote', async () => {
    const path = await closedLog()
    copyFileSync(fileOf(path), `${path}.aside`)
    await grow(path, 5)
    copyFileSync(`${path}.aside`, fileOf(path))
    await openLog(path).close()
    expectSigned(path)
  })

  test('covers every synced commit of a writer that was killed', async () => {
    const place = newSQLitePlace()
    for (let round = 0; round < 4; round += 1) {
      const job = { kind: 'calls', count: 1e6, callers: 4, durability: 'power' } as const
      const child = new WriterChild(place, job)
      onTestFinished(() => child.kill())
      await child.until((fact) => fact.call !== undefined)
      await delay(Math.random() * 80)
      await child.kill()
      const last = Math.max(...child.facts.map(({ seq }) => seq ?? 0))
      expect(sizeIn(place.path)).toBeGreaterThan(last)
      expect(sizeIn(place.path)).toBeLessThanOrEqual(expectSigned(place.path).head.size)
    }
    await openLog(place.path).close()
  }, 60_000)
})

describe('a log that does not continue what was known of it is refused, and stays as it is', () => {
  test('an older copy of it', async () => {
    const path = await rolledBackLog()
    const before = hashOf(path)
    const error = errorOf(() => openLog(path))
    expect(error).toMatchObject({
      code: 'AUDIT_CORRUPT',
      message: expect.stringMatching(
        /rolled back: it holds 6 records, and 9 were written/,
      ) as string,
      hint: expect.stringContaining('`capfence audit recover`') as string,
    })
    expect(hashOf(path)).toBe(before)
    expect(sizeIn(path)).toBe(9)
  })

  test('another history of the same length', async () => {
    const path = await closedLog()
    const both = [path, fileOf(path)]
    for (const file of both) copyFileSync(file, `${file}.old`)
    await grow(path)
    copyFileSync(fileOf(path), `${path}.first`)
    for (const file of both) copyFileSync(`${file}.old`, file)
    await grow(path)
    copyFileSync(`${path}.first`, fileOf(path))
    expect(errorOf(() => openLog(path))).toMatchObject({
      code: 'AUDIT_CORRUPT',
      message: expect.stringContaining('its 9 records are not those that were written') as string,
    })
  })

  const files: Readonly<Record<string, (file: string, path: string) => void>> = {
    'without the file': (file) => rmSync(file),
    'with an empty file': (file) => writeFileSync(file, ''),
    'with blanks': (file) => writeFileSync(file, ' '.repeat(1024)),
    'with the file of another log': (file, path) => {
      openLog(`${path}.other`)
      copyFileSync(fileOf(`${path}.other`), file)
    },
    'with a file that was changed': (file) =>
      writeFileSync(file, readFileSync(file, 'utf8').replace('\n6\n', '\n5\n')),
    'with a file that a stranger signed': (file, path) => {
      const { text } = parseNote(noteIn(path))
      const name = text.split('\n')[0] ?? ''
      const stranger = noteSigner(name, signingKey(new Uint8Array(32).fill(7)))
      writeFileSync(file, signNote(text, [stranger]))
    },
    'with a file that the epoch alone signed': (file, path) => {
      const [text = '', signatures = ''] = noteIn(path).split('\n\n')
      writeFileSync(file, `${text}\n\n${signatures.split('\n')[1] ?? ''}\n`)
    },
  }
  test.each(Object.entries(files))('%s', async (_, spoil) => {
    const path = await closedLog()
    spoil(fileOf(path), path)
    const before = hashOf(path)
    expect(errorOf(() => openLog(path))).toMatchObject({
      code: 'AUDIT_CORRUPT',
      message: expect.stringContaining('high-water file') as string,
      hint: expect.stringContaining('`capfence audit recover`') as string,
    })
    expect(hashOf(path)).toBe(before)
  })

  test('what cannot be read as a file is an error of the place', async () => {
    const path = await closedLog()
    rmSync(fileOf(path))
    mkdirSync(fileOf(path))
    expect(errorOf(() => openLog(path))).toMatchObject({ code: 'AUDIT_UNAVAILABLE' })
  })
})

describe('a head that cannot be written down', () => {
  test('stops the commits that follow, until it can', async () => {
    const path = await closedLog()
    const store = openLog(path)
    renameSync(fileOf(path), `${path}.aside`)
    // This one is stored: that its head could not be written turns out afterwards.
    await commitPower(store)
    await expect(commitPower(store)).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      message: expect.stringContaining('the high-water file: ENOENT') as string,
      hint: expect.stringContaining('put the file back') as string,
    })
    expect(await codeOf(commitOne(store))).toBe('AUDIT_UNAVAILABLE')
    renameSync(`${path}.aside`, fileOf(path))
    await commitPower(store)
    expect((await typesOf(store)).slice(-3)).toEqual(['decision', 'audit.gap', 'decision'])
    expect(sizeIn(path)).toBe(await store.size())
    await store.close()
  })

  test('at the first start leaves no log', () => {
    const { path } = newSQLitePlace()
    const spoiled = (): SQLiteEngine =>
      SQLiteEngine.open({ path, software, highWater: '/proc/capfence' })
    expect(errorOf(spoiled)).toMatchObject({ code: 'AUDIT_UNAVAILABLE' })
    expect(errorOf(() => openLog(path))).toBeUndefined()
  })
})

describe('a break that a person confirms', () => {
  const recovery = { by: 'ann', reason: 'restored from a copy' }

  test('is recorded with what was lost, and the log goes on', async () => {
    const path = await rolledBackLog()
    const { root } = parseCheckpoint(parseNote(noteIn(path)).text)
    const store = SQLiteEngine.open({ path, software, recovery })
    const [record] = await store.records(6, 1)
    expect(record).toMatchObject({
      type: 'log.recover',
      data: { ...recovery, lost: { size: 9, root } },
    })
    expect(sizeIn(path)).toBe(8)
    await store.close()
    await openLog(path).close()
    expectSigned(path)
  })

  test('of which nothing is known any more is recorded as that', async () => {
    const path = await closedLog()
    rmSync(fileOf(path))
    const store = SQLiteEngine.open({ path, software, recovery })
    expect((await store.records(6, 1))[0]?.data).toMatchObject({ lost: null })
    await store.close()
    await openLog(path).close()
  })

  test('is not recorded where there is none', async () => {
    const path = await closedLog()
    const store = SQLiteEngine.open({ path, software, recovery })
    expect(await typesOf(store)).not.toContain('log.recover')
    await store.close()
  })
})

describe('heartbeats', () => {
  const minutes = (count: number): number => count * 60_000

  test('come every ten minutes in which something was recorded, every hour in which nothing was', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const { path } = newSQLitePlace()
    let nowMs = Date.parse('2026-05-06T07:00:00.000Z')
    const clock = { nowMs: () => nowMs, elapsedMs: () => performance.now() }
    const store = SQLiteEngine.open({ path, software, clock })
    const pass = async (): Promise<number> => {
      nowMs += minutes(10)
      vi.advanceTimersByTime(minutes(10))
      await delay(30)
      return (await typesOf(store)).filter((type) => type === 'heartbeat').length
    }
    expect(await pass()).toBe(1)
    expect(sizeIn(path)).toBe(3)
    expect(await pass()).toBe(1)
    await commitOne(store)
    expect(await pass()).toBe(2)
    const idle: number[] = []
    for (let round = 0; round < 13; round += 1) idle.push(await pass())
    expect(idle).toEqual([2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 4])
    await store.close()
    expect(await vi.waitFor(() => vi.getTimerCount())).toBe(0)
    const { checkpoints } = expectSigned(path)
    expect(checkpoints.map(({ size }) => size)).toEqual([3, 5, 6, 7, 8])
  })
})
