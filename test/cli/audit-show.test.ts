import Database from 'better-sqlite3'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { TestLog, withLog } from './a-log.ts'
import { capfence } from './capture.ts'

const token = `ghp_${'a'.repeat(36)}`
const call = '00000000-0000-7000-8000-'

async function calls(log: TestLog): Promise<void> {
  await log.call({
    tool: 'read_file',
    arguments: { path: '/srv/a\u202Eb', note: `see ${token}`, password: 'hunter2' },
    outcome: 'ok',
  })
  await log.call({ tool: 'delete_path', arguments: { command: 'rm -rf /var/lib' } })
  await log.call({ tool: 'execute_payment', arguments: { amount: 5000 } })
}

const show = (log: TestLog, ...args: readonly string[]) =>
  capfence(['audit', 'show', ...args, '--storage', log.path])

async function pinFile(log: TestLog): Promise<string> {
  const file = join(log.folder, 'log.pin')
  const { out } = await capfence(['audit', 'key', '--storage', log.path])
  writeFileSync(file, out)
  return file
}

function change(log: TestLog, sql: string): void {
  const db = new Database(log.path)
  db.exec(sql)
  db.close()
}

/** The seq of each record of a kind, oldest first. */
function seqs(log: TestLog, type: string): readonly number[] {
  const db = new Database(log.path, { readonly: true })
  const found = db
    .prepare<[string], number>(
      `SELECT seq FROM records WHERE json_extract(CAST(body AS TEXT), '$.t') = ? ORDER BY seq`,
    )
    .pluck()
    .all(type)
  db.close()
  return found
}

describe('audit show', () => {
  test('says of a decision who, what, by which rule, and how it ended', async () => {
    await withLog(calls, async (log) => {
      const [allowed, denied] = seqs(log, 'decision')
      const { code, out, err } = await show(log, String(allowed))
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toMatch(/^record \d+ {2}decision {2}2026-11-25T13:00:01.000Z\n/)
      expect(out).toMatch(/decision {3}allow\n/)
      expect(out).toMatch(/rule {7}\S+ \(policies\/ops\.yaml:\d+\)\n/)
      expect(out).toMatch(/tool {7}ops\.read_file\n/)
      expect(out).toMatch(/outcome {4}ok in \d+ ms, 2 bytes \(record \d+\)\n/)
      expect(out).toContain('forwarded  yes\n')
      expect((await show(log, String(denied))).out).toContain(
        'forwarded  no, the server never saw it\n',
      )
    })
  })

  test('shows every character of an argument, and no secret unless it is asked for', async () => {
    await withLog(calls, async (log) => {
      const seq = String(seqs(log, 'decision')[0])
      const { out } = await show(log, seq)
      expect(out).toContain('"/srv/a\\u202eb"')
      expect(out).not.toMatch(/\u202E|ghp_|hunter2/)
      expect(out).toContain('not shown: /note (`--show-secrets`)\n')
      expect(out).toContain('never kept: 1 argument, only digests\n')
      const all = await show(log, seq, '--show-secrets')
      expect(all.out).toContain(token)
      // The log itself has never kept this one.
      expect(all.out).not.toContain('hunter2')
    })
  })

  test('takes the id of a call for its number, and shows the decision', async () => {
    await withLog(calls, async (log) => {
      const seq = seqs(log, 'decision')[0] ?? -1
      const { out } = await show(log, String(seq), '--json')
      const shown = JSON.parse(out) as { record: { data: { call: string } } }
      const id = shown.record.data.call
      expect(id.startsWith(call)).toBe(true)
      expect(await show(log, id.toUpperCase(), '--json')).toMatchObject({ code: 0, out })
    })
  })

  test('shows an outcome with its decision, and records of every other kind', async () => {
    await withLog(calls, async (log) => {
      const outcome = seqs(log, 'outcome')[0] ?? -1
      const { out } = await show(log, String(outcome))
      expect(out).toMatch(/status {5}ok\n/)
      expect(out).toMatch(/decision {3}allow \(record \d+\)\n/)
      const json = JSON.parse((await show(log, String(outcome), '--json')).out) as unknown
      expect(json).toMatchObject({ decisionSeq: outcome - 1, arguments: null, outcome: null })
      for (const type of ['log.open', 'proc.start', 'policy.load', 'approval.request']) {
        const seq = seqs(log, type)[0] ?? -1
        expect(await show(log, String(seq))).toMatchObject({ code: 0, err: '' })
      }
    })
  })

  test('proves with a pin that the record is in the log as it was signed', async () => {
    await withLog(calls, async (log) => {
      const pin = await pinFile(log)
      const seq = String(seqs(log, 'decision')[1])
      const { code, out } = await show(log, seq, '--pin', pin)
      expect(code).toBe(0)
      expect(out).toMatch(/proved {5}in the log as it was signed at \d+ records\n/)
      expect((await show(log, seq)).out).toContain('proved     not asked for')
      await withLog(calls, async (other) => {
        const refused = await show(log, seq, '--pin', await pinFile(other))
        expect(refused).toMatchObject({ code: 1, out: '' })
      })
    })
  })

  test.each([
    [
      'the record',
      `UPDATE records SET body = CAST(replace(CAST(body AS TEXT), 'delete_path', 'delete_patH') AS BLOB)`,
    ],
    ['its leaf', 'UPDATE records SET leaf = zeroblob(32)'],
  ])('refuses to show what it does not vouch for when somebody has changed %s', async (_, sql) => {
    await withLog(calls, async (log) => {
      const seq = String(seqs(log, 'decision')[1])
      change(log, sql)
      expect(await show(log, seq)).toMatchObject({ code: 3, out: '' })
    })
  })

  test('names what was erased as erased, and what was never kept as that', async () => {
    await withLog(calls, async (log) => {
      const seq = seqs(log, 'decision')[0] ?? -1
      change(log, `DELETE FROM disclosures WHERE seq = ${seq}`)
      const { out } = await show(log, String(seq))
      expect(out).toContain('never kept: 1 argument, only digests\n')
      expect(out).toContain('erased: 2 values of `args`, kept as digests\n')
      const json = JSON.parse((await show(log, String(seq), '--json')).out) as unknown
      expect(json).toMatchObject({ erased: { args: 2 }, argumentsWithheld: 1, arguments: {} })
    })
  })

  test.each([
    ['a number that is too high', '99', 'there is no record 99: the log has'],
    ['no number', '1.5', '`1.5` is neither the number of a record nor the id of a call'],
    ['a call that is not there', `${call}999999999999`, 'the log knows no call'],
  ])('is used wrongly with %s', async (_, which, complaint) => {
    await withLog(calls, async (log) => {
      const { code, out, err } = await show(log, which)
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toContain(complaint)
    })
  })
})
