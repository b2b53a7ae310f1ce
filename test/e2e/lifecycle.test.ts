import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { SQLiteLog } from '../../src/storage/sqlite-log.ts'
import { gateCommand, journalCalls, layOut, RawClient } from './gate.ts'
import type { GateFiles, GateOptions } from './gate.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function files(options: Partial<GateOptions> = {}): GateFiles {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-life-'))
  folders.push(folder)
  return layOut(folder, { servers: { raw: 'raw' }, ...options })
}

async function start(laid: GateFiles, env?: NodeJS.ProcessEnv): Promise<RawClient> {
  const { command, args } = gateCommand(laid, 'raw')
  const client = new RawClient(command, args, env)
  await client.initialize()
  return client
}

const encoded: readonly (readonly [string, Buffer])[] = [
  [
    'UTF-16',
    Buffer.from(
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}',
      'utf16le',
    ),
  ],
  [
    'a byte order mark',
    Buffer.from('\ufeff{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}'),
  ],
  [
    'Latin-1',
    Buffer.from(
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"t":"\xe9"}}}',
      'latin1',
    ),
  ],
  [
    'an overlong form',
    Buffer.concat([
      Buffer.from('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"'),
      Buffer.from([0xc0, 0xae]),
      Buffer.from('"}}'),
    ]),
  ],
]

test.each(encoded)(
  'B3: a message in %s is not UTF-8 as the protocol wants it, and is refused',
  async (_, bytes) => {
    const laid = files()
    const client = await start(laid)
    client.process.stdin.write(Buffer.concat([bytes, Buffer.from('\n')]))
    await client.until(({ error, result }) => error !== undefined || result?.['isError'] === true)
    await client.request('ping')
    expect(journalCalls(laid, 'raw')).toEqual([])
    await client.close()
  },
)

test('every refused message leaves a bounded record, and the rest are counted', async () => {
  const laid = files()
  const client = await start(laid)
  for (let n = 0; n < 200; n += 1) client.write('[]')
  await client.request('ping')
  await new Promise((resolve) => setTimeout(resolve, 1100))
  client.write('[]')
  await client.request('ping')
  await client.close()
  const log = SQLiteLog.open(laid.database)
  const refusals = (await log.records(0, 1000)).filter(({ type }) => type === 'refusal')
  const omitted = refusals.map(({ data }) => Number(data['omitted']))
  expect(refusals.length).toBeLessThanOrEqual(45)
  expect(refusals.length + omitted.reduce((sum, count) => sum + count, 0)).toBe(201)
  await log.close()
})

const neverAllowed = 'invariants: [{id: none, never: allow, capability: raw.echo}]\n'

test('a changed policy decides the next call; a broken one does not, and the one before stays in force', async () => {
  const laid = files()
  const client = await start(laid)
  const isBlocked = async (): Promise<boolean> =>
    (await client.call('echo')).result?.['isError'] === true
  expect(await isBlocked()).toBe(false)
  writeFileSync(laid.policy, 'version: 1\nallow: []\n')
  await expect.poll(isBlocked, { timeout: 8000 }).toBe(true)
  writeFileSync(laid.policy, 'version: 1\nalow: ["*"]\n')
  await expect.poll(() => client.stderr, { timeout: 8000 }).toContain('stays in force')
  expect(await isBlocked()).toBe(true)
  writeFileSync(laid.policy, `allow: ["*"]\n${neverAllowed}`)
  await expect
    .poll(() => client.stderr, { timeout: 8000 })
    .toContain('the invariant `none` is broken')
  expect(await isBlocked()).toBe(true)
  writeFileSync(laid.policy, 'version: 1\nallow: ["*"]\n')
  await expect.poll(isBlocked, { timeout: 8000 }).toBe(false)
  await client.close()
  const log = SQLiteLog.open(laid.database)
  const loads = (await log.records(0, 1000)).filter(({ type }) => type === 'policy.load')
  expect(loads).toHaveLength(5)
  await log.close()
})

