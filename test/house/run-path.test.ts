import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { cli } from '../support/dist.ts'
import { root } from '../support/root.ts'

/** Writes down every module that a program resolves, one address a line. */
const hooks = `import { appendFileSync } from 'node:fs'
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context)
  appendFileSync(process.env.LOADED, found.url + '\\n')
  return found
}
`

/** The modules that a command loads until its standard input ends. */
async function loaded(folder: string, args: readonly string[], input: string): Promise<string[]> {
  const list = join(folder, 'loaded')
  writeFileSync(join(folder, 'hooks.mjs'), hooks)
  writeFileSync(
    join(folder, 'register.mjs'),
    `import { appendFileSync } from 'node:fs'
import { createRequire, register } from 'node:module'
import { pathToFileURL } from 'node:url'
register(${JSON.stringify(pathToFileURL(join(folder, 'hooks.mjs')).href)})
// What is loaded by \`require\` does not pass the hooks.
process.on('exit', () => {
  const paths = Object.keys(createRequire(import.meta.url).cache)
  appendFileSync(process.env.LOADED, paths.map((path) => pathToFileURL(path).href + '\\n').join(''))
})
`,
  )
  const register = pathToFileURL(join(folder, 'register.mjs')).href
  const program = spawn(process.execPath, ['--import', register, cli, ...args], {
    cwd: folder,
    env: { ...process.env, LOADED: list },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [program.stdout, program.stderr]) {
    stream.on('data', (bytes: Buffer) => (printed += bytes.toString()))
  }
  // The first answer, and only then the end, so that everything a running gate needs has been loaded.
  if (input !== '') {
    program.stdin.write(input)
    await expect.poll(() => printed, { timeout: 20_000 }).toContain('"result"')
  }
  program.stdin.end()
  await new Promise((resolve) => program.once('close', resolve))
  return readFileSync(list, 'utf8').split('\n')
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-run-path-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const packages = (urls: readonly string[]): readonly string[] =>
  [...new Set(urls.flatMap((url) => /\/node_modules\/([^/]+)/.exec(url)?.[1] ?? []))].toSorted()

/** The packages that a gate has loaded when its first answer is there, with a policy that allows what `rule` says. */
async function packagesOfGate(rule: string): Promise<readonly string[]> {
  const folder = newFolder()
  writeFileSync(join(folder, 'policy.yaml'), `version: 1\nallow:\n  - ${rule}\n`)
  const config = {
    environment: 'test',
    policies: ['policy.yaml'],
    mcpServers: {
      ops: { command: process.execPath, args: [join(root, 'fixtures/servers/ops.mjs')] },
    },
  }
  writeFileSync(join(folder, 'capfence.mcp.json'), JSON.stringify(config))
  const hello = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'reader', version: '1' },
    },
  }
  return packages(await loaded(folder, ['run', '--server', 'ops'], `${JSON.stringify(hello)}\n`))
}

test('a running gate loads no library for the command line or for schemas, and no parser that no rule asks for', async () => {
  const names = await packagesOfGate('capability: "*"')
  expect(names).toContain('better-sqlite3')
  expect(names).not.toContain('commander')
  expect(names).not.toContain('zod')
  for (const parser of ['re2js', 'unbash', 'libpg-query', '@guanmingchiu']) {
    expect(names).not.toContain(parser)
  }
})

test('a rule with a regular expression has its parser loaded, so the list above is a true one', async () => {
  const names = await packagesOfGate('{capability: "*", args: {/q: {regex: "[a-z]+"}}}')
  expect(names).toContain('re2js')
})

test('the other commands do load it, so the list above is a true one', async () => {
  expect(packages(await loaded(newFolder(), ['--help'], ''))).toContain('commander')
})
