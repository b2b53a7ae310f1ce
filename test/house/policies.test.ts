import { describe, expect, test } from 'vitest'
import { readPolicySource } from '../../src/cli/policy-source.ts'
import { readConfigFile } from '../../src/config/file.ts'
import { Bindings } from '../../src/event/binding.ts'
import { toJsonObject } from '../../src/json/from-js.ts'
import { loadPolicy } from '../../src/policy/load.ts'
import { capfence } from '../cli/capture.ts'
import { projectFiles } from '../support/files.ts'
import { root } from '../support/root.ts'

/** Every policy that is shipped, and the samples beside them: what they say of themselves is so. */
const files = projectFiles('policies', 'fixtures/policies').map(({ path }) => path)
const policies = files.filter((path) => path.endsWith('.yaml') && !path.endsWith('.test.yaml'))

interface Summary {
  readonly type: string
  readonly tests: number
  readonly untested: readonly { readonly id: string }[]
}

describe.each(policies)('%s', (path) => {
  test('has no mistakes, and nothing to warn of', async () => {
    const { code, out } = await capfence(['policy', 'check', '--json', `${root}/${path}`])
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ ok: true, problems: [], warnings: [] })
  })

  test('passes its tests, in which every rule decides', async () => {
    expect(files).toContain(path.replace(/\.yaml$/, '.test.yaml'))
    const { code, out, err } = await capfence(['policy', 'test', '--json', `${root}/${path}`])
    const lines = out.split('\n').slice(0, -1)
    const summaries = lines.map((line) => JSON.parse(line) as Summary)
    const failed = lines.filter((line) => line.includes('"ok":false'))
    expect({ code, err, failed }).toEqual({ code: 0, err: '', failed: [] })
    const [summary, ...others] = summaries.filter(({ type }) => type === 'tests')
    expect(others).toEqual([])
    expect(summary?.tests).toBeGreaterThan(3)
    expect(summary?.untested).toEqual([])
  })
})

const packs = policies.filter((path) => path.startsWith('policies/packs/'))

describe.each(packs)('the bindings of %s', (path) => {
  const file = path.replace(/\.yaml$/, '.mcp.json')

  test('are a configuration without mistakes', async () => {
    expect(files).toContain(file)
    const { code, err } = await capfence(['config', 'check', `${root}/${file}`])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(readConfigFile(`${root}/${file}`).policies).toEqual([`${root}/${path}`])
  })

  test('name no tool that no rule is about', () => {
    const { servers, actor, environment } = readConfigFile(`${root}/${file}`)
    const bindings = new Bindings(servers.map(({ name, binding }) => [name, binding]))
    const policy = loadPolicy([readPolicySource(`${root}/${path}`)])
    const tools = servers.flatMap(({ name, binding }) =>
      Array.from(binding.tools ?? [], ([tool]) => ({ server: name, tool })),
    )
    const forgotten = tools.filter((tool) => {
      const event = bindings.bind({ ...tool, actor, environment, arguments: toJsonObject({}) })
      return policy.explain(event).length === 0
    })
    expect(tools).not.toEqual([])
    expect(forgotten).toEqual([])
  })
})

test('there are packs', () => {
  expect(packs.length).toBeGreaterThan(9)
})
