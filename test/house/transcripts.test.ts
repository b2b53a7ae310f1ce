import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Block, blocksOf, pages } from '../support/markdown.ts'
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

describe('a page shows what commands print and what files hold', () => {
  const shown = pages.flatMap((page) => blocksOf(page)).filter((block) => isKept(block))

  test('there are transcripts and files to check', () => {
    expect(shown.map(({ page, language }) => `${page} ${language}`)).toEqual(
      expect.arrayContaining(['README.md console', 'README.md yaml']),
    )
  })

  test('each stands at the margin, where it can be compared', () => {
    const indented = shown.filter(
      ({ page, text }) => pages.find(({ path }) => path === page)?.text.includes(text) !== true,
    )
    expect(indented).toEqual([])
  })

  test.each(pages.filter(({ path }) => shown.some(({ page }) => page === path)))(
    '$path',
    (page) => {
      const actual = blocksOf(page).reduce(
        (text, block) => (isKept(block) ? text.replace(block.text, () => asItIs(block)) : text),
        page.text,
      )
      if (process.env['UPDATE_DOCS'] === '1') writeFileSync(join(root, page.path), actual)
      expect(actual).toBe(page.text)
    },
  )

  function isKept({ language, about, text }: Block): boolean {
    return language === 'console' ? text.includes('$ capfence') : isPolicy(about)
  }

  function isPolicy(about: string): boolean {
    return about.startsWith('policies/')
  }

  function asItIs({ language, about, text }: Block): string {
    if (language !== 'console') return readFileSync(join(root, about), 'utf8')
    const printed = leftOpen(replay(filledIn(text), folder))
    // A new time or id alone is no reason to touch a page.
    return settled(printed) === settled(text) ? text : printed
  }
})
