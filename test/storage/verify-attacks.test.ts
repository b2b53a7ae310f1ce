import Database from 'better-sqlite3'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LogReport } from '../../src/audit/log-report.ts'
import { verifyLog } from '../../src/storage/verify-log.ts'
import { honestLog } from '../audit/honest-log.ts'
import { root } from '../support/root.ts'
import { attacks, type Attack } from './attacks.ts'
import { writeDatabase } from './stored-log.ts'

const honest = honestLog()
const anchor = { name: 'anchor', note: honest.note() }
const folder = mkdtempSync(join(tmpdir(), 'capfence-attacks-'))
const original = join(folder, 'honest.db')
beforeAll(() => writeDatabase(original, honest.stored()))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function verdictOn(path: string, anchors: readonly (typeof anchor)[]): Promise<LogReport> {
  return (await verifyLog(path, { pin: honest.pin, anchors })).report
}

/** A copy of the honest log to which this was done. */
function attacked({ change }: Attack, name: string): string {
  const path = join(folder, name)
  copyFileSync(original, path)
  if ('file' in change) {
    change.file(path)
    return path
  }
  const db = new Database(path)
  try {
    change(db)
  } finally {
    db.close()
  }
  return path
}

test('the log itself verifies, alone and with an anchor', async () => {
  for (const anchors of [[], [anchor]]) {
    expect(await verdictOn(original, anchors)).toMatchObject({
      verdict: 'ok',
      epoch: 2,
      redacted: 1,
      bad: null,
    })
  }
})

describe('a log to which something was done', () => {
  test.each(attacks.map((attack, index) => ({ ...attack, index })))('$name', async (attack) => {
    const path = attacked(attack, `${String(attack.index)}.db`)
    const alone = await verdictOn(path, [])
    expect(`${alone.verdict}: ${alone.reason ?? ''}`).toMatch(new RegExp(`^${attack.alone}:`))
    const anchored = await verdictOn(path, [anchor])
    expect(`${anchored.verdict}: ${anchored.reason ?? ''}`).toMatch(
      new RegExp(`^${attack.anchored}:`),
    )
  })
})

test('the table of docs/audit.md is what these tests have shown', () => {
  const page = readFileSync(join(root, 'docs/audit.md'), 'utf8')
  const [, table = ''] = /<!-- attacks: .*? -->\n\n([^]*?)\n\n<!-- \/attacks -->/.exec(page) ?? []
  const cells = table
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
  const shown = { ok: '–', cannot_verify: 'cannot verify', rolled_back: 'rolled back' } as const
  const said = (verdict: string): string =>
    Object.entries(shown).find(([name]) => name === verdict)?.[1] ?? verdict
  expect(cells).toEqual(
    attacks.map(({ name, alone, anchored }) => [name, said(alone), said(anchored)]),
  )
})
