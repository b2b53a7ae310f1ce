import Database from 'better-sqlite3'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from '../support/root.ts'
import { hasCommand, requireOrSkip } from '../support/needs.ts'
import { blockedFor, pinOf, verifyWith } from './fault-kit.ts'
import { gateCommand, journalCalls, RawClient, type GateFiles } from './gate.ts'
import { rawGates } from './raw-gates.ts'

const { files, client } = rawGates()

interface Fault {
  readonly name: string
  /** What the gate says on standard error. */
  readonly said: RegExp
  /** @returns how to mend it */
  readonly breakLog: (laid: GateFiles, older: string) => () => void
}

function moved(path: string): () => void {
  renameSync(path, `${path}.away`)
  return () => {
    rmSync(path, { recursive: true, force: true })
    renameSync(`${path}.away`, path)
  }
}

function replaced(path: string, put: () => void): () => void {
  const mend = moved(path)
  put()
  return mend
}

const faults: readonly Fault[] = [
  ...['log.key', 'epoch-1.key'].map((key) => ({
    name: `the key file ${key} is missing`,
    said: new RegExp(`${key.replace('.', '\\.')}. is missing`),
    breakLog: ({ database }: GateFiles) => moved(join(`${database}.keys`, key)),
  })),
  {
    name: 'the folder of the keys is gone',
    said: /is missing/,
    breakLog: ({ database }) => moved(`${database}.keys`),
  },
  {
    name: 'the keys can be read by others',
    said: /open to other users/,
    breakLog: ({ database }) => {
      chmodSync(`${database}.keys`, 0o755)
      return () => chmodSync(`${database}.keys`, 0o700)
    },
  },
  {
    name: 'a folder stands where the log was',
    said: /cannot be opened/,
    breakLog: ({ database }) => replaced(database, () => mkdirSync(database)),
  },
  {
    name: 'the log is gone and its keys are there',
    said: /is the key of another one/,
    breakLog: ({ database }) => moved(database),
  },
  {
    name: 'something else stands where the log was',
    said: /not a database/,
    breakLog: ({ database }) => replaced(database, () => writeFileSync(database, 'x'.repeat(8192))),
  },
  {
    name: "another program's database stands where the log was",
    said: /is not an audit log of CapFence/,
    breakLog: ({ database }) =>
      replaced(database, () => {
        const db = new Database(database)
        db.exec('CREATE TABLE notes (text)')
        db.close()
      }),
  },
  {
    name: 'an older copy of the log was put back',
    said: /rolled back/,
    breakLog: ({ database }, older) => replaced(database, () => copyFileSync(older, database)),
  },
  {
    name: 'the high-water file is gone',
    said: /high-water file .* is missing/,
    breakLog: ({ database }) => moved(`${database}.highwater`),
  },
  {
    name: 'the head was changed',
    said: /its head/,
    breakLog: ({ database }) => {
      const away = readFileSync(database)
      const db = new Database(database)
      db.exec('UPDATE head SET size = size - 1')
      db.close()
      return () => writeFileSync(database, away)
    },
  },
  {
    name: 'the last record was deleted',
    said: /its head counts/,
    breakLog: ({ database }) => {
      const away = readFileSync(database)
      const db = new Database(database)
      db.exec('DELETE FROM records WHERE seq = (SELECT max(seq) FROM records)')
      db.close()
      return () => writeFileSync(database, away)
    },
  },
]

const arrived = (laid: GateFiles): number => journalCalls(laid, 'raw').length

/** A log that a gate has made, and a copy of it from before its last call. */
async function usedLog(): Promise<readonly [GateFiles, string]> {
  const laid = files({ config: { audit: {} } })
  const older = join(laid.folder, 'older.db')
  for (const marker of ['first', 'second']) {
    if (marker === 'second') copyFileSync(laid.database, older)
    const gate = client(laid)
    // oxlint-disable-next-line no-await-in-loop -- one gate after the other
    await gate.initialize()
    // oxlint-disable-next-line no-await-in-loop -- the same
    expect(blockedFor(await gate.call('echo', { marker }))).toBeUndefined()
    // oxlint-disable-next-line no-await-in-loop -- the same
    await gate.close()
  }
  return [laid, older]
}

