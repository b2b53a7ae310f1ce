import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { parseCheckpoint } from '../../src/audit/checkpoint.ts'
import { parseNote } from '../../src/audit/note.ts'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { commitOne, openLog } from '../storage/log-files.ts'
import { cli } from '../support/dist.ts'
import { capfence } from './capture.ts'

const home = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-anchor-')))
afterAll(() => rmSync(home, { recursive: true, force: true }))
const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})
let count = 0

interface Project {
  readonly folder: string
  readonly config: string
  readonly db: string
  readonly pin: string
}

/** A project with a log of a few decisions, and these anchors. */
async function project(...anchors: readonly object[]): Promise<Project> {
  const folder = join(home, String((count += 1)))
  mkdirSync(folder)
  const config = join(folder, 'capfence.mcp.json')
  const db = join(folder, 'log', 'capfence.db')
  const pin = join(folder, 'log.pin')
  mkdirSync(join(folder, 'log'))
  configure(config, anchors)
  const store = openLog(db)
  for (let round = 0; round < 3; round += 1) await commitOne(store)
  await store.close()
  const { out } = await capfence(['audit', 'key', '--config', config])
  writeFileSync(pin, out)
  return { folder, config, db, pin }
}

function configure(config: string, anchors: readonly object[]): void {
  const file = {
    mcpServers: { files: { command: 'node' } },
    policies: ['p.yaml'],
    environment: 'test',
    storage: 'sqlite:log/capfence.db',
    audit: { anchors },
  }
  writeFileSync(config, JSON.stringify(file))
}

const anchor = (config: string, ...args: readonly string[]) =>
  capfence(['audit', 'anchor', '--config', config, ...args], { nowMs: Date.now() })

async function anchorRecords(db: string): Promise<readonly unknown[]> {
  const store = openLog(db)
  const { records } = await store.find({ types: ['anchor'], order: 'oldest', count: 100 })
  await store.close()
  return records.map(({ data }) => data)
}

async function write(db: string, records: number): Promise<void> {
  const store = openLog(db)
  for (let round = 0; round < records; round += 1) await commitOne(store)
  await store.close()
}

