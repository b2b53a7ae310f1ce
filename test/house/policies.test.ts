import { describe, expect, test } from 'vitest'
import { capfence } from '../cli/capture.ts'
import { projectFiles } from '../support/files.ts'
import { root } from '../support/root.ts'

/** Every policy that is shipped, and the samples beside them: what they say of themselves is so. */
const files = projectFiles('policies').map(({ path }) => path)
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