/** Starts a gate that must not let anything pass, and lets a client try. */
async function refusesToRun(gate: RawClient, laid: GateFiles): Promise<string> {
  const ended = new Promise<number | null>((resolve) => {
    gate.process.once('exit', (code) => resolve(code))
  })
  gate.send({
    id: 'i',
    method: 'initialize',
    params: {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'test', version: '1' },
    },
  })
  gate.send({ method: 'notifications/initialized' })
  gate.send({
    id: 'c',
    method: 'tools/call',
    params: { name: 'echo', arguments: { marker: 'broken' } },
  })
  const code = await ended
  expect(code).toBe(3)
  expect(arrived(laid)).toBe(2)
  expect(gate.received.filter(({ id, result }) => id === 'c' && result !== undefined)).toEqual([])
  return gate.stderr
}

describe('B34: a gate that starts with a broken log lets nothing pass, and changes nothing', () => {
  test.each(faults)(
    '$name',
    async ({ said, breakLog }) => {
      const [laid, older] = await usedLog()
      const pin = await pinOf(laid)
      const mend = breakLog(laid, older)
      const stderr = await refusesToRun(client(laid), laid)
      expect(stderr).toMatch(said)
      expect(stderr).toMatch(/capfence: hint: \S/)
      mend()
      expect(await verifyWith(pin, laid)).toMatchObject({ verdict: 'ok', pinned: true })
      const gate = client(laid)
      await gate.initialize()
      expect(blockedFor(await gate.call('echo', { marker: 'mended' }))).toBeUndefined()
      await gate.close()
      expect(await verifyWith(pin, laid)).toMatchObject({ verdict: 'ok', pinned: true })
      expect(arrived(laid)).toBe(3)
    },
    60_000,
  )
})

describe.skipIf(requireOrSkip('prlimit', hasCommand('prlimit')))('a full disk', () => {
  test('when the gate starts: nothing passes, and the log stays as it was', async () => {
    const [laid] = await usedLog()
    const pin = await pinOf(laid)
    const { command, args } = gateCommand(laid)
    const gate = new RawClient('prlimit', ['--fsize=0:', '--', command, ...args])
    expect(await refusesToRun(gate, laid)).toMatch(/capfence: hint: \S/)
    expect(await verifyWith(pin, laid)).toMatchObject({ verdict: 'ok', pinned: true })
  }, 60_000)
})

describe('a clock that steps back', () => {
  const policy = `version: 1
allow:
  - id: once
    capability: raw
    limit: {max: 1, window: 1h}
`

  /** A gate whose clock is so many milliseconds ahead. */
  function ahead(laid: GateFiles, ms: number): RawClient {
    const { command, args } = gateCommand(laid)
    const clock = join(root, 'test/e2e/clock-ahead.mjs')
    return new RawClient(command, ['--import', clock, ...args], {
      ...process.env,
      CLOCK_AHEAD_MS: String(ms),
    })
  }

  test('gives no limit back, and the log says so and verifies', async () => {
    const laid = files({ policy, config: { audit: {} } })
    const later = ahead(laid, 3 * 3_600_000)
    await later.initialize()
    expect(blockedFor(await later.call('echo', { marker: 'later' }))).toBeUndefined()
    await later.close()
    const pin = await pinOf(laid)
    const gate = ahead(laid, 0)
    await gate.initialize()
    // What was used counts as used: the clock does not say that it was long ago.
    expect(blockedFor(await gate.call('echo', { marker: 'now' }))).toBe('limit')
    await gate.close()
    const report = await verifyWith(pin, laid)
    expect(report).toMatchObject({ verdict: 'ok', pinned: true })
    expect(report.clockSteps).toHaveLength(1)
  }, 60_000)
})
