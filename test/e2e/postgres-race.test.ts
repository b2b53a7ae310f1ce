import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { PostgresLog } from '../../src/cli/postgres-library.ts'
import { capfence } from '../cli/capture.ts'
import { pay } from '../runtime/approvals.ts'
import { addressOf, usePostgres } from '../storage/postgres-subject.ts'
import { dist } from '../support/dist.ts'

const racers = 8
const program = fileURLToPath(new URL('../runtime/racer.mjs', import.meta.url))
const server = usePostgres()

interface Race {
  readonly url: string
  readonly at: readonly string[]
  start(): ChildProcess
}

/** A log and the gates that come to it, from one folder. */
function newRace(schema: string): Race {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-race-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const policyFile = join(folder, 'policy.yaml')
  writeFileSync(policyFile, 'version: 1\nrequire_approval:\n  - capability: payment.execute.eu\n')
  const url = server().url(schema)
  const config = join(folder, 'capfence.mcp.json')
  writeFileSync(
    config,
    JSON.stringify({
      mcpServers: {},
      policies: ['policy.yaml'],
      environment: 'production',
      storage: url,
    }),
  )
  const own = join(folder, `.capfence/postgres-${schema}`)
  const job = JSON.stringify({
    pay,
    policyFile,
    postgres: { url, keys: `${own}.keys`, highWater: `${own}.highwater` },
  })
  return {
    url,
    at: ['--config', config],
    start: () => {
      const child = spawn(process.execPath, [program, dist, '', job], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      onTestFinished(() => void child.kill('SIGKILL'))
      return child
    },
  }
}

/** Resolves with the next line that a child writes. */
function nextLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', (bytes: Buffer) => resolve(bytes.toString().trim()))
    child.once('close', () => reject(new Error('a gate ended too early')))
  })
}

/** What becomes of the call that processes make at the same time. */
async function raced(race: Race, count: number): Promise<readonly string[]> {
  const children = Array.from({ length: count }, () => race.start())
  expect(new Set(await Promise.all(children.map(nextLine)))).toEqual(new Set(['ready']))
  const decisions = Promise.all(children.map(nextLine))
  for (const child of children) child.stdin?.write('go\n')
  return (await decisions).toSorted()
}

test('B13: of eight processes that make one approved call on PostgreSQL at the same time, exactly one may', async () => {
  const race = newRace('race_approval')
  expect(await raced(race, 1)).toEqual(['require_approval'])
  const nowMs = Date.now()
  const listed = await capfence(['approvals', 'list', '--json', ...race.at], { nowMs })
  const { id } = JSON.parse(listed.out) as { id: string }
  const given = await capfence(['approvals', 'approve', id, ...race.at], { nowMs })
  expect(given).toMatchObject({ code: 0 })

  const asked = Array.from({ length: racers - 1 }, () => 'require_approval')
  expect(await raced(race, racers)).toEqual(['allow', ...asked])
  const log = await PostgresLog.open(addressOf(race.url))
  const { records } = await log.find({ order: 'oldest', types: ['approval.use'], count: 10 })
  expect(records.map(({ data }) => data)).toMatchObject([{ approval: id, uses_left: 0 }])
  expect((await log.verify({ trustLog: true })).verdict).toBe('ok')
  await log.close()
}, 90_000)

test('B13: of eight processes that make one granted call on PostgreSQL, as many may as there are uses', async () => {
  const race = newRace('race_grant')
  expect(await raced(race, 1)).toEqual(['require_approval'])
  const what = ['--capability', 'payment', '--actor', 'ops-agent', '--environment', 'production']
  const create = ['grants', 'create', ...what, '--uses', '3', ...race.at]
  expect(await capfence(create, { nowMs: Date.now() })).toMatchObject({ code: 0 })
  const allowed = Array.from({ length: 3 }, () => 'allow')
  const asked = Array.from({ length: racers - 3 }, () => 'require_approval')
  expect(await raced(race, racers)).toEqual([...allowed, ...asked])
  const log = await PostgresLog.open(addressOf(race.url))
  const { records } = await log.find({ order: 'oldest', types: ['grant.use'], count: 10 })
  expect(records.map(({ data }) => data['uses_left'])).toEqual([2, 1, 0])
  expect((await log.verify({ trustLog: true })).verdict).toBe('ok')
  await log.close()
}, 90_000)
