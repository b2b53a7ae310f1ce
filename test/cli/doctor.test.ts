import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { checkMachine } from '../../src/cli/doctor-machine.ts'
import { cli } from '../support/dist.ts'
import { root } from '../support/root.ts'
import { TestLog } from './a-log.ts'
import { capfence } from './capture.ts'

interface Found {
  readonly area: string
  readonly level: string
  readonly text: string
  readonly mend: string | null
}

/** A home folder with a configuration and a policy, as far as nothing else is said. */
class Home {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'capfence-doctor-'))
  readonly config: string = join(this.folder, 'capfence.mcp.json')

  constructor(changes: Readonly<Record<string, unknown>> = {}) {
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }))
    chmodSync(this.folder, 0o700)
    this.write('policy.yaml', 'version: 1\nallow:\n  - files.read_file\n')
    const args = [join(root, 'fixtures/servers/ops.mjs')]
    const config = {
      mcpServers: { ops: { command: process.execPath, args } },
      policies: ['policy.yaml'],
      environment: 'test',
      storage: 'sqlite:log.db',
      ...changes,
    }
    this.write('capfence.mcp.json', JSON.stringify(config))
  }

  write(name: string, text: string): string {
    const path = join(this.folder, name)
    mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 })
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }

  /** Says in the configuration which list of approvers is meant. */
  pin(approversSha256: string): void {
    const config = JSON.parse(readFileSync(this.config, 'utf8')) as object
    const approvals = { approvers: 'approvers.json', approversSha256 }
    this.write('capfence.mcp.json', JSON.stringify({ ...config, approvals }))
  }

  async examine(
    args: readonly string[] = [],
    nowMs = Date.now(),
  ): Promise<{ readonly code: number; readonly found: readonly Found[] }> {
    const whole = ['doctor', '--config', this.config, '--project', this.folder, '--json', ...args]
    const variables = { HOME: this.folder, PATH: process.env['PATH'] ?? '' }
    const { code, out } = await capfence(whole, { variables, nowMs })
    const lines = out.trimEnd().split('\n')
    return { code, found: lines.map((line) => JSON.parse(line) as Found) }
  }
}

const wrong = (found: readonly Found[]): readonly string[] =>
  found.filter(({ level }) => level === 'wrong').map(({ area }) => area)

