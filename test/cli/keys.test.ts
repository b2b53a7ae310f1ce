import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { cli } from '../support/dist.ts'
import { noTerminal, typed } from '../support/terminal.ts'
import { capfence } from './capture.ts'

const passphrase = 'correct horse battery staple'

function newFolder(approvals: unknown = { approvers: 'approvers.json' }): string {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-keys-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  configure(folder, approvals)
  return folder
}

function configure(folder: string, approvals: unknown): void {
  const config = {
    mcpServers: { ops: { command: 'node' } },
    policies: ['policy.yaml'],
    environment: 'development',
    approvals,
  }
  writeFileSync(join(folder, 'capfence.mcp.json'), JSON.stringify(config))
}

const keys = (folder: string, ...args: readonly string[]): readonly string[] => [
  'keys',
  'approver',
  ...args,
  '--config',
  join(folder, 'capfence.mcp.json'),
]

const listed = async (folder: string): Promise<readonly string[]> => {
  const { out } = await capfence(keys(folder, 'list'))
  return out
    .split('\n')
    .flatMap((line) => line.split(' ')[0] ?? [])
    .filter((name) => name !== '')
}

test('the first approver is made with a passphrase typed twice, the next with the first one’s', async () => {
  const folder = newFolder()
  const first = await capfence(keys(folder, 'add', 'alice'), { secrets: [passphrase, passphrase] })
  expect(first.code).toBe(0)
  expect(first.err).toContain(`the key of \`alice\` is in ${folder}/approvers/alice.key`)
  expect(statSync(join(folder, 'approvers/alice.key')).mode & 0o777).toBe(0o600)
  const second = await capfence(keys(folder, 'add', 'bob', '--by', 'alice'), {
    secrets: [passphrase, 'another passphrase', 'another passphrase'],
  })
  expect(second.code).toBe(0)
  expect(await listed(folder)).toEqual(['alice', 'bob'])
  const gone = await capfence(keys(folder, 'remove', 'alice', '--by', 'bob'), {
    secrets: ['another passphrase'],
  })
  expect(gone.code).toBe(0)
  expect(await listed(folder)).toEqual(['bob'])
})

test('nobody is added without a key of somebody who is on the list', async () => {
  const folder = newFolder()
  await capfence(keys(folder, 'add', 'alice'), { secrets: [passphrase, passphrase] })
  const before = readFileSync(join(folder, 'approvers.json'), 'utf8')
  const secrets = [passphrase, passphrase]
  const tries = [
    await capfence(keys(folder, 'add', 'mallory'), { secrets }),
    await capfence(keys(folder, 'add', 'mallory', '--by', 'mallory'), { secrets }),
    await capfence(keys(folder, 'add', 'mallory', '--by', 'alice'), {
      secrets: ['not her passphrase', passphrase, passphrase],
    }),
    await capfence(keys(folder, 'remove', 'alice', '--by', 'alice'), { secrets }),
    await capfence(keys(folder, 'add', 'alice', '--by', 'alice'), { secrets: [...secrets, '1'] }),
    await capfence(keys(folder, 'add', '../x', '--by', 'alice'), { secrets }),
  ]
  expect(tries.map(({ code }) => code)).toEqual([2, 2, 2, 3, 2, 2])
  expect(readFileSync(join(folder, 'approvers.json'), 'utf8')).toBe(before)
})

test('a short passphrase and one that is not typed alike twice make no key', async () => {
  const folder = newFolder()
  const short = await capfence(keys(folder, 'add', 'alice'), { secrets: ['elevenchars', 'x'] })
  expect(short).toMatchObject({ code: 2, err: expect.stringContaining('at least 12') as string })
  const typo = await capfence(keys(folder, 'add', 'alice'), { secrets: [passphrase, 'x'] })
  expect(typo).toMatchObject({ code: 2, err: expect.stringContaining('differ') as string })
  expect(await listed(folder)).toEqual([])
})

test('a list that is not the pinned one has no approvers, and is not extended', async () => {
  const folder = newFolder()
  const secrets = [passphrase, passphrase]
  const { err } = await capfence(keys(folder, 'add', 'alice'), { secrets })
  const [, fingerprint] = /its fingerprint is ([0-9a-f]{64})/.exec(err) ?? []
  const pinned = { approvers: 'approvers.json', approversSha256: fingerprint }
  configure(folder, pinned)
  expect(await listed(folder)).toEqual(['alice'])
  // An agent that writes the list anew, with itself as the first approver.
  rmSync(join(folder, 'approvers.json'))
  configure(folder, { approvers: 'approvers.json' })
  await capfence(keys(folder, 'add', 'mallory'), { secrets })
  configure(folder, pinned)
  const list = await capfence(keys(folder, 'list'))
  expect(list.code).toBe(3)
  expect(list.err).toContain('not the list of approvers that the configuration pins')
  expect((await capfence(keys(folder, 'add', 'm2', '--by', 'mallory'), { secrets })).code).toBe(3)
})

test('a configuration without a list is told how to name one', async () => {
  const folder = newFolder({})
  const { err } = await capfence(keys(folder, 'add', 'alice'), {
    secrets: [passphrase, passphrase],
  })
  expect(err).toContain('"approvals": {"approvers": "approvers.json"}')
})

test.skipIf(noTerminal)(
  'what is typed on a terminal is not shown, and comes neither from arguments nor from the environment',
  () => {
    const folder = newFolder()
    const command = [process.execPath, cli, ...keys(folder, 'add', 'alice')]
    const run = typed([`${passphrase}x\u007f`, passphrase], command)
    expect(run.stdout).toContain('new passphrase for alice: ')
    expect(run.stdout).toContain('the same again: ')
    expect(run.stdout).not.toContain('horse')
    expect({ status: run.status, err: run.stderr }).toEqual({ status: 0, err: '' })
  },
)

test('without a terminal nothing is asked, and a passphrase on standard input is a choice of its own', () => {
  const folder = newFolder()
  const run = (args: readonly string[], input: string) =>
    spawnSync('setsid', ['-w', process.execPath, cli, ...keys(folder, ...args)], {
      // A session of its own has no terminal.
      encoding: 'utf8',
      input,
      timeout: 60_000,
    })
  const asked = run(['add', 'alice'], `${passphrase}\n${passphrase}\n`)
  expect(asked.status).toBe(2)
  expect(asked.stderr).toContain('there is no terminal')
  const given = run(['add', 'alice', '--passphrase-stdin'], `${passphrase}\n`)
  expect(given.status).toBe(0)
  expect(run(['add', 'bob', '--by', 'alice', '--passphrase-stdin'], `${passphrase}\n`).status).toBe(
    2,
  )
  const both = `${passphrase}\nanother passphrase\n`
  expect(run(['add', 'bob', '--by', 'alice', '--passphrase-stdin'], both).status).toBe(0)
})
