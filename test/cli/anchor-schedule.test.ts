import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { anchorSchedule, type RunningAnchors } from '../../src/cli/anchor-schedule.ts'
import { loadConfig } from '../../src/config/config.ts'
import { commitOne, openLog } from '../storage/log-files.ts'

const home = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-schedule-')))
afterAll(() => rmSync(home, { recursive: true, force: true }))
let count = 0

interface Scheduled {
  readonly folder: string
  readonly store: ReturnType<typeof openLog>
  readonly running: RunningAnchors
  readonly said: string[]
}

function scheduled(...anchors: readonly object[]): Scheduled {
  const folder = mkdtempSync(join(home, `${(count += 1)}-`))
  const file = {
    mcpServers: { files: { command: 'node' } },
    policies: ['p.yaml'],
    environment: 'test',
    storage: 'sqlite:capfence.db',
    audit: { anchors: anchors.map((anchor) => ({ everyMinutes: 1, ...anchor })) },
  }
  const config = loadConfig({ path: join(folder, 'c.json'), text: JSON.stringify(file) })
  const store = openLog(config.storage.path)
  const said: string[] = []
  const log = (text: string): void => void said.push(text)
  const running = anchorSchedule(config)({ store, log, minuteMs: 20 })
  return { folder, store, running, said }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(5)
}

const runsOf = (path: string): number => (existsSync(path) ? readFileSync(path, 'utf8').length : 0)

describe('a gate', () => {
  test('anchors what is new, and nothing twice', async () => {
    const { folder, store, running, said } = scheduled(
      { exec: ['sh', '-c', 'printf x >> runs'], name: 'good' },
      { exec: ['false'], name: 'bad' },
    )
    const runs = join(folder, 'runs')
    await until(() => runsOf(runs) === 1)
    // The other one goes on trying, and so counts the minutes; its records are no news.
    await until(() => said.length >= 5)
    expect(runsOf(runs)).toBe(1)
    await commitOne(store)
    await until(() => runsOf(runs) === 2)
    await running.close()
    await store.close()
  })

  test('says and records that an anchor failed, and takes calls as before', async () => {
    const { store, running, said } = scheduled({ exec: ['false'], name: 'bad' })
    await until(() => said.length >= 2)
    expect(said[0]).toMatch(
      /^bad: \d+ records could not be anchored: `false` ended with exit code 1$/,
    )
    await commitOne(store)
    const { records } = await store.find({ types: ['anchor'], order: 'oldest', count: 1 })
    expect(records[0]?.data).toMatchObject({ name: 'bad', ok: false })
    await running.close()
    await store.close()
  })

  test('takes calls while an anchor runs, and ends it when it ends itself', async () => {
    const { folder, store, running, said } = scheduled({
      exec: ['sh', '-c', 'touch started; exec sleep 60'],
      name: 'slow',
    })
    await until(() => existsSync(join(folder, 'started')))
    await commitOne(store)
    await running.close()
    expect(said).toEqual([expect.stringContaining('because the gate ends')])
    await store.close()
  })
})
