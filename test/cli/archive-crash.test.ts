import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { root } from '../support/root.ts'
import { TestLog } from './a-log.ts'
import { capfence } from './capture.ts'

const why = ['--by', 'ann', '--reason', 'r'] as const

async function madeLog(): Promise<TestLog> {
  const log = new TestLog()
  await log.call({ tool: 'read_file', arguments: { path: '/srv/a' }, outcome: 'ok' })
  await log.end()
  writeFileSync(
    join(log.folder, 'pin'),
    (await capfence(['audit', 'key', '--storage', log.path])).out,
  )
  return log
}

/** @returns whether it was killed */
function archiveKilledAt(step: number, log: TestLog): boolean {
  const { signal } = spawnSync(
    process.execPath,
    [
      '--import',
      join(root, 'test/cli/dies-at.mjs'),
      join(root, 'dist/cli/main.js'),
      ...['audit', 'archive', join(log.folder, 'old.db'), ...why, '--storage', log.path],
    ],
    { env: { ...process.env, DIES_AT: String(step) }, stdio: 'ignore' },
  )
  return signal === 'SIGKILL'
}

/** Whether a gate can start; nothing else may take the place of the log. */
async function opens(log: TestLog): Promise<boolean> {
  try {
    await SQLiteEngine.open({ path: log.path, software: 'capfence/test' }).close()
    return true
  } catch {
    return false
  }
}

test('an archive that is killed at any step goes on where it was, and both logs verify', async () => {
  const killedAt: number[] = []
  for (let step = 1; ; step += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one crash after the other
    const log = await madeLog()
    const wasKilled = archiveKilledAt(step, log)
    if (wasKilled) {
      killedAt.push(step)
      const isHalfDone = existsSync(`${log.path}.archiving`)
      // oxlint-disable-next-line no-await-in-loop -- the same
      expect(await opens(log), `step ${step}`).toBe(!isHalfDone)
      const old = join(log.folder, 'old.db')
      const isDone = !isHalfDone && existsSync(old)
      // oxlint-disable-next-line no-await-in-loop -- the same
      const again = await capfence(['audit', 'archive', old, ...why, '--storage', log.path])
      expect(again.code, `step ${step}: ${again.err}`).toBe(isDone ? 2 : 0)
    }
    const files = ['--archive', join(log.folder, 'old.db'), '--pin', join(log.folder, 'pin')]
    // oxlint-disable-next-line no-await-in-loop -- the same
    const both = await capfence(['audit', 'verify', log.path, ...files])
    expect(both.code, `step ${step}: ${both.out}${both.err}`).toBe(0)
    log.remove()
    if (!wasKilled) break
  }
  expect(killedAt.length).toBeGreaterThan(20)
}, 180_000)
