import Database from 'better-sqlite3'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Store } from '../../src/runtime/store.ts'
import { nodeFiles } from '../../src/storage/files.ts'
import { schemaStatements, schemaVersion } from '../../src/storage/schema.ts'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { SQLiteLog } from '../../src/storage/sqlite-log.ts'
import { WriterChild } from './children.ts'
import { codeOf, typesOf, verified } from './contract-context.ts'
import { decisionOn, newCall, storing } from './drafts.ts'
import { newSQLitePlace } from './sqlite-subject.ts'

const software = 'capfence/test'

/** A log with three decisions, closed. */
async function closedLog(): Promise<{ readonly path: string; readonly folder: string }> {
  const place = newSQLitePlace()
  const store = place.open()
  for (let index = 0; index < 3; index += 1) await commitOne(store)
  await store.close()
  return place
}

function commitOne(store: Store): Promise<undefined> {
  return store.commit(storing(decisionOn(newCall(), { decision: 'deny' })), 'process')
}

/** Changes a database behind the engine's back. */
function tamper(path: string, sql: string): void {
  const db = new Database(path)
  db.unsafeMode()
  db.exec(sql)
  db.close()
}

function errorOf(action: () => unknown): { readonly code?: string; readonly message?: string } {
  try {
    action()
  } catch (error) {
    if (error instanceof Error) return error
  }
  return {}
}

async function readAll(path: string): Promise<void> {
  const log = SQLiteLog.open(path)
  try {
    await log.records(0, 100)
  } finally {
    await log.close()
  }
}

function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

const open = (path: string): SQLiteEngine =>
  SQLiteEngine.open({ path, software, maxLockWaitMs: 200 })

describe('files', () => {
  test('everything is for this user alone, whatever the umask', async () => {
    const { folder } = newSQLitePlace()
    const path = join(folder, 'made', 'below', 'log.db')
    const umask = process.umask(0)
    const store = open(path)
    process.umask(umask)
    await commitOne(store)
    const made = readdirSync(join(folder, 'made'), { recursive: true, withFileTypes: true })
    expect(made.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['below', 'log.db', 'log.db-wal', 'log.db-shm', 'log.db-writers']),
    )
    for (const entry of made) {
      const { mode } = statSync(join(entry.parentPath, entry.name))
      expect(mode & 0o077, entry.name).toBe(0)
    }
    await store.close()
    // What is only of use while it runs is gone afterwards.
    expect(readdirSync(join(folder, 'made', 'below')).toSorted()).toEqual([
      'log.db',
      'log.db-reserve',
      'log.db-writers',
      'log.db.highwater',
      'log.db.keys',
    ])
    expect(readdirSync(join(folder, 'made', 'below', 'log.db-writers'))).toEqual([])
  })

  test('a file that exists keeps its mode, and an empty one becomes a log', async () => {
    const { path } = newSQLitePlace()
    writeFileSync(path, '', { mode: 0o640 })
    await open(path).close()
    expect(statSync(path).mode & 0o777).toBe(0o640)
  })

  test('the file says what it is', async () => {
    const { path } = await closedLog()
    const header = readFileSync(path)
    expect(header.subarray(68, 72).toString()).toBe('CapF')
    expect(header.readUInt32BE(60)).toBe(schemaVersion)
  })

  test('the schema is stored word for word, every table of it strict', async () => {
    const { path } = await closedLog()
    const db = new Database(path)
    const stored = db.prepare('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL').pluck().all()
    db.close()
    expect(new Set(stored)).toEqual(new Set(schemaStatements))
    const tables = schemaStatements.filter((sql) => sql.startsWith('CREATE TABLE'))
    expect(tables.every((sql) => sql.includes(') STRICT'))).toBe(true)
  })

  test('a database in memory is a log like any other, and leaves no file', async () => {
    const store = open(':memory:')
    await commitOne(store)
    await verified(store)
    await store.close()
    expect(existsSync(':memory:')).toBe(false)
    expect(existsSync(':memory:-writers')).toBe(false)
  })

  test('a link leads to the file behind it, until it leads elsewhere', async () => {
    const { path, folder } = await closedLog()
    const link = join(folder, 'link.db')
    symlinkSync(path, link)
    const store = open(link)
    await commitOne(store)
    rmSync(link)
    symlinkSync(join(folder, 'elsewhere'), link)
    expect(await codeOf(commitOne(store))).toBe('AUDIT_UNAVAILABLE')
    await store.close()
  })
})