describe('capfence doctor', () => {
  test('finds nothing wrong where nothing is', async () => {
    const { code, found } = await new Home().examine()
    expect(wrong(found)).toEqual([])
    expect(code).toBe(0)
    expect(found.find(({ area }) => area === 'policy')).toMatchObject({ level: 'fine' })
    expect(found.find(({ area }) => area === 'approvers')).toMatchObject({
      level: 'doubt',
      mend: 'capfence keys approver add NAME',
    })
  })

  test('says on a terminal what is wrong, and what mends it', async () => {
    const home = new Home()
    const file = home.write(
      '.cursor/mcp.json',
      JSON.stringify({ mcpServers: { raw: { command: 'npx', args: ['x'] } } }),
    )
    const args = ['doctor', '--config', home.config, '--project', home.folder]
    const { code, out } = await capfence(args, { variables: { HOME: home.folder } })
    expect(code).toBe(1)
    expect(out).toContain(`WRONG clients        Cursor starts without the gate: raw (${file})`)
    expect(out).toContain('mend: capfence wrap cursor')
    expect(out).toMatch(/1 thing wrong, \d+ things? to look at\n$/)
  })

  test('a client whose servers are gated is fine', async () => {
    const home = new Home()
    home.write(
      '.cursor/mcp.json',
      JSON.stringify({
        mcpServers: { ops: { command: 'capfence', args: ['run', '--server', 'ops'] } },
      }),
    )
    const { found } = await home.examine()
    expect(found.filter(({ area }) => area === 'clients')).toMatchObject([{ level: 'fine' }])
  })

  test.each<[string, (home: Home) => void, readonly string[], RegExp]>([
    [
      'a policy that cannot be used',
      (home) => home.write('policy.yaml', 'version: 1\nallow: [{ capabilty: x }]\n'),
      ['policy'],
      /capabilty/,
    ],
    [
      'a policy that others can write',
      (home) => chmodSync(join(home.folder, 'policy.yaml'), 0o666),
      ['files'],
      /policy\.yaml can be written by other users/,
    ],
    [
      'a folder that others can write',
      (home) => chmodSync(home.folder, 0o770),
      ['files'],
      /can be written by other users/,
    ],
    [
      'keys that others can read',
      (home) => chmodSync(home.write('log.db.keys/a.key', 'x'), 0o644),
      ['keys'],
      /a\.key is open to other users/,
    ],
    ['a log that is none', (home) => home.write('log.db', 'no database'), ['log'], /log\.db/],
  ])('finds %s', async (_, spoil, areas, text) => {
    const home = new Home()
    spoil(home)
    const { code, found } = await home.examine()
    expect(new Set(wrong(found))).toEqual(new Set(areas))
    expect(found.find(({ level }) => level === 'wrong')?.text).toMatch(text)
    expect(code).toBe(1)
  })

  test.each<[string, Readonly<Record<string, unknown>>, string, RegExp]>([
    ['no policy', { policies: [] }, 'configuration', /policies/],
    [
      'a program that is not there',
      { mcpServers: { x: { command: 'no-such-program-here' } } },
      'servers',
      /x: `no-such-program-here` is no program/,
    ],
    [
      'a variable that is not set',
      { mcpServers: { x: { command: 'node', env: { TOKEN: '${NO_SUCH_TOKEN}' } } } },
      'servers',
      /NO_SUCH_TOKEN/,
    ],
    [
      'a list of approvers that is not there',
      { approvals: { approvers: 'nobody.json' } },
      'approvers',
      /nobody\.json/,
    ],
  ])('finds %s', async (_, changes, area, text) => {
    const { code, found } = await new Home(changes).examine()
    expect(wrong(found)).toEqual([area])
    expect(found.find(({ level }) => level === 'wrong')?.text).toMatch(text)
    expect(code).toBe(1)
  })

  test('without a configuration says how one is made', () => {
    const home = new Home()
    rmSync(home.config)
    // In a folder of its own: a configuration in the current one would count.
    const { status, stdout } = spawnSync(process.execPath, [cli, 'doctor', '--json'], {
      cwd: home.folder,
      encoding: 'utf8',
      env: { HOME: home.folder, PATH: process.env['PATH'] ?? '' },
    })
    const found = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Found)
    expect(wrong(found)).toEqual(['configuration'])
    expect(found.find(({ level }) => level === 'wrong')?.mend).toBe('capfence init')
    expect(status).toBe(1)
  })

  test('finds a clock that is behind the log', async () => {
    const log = new TestLog()
    onTestFinished(async () => {
      log.remove()
    })
    await log.call({ tool: 'read_file', arguments: { path: 'a' } })
    await log.end()
    const home = new Home({ storage: `sqlite:${log.path}` })
    const late = await home.examine([], Date.parse('2000-01-01T00:00:00Z'))
    expect(late.found.find(({ area }) => area === 'clock')).toMatchObject({ level: 'wrong' })
    const right = await home.examine([], Date.parse('2100-01-01T00:00:00Z'))
    expect(right.found.filter(({ area }) => area === 'clock')).toEqual([])
  })

  test('a log of which calls are lost is looked at', async () => {
    const log = new TestLog()
    onTestFinished(() => log.remove())
    await log.call({ tool: 'read_file', arguments: { path: 'a' } })
    await log.end()
    const { found } = await new Home({ storage: `sqlite:${log.path}` }).examine()
    const doubts = found.filter(({ area, level }) => area === 'log' && level === 'doubt')
    expect(doubts.map(({ text }) => text)).toEqual(['1 call of which nobody knows how it ended'])
  })

  test('a mode that only observes is looked at', async () => {
    const { code, found } = await new Home({ mode: 'observe' }).examine()
    expect(found.filter(({ area }) => area === 'policy').map(({ level }) => level)).toEqual([
      'fine',
      'doubt',
    ])
    expect(code).toBe(0)
  })

  test('a list of approvers is looked at until it is pinned, and wrong when it is another', async () => {
    const home = new Home({ approvals: { approvers: 'approvers.json' } })
    const add = ['keys', 'approver', 'add', 'alice', '--config', home.config]
    const secret = 'a passphrase of some length'
    const { err } = await capfence(add, { secrets: [secret, secret] })
    const levels = async (): Promise<readonly string[]> => {
      const { found } = await home.examine()
      return found.filter(({ area }) => area === 'approvers').map(({ level }) => level)
    }
    expect(await levels()).toEqual(['fine', 'doubt'])
    const fingerprint = /fingerprint is ([0-9a-f]{64})/.exec(err)?.[1] ?? ''
    home.pin(fingerprint)
    expect(await levels()).toEqual(['fine'])
    home.pin('0'.repeat(64))
    expect(await levels()).toEqual(['wrong'])
  })

  test('starts the servers where that is wanted, and looks at what they list', async () => {
    const name = 'a-server-whose-key-is-so-long-that-no-client-has-room-for-it'
    const args = [join(root, 'fixtures/servers/ops.mjs')]
    const home = new Home({
      mcpServers: {
        [name]: { command: process.execPath, args },
        dead: { command: process.execPath, args: ['-e', 'process.exit(3)'] },
      },
    })
    const { found } = await home.examine(['--servers'])
    const tools = found.filter(({ area }) => area === 'tools')
    expect(tools.map(({ level }) => level)).toEqual(['fine', 'doubt', 'wrong'])
    expect(tools[1]?.text).toMatch(/more than \d+ characters in a client/)
  })

  test.each([
    ['v20.19.0', 'fine'],
    ['v24.0.0', 'fine'],
    ['v20.18.9', 'wrong'],
    ['v18.20.0', 'wrong'],
  ])('Node %s is %s', (version, level) => {
    expect(checkMachine(version)).toMatchObject([{ level }])
  })
})
