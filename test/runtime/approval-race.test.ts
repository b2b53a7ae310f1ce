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

  const children = Array.from({ length: racers }, () =>
    spawn(process.execPath, [program, dist, path, JSON.stringify({ pay, policyFile })], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  )
  expect(new Set(await Promise.all(children.map(nextLine)))).toEqual(new Set(['ready']))
  const decisions = Promise.all(children.map(nextLine))
  for (const child of children) child.stdin.write('go\n')
  expect((await decisions).toSorted()).toEqual([
    'allow',
    ...Array.from({ length: racers - 1 }, () => 'require_approval'),
  ])
  const log = SQLiteLog.open(path)
  const { records } = await log.find({ order: 'oldest', types: ['approval.use'], count: 10 })
  expect(records).toHaveLength(1)
  expect(records[0]?.data).toMatchObject({ approval: approvalId, uses_left: 0 })
  await log.close()
}, 60_000)