describe('what is not a log of this version is refused, and left as it is', () => {
  const cases: Readonly<Record<string, readonly [code: string, make: (path: string) => void]>> = {
    'a database of another program': [
      'AUDIT_UNAVAILABLE',
      (path) => tamper(path, 'CREATE TABLE mine (x)'),
    ],
    'a database with another application id': [
      'AUDIT_UNAVAILABLE',
      (path) => tamper(path, 'PRAGMA application_id = 7'),
    ],
    'a text file': ['AUDIT_CORRUPT', (path) => writeFileSync(path, 'dear diary, '.repeat(1000))],
    'a folder': ['AUDIT_UNAVAILABLE', (path) => mkdirSync(path)],
  }
  test.each(Object.entries(cases))('%s', (_name, [code, make]) => {
    const { path } = newSQLitePlace()
    make(path)
    const before = statSync(path).isFile() ? hashOf(path) : undefined
    expect(errorOf(() => open(path)).code).toBe(code)
    expect(errorOf(() => SQLiteLog.open(path)).code).toBe(code)
    if (before !== undefined) expect(hashOf(path)).toBe(before)
  })

  const changed: Readonly<Record<string, readonly [code: string, sql: string]>> = {
    'a newer format': ['AUDIT_UNAVAILABLE', `PRAGMA user_version = ${schemaVersion + 1}`],
    'no format': ['AUDIT_UNAVAILABLE', 'PRAGMA user_version = 0'],
    'the tables of another format': ['AUDIT_CORRUPT', 'PRAGMA user_version = 1'],
    'a trigger': [
      'AUDIT_CORRUPT',
      'CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM calls; END',
    ],
    'a view': ['AUDIT_CORRUPT', 'CREATE VIEW v AS SELECT 1'],
    'a further table': ['AUDIT_CORRUPT', 'CREATE TABLE more (x)'],
    'a further index': ['AUDIT_CORRUPT', 'CREATE INDEX i ON records (leaf)'],
    'a table less': ['AUDIT_CORRUPT', 'DROP TABLE checkpoints'],
    'a column more': ['AUDIT_CORRUPT', 'ALTER TABLE head ADD COLUMN x TEXT'],
    'a check less': [
      'AUDIT_CORRUPT',
      `PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', '')`,
    ],
    'no head': ['AUDIT_CORRUPT', 'DELETE FROM head'],
    'a head that counts less': ['AUDIT_CORRUPT', 'UPDATE head SET size = size - 1'],
    'a head with another root': ['AUDIT_CORRUPT', 'UPDATE head SET root = zeroblob(32)'],
    'a head with another frontier': ['AUDIT_CORRUPT', 'UPDATE head SET frontier = zeroblob(64)'],
    'a head with a shorter frontier': ['AUDIT_CORRUPT', `UPDATE head SET frontier = x''`],
    'the last record gone': [
      'AUDIT_CORRUPT',
      'DELETE FROM records WHERE seq = (SELECT max(seq) FROM records)',
    ],
    'all records gone': ['AUDIT_CORRUPT', 'DELETE FROM records'],
    'no origin': ['AUDIT_CORRUPT', 'DELETE FROM log'],
    'no key': ['AUDIT_CORRUPT', 'DELETE FROM secrets'],
    'a short key': ['AUDIT_CORRUPT', `UPDATE secrets SET value = x'00'`],
  }
  test.each(Object.entries(changed))('%s', async (_name, [code, sql]) => {
    const { path } = await closedLog()
    tamper(path, sql)
    const before = hashOf(path)
    expect(errorOf(() => open(path)).code).toBe(code)
    expect(hashOf(path)).toBe(before)
  })

  test('the head is looked at in each commit, not only at the start', async () => {
    const { path } = await closedLog()
    const store = open(path)
    tamper(path, 'UPDATE head SET frontier = zeroblob(64)')
    await expect(commitOne(store)).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      hint: expect.stringContaining('restore the log') as string,
    })
    await store.close()
  })
})

describe('a place where no log can be', () => {
  // Each runs in a child, because a program that hangs cannot be told to stop.
  const places: Readonly<Record<string, (folder: string) => string>> = {
    'a folder in which nothing can be made': () => '/proc/capfence/below/log.db',
    'below a file': (folder) => {
      writeFileSync(join(folder, 'file'), 'x')
      return join(folder, 'file', 'below', 'log.db')
    },
  }
  test.each(Object.entries(places))(
    '%s is refused at once',
    async (_name, pathIn) => {
      const { folder, child } = newSQLitePlace()
      const options = { path: pathIn(folder), software }
      const writer = new WriterChild({ child: { ...child, options } }, { kind: 'nothing' })
      onTestFinished(() => writer.kill())
      const { failed } = await writer.until((fact) => fact.failed !== undefined)
      expect(failed).toMatchObject({
        code: 'AUDIT_UNAVAILABLE',
        hint: expect.any(String) as string,
      })
    },
    10_000,
  )
})

