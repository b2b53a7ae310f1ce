import Database from 'better-sqlite3'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { WriterChild } from './children.ts'
import { verified } from './contract-context.ts'
import { change, closedLog, commitOne, errorOf, hashOf, openLog, software } from './log-files.ts'
import { asVersion, olderLog } from './older-log.ts'
import { expectSigned } from './signed-log.ts'
import { newSQLitePlace } from './sqlite-subject.ts'

describe('without its own keys a log is not continued, and stays as it is', () => {
  const unavailable: Readonly<Record<string, (path: string, keys: string) => void>> = {
    'no folder': (_, keys) => rmSync(keys, { recursive: true }),
    'no stable key': (_, keys) => rmSync(join(keys, 'log.key')),
    'no key of the epoch': (_, keys) => rmSync(join(keys, 'epoch-1.key')),
    'an empty key': (_, keys) => truncateSync(join(keys, 'log.key')),
    'the keys of another log': (path, keys) => {
      openLog(`${path}.other`)
      rmSync(keys, { recursive: true })
      cpSync(`${path}.other.keys`, keys, { recursive: true })
      chmodSync(keys, 0o700)
    },
    'the epoch of another log': (path, keys) => {
      openLog(`${path}.other`)
      copyFileSync(join(`${path}.other.keys`, 'epoch-1.key'), join(keys, 'epoch-1.key'))
    },
    'the names right and the seeds exchanged': (_, keys) => {
      const [log, epoch] = ['log.key', 'epoch-1.key'].map((name) =>
        readFileSync(join(keys, name), 'utf8').split(' '),
      )
      writeFileSync(join(keys, 'log.key'), [...(log ?? []).slice(0, 2), epoch?.[2]].join(' '))
      writeFileSync(join(keys, 'epoch-1.key'), [...(epoch ?? []).slice(0, 2), log?.[2]].join(' '))
    },
    'a key that the group can read': (_, keys) => chmodSync(join(keys, 'log.key'), 0o640),
    'a folder that others can enter': (_, keys) => chmodSync(keys, 0o711),
    'the key of another log that waits for its name': (path, keys) => {
      openLog(`${path}.other`)
      rmSync(join(keys, 'log.key'))
      copyFileSync(join(`${path}.other.keys`, 'log.key'), join(keys, 'log.key.new'))
    },
  }
  test.each(Object.entries(unavailable))('%s', async (_, spoil) => {
    const path = await closedLog()
    spoil(path, `${path}.keys`)
    const before = hashOf(path)
    expect(errorOf(() => openLog(path))).toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      message: expect.stringMatching(/ keys?\b/) as string,
      hint: expect.stringMatching(/put .* back|chmod [67]00 |it is one line/) as string,
    })
    expect(hashOf(path)).toBe(before)
  })

  test.skipIf(process.geteuid?.() !== 0)('the key of another user', async () => {
    const path = await closedLog()
    chownSync(join(`${path}.keys`, 'epoch-1.key'), 12_345, 12_345)
    expect(errorOf(() => openLog(path))).toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      message: expect.stringContaining('belongs to another user') as string,
    })
  })

  test('a folder elsewhere is used when it is named, and nothing is kept beside the log', async () => {
    const { path, folder } = newSQLitePlace()
    const keys = join(folder, 'elsewhere')
    await SQLiteEngine.open({ path, software, keys }).close()
    expect(existsSync(`${path}.keys`)).toBe(false)
    expect(errorOf(() => openLog(path))).toMatchObject({ code: 'AUDIT_UNAVAILABLE' })
    await SQLiteEngine.open({ path, software, keys }).close()
    expectSigned(path)
  })

  test('no new log is begun where the keys of one lie: it would be lost with them', async () => {
    const path = await closedLog()
    rmSync(path)
    const before = readFileSync(join(`${path}.keys`, 'log.key'))
    expect(errorOf(() => openLog(path))).toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      hint: expect.stringContaining('move the folder of its keys away') as string,
    })
    expect(readFileSync(join(`${path}.keys`, 'log.key')).equals(before)).toBe(true)
    renameSync(`${path}.keys`, `${path}.old-keys`)
    await openLog(path).close()
    expectSigned(path)
  })
})

