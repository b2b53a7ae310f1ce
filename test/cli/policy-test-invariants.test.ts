import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { capfence } from './capture.ts'
import type { Captured } from './capture.ts'

const folder = mkdtempSync(join(tmpdir(), 'capfence-invariants-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0

/** A policy with its tests inside, under a name of its own. */
function given(text: string): string {
  files += 1
  const path = join(folder, `p${files}.yaml`)
  writeFileSync(path, text)
  return path
}

const run = (...args: readonly string[]): Promise<Captured> => capfence(['policy', 'test', ...args])

const tests = `tests:
  - {name: reads pass, event: {capability: db.read.production}, expect: allow}
`
const holds = `allow: [db.read]
invariants:
  - {id: prod, never: allow_without_approval, capability: "*.delete.production"}
  - {id: locked, never: allow, capability: db.drop}
`
const broken = `allow: [{id: dba, capability: db, actor: dba}, db.read]
invariants:
  - {id: prod, never: allow_without_approval, capability: "*.delete.production", message: ask first}
  - {id: mail, never: allow, capability: mail}
`
/** Whether the guard on the command always applies, nobody can find out here. */
const unproven = `deny: [{id: rm, capability: shell, args: {/c: {shell: {runs: rm}}}}]
allow: [{id: run, capability: shell, args: {/c: {shell: {only: [rm, ls]}}}}, db.read]
invariants: [{id: no-rm, never: allow, capability: shell, args: {/c: {shell: {runs: rm, flags: r}}}}]
`

describe('policy test proves the invariants of a policy', () => {
  test('and says how many', async () => {
    const path = given(holds + tests)
    expect(await run(path)).toEqual({
      code: 0,
      out: `${path}: 1 test passed, 2 invariants proven; 1 of 1 rule decided in one\n`,
      err: '',
    })
  })

  test('also where there is nothing else to test', async () => {
    const path = given(holds)
    expect(await run(path)).toEqual({
      code: 0,
      out: `${path}: 0 tests passed, 2 invariants proven; 0 of 1 rule decided in one\n`,
      err: '',
    })
  })

  test('one that is broken fails, with a call, however well the tests go', async () => {
    const path = given(broken + tests)
    expect(await run(path)).toEqual({
      code: 1,
      out: `${path}:3:5: the invariant \`prod\` is broken: \`db.delete.production {}\` is allowed by rule \`dba\` (${path}:1) [policy-invariant]
capfence: hint: ask first
${path}: 1 test passed, 1 of 2 invariants not proven; 1 of 2 rules decided in one
`,
      err: '',
    })
  })

  test('so does one that could not be proven', async () => {
    const path = given(unproven + tests)
    const { code, out } = await run(path)
    expect(code).toBe(1)
    expect(out).toContain('the invariant `no-rm` could not be proven')
    expect(out).toContain('1 test passed, 1 of 1 invariant not proven;')
  })

  test('as JSON each is a line', async () => {
    const { code, out } = await run('--json', given(broken + tests))
    expect(code).toBe(1)
    const lines = out.trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({ type: 'test', ok: true }),
      {
        schemaVersion: 1,
        type: 'invariant',
        policy: expect.any(String) as unknown,
        name: 'prod',
        file: expect.any(String) as unknown,
        line: 3,
        column: 5,
        ok: false,
        failure: expect.stringContaining('is broken: `db.delete.production {}`') as unknown,
        hint: 'ask first',
      },
      expect.objectContaining({ type: 'invariant', name: 'mail', ok: true, failure: null }),
      expect.objectContaining({ type: 'tests', ok: false, failed: 0, invariants: 2, unproven: 1 }),
    ])
  })

  test('in the report of a build server each is a test', async () => {
    const report = join(folder, 'report.xml')
    expect((await run('--junit', report, given(broken + tests))).code).toBe(1)
    const text = readFileSync(report, 'utf8')
    expect(text.match(/tests="3" failures="1"/g)).toHaveLength(2)
    expect(text).toMatch(/<testcase name="invariant prod" .*line="3">\n +<failure .*is broken/)
    expect(text).toMatch(/<testcase name="invariant mail" .*line="4"\/>/)
  })
})
