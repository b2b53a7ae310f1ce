import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { wantsColour } from '../../src/cli/process-io.ts'
import { cli } from '../support/dist.ts'
import { TestLog } from './a-log.ts'

let log: TestLog
/** Far more than a pipe holds, so that a reader that leaves early is noticed while there is still much to say. */
const calls = 400

beforeAll(async () => {
  log = new TestLog()
  for (let at = 0; at < calls; at++) {
    await log.call({
      tool: 'delete_path',
      arguments: { command: 'rm -rf /', note: 'x'.repeat(2000) },
    })
  }
  await log.end()
}, 60_000)
afterAll(() => log.remove())

describe('colours', () => {
  const cases: readonly (readonly [
    terminal: boolean,
    variables: Readonly<Record<string, string>>,
    wanted: boolean,
  ])[] = [
    [true, {}, true],
    [true, { TERM: 'xterm-256color' }, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: 'false' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [false, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ]
  test.each(cases)('on a terminal %s with %j: %s', (terminal, variables, wanted) => {
    expect(wantsColour(terminal, variables)).toBe(wanted)
  })
})

test('a long answer through a slow pipe arrives whole', async () => {
  const child = spawn(process.execPath, [cli, 'logs', '--storage', log.path, '--json'])
  let lines = 0
  for await (const chunk of child.stdout) {
    lines += String(chunk).split('\n').length - 1
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  expect(lines).toBe(calls)
})

describe('a reader that leaves early', () => {
  test('ends the command quietly', async () => {
    const child = spawn(process.execPath, [cli, 'logs', '--storage', log.path, '--json'])
    let complaints = ''
    child.stderr.on('data', (chunk) => {
      complaints += String(chunk)
    })
    child.stdout.once('data', () => child.stdout.destroy())
    const ended = await new Promise((resolve) =>
      child.once('close', (code, signal) => resolve({ code, signal })),
    )
    expect({ ended, complaints }).toEqual({ ended: { code: 0, signal: null }, complaints: '' })
  })

  test('also in a shell, with head', () => {
    const { stdout, stderr } = spawnSync(
      'bash',
      ['-c', '"$0" "$1" logs --storage "$2" | head -n 2 | wc -l', process.execPath, cli, log.path],
      { encoding: 'utf8' },
    )
    expect({ lines: stdout.trim(), stderr }).toEqual({ lines: '2', stderr: '' })
  })
})

describe('exit codes reach the shell', () => {
  const cases: readonly (readonly [args: readonly string[], code: number])[] = [
    [['--version'], 0],
    [['policy', 'check', 'policies/ops.yaml'], 0],
    [['policy', 'check', 'package.json'], 1],
    [['nonsense'], 2],
    [['run', '--config', '/nonexistent.json'], 2],
    [['run', '--nonsense'], 2],
    [['logs', '--storage', '/nonexistent.db'], 3],
  ]
  test.each(cases)('%j exits with %i', (args, code) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
      encoding: 'utf8',
    })
    expect(status).toBe(code)
    expect(stderr).not.toMatch(/^ {4}at /m)
    if (code > 1)
      expect({ stdout, stderr }).toEqual({
        stdout: '',
        stderr: expect.stringMatching(/^capfence: /) as unknown,
      })
  })
})

test('the way of every call loads no command line library and no schema library', () => {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-loaded-'))
  try {
    writeFileSync(
      join(folder, 'capfence.mcp.json'),
      JSON.stringify({
        environment: 'x',
        policies: [join(process.cwd(), 'policies/ops.yaml')],
        storage: 'sqlite:log.db',
        mcpServers: { a: { command: process.execPath, args: ['-e', ''] } },
      }),
    )
    const args = [cli, 'run', '--config', join(folder, 'capfence.mcp.json')]
    const env = { ...process.env, NODE_V8_COVERAGE: join(folder, 'loaded') }
    const { status, stderr } = spawnSync(process.execPath, args, {
      env,
      input: '',
      encoding: 'utf8',
    })
    expect({ status, stderr }).toMatchObject({ status: 0 })
    const [report = ''] = readdirSync(join(folder, 'loaded'))
    const { result } = JSON.parse(readFileSync(join(folder, 'loaded', report), 'utf8')) as {
      result: readonly { readonly url: string }[]
    }
    const loaded = result.map(({ url }) => url).filter((url) => url.startsWith('file:'))
    expect(loaded.some((url) => url.endsWith('/dist/cli/chunks/run.js'))).toBe(true)
    expect(loaded.filter((url) => /node_modules\/(?:commander|zod)\//.test(url))).toEqual([])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
