import Database from 'better-sqlite3'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { TestLog, withLog } from './a-log.ts'
import { capfence, testNowMs } from './capture.ts'

const why = ['--by', 'ann', '--reason', 'end of the quarter'] as const

const limited = `
version: 1
allow:
  - id: reads
    capability: filesystem.read.workspace
    limit: { max: 5, window: 2h }
`

async function calls(log: TestLog): Promise<void> {
  await log.call({ tool: 'read_file', arguments: { path: '/srv/a' }, outcome: 'ok' })
  await log.call({ tool: 'read_file', arguments: { path: '/srv/b' }, outcome: 'ok' })
}

const oldPath = (log: TestLog): string => join(log.folder, 'old.db')

const archive = (log: TestLog, to = oldPath(log)) =>
  capfence(['audit', 'archive', to, ...why, '--storage', log.path])

async function pinFile(log: TestLog, name: string): Promise<string> {
  const file = join(log.folder, name)
  writeFileSync(file, (await capfence(['audit', 'key', '--storage', log.path])).out)
  return file
}

const verify = (...args: readonly string[]) => capfence(['audit', 'verify', '--json', ...args])

function change(path: string, sql: string): void {
  const db = new Database(path)
  db.exec(sql)
  db.close()
}

function lastData(path: string): unknown {
  const db = new Database(path, { readonly: true })
  const body = db
    .prepare(`SELECT CAST(body AS TEXT) FROM records ORDER BY seq DESC LIMIT 1`)
    .pluck()
    .get()
  db.close()
  return JSON.parse(String(body))
}

describe('audit archive', () => {
  test('ends the log, and another one goes on from it; the first pin proves both', async () => {
    await withLog(calls, async (log) => {
      const pin = await pinFile(log, 'first.pin')
      const { code, out, err } = await archive(log)
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toMatch(/^\d+ records of capfence\.local\/\w+ are in .*old\.db\n/)
      expect(lastData(oldPath(log))).toMatchObject({
        t: 'log.archive',
        d: { by: 'ann', reason: 'end of the quarter' },
      })
      const both = await verify(log.path, '--archive', oldPath(log), '--pin', pin)
      expect(both.err).toBe('')
      expect(JSON.parse(both.out)).toMatchObject({
        exit: 0,
        verdict: 'ok',
        pinned: true,
        archives: [{ verdict: 'ok', pinned: true, anchors: [{ state: 'holds' }] }],
      })
      // Each by itself as well, the new one with its own pin.
      expect((await verify(oldPath(log), '--pin', pin)).code).toBe(0)
      const own = await verify(log.path, '--pin', await pinFile(log, 'second.pin'))
      expect(own.code).toBe(0)
      expect(own.err).toMatch(/it goes on from \d+ records of capfence\.local/)
      // The old pin alone says nothing about the new log.
      expect((await verify(log.path, '--pin', pin)).code).not.toBe(0)
    })
  })

  test('leaves nothing beside the two logs, and no key with which the old one could be continued', async () => {
    await withLog(calls, async (log) => {
      const before = readdirSync(`${log.path}.keys`)
      await archive(log)
      const files = readdirSync(log.folder).filter((name) => !/^policy/.test(name))
      expect(files.toSorted()).toEqual([
        'log.db',
        'log.db-reserve',
        'log.db-writers',
        'log.db.highwater',
        'log.db.keys',
        'old.db',
        'old.db.highwater',
      ])
      expect(readdirSync(`${log.path}.keys`).toSorted()).toEqual(before.toSorted())
      expect(statSync(`${log.path}.keys`).mode & 0o777).toBe(0o700)
      expect(() => SQLiteEngine.open({ path: oldPath(log), software: 'capfence/test' })).toThrow(
        'this log was archived',
      )
    })
  })

  test('can be done again and again, and all of them verify in a row', async () => {
    await withLog(calls, async (log) => {
      const pin = await pinFile(log, 'first.pin')
      const files = [1, 2, 3].map((number) => join(log.folder, `old-${number}.db`))
      for (const file of files) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        expect((await archive(log, file)).code).toBe(0)
      }
      const all = files.flatMap((file) => ['--archive', file])
      expect((await verify(log.path, ...all, '--pin', pin)).code).toBe(0)
      // One that is left out, or stands in another place, is noticed.
      const [first = '', second = '', third = ''] = files
      const gaps = [
        ['--archive', first, '--archive', third],
        ['--archive', second, '--archive', first, '--archive', third],
        ['--archive', first, '--archive', second],
      ]
      for (const some of gaps) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        expect((await verify(log.path, ...some, '--pin', pin)).code).not.toBe(0)
      }
    })
  })

  test('does not end while another process may write', async () => {
    await withLog(calls, async (log) => {
      const gate = SQLiteEngine.open({ path: log.path, software: 'capfence/test' })
      const { code, err } = await archive(log)
      expect(code).toBe(3)
      expect(err).toContain(`others write to the log: process ${process.pid}`)
      expect(existsSync(oldPath(log))).toBe(false)
      expect(existsSync(`${log.path}.archiving`)).toBe(false)
      await gate.commit(() => ({ records: [], result: undefined }), 'process')
      await gate.close()
      expect((await archive(log)).code).toBe(0)
    })
  })

  test('does not put the log where something is', async () => {
    await withLog(calls, async (log) => {
      writeFileSync(oldPath(log), 'mine')
      expect(await archive(log)).toMatchObject({ code: 2, out: '' })
      expect(await archive(log, join(log.folder, 'no/such/folder/old.db'))).toMatchObject({
        code: 2,
        out: '',
      })
      expect(existsSync(`${log.path}.archiving`)).toBe(false)
    })
  })
})