/** A witness as a process of its own. */
async function witness(vkey: string, name = join(home, `w${(count += 1)}`)) {
  const child = spawn(
    process.execPath,
    [
      ...[cli, 'witness', '--listen', '127.0.0.1:0', '--json', '--log', vkey],
      ...['--state', `${name}.state`, '--key', `${name}.key`],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  ends.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const { url, key } = JSON.parse(line) as { url: string; key: string }
  return { url, key, name, child }
}

const stableKey = (pin: string): string => readFileSync(pin, 'utf8').split('\n')[0] ?? ''

const verify = ({ db, pin }: Project, note: string) =>
  capfence(['audit', 'verify', db, '--pin', pin, '--anchor', note])

describe('audit anchor', () => {
  test('hands the newest checkpoint to a command, and leaves a record of it', async () => {
    const one = await project({ exec: ['tee', 'kept.note'] })
    const { code, out } = await anchor(one.config)
    expect(code).toBe(0)
    const note = join(one.folder, 'kept.note')
    const checkpoint = parseCheckpoint(parseNote(readFileSync(note, 'utf8')).text)
    expect(out).toBe(`tee: ${checkpoint.size} records anchored\n`)
    expect(await anchorRecords(one.db)).toEqual([
      {
        kind: 'exec',
        name: 'tee',
        ok: true,
        error: null,
        size: checkpoint.size,
        root: checkpoint.root,
      },
    ])
    expect((await verify(one, note)).code).toBe(0)
  })

  test('runs all of them in their order, whatever becomes of those before', async () => {
    const one = await project(
      { exec: ['false'], name: 'first' },
      { exec: ['tee', 'second.note'], name: 'second' },
      { exec: ['no-such-program'], name: 'third' },
    )
    const { code, out, err } = await anchor(one.config)
    expect(code).toBe(1)
    expect(out).toMatch(/^second: \d+ records anchored\n$/)
    expect(err).toContain('first:')
    expect(err).toContain('`false` ended with exit code 1')
    expect(err).toContain('could not be started')
    expect(await anchorRecords(one.db)).toMatchObject([
      { name: 'first', ok: false },
      { name: 'second', ok: true, error: null },
      { name: 'third', ok: false },
    ])
  })

  test('says the same for programs', async () => {
    const one = await project({ exec: ['true'] }, { exec: ['false'] })
    const { code, out } = await anchor(one.config, '--json')
    expect(code).toBe(1)
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(lines).toMatchObject([
      { schemaVersion: 1, type: 'audit-anchor', name: 'true', kind: 'exec', ok: true, error: null },
      { name: 'false', ok: false, error: '`false` ended with exit code 1' },
    ])
  })

  test('runs only the one that is named', async () => {
    const one = await project({ exec: ['false'] }, { exec: ['true'] })
    expect((await anchor(one.config, '--only', 'true')).code).toBe(0)
    expect(await anchorRecords(one.db)).toHaveLength(1)
    const { code, err } = await anchor(one.config, '--only', 'git')
    expect(code).toBe(2)
    expect(err).toContain('there is `false`, `true`')
  })

  test('shows nothing of a command that could move the cursor, nor does the record', async () => {
    const one = await project({
      exec: ['sh', '-c', String.raw`printf '\033[2J\033]0;x\007\342\200\256evil' >&2; exit 1`],
    })
    const { err } = await anchor(one.config)
    expect(err).toContain('evil')
    expect(err).not.toMatch(/[^\P{C}\n]/u)
    expect(JSON.stringify(await anchorRecords(one.db))).not.toMatch(/\\u001b|\u202e/)
  })

  test('without anchors was used wrongly, and without a log cannot be', async () => {
    const none = await project()
    expect((await anchor(none.config)).code).toBe(2)
    const one = await project({ exec: ['true'] })
    rmSync(join(one.folder, 'log'), { recursive: true })
    expect((await anchor(one.config)).code).toBe(3)
    expect(existsSync(join(one.folder, 'log'))).toBe(false)
  })

  test('refuses a key that is no key of a witness before anything is done', async () => {
    const one = await project({ exec: ['touch', 'done'] })
    configure(one.config, [
      { exec: ['touch', 'done'] },
      { witness: 'http://127.0.0.1:1', vkey: stableKey(one.pin) },
    ])
    const { code, err } = await anchor(one.config)
    expect(code).toBe(2)
    expect(err).toContain('is no key of a witness')
    expect(existsSync(join(one.folder, 'done'))).toBe(false)
  })

  test('of a log that cannot be written leaves nothing outside', async () => {
    const one = await project({ exec: ['touch', 'done'] })
    writeFileSync(join(one.folder, 'log', 'capfence.db'), 'no database')
    expect((await anchor(one.config)).code).toBe(3)
    expect(existsSync(join(one.folder, 'done'))).toBe(false)
  })
})

describe('an anchor in a witness', () => {
  test('cosigns the log as it grows, over many restarts of both', async () => {
    const one = await project()
    let running = await witness(stableKey(one.pin))
    for (let round = 0; round < 3; round += 1) {
      configure(one.config, [{ witness: running.url, vkey: running.key, name: 'w' }])
      const { code, err } = await anchor(one.config)
      expect({ code, err }).toEqual({ code: 0, err: '' })
      await write(one.db, round * 7 + 1)
      await ends.pop()?.()
      running = await witness(stableKey(one.pin), running.name)
    }
    expect(await anchorRecords(one.db)).toMatchObject([{ ok: true }, { ok: true }, { ok: true }])
    const notes = readdirSync(`${one.db}.anchors`)
    expect(notes).toEqual([expect.stringMatching(/^witness-[0-9a-f]{8}\.note$/)])
    const note = join(`${one.db}.anchors`, notes[0] ?? '')
    expect(statSync(note).mode & 0o777).toBe(0o600)
    expect(parseNote(readFileSync(note, 'utf8')).signatures).toHaveLength(3)
    expect((await verify(one, note)).code).toBe(0)
  })

  test('finds a roll-back that everything else agrees with, and verify does with the cosigned note', async () => {
    const one = await project()
    const running = await witness(stableKey(one.pin))
    configure(one.config, [{ witness: running.url, vkey: running.key }])
    // Whoever has the log has its keys, its high-water mark and everything else beside it.
    cpSync(join(one.folder, 'log'), join(one.folder, 'before'), { recursive: true })
    await write(one.db, 5)
    expect((await anchor(one.config)).code).toBe(0)
    const note = join(one.folder, 'cosigned.note')
    cpSync(join(`${one.db}.anchors`, readdirSync(`${one.db}.anchors`)[0] ?? ''), note)
    rmSync(join(one.folder, 'log'), { recursive: true })
    cpSync(join(one.folder, 'before'), join(one.folder, 'log'), { recursive: true })

    expect((await verify(one, note)).code).toBe(4)
    const shorter = await anchor(one.config)
    expect(shorter.code).toBe(1)
    expect(shorter.err).toContain('it was rolled back')
    // Grown beyond it again, with other records: a fork.
    await write(one.db, 9)
    const longer = await anchor(one.config)
    expect(longer.code).toBe(1)
    expect(longer.err).toContain('answered 422')
    expect((await verify(one, note)).code).toBe(4)
    expect(await anchorRecords(one.db)).toMatchObject([{ ok: false }, { ok: false }])
  })

  test('that is not there is said and recorded, and found again when it is', async () => {
    const one = await project()
    const running = await witness(stableKey(one.pin))
    configure(one.config, [{ witness: running.url, vkey: running.key }])
    await ends.pop()?.()
    const { code, err } = await anchor(one.config)
    expect(code).toBe(1)
    expect(err).toContain('ECONNREFUSED')
    expect(await anchorRecords(one.db)).toMatchObject([{ kind: 'witness', ok: false }])
  })

  test('of another log is refused by the witness', async () => {
    const [one, other] = [await project(), await project()]
    const running = await witness(stableKey(other.pin))
    configure(one.config, [{ witness: running.url, vkey: running.key }])
    expect((await anchor(one.config)).err).toContain('answered 404')
  })
})

test('an anchor in a git repository is a commit whose message is the note', async () => {
  const one = await project()
  const repository = join(one.folder, 'anchors.git-work')
  const git = (...args: readonly string[]): string => {
    const run = spawnSync('git', ['-C', repository, ...args], { encoding: 'utf8' })
    expect(run.stderr).toBe('')
    return run.stdout
  }
  mkdirSync(repository)
  git('init', '--quiet')
  git('config', 'user.name', 'anchor')
  git('config', 'user.email', 'anchor@example.org')
  const commit = ['commit', '--quiet', '--allow-empty', '--cleanup=verbatim', '--file=-']
  configure(one.config, [{ exec: ['git', '-C', repository, ...commit] }])
  expect(await anchor(one.config)).toMatchObject({ code: 0, err: '' })
  await write(one.db, 3)
  expect(await anchor(one.config)).toMatchObject({ code: 0, err: '' })
  expect(git('rev-list', '--count', 'HEAD')).toBe('2\n')
  for (const revision of ['HEAD', 'HEAD~1']) {
    const note = join(one.folder, `${revision}.note`)
    writeFileSync(note, git('cat-file', 'commit', revision).replace(/^[^]*?\n\n/, ''))
    expect((await verify(one, note)).code).toBe(0)
  }
})

test('what has left is durable: the anchored size is one that a synced commit covers', async () => {
  const one = await project({ exec: ['tee', 'kept.note'] })
  await anchor(one.config)
  const { size } = parseCheckpoint(
    parseNote(readFileSync(join(one.folder, 'kept.note'), 'utf8')).text,
  )
  const store = SQLiteEngine.open({ path: one.db, software: 'capfence/test' })
  const records = await store.records(size, 1)
  // The record of the anchor follows what it is about.
  expect(records[0]).toMatchObject({ type: 'anchor', data: { size } })
  await store.close()
})
