import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { ActionEvent, ActionRuntime } from '../../src/index.ts'
import { SQLiteLog } from '../../src/storage/sqlite-log.ts'
import { capfence } from '../cli/capture.ts'
import { dist } from '../support/dist.ts'
import { pay } from './approvals.ts'

const racers = 8
const program = fileURLToPath(new URL('racer.mjs', import.meta.url))

/** Resolves with the next line that a child writes. */
function nextLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.stdout?.once('data', (bytes: Buffer) => resolve(bytes.toString().trim()))
  })
}

/** What becomes of the call that eight processes make at the same time. */
async function raced(path: string, policyFile: string): Promise<readonly string[]> {
  const children = Array.from({ length: racers }, () =>
    spawn(process.execPath, [program, dist, path, JSON.stringify({ pay, policyFile })], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  )
  expect(new Set(await Promise.all(children.map(nextLine)))).toEqual(new Set(['ready']))
  const decisions = Promise.all(children.map(nextLine))
  for (const child of children) child.stdin.write('go\n')
  return (await decisions).toSorted()
}

test('B13: of eight processes that make one approved call at the same time, exactly one may', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-race-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'log.db')
  const policyFile = join(folder, 'policy.yaml')
  writeFileSync(policyFile, 'version: 1\nrequire_approval:\n  - capability: payment.execute.eu\n')
  const runtime = new ActionRuntime({ policy: policyFile, storage: path })
  const asked = await runtime.execute(ActionEvent.create(pay))
  await runtime.close()
  if (asked.decision !== 'require_approval') throw new Error(`it was ${asked.decision}`)
  const { approvalId } = asked
  const nowMs = Date.now()
  const given = await capfence(['approvals', 'approve', approvalId, '--storage', path], { nowMs })
  expect(given.code).toBe(0)

  expect(await raced(path, policyFile)).toEqual([
    'allow',
    ...Array.from({ length: racers - 1 }, () => 'require_approval'),
  ])
  const log = SQLiteLog.open(path)
  const { records } = await log.find({ order: 'oldest', types: ['approval.use'], count: 10 })
  expect(records).toHaveLength(1)
  expect(records[0]?.data).toMatchObject({ approval: approvalId, uses_left: 0 })
  await log.close()
}, 60_000)

test('B13: of eight processes that make one granted call at the same time, as many may as there are uses', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-race-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'log.db')
  const policyFile = join(folder, 'policy.yaml')
  writeFileSync(policyFile, 'version: 1\nrequire_approval:\n  - capability: payment.execute.eu\n')
  const runtime = new ActionRuntime({ policy: policyFile, storage: path })
  await runtime.start()
  await runtime.close()
  const what = ['--capability', 'payment', '--actor', 'ops-agent', '--environment', 'production']
  const create = ['grants', 'create', ...what, '--uses', '3', '--storage', path]
  expect((await capfence(create, { nowMs: Date.now() })).code).toBe(0)
  expect(await raced(path, policyFile)).toEqual([
    ...Array.from({ length: 3 }, () => 'allow'),
    ...Array.from({ length: racers - 3 }, () => 'require_approval'),
  ])
  const log = SQLiteLog.open(path)
  const { records } = await log.find({ order: 'oldest', types: ['grant.use'], count: 10 })
  expect(records.map(({ data }) => data['uses_left'])).toEqual([2, 1, 0])
  const report = await log.verify({ trustLog: true })
  expect(report.verdict).toBe('ok')
  await log.close()
}, 60_000)
