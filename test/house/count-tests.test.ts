import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { root } from '../support/root.ts'

interface Result {
  readonly status: string
  readonly tests: readonly string[]
}

/** What the counter says of a report with these files, and its exit code. */
function count(report: readonly Result[] | string): { last: string; code: number | null } {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-count-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'report.json')
  writeFileSync(path, typeof report === 'string' ? report : JSON.stringify(asVitest(report)))
  const script = join(root, 'scripts/count-tests.mjs')
  const run = spawnSync(process.execPath, [script, path], { encoding: 'utf8' })
  return { last: run.stdout.trimEnd().split('\n').at(-1) ?? '', code: run.status }
}

const asVitest = (files: readonly Result[]): object => ({
  testResults: files.map(({ status, tests }, index) => ({
    name: `file ${String(index)}`,
    status,
    assertionResults: tests.map((state) => ({ fullName: 'a test', status: state })),
  })),
})

test.each([
  {
    name: 'everything passed',
    report: [
      { status: 'passed', tests: ['passed', 'passed'] },
      { status: 'passed', tests: ['passed'] },
    ],
    says: '3 passed, 0 failed, 0 skipped',
    code: 0,
  },
  {
    name: 'a test failed',
    report: [{ status: 'failed', tests: ['passed', 'failed'] }],
    says: '1 passed, 1 failed, 0 skipped',
    code: 1,
  },
  {
    name: 'a test was skipped',
    report: [{ status: 'passed', tests: ['passed', 'pending', 'skipped', 'todo'] }],
    says: '1 passed, 0 failed, 3 skipped',
    code: 1,
  },
  {
    name: 'a file could not be loaded',
    report: [
      { status: 'passed', tests: ['passed'] },
      { status: 'failed', tests: [] },
    ],
    says: '1 passed, 1 failed, 0 skipped',
    code: 1,
  },
  {
    name: 'a file failed outside its tests',
    report: [{ status: 'failed', tests: ['passed'] }],
    says: '1 passed, 1 failed, 0 skipped',
    code: 1,
  },
  { name: 'there were no tests', report: [], says: '0 passed, 0 failed, 0 skipped', code: 1 },
  { name: 'there is no report', report: '', says: '0 passed, 0 failed, 0 skipped', code: 1 },
  {
    name: 'the report is cut off',
    report: '{"test',
    says: '0 passed, 0 failed, 0 skipped',
    code: 1,
  },
])('the count is true when $name', ({ report, says, code }) => {
  expect(count(report)).toEqual({ last: says, code })
})