describe('a log that is read', () => {
  test('where there is none, none is made', () => {
    const { path, folder } = newSQLitePlace()
    expect(errorOf(() => SQLiteLog.open(path))).toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      message: expect.stringContaining('there is no audit log') as string,
      hint: expect.stringContaining('storage') as string,
    })
    expect(readdirSync(folder)).toEqual([])
  })

  test('a damaged record is named, and handed to a verifier as it is', async () => {
    const { path } = await closedLog()
    tamper(
      path,
      `UPDATE records SET body = CAST(replace(CAST(body AS TEXT), 'deny', 'dent') AS BLOB) WHERE seq = 3`,
    )
    const log = SQLiteLog.open(path)
    await expect(log.records(0, 100)).rejects.toMatchObject({
      code: 'AUDIT_CORRUPT',
      message: expect.stringContaining('record 3 ') as string,
    })
    expect((await log.rows(0, 100))[3]?.seq).toBe(3)
    await log.close()
  })

  test('a record whose leaf was exchanged is named', async () => {
    const { path } = await closedLog()
    tamper(path, 'UPDATE records SET leaf = zeroblob(32) WHERE seq = 2')
    const log = SQLiteLog.open(path)
    await expect(log.records(0, 100)).rejects.toMatchObject({ code: 'AUDIT_CORRUPT' })
    await log.close()
  })

  test('a database that cannot be read any more is an error that says so', async () => {
    const { path } = await closedLog()
    truncateSync(path, 8192)
    const code = await codeOf(readAll(path))
    expect(code).toBe('AUDIT_CORRUPT')
  })
})

describe('THREATS B26: a database that is exchanged under the gate', () => {
  const ways: Readonly<Record<string, (path: string) => void>> = {
    'moved away': (path) => renameSync(path, `${path}.away`),
    'replaced by an empty file': (path) => {
      renameSync(path, `${path}.away`)
      writeFileSync(path, '')
    },
    'replaced by a copy of itself': (path) => {
      renameSync(path, `${path}.away`)
      copyFileSync(`${path}.away`, path)
    },
  }
  test.each(Object.entries(ways))(
    '%s: nothing is written, until it is put back',
    async (_name, exchange) => {
      const { path } = newSQLitePlace()
      const store = open(path)
      exchange(path)
      await expect(commitOne(store)).rejects.toMatchObject({
        code: 'AUDIT_UNAVAILABLE',
        hint: expect.stringContaining('put it back') as string,
      })
      renameSync(`${path}.away`, path)
      await commitOne(store)
      expect(await typesOf(store)).toEqual(['log.open', 'proc.start', 'audit.gap', 'decision'])
      await verified(store)
      await store.close()
    },
  )

  test.each(['log.db', 'log.db-wal'])(
    '%s deleted: refused from then on, and at the end too',
    async (name) => {
      const { folder, path } = newSQLitePlace()
      const store = open(path)
      await commitOne(store)
      rmSync(join(folder, name))
      expect(await codeOf(commitOne(store))).toBe('AUDIT_UNAVAILABLE')
      expect(await codeOf(commitOne(store))).toBe('AUDIT_UNAVAILABLE')
      await store.close()
      expect(existsSync(join(folder, name))).toBe(false)
    },
  )
})

describe('what comes in by options', () => {
  test('the clock is the one of the records, also when it steps back', async () => {
    const { path } = newSQLitePlace()
    let nowMs = Date.parse('2026-05-06T07:08:09.010Z')
    const clock = { nowMs: () => nowMs, elapsedMs: () => performance.now() }
    const store = SQLiteEngine.open({ path, software, clock })
    nowMs -= 60_000
    const seen = await store.commit(
      (view) => ({ records: [decisionOn(newCall())], result: view.nowMs }),
      'process',
    )
    expect(seen).toBe(nowMs)
    expect((await store.records(0, 10)).map(({ ts }) => ts)).toEqual([
      '2026-05-06T07:08:09.010Z',
      '2026-05-06T07:08:09.010Z',
      '2026-05-06T07:07:09.010Z',
    ])
    expect((await verified(store)).clockSteps).toEqual([2])
    await store.close()
  })

  test('a disk that has no room for the reserve does not stop the log', async () => {
    const { path } = newSQLitePlace()
    const files = { ...nodeFiles, freeBytes: () => 1000 }
    const store = SQLiteEngine.open({ path, software, files })
    await commitOne(store)
    expect(existsSync(`${path}-reserve`)).toBe(false)
    await store.close()
  })

  test('presence can be another: who is not alive there is dead here', async () => {
    const { path } = newSQLitePlace()
    const first = open(path)
    await first.commit(storing(decisionOn(newCall())), 'process')
    const presence = {
      claim: () => undefined,
      isAlive: () => false,
      release: () => undefined,
      forget: () => undefined,
    }
    const second = SQLiteEngine.open({ path, software, presence })
    expect(await typesOf(second)).toEqual([
      'log.open',
      'proc.start',
      'decision',
      'proc.start',
      'outcome',
    ])
    await second.close()
    await first.close()
  })
})
