import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { requireSharedOrSkip, sharedPath } from '../../support/needs.ts'
import { results, starter } from './support.ts'

describe.skipIf(requireSharedOrSkip('corpora/livemcp/tools.jsonl'))(
  'the tools of real servers',
  () => {
    const servers = new Map<string, unknown[]>()
    if (existsSync(sharedPath('corpora/livemcp/tools.jsonl'))) {
      for (const line of readFileSync(sharedPath('corpora/livemcp/tools.jsonl'), 'utf8')
        .trim()
        .split('\n')) {
        const item = JSON.parse(line) as { readonly server: string }
        servers.set(item.server, [...(servers.get(item.server) ?? []), item])
      }
    }

    test.each([...servers])('%s', (server, items) => {
      const made = starter(items, { server })
      const { loaded, cases } = results(made)
      expect(cases.filter(({ failure }) => failure !== undefined)).toEqual([])
      expect(made.tools.length + made.skipped.length).toBe(items.length)
      expect(loaded.ruleCount).toBeGreaterThanOrEqual(made.tools.length)
    })
  },
)

describe.skipIf(requireSharedOrSkip('corpora/agentdojo/tools_banking.json'))(
  'tools that others have labelled',
  () => {
    const suites = ['banking', 'dailylife', 'github', 'shopping', 'slack', 'travel', 'workspace']

    test.each(suites)('%s: nothing that writes is allowed', (suite) => {
      const path = sharedPath(`corpora/agentdojo/tools_${suite}.json`)
      const { tools } = JSON.parse(readFileSync(path, 'utf8')) as {
        readonly tools: readonly {
          readonly name: string
          readonly _label_read_write_by_DRIFT: string
        }[]
      }
      const allowed = new Set(
        starter(tools).tools.flatMap(({ name, effect }) => (effect === 'allow' ? [name] : [])),
      )
      const writing = tools.filter((one) => one['_label_read_write_by_DRIFT'] === 'Write')
      expect(writing.filter(({ name }) => allowed.has(name))).toEqual([])
      expect(allowed.size).toBeGreaterThan(0)
    })
  },
)
