import Database from 'better-sqlite3'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { leafHash } from '../../src/audit/codec.ts'
import { readPin, verifyLines, verifyTiles } from '../../src/audit/portable/index.ts'
import { TestLog, withLog } from './a-log.ts'
import { capfence } from './capture.ts'

async function calls(log: TestLog): Promise<void> {
  await log.call({ tool: 'read_file', arguments: { path: 'offen — ü.txt' }, outcome: 'ok' })
  await log.call({ tool: 'delete_path', arguments: { command: 'rm -rf /var/lib' } })
}

/** Writes so many calls that are refused, one record each. */
async function many(log: TestLog, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await log.call({ tool: 'unheard_of', arguments: { index } })
  }
}

async function pinFile(log: TestLog): Promise<string> {
  const file = join(log.folder, 'log.pin')
  const { out } = await capfence(['audit', 'key', '--storage', log.path])
  writeFileSync(file, out)
  return file
}

const audit = (log: TestLog, ...args: readonly string[]) =>
  capfence(['audit', ...args, '--storage', log.path])
const sizeOf = (log: TestLog): number => {
  const db = new Database(log.path, { readonly: true })
  const size = db.prepare<[], number>('SELECT size FROM head').pluck().get()
  db.close()
  return size ?? 0
}
const change = (log: TestLog, sql: string): void => {
  const db = new Database(log.path)
  db.exec(sql)
  db.close()
}

describe('audit prove and audit check-proof', () => {
  test('prove every record of a log', async () => {
    await withLog(calls, async (log) => {
      const pin = await pinFile(log)
      for (let seq = 0; seq < sizeOf(log); seq += 1) {
        const file = join(log.folder, `${seq}.tlog-proof`)
        expect(await audit(log, 'prove', String(seq), '-o', file)).toEqual({
          code: 0,
          out: '',
          err: '',
        })
        const { code, out, err } = await capfence(['audit', 'check-proof', file, '--pin', pin])
        expect({ code, err }).toEqual({ code: 0, err: '' })
        expect(out).toMatch(
          new RegExp(
            `^ok: record ${seq} is in capfence.local/[0-9A-Z]{26}, signed when it had 7\n`,
          ),
        )
      }
    })
  })

  test('need no log, and take the keys as text too', async () => {
    await withLog(calls, async (log) => {
      const { out: proof } = await audit(log, 'prove', '3')
      const file = join(log.folder, 'proof')
      writeFileSync(file, proof)
      const keys = readFileSync(await pinFile(log), 'utf8')
        .trim()
        .split('\n')
      const { code, out } = await capfence([
        'audit',
        'check-proof',
        file,
        '--vkey',
        keys[0] ?? '',
        '--vkey',
        keys[1] ?? '',
        '--json',
      ])
      expect(code).toBe(0)
      expect(JSON.parse(out)).toMatchObject({
        type: 'audit-check-proof',
        ok: true,
        size: 7,
        epochVerified: true,
        record: { seq: 3, type: 'decision', data: { tool: 'read_file' } },
      })
    })
  })

  test('refuse a proof that was changed, and one of another log', async () => {
    await withLog(calls, async (log) => {
      const pin = await pinFile(log)
      const { out: proof } = await audit(log, 'prove', '3')
      const file = join(log.folder, 'proof')
      writeFileSync(file, proof.replace('index 3', 'index 4'))
      const check = (...args: readonly string[]) =>
        capfence(['audit', 'check-proof', file, ...args])
      expect(await check('--pin', pin)).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringContaining('record 4 is not in the log of 7 that was signed') as string,
      })
      const { code, out } = await check('--pin', pin, '--json')
      expect(code).toBe(1)
      expect(JSON.parse(out)).toMatchObject({ ok: false })
      writeFileSync(file, proof)
      await withLog(calls, async (other) => {
        expect(await check('--pin', await pinFile(other))).toMatchObject({ code: 1, out: '' })
      })
    })
  })

  test('say when a later epoch signed than the pinned one', async () => {
    await withLog(calls, async (log) => {
      const pin = await pinFile(log)
      expect(await audit(log, 'rotate')).toMatchObject({ code: 0 })
      const file = join(log.folder, 'proof')
      await audit(log, 'prove', '3', '-o', file)
      const { code, err } = await capfence(['audit', 'check-proof', file, '--pin', pin])
      expect(code).toBe(0)
      expect(err).toContain('warning: signed in a later epoch')
    })
  })

  test.each([
    ['no record of the log', ['prove', '7'], 'there is no record 7: the log has 7'],
    ['no number', ['prove', '-1x'], 'unknown option'],
    ['a word', ['prove', 'last'], '`last` is no number of a record'],
  ])('are used wrongly with %s', async (_, args, complaint) => {
    await withLog(calls, async (log) => {
      const { code, out, err } = await audit(log, ...args)
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toContain(complaint)
    })
  })

  test('never replace a file, and never check without a pin', async () => {
    await withLog(calls, async (log) => {
      const file = join(log.folder, 'proof')
      writeFileSync(file, 'mine')
      expect(await audit(log, 'prove', '3', '-o', file)).toMatchObject({ code: 2 })
      expect(readFileSync(file, 'utf8')).toBe('mine')
      expect(await capfence(['audit', 'check-proof', file])).toMatchObject({
        code: 2,
        err: expect.stringContaining('--pin FILE') as string,
      })
    })
  })

  test('write no proof of a log that is not what was signed', async () => {
    await withLog(calls, async (log) => {
      change(log, `UPDATE records SET leaf = zeroblob(32) WHERE seq = 5`)
      expect(await audit(log, 'prove', '3')).toMatchObject({ code: 3, out: '' })
    })
  })
})

