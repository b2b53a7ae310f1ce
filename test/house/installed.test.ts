import { spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cli } from '../support/dist.ts'
import { root } from '../support/root.ts'

/**
 * The package as somebody gets it who installs it into an empty project: what `npm pack` puts into the tarball, and
 * beside it only what package.json calls dependencies. No registry is asked; the packages are those of this project.
 */
const project = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-installed-')))
const home = join(project, 'node_modules/capfence')
afterAll(() => rmSync(project, { recursive: true, force: true }))

interface Lock {
  readonly packages: Readonly<
    Record<string, { dev?: boolean; peer?: boolean; devOptional?: boolean }>
  >
}

/** The folders of packages that an installation without development dependencies has. */
function dependencies(): readonly string[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock
  return Object.entries(lock.packages)
    .filter(([path, { dev, peer, devOptional }]) => {
      const isNeeded = dev !== true && peer !== true && devOptional !== true
      return isNeeded && /^node_modules\/(?:@[^/]+\/)?[^/]+$/.test(path)
    })
    .map(([path]) => path)
    .filter((path) => existsSync(join(root, path)))
}

function run(command: string, ...args: readonly string[]): ReturnType<typeof spawnSync> {
  return spawnSync(command, args, { cwd: project, encoding: 'utf8', timeout: 25_000 })
}

beforeAll(() => {
  expect(existsSync(cli)).toBe(true)
  const pack = spawnSync(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', project],
    { cwd: root, encoding: 'utf8' },
  )
  const [packed] = JSON.parse(pack.stdout) as { filename: string }[]
  mkdirSync(home, { recursive: true })
  const unpack = ['-xzf', join(project, packed?.filename ?? ''), '-C', home, '--strip-components=1']
  expect(run('tar', ...unpack)).toMatchObject({ status: 0 })
  for (const path of dependencies()) {
    mkdirSync(dirname(join(project, path)), { recursive: true })
    symlinkSync(realpathSync(join(root, path)), join(project, path))
  }
  mkdirSync(join(project, 'node_modules/.bin'))
  symlinkSync('../capfence/dist/cli/main.js', join(project, 'node_modules/.bin/capfence'))
  writeFileSync(join(project, 'policy.yaml'), 'version: 1\nallow:\n  - capability: "ops.*"\n')
  writeFileSync(
    join(project, 'capfence.mcp.json'),
    JSON.stringify({
      environment: 'test',
      policies: ['policy.yaml'],
      mcpServers: {
        ops: { command: process.execPath, args: [join(home, 'fixtures/servers/ops.mjs')] },
      },
    }),
  )
}, 30_000)

test('it does not bring development dependencies with it', () => {
  const names = dependencies()
  expect(names).toContain('node_modules/better-sqlite3')
  expect(names).not.toContain('node_modules/rolldown')
  expect(names).not.toContain('node_modules/typescript')
})

test('`npx capfence` answers', () => {
  const found = run('npx', '--no-install', 'capfence', '--version')
  expect(found.status).toBe(0)
  expect(found.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test.each([
  { words: ['policy', 'check', 'policy.yaml'] },
  { words: ['policy', 'check', 'node_modules/capfence/policies/ops.yaml'] },
  { words: ['config', 'check'] },
  { words: ['--help'] },
])('$words says yes', ({ words }) => {
  expect(run(join(project, 'node_modules/.bin/capfence'), ...words)).toMatchObject({
    status: 0,
    stderr: '',
  })
})

test('the gate runs: the first reply comes through it, and the log exists', async () => {
  const gate = spawn(join(project, 'node_modules/.bin/capfence'), ['run', '--server', 'ops'], {
    cwd: project,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  let printed = ''
  gate.stdout.on('data', (bytes: Buffer) => (printed += bytes.toString()))
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'reader', version: '1' },
  }
  gate.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`)
  await expect.poll(() => printed, { timeout: 20_000 }).toContain('"result"')
  gate.stdin.end()
  const code = await new Promise((resolve) => gate.once('close', resolve))
  expect(code).toBe(0)
  expect(run(join(project, 'node_modules/.bin/capfence'), 'logs')).toMatchObject({ status: 0 })
})

test('the library can be imported', () => {
  const script = `import * as capfence from 'capfence'\nconsole.log(typeof capfence.ActionRuntime)`
  const found = run(process.execPath, '--input-type=module', '-e', script)
  expect(found).toMatchObject({ status: 0, stdout: 'function\n' })
})
