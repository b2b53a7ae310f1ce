import Database from 'better-sqlite3'
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { withLog, type TestLog } from './a-log.ts'
import { capfence } from './capture.ts'

/** A few calls, one of which has not ended. */
async function calls(log: TestLog): Promise<void> {
  await log.call({ tool: 'read_file', arguments: { path: 'notes.txt' }, outcome: 'ok' })
  await log.call({ tool: 'delete_path', arguments: { command: 'rm -rf /var/lib' } })
  await log.call({ tool: 'read_file', arguments: { path: 'offen — ü.txt' } })
}

/** The log's two keys, as its first record names them. */
function pinOf(log: TestLog): string {
  const file = join(log.folder, 'log.pin')
  const db = new Database(log.path, { readonly: true })
  const body = db.prepare<[], Buffer>('SELECT body FROM records WHERE seq = 0').pluck().get()
  db.close()
  const { d } = JSON.parse(String(body)) as { d: { vkey: string; epoch_vkey: string } }
  writeFileSync(file, `${d.vkey}\n${d.epoch_vkey}\n`)
  return file
}

function headNote(log: TestLog): string {
  const db = new Database(log.path, { readonly: true })
  const note = db.prepare<[], string>('SELECT note FROM head').pluck().get() ?? ''
  db.close()
  return note
}

function change(log: TestLog, sql: string): void {
  const db = new Database(log.path)
  db.exec(sql)
  db.close()
}

const verify = (log: TestLog, ...args: readonly string[]): ReturnType<typeof capfence> =>
  capfence(['audit', 'verify', log.path, ...args])

interface VerifyLine {
  readonly verdict: string
  readonly exit: number
  readonly [name: string]: unknown
}

const json = async (log: TestLog, ...args: readonly string[]): Promise<VerifyLine> =>
  JSON.parse((await verify(log, '--json', ...args)).out) as VerifyLine

