import Database from 'better-sqlite3'
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { hasCommand, requireOrSkip } from '../support/needs.ts'
import { blockedFor, contentsOf, limitFiles, pinOf, verifyWith } from './fault-kit.ts'
import { journalCalls, type GateFiles, type RawClient } from './gate.ts'
import { rawGates } from './raw-gates.ts'

const { files, client } = rawGates()
const policy =
  'version: 1\ndeny: [{id: never, capability: raw, args: {/marker: forbidden}}]\nallow: [raw]\n'

/** A gate whose log is broken: how to mend it. */
type Mend = () => void

interface Fault {
  readonly name: string
  /** The code in `audit.gap`. */
  readonly reason: string
  readonly breakLog: (laid: GateFiles, pid: number) => Mend
}

function moved(path: string): Mend {
  renameSync(path, `${path}.away`)
  return () => renameSync(`${path}.away`, path)
}

const faults: readonly Fault[] = [
  {
    name: 'the disk takes no more bytes',
    reason: 'io_error',
    breakLog: (_, pid) => {
      limitFiles(pid, 0)
      return () => limitFiles(pid, undefined)
    },
  },
  ...['', '-wal', '-shm'].map((suffix) => ({
    name: `the file log.db${suffix} is unlinked`,
    reason: 'replaced',
    breakLog: ({ database }: GateFiles) => moved(`${database}${suffix}`),
  })),
  {
    name: 'the file is replaced by a copy of it',
    reason: 'replaced',
    breakLog: ({ database }) => {
      const bytes = readFileSync(database)
      const mend = moved(database)
      writeFileSync(database, bytes)
      return mend
    },
  },
  {
    name: 'another process holds the lock for more than two seconds',
    reason: 'locked',
    breakLog: ({ database }) => {
      const holder = new Database(database)
      holder.exec('BEGIN IMMEDIATE')
      return () => holder.close()
    },
  },
  ...['log.key', 'epoch-1.key'].map((key) => ({
    name: `the key file ${key} is gone`,
    reason: 'key',
    breakLog: ({ database }: GateFiles) => moved(join(`${database}.keys`, key)),
  })),
]

const arrived = (laid: GateFiles): number => journalCalls(laid, 'raw').length

async function expectSound(pin: string, laid: GateFiles): Promise<void> {
  expect(await verifyWith(pin, laid)).toMatchObject({ verdict: 'ok', pinned: true, bad: null })
}

describe.skipIf(requireOrSkip('prlimit', hasCommand('prlimit')))('B34: while a gate runs', () => {
  test.each(faults)(
    '$name: no record, no call; a deny stays one, and the outage is recorded with what it cost',
    async ({ reason, breakLog }) => {
      const laid = files({ policy, config: { audit: {} } })
      const gate = client(laid)
      await gate.initialize()
      expect(blockedFor(await gate.call('echo', { marker: 'before' }))).toBeUndefined()
      const pin = await pinOf(laid)
      await expectSound(pin, laid)
      const late = gate.request('tools/call', { name: 'late', arguments: { marker: 'late' } }, 'l')
      await reached(laid, 2)

      const mend = breakLog(laid, gate.process.pid ?? 0)
      try {
        // It was let through before; its answer is the client's, and its outcome is owed.
        expect(blockedFor(await late)).toBeUndefined()
        expect(blockedFor(await gate.call('echo', { marker: 'a' }))).toBe('audit_unavailable')
        expect(blockedFor(await gate.call('echo', { marker: 'forbidden' }))).toBe('rule')
        expect((await gate.request('tools/list')).result?.['tools']).toBeDefined()
        expect(arrived(laid)).toBe(2)
        expect(gate.stderr).toMatch(/the audit log cannot be written: .+ \(.+\)/)
      } finally {
        mend()
      }
      await expectSound(pin, laid)
      expect(blockedFor(await gate.call('echo', { marker: 'after' }))).toBeUndefined()
      await expectSound(pin, laid)
      const { records, open } = await contentsOf(laid)
      const gaps = records.filter(({ type }) => type === 'audit.gap')
      expect(gaps.map(({ data }) => data['reason'])).toEqual([reason])
      expect(gaps[0]?.data['unrecorded']).toBeGreaterThanOrEqual(2)
      // What was owed stands before the first call that was let through again.
      const outcome = records.findLast(({ data }) => data['decision_seq'] === lateSeq(records))
      expect(outcome?.seq).toBeLessThan(
        records.findLast(({ type }) => type === 'decision')?.seq ?? 0,
      )
      expect(open.length).toBeLessThanOrEqual(1)
    },
    60_000,
  )

  test('a page is damaged on the disk: found in the background, said, recorded, and nothing is let through any more', async () => {
    const laid = files({ config: { audit: {} } })
    await grown(laid)
    const gate = client(laid)
    await gate.initialize()
    expect(blockedFor(await gate.call('echo', { marker: 'before' }))).toBeUndefined()
    const pin = await pinOf(laid)
    damagePage(laid.database)
    await said(gate, /the audit log is damaged: /)
    expect(blockedFor(await gate.call('echo', { marker: 'after' }))).toBe('audit_unavailable')
    expect(blockedFor(await gate.call('echo', { marker: 'again' }))).toBe('audit_unavailable')
    expect(gate.stderr).toContain('restore the log from a copy that verifies')
    await gate.close()
    expect(await verifyWith(pin, laid)).toMatchObject({ verdict: 'tampered' })
    const db = new Database(laid.database, { readonly: true })
    const last = db.prepare('SELECT body FROM records ORDER BY seq DESC LIMIT 2').pluck().all()
    db.close()
    expect(last.map(String).join()).toMatch(/"reason":"damaged".*"unrecorded":[1-9]/)
  }, 150_000)
})

/** The seq of the decision on the call that was under way when the log broke: the second that was forwarded. */
function lateSeq(records: readonly { readonly seq: number; readonly type: string }[]): number {
  return records.filter(({ type }) => type === 'decision')[1]?.seq ?? -1
}

async function reached(laid: GateFiles, calls: number): Promise<void> {
  while (arrived(laid) < calls) await delay(2)
}

async function said(gate: RawClient, text: RegExp): Promise<void> {
  while (!text.test(gate.stderr)) await delay(50)
}

/** A log of some pages, all of them in the database file itself. */
async function grown(laid: GateFiles): Promise<void> {
  const gate = client(laid)
  await gate.initialize()
  for (let index = 0; index < 40; index += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await gate.call('echo', { marker: String(index) })
  }
  await gate.close()
  expect(existsSync(`${laid.database}-wal`)).toBe(false)
}

/** Changes one letter in an early record, where it stands in the file. */
function damagePage(path: string): void {
  const at = readFileSync(path).indexOf('"t":"decision"')
  expect(at).toBeGreaterThan(0)
  expect(statSync(path).size).toBeGreaterThan(at)
  const file = openSync(path, 'r+')
  writeSync(file, 'x', at + 5)
  closeSync(file)
}
