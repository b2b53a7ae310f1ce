import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { connectV1 } from '../e2e/peers.ts'
import { cli } from '../support/dist.ts'
import { blocksOf, pages } from '../support/markdown.ts'
import { root } from '../support/root.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-serve-docs-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const page = pages.find(({ path }) => path === 'docs/http.md')
if (page === undefined) throw new Error('there is no docs/http.md')
const blocks = blocksOf(page)

const ops = { command: 'node', args: [join(root, 'fixtures/servers/ops.mjs')] }
const base = { mcpServers: { tickets: ops, files: ops }, policies: ['p.yaml'], environment: 'dev' }

test('docs/http.md shows what `capfence serve` prints, and a client that follows it is served', async () => {
  const shown = blocks.find(({ about }) => about === 'serve')?.text ?? ''
  mkdirSync(join(folder, '.capfence'))
  writeFileSync(join(folder, 'p.yaml'), 'version: 1\nallow: ["*"]\n')
  writeFileSync(join(folder, 'capfence.mcp.json'), JSON.stringify(base))
  const [first = '', ...expected] = shown.trimEnd().split('\n')
  expect(first).toBe('$ capfence serve')
  // Somebody may have the port of the page.
  const gate = spawn(process.execPath, [cli, 'serve', '--port', '0'], { cwd: folder })
  const lines: string[] = []
  for (const stream of [gate.stdout, gate.stderr]) {
    stream.on('data', (text: Buffer) => void lines.push(...text.toString().trimEnd().split('\n')))
  }
  try {
    await expect.poll(() => lines.length, { timeout: 10_000 }).toBe(expected.length)
    const [, port = ''] = /127\.0\.0\.1:(\d+)\/mcp$/m.exec(lines.join('\n')) ?? []
    const printed = lines.map((line) =>
      line.replaceAll(folder, '/ABSOLUTE/PATH/TO').replace(`:${port}/`, ':8931/'),
    )
    expect(printed.toSorted()).toEqual(expected.toSorted())
    const client = blocks.find(({ text }) => text.includes('CAPFENCE_TOKEN'))?.text ?? ''
    const token = readFileSync(join(folder, '.capfence/capfence.db.token'), 'utf8').trim()
    const [, path = ''] = /127\.0\.0\.1:8931(\/[^"]*)"/.exec(client) ?? []
    const peer = await connectV1({ url: `http://127.0.0.1:${port}${path}`, token })
    expect(await peer.tools()).toContain('execute_payment')
    await peer.close()
  } finally {
    gate.kill()
  }
})

test('every `serve` of docs/http.md is one that the gate takes', () => {
  const served = blocks.filter(({ text }) => text.includes('"serve"'))
  expect(served.length).toBeGreaterThan(1)
  for (const { text } of served) {
    const written = JSON.parse(text) as object
    expect(() =>
      loadConfig({ path: 'x', text: JSON.stringify({ ...base, ...written }) }),
    ).not.toThrow()
  }
})
