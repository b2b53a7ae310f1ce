import { existsSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { rooms } from '../../lint/table.js'
import { clients } from '../../src/clients/table.ts'
import { loadConfig } from '../../src/config/config.ts'
import { clientTable } from '../support/client-table.ts'
import { anchorsOf, blocksOf, pages, proseOf } from '../support/markdown.ts'
import { root } from '../support/root.ts'

const blocks = pages.flatMap((page) => blocksOf(page))
const where = ({ page, line }: { page: string; line: number }): string => `${page}:${String(line)}`

test('no page holds what a merge has left behind', () => {
  const spoilt = pages.filter(({ text }) => /^(?:<{7}|>{7}|={7}$)/m.test(text))
  expect(spoilt.map(({ path }) => path)).toEqual([])
})

test('there are pages to check', () => {
  const paths = pages.map(({ path }) => path)
  expect(paths).toEqual(
    expect.arrayContaining(['README.md', 'CHANGELOG.md', 'SECURITY.md', 'docs/architecture.md']),
  )
})

test('every page is a link of the README away', () => {
  const readme = pages.find(({ path }) => path === 'README.md')?.text ?? ''
  const lost = pages.filter(({ path }) => path.startsWith('docs/') && !readme.includes(`](${path}`))
  expect(lost.map(({ path }) => path)).toEqual([])
})

test('CI runs the test command of the README', () => {
  const command = 'npm ci && npm test'
  expect(blocks.map(({ text }) => text).join('')).toContain(command)
  expect(readFileSync(join(root, '.ci/run'), 'utf8')).toContain(`step bash -c '${command}'`)
})

test('docs/clients.md lists the clients that are known', () => {
  const page = pages.find(({ path }) => path === 'docs/clients.md')?.text ?? ''
  expect(page).toContain(clientTable(clients))
})

describe('links', () => {
  test.each(pages)('$path: every link leads somewhere', (page) => {
    const targets = Array.from(
      proseOf(page).matchAll(/\]\((?<target>[^)\s]+)\)/g),
      ({ groups }) => groups?.['target'] ?? '',
    )
    const dead = targets.filter((target) => !/^(?:https:|mailto:)/.test(target) && !leads(target))
    expect(dead).toEqual([])

    function leads(target: string): boolean {
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page.path : posix.join(posix.dirname(page.path), path)
      if (!existsSync(join(root, file))) return false
      if (anchor === undefined) return true
      const text = readFileSync(join(root, file), 'utf8')
      return anchorsOf({ path: file, text }).has(anchor)
    }
  })
})

describe('examples', () => {
  const json = blocks.filter(({ language }) => language === 'json')
  const yaml = blocks.filter(({ language }) => language === 'yaml')

  test('there are examples to check', () => {
    expect(json.length).toBeGreaterThan(2)
    expect(yaml.length).toBeGreaterThan(0)
  })

  test.each(json.map((block) => ({ at: where(block), ...block })))('$at is JSON', ({ text }) => {
    expect(() => JSON.parse(text) as unknown).not.toThrow()
  })

  test.each(yaml.map((block) => ({ at: where(block), ...block })))('$at is YAML', ({ text }) => {
    expect(() => parseYaml(text, { strict: true }) as unknown).not.toThrow()
  })
})

interface ClientEntry {
  readonly command: string
  readonly args: readonly string[]
}
/** What to paste into a client, by block. */
const clientFiles = blocks
  .filter(({ language, about }) => language === 'json' && about === 'client')
  .map((block) => {
    const file = JSON.parse(block.text) as Record<string, Record<string, ClientEntry>>
    const [shape = '', servers = {}] = Object.entries(file)[0] ?? []
    return { at: where(block), shape, text: block.text, entries: Object.entries(servers) }
  })

describe('what to paste into a client', () => {
  test('there is a block for each shape of file', () => {
    expect(clientFiles.map(({ shape }) => shape)).toEqual(['mcpServers', 'servers'])
  })

  test.each(clientFiles)(
    '$at names one server and only absolute paths',
    ({ entries: servers, text }) => {
      expect(servers).toHaveLength(1)
      const [name, { command, args }] = servers[0] ?? ['', { command: '', args: [] }]
      // Claude Desktop replaces PATH, so a bare `node` or `npx` would not be found.
      expect(command).toBe('/ABSOLUTE/PATH/TO/node')
      expect(args).toEqual([
        '/ABSOLUTE/PATH/TO/capfence/dist/cli/main.js',
        'run',
        '--config',
        '/ABSOLUTE/PATH/TO/capfence.mcp.json',
        '--server',
        name,
      ])
      // Some clients join the arguments with spaces.
      for (const word of [command, ...args]) expect(word).not.toContain(' ')
      // Secrets stay in the client's own `env`; the block must not move or repeat any.
      expect(text).not.toContain('"env"')
    },
  )
})

describe('the examples are what the gate reads', () => {
  const configs = blocks.filter(({ about }) => about === 'capfence.mcp.json')

  test('there is a configuration to check', () => {
    expect(configs.length).toBeGreaterThan(0)
  })

  test.each(configs.map((block) => ({ at: where(block), ...block })))(
    '$at is a configuration without a complaint',
    ({ text }) => {
      expect(loadConfig({ path: 'capfence.mcp.json', text }).warnings).toEqual([])
    },
  )

  test.each(clientFiles)('$at can be pasted into a configuration', ({ entries }) => {
    const text = JSON.stringify({
      environment: 'test',
      policies: ['policies/ops.yaml'],
      mcpServers: Object.fromEntries(entries),
    })
    expect(loadConfig({ path: 'capfence.mcp.json', text }).servers).toHaveLength(1)
  })
})

describe('the table of rooms', () => {
  test('docs/architecture.md shows what the linter enforces', () => {
    const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8')
    const shown = /<!-- rooms: .*? -->\n\n(?<table>[^]*?)\n\n<!-- \/rooms -->/.exec(page)?.groups
    expect(cells(shown?.['table'] ?? '')).toEqual([
      ['room', 'what lives there', 'imports', 'pure'],
      ...Object.entries(rooms).map(([name, room]) => [
        `\`${name}\``,
        room.holds,
        room.imports === 'any' ? 'anything' : coded(room.imports) || '–',
        room.pure === 'all' ? 'yes' : room.pure.map((start) => `\`${start}\`…`).join(' '),
      ]),
    ])
  })

  const coded = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(' ')

  /** The cells of a Markdown table, without the line below its head. */
  const cells = (table: string): readonly (readonly string[])[] =>
    table
      .split('\n')
      .filter((line) => !/^\|[\s|:-]+$/.test(line))
      .map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      )
})