const verified = async (log: TestLog, folder: string) =>
  verifyTiles(
    async (path) => (existsSync(join(folder, path)) ? readFileSync(join(folder, path)) : undefined),
    readPin(readFileSync(await pinFile(log), 'utf8')),
  )

describe('audit export', () => {
  test.each([true, false])(
    'writes JSON Lines that another implementation accepts (%s)',
    async (shown) => {
      await withLog(calls, async (log) => {
        const file = join(log.folder, 'log.jsonl')
        const flags = shown ? ['--with-disclosures'] : []
        expect(await audit(log, 'export', '--jsonl', file, ...flags)).toMatchObject({
          code: 0,
          out: expect.stringMatching(
            /log\.jsonl: 7 records of capfence\.local\/\S+, 1 file written\n$/,
          ) as string,
        })
        const pin = readPin(readFileSync(await pinFile(log), 'utf8'))
        const report = await verifyLines([readFileSync(file)], pin)
        expect(report.size).toBe(7)
        expect(report.disclosed).toBe(shown ? 3 : undefined)
        expect(
          readFileSync(file, 'utf8').includes(Buffer.from('rm -rf').toString('base64url')),
        ).toBe(false)
        expect(existsSync(`${file}.new`)).toBe(false)
      })
    },
  )

  test('writes tiles, and later what has come since', async () => {
    const log = new TestLog()
    try {
      const folder = join(log.folder, 'public')
      const sizes: number[] = []
      for (const more of [3, 300, 0, 800]) {
        await many(log, more)
        const run = await audit(log, 'export', '--tiles', folder, '--json')
        expect(run.code).toBe(0)
        const { size, root } = JSON.parse(run.out) as { size: number; root: string }
        expect(await verified(log, folder)).toMatchObject({ size, root, disclosed: undefined })
        sizes.push(size)
      }
      expect(new Set(sizes).size).toBe(3)
      const untouched = join(folder, 'tile/entries/000')
      const before = statSync(untouched).mtimeMs
      await audit(log, 'export', '--tiles', folder, '--with-disclosures')
      expect(statSync(untouched).mtimeMs).toBe(before)
      expect((await verified(log, folder)).disclosed).toBeGreaterThan(1000)
      await audit(log, 'export', '--tiles', folder)
      expect(readdirSync(folder).toSorted()).toEqual([
        'checkpoint',
        'checkpoints.jsonl',
        'keys.txt',
        'tile',
      ])
      await log.end()
    } finally {
      log.remove()
    }
  })

  test('verifies across a rotation of keys', async () => {
    await withLog(calls, async (log) => {
      await audit(log, 'rotate')
      const folder = join(log.folder, 'public')
      expect(await audit(log, 'export', '--tiles', folder)).toMatchObject({ code: 0 })
      expect(await verified(log, folder)).toMatchObject({ epochs: 2, signedFrom: 0 })
    })
  })

  test('is refused into a folder of something else, and into the export of another log', async () => {
    await withLog(calls, async (log) => {
      expect(await audit(log, 'export', '--tiles', log.folder)).toMatchObject({ code: 2 })
      const folder = join(log.folder, 'public')
      await audit(log, 'export', '--tiles', folder)
      await withLog(calls, async (other) => {
        const note = readFileSync(join(folder, 'checkpoint'))
        expect(await audit(other, 'export', '--tiles', folder)).toMatchObject({
          code: 2,
          err: expect.stringContaining('another log') as string,
        })
        expect(readFileSync(join(folder, 'checkpoint'))).toEqual(note)
      })
    })
  })

  test('goes not on from tiles that somebody has changed', async () => {
    const log = new TestLog()
    try {
      await many(log, 300)
      const folder = join(log.folder, 'public')
      await audit(log, 'export', '--tiles', folder)
      const note = readFileSync(join(folder, 'checkpoint'))
      const tile = join(folder, 'tile/1/000.p/1')
      writeFileSync(tile, Buffer.alloc(32))
      await many(log, 1)
      expect(await audit(log, 'export', '--tiles', folder)).toMatchObject({ code: 3 })
      expect(readFileSync(join(folder, 'checkpoint'))).toEqual(note)
      writeFileSync(tile, '')
      expect(await audit(log, 'export', '--tiles', folder)).toMatchObject({ code: 3 })
      await log.end()
    } finally {
      log.remove()
    }
  })

  test.each([
    ['a leaf', `UPDATE records SET leaf = zeroblob(32) WHERE seq = 4`],
    [
      'a record',
      `UPDATE records SET body = CAST(replace(CAST(body AS TEXT), 'read_file', 'lead_file') AS BLOB)`,
    ],
    ['the last record', `DELETE FROM records WHERE seq = 6`],
    ['a record in the middle', `DELETE FROM records WHERE seq = 4`],
  ])('is not made of a log of which somebody has changed %s', async (_, sql) => {
    await withLog(calls, async (log) => {
      change(log, sql)
      const folder = join(log.folder, 'public')
      const file = join(log.folder, 'log.jsonl')
      expect(await audit(log, 'export', '--tiles', folder)).toMatchObject({ code: 3, out: '' })
      expect(await audit(log, 'export', '--jsonl', file)).toMatchObject({ code: 3, out: '' })
      expect(existsSync(join(folder, 'checkpoint'))).toBe(false)
      expect([existsSync(file), existsSync(`${file}.new`)]).toEqual([false, false])
    })
  })

  test('is not made of a log whose last record is another one, leaf and all', async () => {
    await withLog(calls, async (log) => {
      const db = new Database(log.path)
      const last = db.prepare<[], Buffer>('SELECT body FROM records WHERE seq = 6').pluck().get()
      const body = Buffer.from(String(last).replace('"seq":6', '"seq":7'))
      const leaf = Buffer.from(leafHash(body), 'hex')
      db.prepare('UPDATE records SET body = ?, leaf = ? WHERE seq = 6').run(body, leaf)
      db.close()
      const file = join(log.folder, 'log.jsonl')
      for (const to of [
        ['--tiles', join(log.folder, 'public')],
        ['--jsonl', file],
      ]) {
        expect(await audit(log, 'export', ...to)).toMatchObject({ code: 3, out: '' })
      }
      expect(existsSync(file)).toBe(false)
      expect(await audit(log, 'prove', '6')).toMatchObject({ code: 3, out: '' })
    })
  })

  test.each([[[]], [['--tiles', 'a', '--jsonl', 'b']]])('is used wrongly with %j', async (args) => {
    await withLog(calls, async (log) => {
      expect(await audit(log, 'export', ...args)).toMatchObject({ code: 2, out: '' })
    })
  })
})
