import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { toolsOfServer } from '../../src/cli/listed-tools.ts'
import { readConfigFile } from '../../src/config/file.ts'
import { serversToStart } from '../../src/config/start.ts'
import { requireSharedOrSkip, sharedPath } from '../support/needs.ts'
import { root } from '../support/root.ts'

/** The tools that the sample configuration of a pack binds. */
function boundTools(pack: string): readonly string[] {
  const { servers } = readConfigFile(`${root}/policies/packs/${pack}.mcp.json`)
  return servers.flatMap(({ binding }) => Array.from(binding.tools ?? [], ([name]) => name))
}

const namesOf = (items: readonly unknown[]): readonly string[] =>
  items.map((item) => (item as { readonly name: string }).name)

test('the pack for files knows every tool of the official server, and no other', async () => {
  const config = readConfigFile(`${root}/capfence.mcp.json`)
  const [server] = serversToStart(config, { only: 'files', variables: process.env })
  if (server === undefined) throw new Error('the sample configuration has the server `files`')
  const items = await toolsOfServer(server, {
    variables: process.env,
    timeoutMs: 20_000,
    maxMessageBytes: 1_000_000,
    log: () => undefined,
  })
  expect(boundTools('filesystem').toSorted()).toEqual([...namesOf(items)].toSorted())
})

describe.skipIf(requireSharedOrSkip('corpora/livemcp/tools.jsonl'))(
  'packs for servers that were recorded',
  () => {
    const path = sharedPath('corpora/livemcp/tools.jsonl')
    const recorded = existsSync(path)
      ? readFileSync(path, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as { readonly server: string; readonly name: string })
      : []

    test.each([
      ['git', 'git'],
      ['memory', 'memory'],
      ['http-fetch', 'fetch'],
      ['filesystem', 'filesystem'],
    ])('%s knows every tool of %s', (pack, server) => {
      const names = recorded.filter((one) => one.server === server).map(({ name }) => name)
      expect(names).not.toEqual([])
      const bound = boundTools(pack)
      expect(names.filter((name) => !bound.includes(name))).toEqual([])
    })
  },
)
