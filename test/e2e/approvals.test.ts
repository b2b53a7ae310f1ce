import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { SQLiteLog } from '../../src/storage/sqlite-log.ts'
import { cli } from '../support/dist.ts'
import { noTerminal, typed } from '../support/terminal.ts'
import { gateCommand, journalLines, layOut, RawClient } from './gate.ts'
import type { GateFiles, Wire } from './gate.ts'

const passphrase = 'correct horse battery staple'
const policy = `version: 1
require_approval:
  - { id: pay, capability: payment.execute.any, approval: { presence: key } }
`
const payment = { amount: 1000.01, currency: 'EUR', recipient: 'ACME' }

function newFiles(): GateFiles {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-approvals-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const files = layOut(folder, {
    servers: { ops: 'ops' },
    policy: policy.replace('payment.execute.any', 'ops.execute_payment.development'),
    config: { approvals: { approvers: 'approvers.json' } },
  })
  const added = typed([passphrase, passphrase], command(files, 'keys', 'approver', 'add', 'alice'))
  expect(added.status).toBe(0)
  return files
}

function command(files: GateFiles, ...args: readonly string[]): readonly string[] {
  return [process.execPath, cli, ...args, '--config', files.config]
}

async function started(files: GateFiles): Promise<RawClient> {
  const { command: program, args } = gateCommand(files)
  const client = new RawClient(program, args)
  onTestFinished(() => void client.process.kill('SIGKILL'))
  await client.initialize()
  return client
}

const pay = (client: RawClient): Promise<Wire> => client.call('execute_payment', payment)

function decisionOf({ result }: Wire): {
  readonly decision?: string
  readonly approvalId?: string
} {
  const meta = (result?.['_meta'] ?? {}) as Record<string, object | undefined>
  return meta['dev.capfence/decision'] ?? {}
}

test.skipIf(noTerminal)(
  'a held payment passes once when somebody has typed the passphrase on a terminal, and not by itself',
  async () => {
    const files = newFiles()
    const client = await started(files)
    const held = await pay(client)
    const { approvalId = '' } = decisionOf(held)
    expect(JSON.stringify(held.result)).toContain(`capfence approvals approve ${approvalId}`)
    // What an agent with a shell can do without the passphrase: run the very command that it was told.
    const tried = spawnSync(
      process.execPath,
      command(files, 'approvals', 'approve', approvalId, '--passphrase-stdin').slice(1),
      {
        encoding: 'utf8',
        input: 'let me in please\n',
      },
    )
    expect({ status: tried.status, out: tried.stdout }).toEqual({ status: 2, out: '' })
    expect(decisionOf(await pay(client))).toMatchObject({
      decision: 'require_approval',
      approvalId,
    })

    const given = typed([passphrase], command(files, 'approvals', 'approve', approvalId))
    expect(given.status).toBe(0)
    expect(given.stdout).toContain('approved by alice: the same call passes once until')
    expect(given.stdout).not.toContain('horse')
    // B35: approving calls nothing.
    expect(journalLines(files.journal('ops'))).toEqual([])
    expect(JSON.stringify((await pay(client)).result)).toContain('pretended to pay 1000.01 EUR')
    const third = decisionOf(await pay(client))
    expect(third.decision).toBe('require_approval')
    expect(third.approvalId).not.toBe(approvalId)
    expect(journalLines(files.journal('ops'))).toHaveLength(1)
    expect(await client.close()).toBe(0)
  },
)

test.skipIf(noTerminal)(
  'B28: who is taken off the list approves nothing more, and the log says when the list changed',
  async () => {
    const files = newFiles()
    const bob = ['keys', 'approver', 'add', 'bob', '--by', 'alice']
    const other = 'another long passphrase'
    expect(typed([passphrase, other, other], command(files, ...bob)).status).toBe(0)
    const client = await started(files)
    const { approvalId = '' } = decisionOf(await pay(client))
    const approve = ['approvals', 'approve', approvalId, '--as', 'bob']
    expect(typed([other], command(files, ...approve)).status).toBe(0)
    const remove = ['keys', 'approver', 'remove', 'bob', '--by', 'alice']
    expect(typed([passphrase], command(files, ...remove)).status).toBe(0)
    expect(decisionOf(await pay(client)).decision).toBe('require_approval')
    expect(journalLines(files.journal('ops'))).toEqual([])
    const path = join(files.folder, 'approvers.json')
    const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex')
    await expect
      .poll(
        async () => {
          const log = SQLiteLog.open(files.database)
          const { records } = await log.find({
            types: ['config.change'],
            order: 'newest',
            count: 5,
          })
          await log.close()
          return records
            .filter(({ data }) => data['path'] === path)
            .map(({ data }) => data['sha256'])
        },
        { timeout: 20_000 },
      )
      .toEqual([sha256, expect.not.stringMatching(sha256)])
    expect(await client.close()).toBe(0)
  },
)
