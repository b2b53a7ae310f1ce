import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SQLiteLog } from '../../src/storage/sqlite-log.ts'
import type { TestLog } from './a-log.ts'
import { withLog } from './a-log.ts'
import { capfence } from './capture.ts'
import type { Captured, CaptureOptions } from './capture.ts'

/** The log is asked by the machine's own clock, so the question is as old as a test can make it. */
const nowMs = Date.now()

const ask =
  (args: Readonly<Record<string, unknown>> = { amount: 1500, recipient: 'ACME\u202E' }) =>
  async (log: TestLog): Promise<void> => {
    log.now(nowMs - 60_000)
    await log.call({ tool: 'execute_payment', arguments: args, actor: 'billing' })
  }

async function idIn(log: TestLog): Promise<string> {
  const reader = SQLiteLog.open(log.path)
  const [request] = await reader.approvalRequests()
  await reader.close()
  return request?.id ?? ''
}

const run = (
  log: TestLog,
  args: readonly string[],
  options: CaptureOptions = {},
): Promise<Captured> =>
  capfence(['approvals', ...args, '--storage', log.path], { nowMs, ...options })

const plain = (text: string): string =>
  text.replaceAll(/apr_[0-9A-Z]{26}/g, 'apr_ID').replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')

describe('the card', () => {
  test('shows everything that was asked, and hides nothing without saying so', async () => {
    const args = { amount: 1500, memo: 'token=abcdefgh', recipient: 'ACME\u202E', api_key: 'x' }
    await withLog(ask(args), async (log) => {
      const { code, out } = await run(log, ['show', await idIn(log)])
      expect(code).toBe(0)
      expect(plain(out)).toBe(`apr_ID  payment.execute.high_value  ops.execute_payment
  state    pending, expires in 14m
  asked    59s ago by billing
  where    development
  client   claude-code
  risk     medium
  rule     large-payment (policies/ops.yaml:13)
  message  payments over 1000 need a person
  needs    anybody’s answer
  allows   this tool with these arguments, by this actor, once
  arguments
    amount     1500
    memo       "token=[hidden]"
    recipient  "ACME\\u202e"
    not shown: /memo (\`--show-secrets\`)
    1 argument of secret name withheld by the log
`)
      const all = await run(log, ['show', await idIn(log), '--show-secrets'])
      expect(all.out).toContain('memo       "token=abcdefgh"')
    })
  })

  test('of nothing says so', async () => {
    await withLog(ask(), async (log) => {
      expect(await run(log, ['show', 'apr_x'])).toMatchObject({ code: 1, out: '' })
      expect(await run(log, ['approve', 'apr_x'])).toMatchObject({ code: 1, out: '' })
    })
  })
})

describe('an answer', () => {
  test('approves once, and says what that does', async () => {
    await withLog(ask(), async (log) => {
      const id = await idIn(log)
      const given = await run(log, ['approve', id])
      expect(given.code).toBe(0)
      expect(plain(given.out)).toBe(
        'apr_ID approved by anyone: the same call passes once until TIME\n',
      )
      expect(plain(given.err)).toContain('  arguments\n    amount     1500\n')
      expect((await run(log, ['list'])).err).toContain('no call waits')
      expect((await run(log, ['list', '--all'])).out).toContain('approved')
      const again = await run(log, ['approve', id])
      expect(again).toMatchObject({ code: 1, out: '' })
      expect(again.err).toContain('`anyone` has approved it already')
      expect((await run(log, ['revoke', id, '--json'])).out).toContain('"verdict":"revoke"')
      expect((await run(log, ['show', id])).out).toContain('revoked (revoke by anyone)')
    })
  })

  test('denies', async () => {
    await withLog(ask(), async (log) => {
      const id = await idIn(log)
      const { code, out } = await run(log, ['deny', id])
      expect(code).toBe(0)
      expect(plain(out)).toBe('apr_ID denied by anyone: the same call is refused until TIME\n')
      expect(await run(log, ['approve', id])).toMatchObject({ code: 1, out: '' })
    })
  })

  test('is told to a program as one object', async () => {
    await withLog(ask(), async (log) => {
      const id = await idIn(log)
      const { out } = await run(log, ['approve', id, '--minutes', '30', '--json'])
      expect(JSON.parse(out)).toMatchObject({
        schemaVersion: 1,
        type: 'approval.answer',
        id,
        verdict: 'approve',
        approver: 'anyone',
        presence: 'any',
        session: null,
        reached: true,
        quorum: 1,
        uses: 1,
      })
    })
  })

  test.each<[string, readonly string[]]>([
    ['no time at all', ['--minutes', '0']],
    ['too long a time', ['--minutes', '481']],
    ['no number', ['--minutes', '1e2']],
    ['two scopes', ['--minutes', '5', '--session']],
    ['a session where the call has none', ['--session']],
    ['an approver without a configuration', ['--as', 'alice']],
  ])('is not given for %s', async (_, flags) => {
    await withLog(ask(), async (log) => {
      const given = await run(log, ['approve', await idIn(log), ...flags])
      expect(given).toMatchObject({ code: 2, out: '' })
      expect((await run(log, ['list'])).out).toContain('apr_')
    })
  })
})

