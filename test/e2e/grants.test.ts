import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { cli } from '../support/dist.ts'
import { root } from '../support/root.ts'
import { noTerminal, typed } from '../support/terminal.ts'
import { gateCommand, journalLines, layOut, RawClient } from './gate.ts'
import type { GateFiles, Wire } from './gate.ts'

const passphrase = 'correct horse battery staple'
const policy = `version: 1
require_approval:
  - { id: pay, capability: ops.execute_payment, approval: { presence: key } }
  - { id: delete, capability: ops.delete_path, approval: { presence: key } }
`

/** A gate whose server shares its disk, and an approver called alice. */
function newFiles(): GateFiles {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-grants-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const server = {
    command: process.execPath,
    args: [join(root, 'fixtures/servers/ops.mjs'), join(folder, 'ops.journal')],
    capfence: { sharesDisk: true },
  }
  const files = layOut(folder, {
    servers: { ops: 'ops' },
    policy,
    config: { approvals: { approvers: 'approvers.json' }, mcpServers: { ops: server } },
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

function decisionOf({ result }: Wire): string {
  const meta = (result?.['_meta'] ?? {}) as Record<string, { decision?: string } | undefined>
  return meta['dev.capfence/decision']?.decision ?? 'allow'
}

const pay = (client: RawClient, amount: number): Promise<Wire> =>
  client.call('execute_payment', { amount, currency: 'EUR', recipient: 'ACME' })

test.skipIf(noTerminal)(
  'a grant that was typed on a terminal lets a running gate pass calls, until it is taken back',
  async () => {
    const files = newFiles()
    const client = await started(files)
    expect(decisionOf(await pay(client, 12))).toBe('require_approval')
    const create = ['grants', 'create', '--capability', 'ops.execute_payment', '--uses', '5']
    const conditions = ['--when', '{"args": {"/amount": {"lte": 100}}}', '--json']
    const wrong = typed(['not the passphrase'], command(files, ...create, ...conditions))
    expect(wrong.status).toBe(2)
    expect(decisionOf(await pay(client, 12))).toBe('require_approval')

    const given = typed([passphrase], command(files, ...create, ...conditions))
    expect(given.status).toBe(0)
    expect(given.stdout).toContain('2 that needed a person')
    expect(given.stdout).not.toContain('horse')
    const id = /"id":"(grt_[0-9A-Z]{26})"/.exec(given.stdout)?.[1] ?? ''
    // Granting calls nothing.
    expect(journalLines(files.journal('ops'))).toEqual([])
    expect(JSON.stringify((await pay(client, 12)).result)).toContain('pretended to pay 12')
    expect(decisionOf(await pay(client, 101))).toBe('require_approval')

    const revoked = typed([], command(files, 'grants', 'revoke', id))
    expect(revoked.status).toBe(0)
    expect(decisionOf(await pay(client, 12))).toBe('require_approval')
    expect(journalLines(files.journal('ops'))).toHaveLength(1)
    expect(await client.close()).toBe(0)
  },
)

test.skipIf(noTerminal)(
  'B19: a grant for a folder covers nothing that a link leads out of it',
  async () => {
    const files = newFiles()
    const inside = join(files.folder, 'reports')
    mkdirSync(inside)
    writeFileSync(join(inside, 'old.txt'), 'x')
    symlinkSync('/etc', join(inside, 'link'))
    const client = await started(files)
    const remove = (path: string): Promise<Wire> => client.call('delete_path', { path })
    expect(decisionOf(await remove(join(inside, 'old.txt')))).toBe('require_approval')
    const conditions = JSON.stringify({ args: { '/path': { under: inside } } })
    const create = ['grants', 'create', '--capability', 'ops.delete_path', '--uses', '9']
    expect(typed([passphrase], command(files, ...create, '--when', conditions)).status).toBe(0)
    expect(decisionOf(await remove(join(inside, 'link/passwd')))).toBe('require_approval')
    expect(decisionOf(await remove(join(inside, '../reports-evil/x')))).toBe('require_approval')
    expect(decisionOf(await remove(join(inside, 'old.txt')))).toBe('allow')
    expect(journalLines(files.journal('ops'))).toHaveLength(1)
    expect(await client.close()).toBe(0)
  },
)