describe('audit verify', () => {
  test('says what it found, and what it rests on', async () => {
    await withLog(calls, async (log) => {
      const { code, out, err } = await verify(log, '--pin', pinOf(log))
      expect(err).toBe('')
      expect(code).toBe(0)
      expect(out).toMatch(/^ok: 8 records of capfence\.local\/[0-9A-Z]{26} verify\n/)
      expect(out).toContain('  keys                 pinned\n')
      expect(out).toContain('warning: the end of 1 call is not known\n')
      expect(out).toMatch(/warning: call [0-9a-f-]{36} \(record 6\) has no known outcome\n/)
    })
  })

  test('without a pin proves nothing, and says how to get one', async () => {
    await withLog(calls, async (log) => {
      const { code, out, err } = await verify(log)
      expect(code).toBe(5)
      expect(out).toMatch(/^CANNOT VERIFY: unauthenticated/)
      expect(err).toContain('hint: give the keys that were kept when the log was made')
      expect((await verify(log, '--trust-log')).code).toBe(0)
    })
  })

  test('takes the keys as text, both of them', async () => {
    await withLog(calls, async (log) => {
      const [stable = '', genesis = ''] = readFileSync(pinOf(log), 'utf8').split('\n')
      expect((await verify(log, '--vkey', stable, '--vkey', genesis)).code).toBe(0)
      for (const wrong of [[stable], [genesis, stable], [stable, genesis, genesis], ['x', 'y']]) {
        const keys = wrong.flatMap((key) => ['--vkey', key])
        expect((await verify(log, ...keys)).code).toBe(2)
      }
    })
  })

  test('is used wrongly with files that are not there, and with a log named twice', async () => {
    await withLog(calls, async (log) => {
      const wrong = [
        ['--pin', 'none'],
        ['--anchor', 'none'],
        ['--storage', log.path],
        ['--pin', pinOf(log), '--vkey', 'x'],
      ]
      for (const args of wrong) expect((await verify(log, ...args)).code).toBe(2)
    })
  })

  test('a log that is missing, empty or something else cannot be verified', async () => {
    await withLog(calls, async (log) => {
      const text = join(log.folder, 'text')
      writeFileSync(text, 'no database'.repeat(500))
      writeFileSync(join(log.folder, 'empty'), '')
      for (const name of ['none', 'text', 'empty']) {
        const { code, out } = await capfence(['audit', 'verify', join(log.folder, name), '--json'])
        expect(code, name).toBe(5)
        expect(JSON.parse(out)).toMatchObject({ verdict: 'cannot_verify', exit: 5 })
      }
      expect(readdirSync(log.folder)).not.toContain('none')
    })
  })

  test('names the first bad record and the last good checkpoint', async () => {
    await withLog(calls, async (log) => {
      const pin = pinOf(log)
      change(
        log,
        `UPDATE records SET body = CAST(replace(body, '"deny"', '"alow"') AS BLOB) WHERE seq = 5`,
      )
      const { code, out } = await verify(log, '--pin', pin)
      expect(code).toBe(3)
      expect(out).toMatch(/^TAMPERED: record 5: /)
      expect(out).toContain('  first bad record     5\n')
      expect(out).toContain('  last good checkpoint none\n')
      expect(await json(log, '--pin', pin)).toMatchObject({ bad: { seq: 5 }, size: 5, exit: 3 })
    })
  })

  test('compares anchors', async () => {
    let early = ''
    const write = async (log: TestLog): Promise<void> => {
      await calls(log)
      early = headNote(log)
      await calls(log)
    }
    await withLog(write, async (log) => {
      const pin = pinOf(log)
      const anchor = join(log.folder, 'early.note')
      writeFileSync(anchor, early)
      expect((await verify(log, '--pin', pin, '--anchor', anchor)).code).toBe(0)
      writeFileSync(anchor, early.replace('\n7\n', '\n6\n'))
      expect((await verify(log, '--pin', pin, '--anchor', anchor)).code).toBe(5)
    })
  })

  test('finds that the log is shorter than the high-water file beside it says', async () => {
    let late = ''
    const write = async (log: TestLog): Promise<void> => {
      await calls(log)
      const db = new Database(log.path)
      writeFileSync(join(log.folder, 'copy.db'), db.serialize())
      db.close()
      await calls(log)
      late = headNote(log)
    }
    await withLog(write, async (log) => {
      const pin = pinOf(log)
      const copy = join(log.folder, 'copy.db')
      const restored = ['audit', 'verify', copy, '--pin', pin]
      expect((await capfence(restored)).code).toBe(0)
      writeFileSync(`${copy}.highwater`, `${late}${' '.repeat(400)}`)
      const { code, out } = await capfence(restored)
      expect(code).toBe(4)
      expect(out).toMatch(/^ROLLED BACK: `the high-water file` has seen 11 records, there are 7\n/)
    })
  })

  test('changes nothing, even where a gate was killed', async () => {
    await withLog(
      async (log) => {
        await calls(log)
        // The writer is still open: its newest records stand in the write-ahead log alone.
        const pin = pinOf(log)
        const before = bytesOf(log)
        expect((await verify(log, '--pin', pin)).code).toBe(0)
        expect(bytesOf(log)).toEqual(before)
      },
      async () => undefined,
    )
  })

  test('goes on from where it noted how far it came', async () => {
    const write = async (log: TestLog): Promise<void> => {
      await calls(log)
      const state = join(log.folder, 'state.json')
      expect(await json(log, '--pin', pinOf(log), '--state', state)).toMatchObject({ read: 7 })
      await calls(log)
    }
    await withLog(write, async (log) => {
      const state = join(log.folder, 'state.json')
      const pin = pinOf(log)
      const args = ['--pin', pin, '--state', state]
      const whole = await json(log, '--pin', pin)
      expect(await json(log, ...args)).toEqual({ ...whole, read: Number(whole['size']) - 7 })
      expect(await json(log, ...args)).toEqual({ ...whole, read: 0 })
      expect(statSync(state).mode & 0o077).toBe(0)
      change(log, 'DELETE FROM records WHERE seq > 8; UPDATE head SET size = 9')
      expect(await json(log, ...args)).toMatchObject({ verdict: 'rolled_back', exit: 4 })
      for (const text of ['', '{}', readFileSync(state, 'utf8').replace('"size"', '"sice"')]) {
        writeFileSync(state, text)
        expect((await verify(log, ...args)).code).toBe(2)
      }
      rmSync(state)
      expect((await json(log, ...args)).exit).toBe(3)
    })
  })

  test('asked to be strict, not to know the end of a call is a fault', async () => {
    await withLog(calls, async (log) => {
      const { code, out } = await verify(log, '--pin', pinOf(log), '--strict')
      expect(code).toBe(6)
      expect(out).toMatch(/^INCOMPLETE: the end of 1 call is not known\n/)
    })
  })
})

/** What stands in the files of a log; the index of the write-ahead log is SQLite's own. */
function bytesOf(log: TestLog): Readonly<Record<string, string>> {
  const names = readdirSync(log.folder).filter((name) => /^log\.db(?:-wal)?$/.test(name))
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(join(log.folder, name), 'base64')]),
  )
}