test('a change of the configuration is named as waiting for the next start', async () => {
  const laid = files()
  const client = await start(laid)
  const config = JSON.parse(readFileSync(laid.config, 'utf8')) as Record<string, unknown>
  writeFileSync(laid.config, JSON.stringify({ ...config, actor: 'somebody-else' }))
  await expect
    .poll(() => client.stderr, { timeout: 8000 })
    .toContain('`actor` take effect at the next start')
  await client.close()
})

test.each([
  ['a configuration that is not there', ['--config', '/nowhere/capfence.mcp.json'], 2],
  ['a server that is not there', ['--server', 'nobody'], 2],
  ['an unknown option', ['--serve'], 2],
])('%s: exit code %s and a hint, nothing on standard output', async (_, more, code) => {
  const laid = files()
  const { command, args } = gateCommand(laid)
  const client = new RawClient(command, [...args, ...more])
  expect(await client.exit()).toBe(code)
  expect(client.lines).toEqual([])
  expect(client.stderr).toContain('capfence: hint:')
})

test('a policy that cannot be loaded: the gate does not start, and says where', async () => {
  const laid = files({ policy: 'version: 1\nalow: []\n' })
  const { command, args } = gateCommand(laid)
  const client = new RawClient(command, args)
  expect(await client.exit()).toBe(3)
  expect(client.stderr).toMatch(/policy\.yaml:2:1: .*`alow`/)
})

test('a policy that breaks an invariant: the gate does not start, and shows a call; one that keeps it governs', async () => {
  const laid = files({ policy: `allow: ["*"]\n${neverAllowed}` })
  const { command, args } = gateCommand(laid, 'raw')
  const client = new RawClient(command, args)
  client.send({ id: 1, method: 'tools/call', params: { name: 'echo', arguments: {} } })
  expect(await client.exit()).toBe(3)
  expect(client.stderr).toMatch(/policy\.yaml:2:14: the invariant `none` is broken: `raw\.echo\./)
  expect(journalCalls(laid, 'raw')).toEqual([])
  const kept = await start(files({ policy: `deny: [raw.echo]\nallow: ["*"]\n${neverAllowed}` }))
  expect((await kept.call('echo')).result?.['isError']).toBe(true)
  await kept.close()
})

test('no record, no call: a log that cannot be opened stops the gate before anything is forwarded', async () => {
  // A file where a folder would have to be.
  const laid = files({ config: { storage: 'sqlite:policy.yaml/log.db' } })
  const { command, args } = gateCommand(laid, 'raw')
  const client = new RawClient(command, args)
  client.send({ id: 1, method: 'tools/call', params: { name: 'echo', arguments: {} } })
  expect(await client.exit()).toBe(3)
  expect(journalCalls(laid, 'raw')).toEqual([])
})

test.each(['SIGTERM', 'SIGINT', 'SIGKILL', 'EOF'] as const)(
  'B33: after %s no server is left',
  async (how) => {
    const laid = files()
    const client = await start(laid)
    const before = await serverPids(laid)
    expect(before.length).toBeGreaterThan(0)
    if (how === 'EOF') client.process.stdin.end()
    else client.process.kill(how)
    await client.exit()
    await expect.poll(() => serverPids(laid), { timeout: 5000 }).toEqual([])
  },
)

/** Processes whose command line names this gate's journal. */
async function serverPids(laid: GateFiles): Promise<readonly string[]> {
  const { readdir, readFile } = await import('node:fs/promises')
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(
    pids.map(async (pid) => {
      try {
        return [pid, await readFile(`/proc/${pid}/cmdline`, 'utf8')] as const
      } catch {
        return [pid, ''] as const
      }
    }),
  )
  return lines.filter(([, line]) => line.includes(laid.journal('raw'))).map(([pid]) => pid)
}