describe('a first start that did not come to its end', () => {
  test('keys of a log that was never stored are replaced, whole or half', async () => {
    const { path } = newSQLitePlace()
    const left = await closedLog()
    cpSync(`${left}.keys`, `${path}.keys`, { recursive: true })
    chmodSync(`${path}.keys`, 0o700)
    renameSync(join(`${path}.keys`, 'log.key'), join(`${path}.keys`, 'log.key.new'))
    truncateSync(join(`${path}.keys`, 'epoch-1.key'), 20)
    await openLog(path).close()
    expectSigned(path)
  })

  test('keys of a log that was stored get their names', async () => {
    const path = await closedLog()
    renameSync(join(`${path}.keys`, 'log.key'), join(`${path}.keys`, 'log.key.new'))
    await openLog(path).close()
    expect(existsSync(join(`${path}.keys`, 'log.key.new'))).toBe(false)
    expectSigned(path)
  })

  test('keys that cannot be written leave no log behind', async () => {
    const { path } = newSQLitePlace()
    writeFileSync(`${path}.keys`, '')
    expect(errorOf(() => openLog(path))).toMatchObject({ code: 'AUDIT_UNAVAILABLE' })
    rmSync(`${path}.keys`)
    await openLog(path).close()
    expectSigned(path)
  })

  test('kill -9 at any moment of it, with two that start at once: the next one has a sound log', async () => {
    const took: number[] = []
    for (let round = 0; round < 8; round += 1) {
      const place = newSQLitePlace()
      const children = [1, 2].map(() => new WriterChild(place, { kind: 'nothing', wait: true }))
      for (const child of children) onTestFinished(() => child.kill())
      const begin = performance.now()
      if (round === 0) {
        await Promise.all(children.map((child) => child.until((fact) => fact.open === true)))
        took.push(performance.now() - begin)
      } else await delay((took[0] ?? 0) * (0.5 + (0.5 * round) / 8))
      await Promise.all(children.map((child) => child.kill()))
      const store = place.open()
      await commitOne(store)
      await verified(store)
      await store.close()
      expectSigned(place.path)
    }
  }, 60_000)
})

describe('a log that was not signed', () => {
  test('gets keys with its next writer, and a record that names them', async () => {
    const { path } = olderLog(3)
    const store = openLog(path)
    const [added] = await store.records(4, 1)
    await store.close()
    const { stable, epochs, checkpoints } = expectSigned(path)
    expect(added).toMatchObject({ type: 'key.add', data: { reason: 'unsigned log' } })
    expect(stable.name).toBe(added?.log)
    expect(epochs).toHaveLength(1)
    expect(checkpoints.map(({ size }) => size)).toEqual([7])
    await openLog(path).close()
    expect(expectSigned(path).epochs).toHaveLength(1)
  })

  test('gets them once, however many start at once', async () => {
    const place = olderLog(3)
    const job = { kind: 'calls', count: 5, callers: 1 } as const
    const children = Array.from({ length: 3 }, () => new WriterChild(place, job))
    await Promise.all(children.map((child) => child.end()))
    expect(children.map(({ facts }) => facts.at(-1)?.closed)).toEqual([true, true, true])
    expect(expectSigned(place.path).epochs).toHaveLength(1)
  })

  test.each(['', 'records', 'head', 'log'])(
    'is refused where it lacks something: %s',
    async (table) => {
      const { path } = olderLog(3)
      if (table !== '') change(path, `DELETE FROM ${table}`)
      const refused = errorOf(() => void openLog(path).close())
      expect(refused === undefined).toBe(table === '')
      if (table !== '') expect(refused).toMatchObject({ code: 'AUDIT_CORRUPT' })
    },
  )

  function stripped(path: string): void {
    asVersion(path, 4)
    change(path, 'DROP TABLE epochs')
    change(path, 'UPDATE head SET note = NULL')
    change(path, 'DELETE FROM checkpoints')
    const db = new Database(path)
    db.pragma('user_version = 3')
    db.close()
  }

  test('is not made of a signed one: the keys that lie there are not replaced', async () => {
    const path = await closedLog()
    stripped(path)
    expect(errorOf(() => openLog(path))).toMatchObject({ code: 'AUDIT_UNAVAILABLE' })
  })

  test('is not made of a signed one whose keys were taken away too', async () => {
    const path = await closedLog()
    stripped(path)
    rmSync(`${path}.keys`, { recursive: true })
    mkdirSync(`${path}.keys`, { mode: 0o700 })
    expect(errorOf(() => openLog(path))).toMatchObject({
      code: 'AUDIT_CORRUPT',
      message: expect.stringContaining('its signatures are gone') as string,
    })
  })
})
