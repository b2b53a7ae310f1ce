import Database from 'better-sqlite3'
import { readFileSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { TestLog, withLog } from './a-log.ts'
import { capfence, testNowMs } from './capture.ts'

const why = ['--by', 'ann', '--reason', 'a customer asked'] as const
/** In base64url, wherever it begins: what `hidden-in-a-path` may look like in a file. */
const secret = 'hidden-in-a-path'

const redact = (log: TestLog, ...args: readonly string[]) =>
  capfence(['audit', 'redact', ...args, ...why, '--storage', log.path])

async function verify(log: TestLog): ReturnType<typeof capfence> {
  const pin = join(log.folder, 'log.pin')
  writeFileSync(pin, (await capfence(['audit', 'key', '--storage', log.path])).out)
  return capfence(['audit', 'verify', '--json', '--pin', pin, '--storage', log.path])
}

async function calls(log: TestLog): Promise<void> {
  await log.call({ tool: 'read_file', arguments: { path: `/srv/${secret}` }, outcome: 'ok' })
  await log.call({ tool: 'read_file', arguments: { path: '/srv/other' }, outcome: 'ok' })
  await log.call({ tool: 'delete_path', arguments: { command: 'rm -rf /var/lib' } })
  await log.call({ tool: 'execute_payment', arguments: { amount: 5000 } })
}

/** The only column of each row that is found. */
function column(log: TestLog, sql: string, ...values: readonly unknown[]): readonly unknown[] {
  const db = new Database(log.path, { readonly: true })
  try {
    return db
      .prepare(sql)
      .pluck()
      .all(...values)
  } finally {
    db.close()
  }
}

const texts = (log: TestLog, sql: string, ...values: readonly unknown[]) =>
  column(log, sql, ...values).map(String)

const seqs = (log: TestLog, type: string) =>
  column(
    log,
    `SELECT seq FROM records WHERE json_extract(CAST(body AS TEXT), '$.t') = ? ORDER BY seq`,
    type,
  ).map(Number)

/** Everything that is in the files of a log, as latin1. */
function filesOf(log: TestLog): string {
  return [log.path, `${log.path}-wal`]
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n')
}

/** What every disclosure of the log begins with, salt and all. */
const openings = (log: TestLog) =>
  texts(log, 'SELECT encoded FROM disclosures ORDER BY seq').flatMap((encoded) =>
    encoded
      .split('~')
      .slice(0, -1)
      .map((one) => one.slice(0, 32)),
  )

describe('audit redact', () => {
  test('erases what was kept of a call from every file, and the log verifies and says so', async () => {
    await withLog(calls, async (log) => {
      const seq = String(seqs(log, 'decision')[0])
      const before = openings(log)
      const { code, out, err } = await redact(log, seq)
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toBe('erased 2 values of 2 records; the log says so, and still verifies\n')
      expect(before.filter((one) => filesOf(log).includes(one))).toHaveLength(before.length - 2)
      const report = JSON.parse((await verify(log)).out) as unknown
      expect(report).toMatchObject({ verdict: 'ok', redacted: 2 })
      const shown = await capfence(['audit', 'show', seq, '--storage', log.path])
      expect(shown.out).not.toContain(secret)
      const lines = await capfence(['logs', '--json', '--storage', log.path])
      expect(lines.out).not.toContain(secret)
      expect(lines.out).toContain('/srv/other')
    })
  })

  test('says in the log who wanted it, why, and of which record', async () => {
    await withLog(calls, async (log) => {
      const [first] = seqs(log, 'decision')
      await redact(log, String(first))
      const [redaction] = seqs(log, 'redact')
      const { out } = await capfence([
        'audit',
        'show',
        String(redaction),
        '--json',
        '--storage',
        log.path,
      ])
      expect(JSON.parse(out)).toMatchObject({
        record: { data: { seq: first, by: 'ann', reason: 'a customer asked' } },
      })
    })
  })

  test('takes the id of a call, and the number of its outcome, for the whole call', async () => {
    await withLog(calls, async (log) => {
      const outcome = String(seqs(log, 'outcome')[0])
      expect((await redact(log, outcome)).out).toMatch(/^erased 2 values of 2 records/)
      const second = seqs(log, 'decision')[1] ?? -1
      const [call] = texts(
        log,
        `SELECT json_extract(CAST(body AS TEXT), '$.d.call') FROM records WHERE seq = ?`,
        second,
      )
      expect((await redact(log, call ?? '')).out).toMatch(/^erased 2 values of 2 records/)
    })
  })

  test('says no when nothing is there any more', async () => {
    await withLog(calls, async (log) => {
      const seq = String(seqs(log, 'decision')[0])
      await redact(log, seq)
      const before = seqs(log, 'redact').length
      expect(await redact(log, seq)).toMatchObject({ code: 1, err: '' })
      expect(seqs(log, 'redact')).toHaveLength(before)
    })
  })

  test('only says what it would do with --dry-run', async () => {
    await withLog(calls, async (log) => {
      const before = openings(log)
      const { code, out } = await redact(log, String(seqs(log, 'decision')[0]), '--dry-run')
      expect({ code, out }).toEqual({ code: 0, out: 'would erase 2 values of 2 records\n' })
      expect(openings(log)).toEqual(before)
      expect(seqs(log, 'redact')).toEqual([])
    })
  })

  test('erases results that were kept', async () => {
    await withLog(
      async (log) => {
        const verdict = await log.call({ tool: 'read_file', arguments: { path: '/srv/a' } })
        await log.settle(verdict, 'ok', { text: secret })
      },
      async (log) => {
        const [outcome] = seqs(log, 'outcome')
        const shown = () =>
          capfence(['audit', 'show', String(outcome), '--json', '--storage', log.path])
        expect((await shown()).out).toContain(secret)
        expect(await redact(log, String(outcome))).toMatchObject({ code: 0 })
        expect((await shown()).out).not.toContain(secret)
      },
      { disclosure: 'full' },
    )
  })

  test('refuses a record that is not there, and asks for one of record and age', async () => {
    await withLog(calls, async (log) => {
      expect(await redact(log, '9999')).toMatchObject({ code: 2, out: '' })
      expect(await redact(log, 'x')).toMatchObject({ code: 2, out: '' })
      expect(await redact(log)).toMatchObject({ code: 2, out: '' })
      expect(await redact(log, '1', '--older-than', '1d')).toMatchObject({ code: 2, out: '' })
      expect(seqs(log, 'redact')).toEqual([])
    })
  })
})

describe('audit redact --older-than', () => {
  const many = async (log: TestLog): Promise<void> => {
    log.now(testNowMs - 10 * 86_400_000)
    for (let index = 0; index < 130; index += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      await log.call({
        tool: 'read_file',
        arguments: { path: `/srv/${'long'.repeat(index)}/${index}` },
        outcome: 'ok',
      })
    }
    log.now(testNowMs - 3_600_000)
    await log.call({ tool: 'read_file', arguments: { path: '/srv/young' }, outcome: 'ok' })
  }

  test('erases everything that is old enough while another connection is open, and nothing else', async () => {
    await withLog(many, async (log) => {
      const other = new Database(log.path)
      other.prepare('SELECT count(*) FROM records').get()
      const before = openings(log)
      const { code, out, err } = await redact(log, '--older-than', '1d')
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toBe('erased 260 values of 260 records; the log says so, and still verifies\n')
      const files = filesOf(log)
      expect(before.filter((one) => files.includes(one))).toEqual(before.slice(-2))
      other.close()
      expect(JSON.parse((await verify(log)).out)).toMatchObject({ verdict: 'ok', redacted: 260 })
    })
  })

  test('says where something of it is left while a reader does not let go', async () => {
    await withLog(calls, async (log) => {
      const reader = new Database(log.path)
      // A reader that began before the erasure needs what was written before it.
      reader.exec('BEGIN; SELECT count(*) FROM disclosures')
      const { code, out, err } = await redact(log, String(seqs(log, 'decision')[0]))
      reader.close()
      expect(code).toBe(3)
      expect(out).toMatch(/^erased 2 values/)
      expect(err).toContain(`something of it is still in \`${log.path}`)
    })
  })
})

describe('audit redact holds back', () => {
  const limited = `
version: 1
allow:
  - id: reads
    capability: filesystem.read.workspace
    limit: { max: 5, window: 2h }
`

  test('what a limit counts, until its time is over', async () => {
    await withLog(
      async (log) => {
        await log.call({ tool: 'read_file', arguments: { path: '/srv/a' }, outcome: 'ok' })
      },
      async (log) => {
        const [decision] = seqs(log, 'decision')
        const { code, out } = await redact(log, String(decision))
        expect(code).toBe(0)
        expect(out).toMatch(/^erased 2 values of 2 records/)
        expect(out).toMatch(
          new RegExp(
            `record ${decision} keeps what limits and labels count until 2026-11-25T\\d\\d:`,
          ),
        )
        expect(openings(log)).toHaveLength(1)
        // Once that is over, it goes as well; and limits can still be counted from what the log has.
        const later = await redact(log, String(decision), '--json')
        expect(JSON.parse(later.out)).toMatchObject({
          records: [{ seq: decision, erased: 0, held: { why: 'state' } }],
        })
      },
      { policy: limited },
    )
  })

  test('a call about which a person is asked, until nothing can come of it', async () => {
    await withLog(
      async (log) => {
        log.now(testNowMs - 60_000)
        await log.call({ tool: 'execute_payment', arguments: { amount: 5000 } })
      },
      async (log) => {
        const [decision] = seqs(log, 'decision')
        const { code, out } = await redact(log, String(decision))
        expect(code).toBe(1)
        expect(out).toMatch(/record \d+ stays: approval apr_\w+ counts until 2026-11-25T/)
        expect(seqs(log, 'redact')).toEqual([])
      },
    )
  })

  test('nothing of an approval that is over, not even the digests in its row', async () => {
    await withLog(
      async (log) => {
        log.now(testNowMs - 10 * 86_400_000)
        await log.call({ tool: 'execute_payment', arguments: { amount: 5000 } })
      },
      async (log) => {
        const digests = texts(log, 'SELECT binding_digest FROM approvals')
        const [decision] = seqs(log, 'decision')
        expect(await redact(log, String(decision))).toMatchObject({ code: 0, err: '' })
        expect(openings(log)).toEqual([])
        expect(digests.filter((digest) => filesOf(log).includes(digest))).toEqual([])
        expect((await verify(log)).code).toBe(0)
        const list = await capfence(['approvals', 'list', '--all', '--storage', log.path])
        expect(list.code).not.toBe(3)
      },
    )
  })
})

test('limits can be made again from a log whose old accounts were redacted', async () => {
  const policy = `
version: 1
allow:
  - id: reads
    capability: filesystem.read.workspace
    limit: { max: 5, window: 2h }
`
  await withLog(
    async (log) => {
      log.now(testNowMs - 10 * 86_400_000)
      await log.call({ tool: 'read_file', arguments: { path: '/srv/a' }, outcome: 'ok' })
    },
    async (log) => {
      expect((await redact(log, '--older-than', '1d')).out).toMatch(/^erased 3 values/)
      expect(openings(log)).toEqual([])
      const db = new Database(log.path)
      db.exec('UPDATE head SET state = NULL')
      db.close()
      await SQLiteEngine.open({ path: log.path, software: 'capfence/test' }).close()
      expect(seqs(log, 'state.rebuild')).toHaveLength(1)
      expect((await verify(log)).code).toBe(0)
    },
    { policy },
  )
})

test('a log that was redacted is refused when more is taken out by hand', async () => {
  await withLog(calls, async (log) => {
    await redact(log, String(seqs(log, 'decision')[0]))
    const db = new Database(log.path)
    db.exec('DELETE FROM disclosures')
    db.close()
    expect((await verify(log)).code).not.toBe(0)
  })
})