describe('B12: with a list of approvers', () => {
  const passphrase = 'correct horse battery staple'
  const configure = (log: TestLog): string => {
    const path = join(log.folder, 'capfence.mcp.json')
    const config = {
      mcpServers: { ops: { command: 'node' } },
      policies: [join(log.folder, 'policy.yaml')],
      environment: 'development',
      storage: `sqlite:${log.path}`,
      approvals: { approvers: 'approvers.json' },
    }
    writeFileSync(path, JSON.stringify(config))
    return path
  }
  const policy = `version: 1
require_approval:
  - capability: payment.execute.high_value
    approval: { presence: key }
`

  test('an answer takes the passphrase of one of them', async () => {
    await withLog(
      ask(),
      async (log) => {
        const config = configure(log)
        const id = await idIn(log)
        const give = (secrets: readonly string[], ...flags: readonly string[]): Promise<Captured> =>
          capfence(['approvals', 'approve', id, '--config', config, ...flags], {
            nowMs,
            secrets,
          })
        const nobody = await give([])
        expect(nobody).toMatchObject({ code: 3, out: '' })
        expect(nobody.err).toContain('`capfence keys approver add NAME` makes a key')
        const add = ['keys', 'approver', 'add', '--config', config]
        await capfence([...add, 'alice'], { secrets: [passphrase, passphrase] })
        expect(await give(['not the passphrase'])).toMatchObject({ code: 2, out: '' })
        expect(await give([passphrase], '--as', 'bob')).toMatchObject({ code: 2, out: '' })
        // An agent's own key, which it has no way to enter in the list.
        const own = join(log.folder, 'own.key')
        const elsewhere = join(log.folder, 'elsewhere')
        writeFileSync(
          `${elsewhere}.json`,
          JSON.stringify({
            mcpServers: { ops: { command: 'node' } },
            policies: ['p.yaml'],
            environment: 'development',
            approvals: { approvers: 'elsewhere-approvers.json' },
          }),
        )
        await capfence(
          ['keys', 'approver', 'add', 'alice', '--key', own, '--config', `${elsewhere}.json`],
          { secrets: [passphrase, passphrase] },
        )
        expect(await give([passphrase], '--key', own)).toMatchObject({ code: 1, out: '' })
        const given = await give([passphrase])
        expect(given.code).toBe(0)
        expect(given.out).toContain('approved by alice: the same call passes once until')
        expect(given.err).toContain('needs    an approver’s key')
      },
      { policy },
    )
  })
})

describe('watching', () => {
  test('tells of requests as they come, and of what becomes of them', async () => {
    await withLog(ask(), async (log) => {
      const id = await idIn(log)
      const seen: string[] = []
      let answered: Promise<Captured> | undefined
      const { code } = await run(log, ['watch'], {
        onAnswer: (text, stop) => {
          seen.push(plain(text))
          answered ??= run(log, ['approve', id])
          if (seen.length === 2) stop()
        },
      })
      expect(code).toBe(0)
      await answered
      expect(seen[0]).toContain('apr_ID  payment.execute.high_value  ops.execute_payment\n')
      expect(seen[1]).toBe('apr_ID  approved\n')
    })
  })
})