describe('what a log takes over', () => {
  test('what limits have used counts on, and can be worked out from the new log alone', async () => {
    await withLog(
      async (log) => {
        for (let index = 0; index < 5; index += 1) {
          // oxlint-disable-next-line no-await-in-loop -- one call after the other
          await log.call({ tool: 'read_file', arguments: { path: '/srv/a' }, outcome: 'ok' })
        }
      },
      async (log) => {
        const pots = () => capfence(['budgets', '--json', '--storage', log.path])
        const before = (await pots()).out
        expect(before).toContain('"5"')
        await archive(log)
        expect((await pots()).out).toBe(before)
        change(log.path, 'UPDATE head SET state = NULL')
        const clock = { nowMs: () => testNowMs, elapsedMs: () => performance.now() }
        const engine = SQLiteEngine.open({ path: log.path, software: 'capfence/test', clock })
        const charges = (await engine.pots(testNowMs)).flatMap((pot) => pot.charges)
        await engine.close()
        expect(charges.map(({ amount }) => amount)).toEqual(['1', '1', '1', '1', '1'])
      },
      { policy: limited },
    )
  })
})

describe('an archive is found out', () => {
  const attacks = {
    'a record was appended to the old log': [
      'old',
      `INSERT INTO records SELECT seq + 1, leaf, body FROM records ORDER BY seq DESC LIMIT 1`,
    ],
    'the last record of the old log is gone': [
      'old',
      `DELETE FROM records WHERE seq = (SELECT MAX(seq) FROM records)`,
    ],
    'the new log names another end': [
      'new',
      `UPDATE records SET body = CAST(replace(CAST(body AS TEXT), '"continues":{', '"continues":{ ') AS BLOB) WHERE seq = 0`,
    ],
    'what was taken over is gone': ['new', 'DELETE FROM disclosures'],
  } as const

  test.each(Object.entries(attacks))('%s', async (_, [which, sql]) => {
    await withLog(
      calls,
      async (log) => {
        const pin = await pinFile(log, 'first.pin')
        await archive(log)
        change(which === 'old' ? oldPath(log) : log.path, sql)
        const both = await verify(log.path, '--archive', oldPath(log), '--pin', pin)
        expect(JSON.parse(both.out)).toMatchObject({ exit: 3, verdict: 'tampered' })
      },
      { policy: limited },
    )
  })
})
