import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { cli } from '../support/dist.ts'
import { root } from '../support/root.ts'
import { RawClient } from '../e2e/gate.ts'
import { capfence, type Captured } from './capture.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const fixture = join(root, 'fixtures/servers/raw.mjs')
const cursorText = (journal: string): string => `{
  // mine
  "mcpServers": {
    "raw": {
      "command": ${JSON.stringify(process.execPath)},
      "args": [${JSON.stringify(fixture)}, ${JSON.stringify(journal)}],
      "env": { "TOKEN": "t0p" },
    },
    "web": { "url": "https://example.com/mcp" },
  },
}
`
const codexText = `# codex
[mcp_servers.raw]
command = "node" # why
args = ["x.js"]
`

interface Home {
  readonly folder: string
  readonly cursor: string
  readonly codex: string
  readonly run: (...args: readonly string[]) => Promise<Captured>
}

function newHome(): Home {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-user-'))
  folders.push(folder)
  const cursor = join(folder, '.cursor/mcp.json')
  const codex = join(folder, '.codex/config.toml')
  for (const [path, text] of [
    [cursor, cursorText(join(folder, 'journal'))],
    [codex, codexText],
  ] as const) {
    mkdirSync(dirname(path))
    writeFileSync(path, text)
  }
  const run: Home['run'] = (...args) =>
    capfence([...args, ...(args[0] === 'doctor' ? [] : ['--project', folder])], {
      variables: { HOME: folder },
    })
  return { folder, cursor, codex, run }
}

const text = (path: string): string => readFileSync(path, 'utf8')

describe('init', () => {
  test('makes a configuration that only watches, and lists clients without changing them', async () => {
    const home = newHome()
    const { code, out, err } = await home.run('init')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain(`made ${join(home.folder, '.capfence/policy.yaml')}`)
    expect(out).toMatch(
      /Cursor .*mcp\.json\n {2}raw {2}not gated\n {2}web {2}not gated: it is reached by a URL/,
    )
    expect(out).toContain('2 servers can be gated: `capfence wrap --dry-run` shows how')
    const config = JSON.parse(text(join(home.folder, '.capfence/capfence.mcp.json'))) as unknown
    expect(config).toMatchObject({ mode: 'observe', environment: 'development', mcpServers: {} })
    expect(statSync(join(home.folder, '.capfence')).mode & 0o777).toBe(0o700)
    expect(text(home.codex)).toBe(codexText)
  })

  test('leaves what is there as it is', async () => {
    const home = newHome()
    await home.run('init')
    const policy = join(home.folder, '.capfence/policy.yaml')
    writeFileSync(policy, 'version: 1\nallow: [a]\n')
    const { code, out } = await home.run('init', '--enforce')
    expect(code).toBe(0)
    expect(out).toContain('was there, and stays as it is')
    expect(text(policy)).toBe('version: 1\nallow: [a]\n')
  })

  test('refuses an environment that no configuration takes, and makes nothing', async () => {
    const home = newHome()
    const { code } = await home.run('init', '--environment', 'a b')
    expect(code).toBe(2)
    expect(existsSync(join(home.folder, '.capfence'))).toBe(false)
  })
})

