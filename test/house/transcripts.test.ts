import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { blocksOf, pages } from '../support/markdown.ts'
import { root } from '../support/root.ts'
import { replay, settled } from '../support/transcript.ts'

/**
 * The pages, followed to the letter: what they say to write is written, what they say to paste into a client is how a
 * real client starts the gate, and what they say a command prints is compared with what it prints.
 * `UPDATE_DOCS=1` writes the real output into the pages.
 */
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-docs-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A text of a page with this machine's paths in the place of the ones that a reader fills in. */
const filledIn = (text: string): string =>
  text
    .replaceAll('/ABSOLUTE/PATH/TO/node', process.execPath)
    .replaceAll('/ABSOLUTE/PATH/TO/capfence/', `${root}/`)
    .replaceAll('/ABSOLUTE/PATH/TO', folder)

const leftOpen = (text: string): string =>
  text
    .replaceAll(process.execPath, '/ABSOLUTE/PATH/TO/node')
    .replaceAll(`${root}/`, '/ABSOLUTE/PATH/TO/capfence/')
    .replaceAll(folder, '/ABSOLUTE/PATH/TO')

const readme = pages.find(({ path }) => path === 'README.md')
if (readme === undefined) throw new Error('there is no README.md')
const blocks = blocksOf(readme)

beforeAll(async () => {
  const config = blocks.find(({ about }) => about === 'capfence.mcp.json')
  const pasted = blocks.find(({ about }) => about === 'client')
  writeFileSync(join(folder, 'capfence.mcp.json'), filledIn(config?.text ?? ''))
  mkdirSync(join(folder, 'workspace'))
  writeFileSync(join(folder, 'workspace', 'notes.txt'), 'nine to five\n')
  await followReadme(filledIn(pasted?.text ?? ''))
})

/** What the README asks its reader to do with the client: to read a file, then to write one. */
async function followReadme(clientFile: string): Promise<void> {
  const { mcpServers } = JSON.parse(clientFile) as {
    mcpServers: Record<string, { command: string; args: string[] }>
  }
  const entry = mcpServers['filesystem']
  if (entry === undefined) throw new Error('the README shows no server `filesystem`')
  const client = new Client({ name: 'reader', version: '1.0.0' })
  await client.connect(new StdioClientTransport({ ...entry, stderr: 'ignore' }))
  try {
    const path = join(folder, 'workspace', 'notes.txt')
    const read = await client.callTool({ name: 'read_text_file', arguments: { path } })
    const write = await client.callTool({ name: 'write_file', arguments: { path, content: 'x' } })
    expect(JSON.stringify(read.content)).toContain('nine to five')
    expect(write.isError).toBe(true)
    expect(JSON.stringify(write.content)).toContain('not executed')
    expect(readFileSync(path, 'utf8')).toBe('nine to five\n')
  } finally {
    await client.close()
  }
}

describe('what a page says a command prints is what it prints', () => {
  const consoles = pages.filter((page) => page.text.includes('```console\n$ capfence'))

  test('there are transcripts to check', () => {
    expect(consoles.map(({ path }) => path)).toContain('README.md')
  })

  test.each(consoles)('$path', (page) => {
    let actual = page.text
    for (const { language, text } of blocksOf(page)) {
      if (language !== 'console') continue
      const printed = leftOpen(replay(filledIn(text), folder))
      // Only what differs for a reason is put in: a new time or id alone is no reason to touch a page.
      if (settled(printed) !== settled(text)) actual = actual.replace(text, () => printed)
    }
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(join(root, page.path), actual)
    expect(actual).toBe(page.text)
  })
})

test('the README shows the policy that it names', () => {
  const shown = blocks.find(({ about }) => about === 'policies/ops.yaml')
  expect(shown?.text).toBe(readFileSync(join(root, 'policies/ops.yaml'), 'utf8'))
})