describe('wrap', () => {
  test('asks for a configuration first', async () => {
    const home = newHome()
    const { code, err } = await home.run('wrap')
    expect(code).toBe(2)
    expect(err).toContain('`capfence init` makes one')
  })

  test('says what it would do, then does it, then undoes it to the byte', async () => {
    const home = newHome()
    await home.run('init')
    const before = [text(home.cursor), text(home.codex)]
    const dry = await home.run('wrap', '--dry-run')
    expect(dry.out).toContain('raw  would be gated\n')
    expect(dry.out).toMatch(/- .*"args": .*\n {4}\+ .*"args": /)
    expect([text(home.cursor), text(home.codex)]).toEqual(before)

    const done = await home.run('wrap')
    // One of the servers is reached by a URL: not everything is gated.
    expect(done.code).toBe(1)
    expect(done.out).toContain('web  not changed: it is reached by a URL')
    expect(done.err).toContain('restart the clients')
    // The token stays where it is, and is nowhere else.
    expect(text(home.cursor)).toContain('"env": { "TOKEN": "t0p" }')
    expect(text(join(home.folder, '.capfence/capfence.mcp.json'))).not.toContain('t0p')
    expect(statSync(join(home.folder, '.capfence/clients.jsonl')).mode & 0o777).toBe(0o600)

    const json = JSON.parse((await home.run('wrap', '--json')).out) as unknown
    expect(json).toMatchObject({
      type: 'wrap',
      clients: [
        {
          client: 'cursor',
          servers: [{ name: 'raw', state: 'gated', server: 'raw' }, { state: 'skipped' }],
        },
        { client: 'codex', servers: [{ name: 'raw', state: 'gated', server: 'raw-codex' }] },
      ],
    })
    expect((await home.run('unwrap')).code).toBe(0)
    expect([text(home.cursor), text(home.codex)]).toEqual(before)
  })

  test('takes clients and servers by name', async () => {
    const home = newHome()
    await home.run('init')
    expect((await home.run('wrap', 'cursor', '--server', 'raw')).code).toBe(0)
    expect(text(home.codex)).toBe(codexText)
    expect((await home.run('wrap', 'nobody')).code).toBe(2)
    expect((await home.run('wrap', 'cursor', '--server', 'nope')).code).toBe(2)
    expect((await home.run('wrap', 'goose')).code).toBe(2)
  })

  test('one broken file keeps no other from being changed, and is named', async () => {
    const home = newHome()
    await home.run('init')
    writeFileSync(home.cursor, '{ "mcpServers": {')
    const { code, out, err } = await home.run('wrap')
    expect(code).toBe(1)
    expect(out).toContain('raw  gated')
    expect(err).toMatch(/mcp\.json`: line 1, column \d+/)
    expect(text(home.cursor)).toBe('{ "mcpServers": {')
    expect(text(home.codex)).toContain('"--server", "raw"')
  })

  test('a server that no client has is refused before anything is changed', async () => {
    const home = newHome()
    await home.run('init')
    const before = [text(home.cursor), text(home.codex)]
    expect((await home.run('wrap', '--server', 'raw', '--server', 'nope')).code).toBe(2)
    expect([text(home.cursor), text(home.codex)]).toEqual(before)
  })

  test('the log of it is found from any folder; one that is named is the one that is meant', async () => {
    const home = newHome()
    await home.run('init')
    const run = (...args: readonly string[]): string => {
      const env = { ...process.env, HOME: home.folder, CAPFENCE_HOME: undefined }
      const done = spawnSync(process.execPath, [cli, ...args], {
        cwd: home.folder,
        env,
        encoding: 'utf8',
      })
      return done.stdout + done.stderr
    }
    expect(run('logs')).toContain(join(home.folder, '.capfence/capfence.db'))
    const other = join(home.folder, 'other.db')
    expect(run('audit', 'verify', other)).toContain(`no audit log at ${other}`)
    expect(run('logs', '--storage', other)).toContain(`no log at \`${other}\``)
    // The folder's own comes first, and a gate takes no other.
    expect(run('run')).toContain('capfence.mcp.json')
    expect(run('run')).not.toContain('.capfence/')
    writeFileSync(join(home.folder, 'capfence.mcp.json'), '{}')
    expect(run('logs')).toMatch(/^capfence: capfence\.mcp\.json:1/)
  })

  test('the entry that a client starts then is a gate before the server, with its own environment', async () => {
    const home = newHome()
    // What is tested is what is installed.
    const wrapped = spawnSync(process.execPath, [cli, 'init', '--wrap', '--project', home.folder], {
      env: { ...process.env, HOME: home.folder, CAPFENCE_HOME: undefined },
      encoding: 'utf8',
    })
    expect(wrapped.stderr).toContain('restart the clients')
    const entry = /"command": ("[^"]*"),\s*"args": (\[[^\]]*\])/.exec(text(home.cursor))
    const [command, args] = [entry?.[1] ?? '""', entry?.[2] ?? '[]'].map(
      (part) => JSON.parse(part) as unknown,
    )
    const client = new RawClient(String(command), args as string[], { ...process.env, TOKEN: 'x' })
    await client.initialize()
    // The configuration only watches.
    const { result } = await client.call('echo', { a: 1 })
    expect(result?.['isError']).not.toBe(true)
    await client.close()
    const { out } = await capfence([
      'logs',
      '--json',
      '--config',
      join(home.folder, '.capfence/capfence.mcp.json'),
    ])
    expect(out).toContain('"tool":"echo"')
  }, 30_000)
})

describe('a crash', () => {
  test('at any step leaves every file whole, and the next call does the rest', async () => {
    const steps: number[] = []
    for (let step = 1; ; step += 1) {
      const home = newHome()
      // oxlint-disable-next-line no-await-in-loop -- one crash after the other
      await home.run('init')
      const before = text(home.codex)
      const { signal } = spawnSync(
        process.execPath,
        ['--import', join(root, 'test/cli/dies-at.mjs'), cli, 'wrap', 'codex', '--project', '/'],
        { env: { ...process.env, HOME: home.folder, DIES_AT: String(step) }, stdio: 'ignore' },
      )
      const now = text(home.codex)
      expect(now === before || now.includes('"--server", "raw"'), `step ${step}`).toBe(true)
      // oxlint-disable-next-line no-await-in-loop -- the same
      expect((await home.run('wrap', 'codex')).code, `step ${step}`).toBe(0)
      expect(text(home.codex)).toContain('"--server", "raw"')
      // oxlint-disable-next-line no-await-in-loop -- the same
      expect((await home.run('unwrap', 'codex')).code, `step ${step}`).toBe(0)
      expect(text(home.codex), `step ${step}`).toBe(before)
      if (signal !== 'SIGKILL') break
      steps.push(step)
    }
    expect(steps.length).toBeGreaterThan(5)
  }, 60_000)
})
