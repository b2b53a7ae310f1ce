import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseEnvelope, printEnvelope } from '../../src/approval/envelope.ts'
import { ActionEvent, ActionRuntime } from '../../src/index.ts'
import { SQLiteLog } from '../../src/storage/sqlite-log.ts'
import type { Verdict } from '../../src/runtime/verdict.ts'
import { capfence } from './capture.ts'
import type { Captured } from './capture.ts'

const secrets = { alice: 'correct horse battery', bob: 'staple of another kind' } as const
const policy = `version: 1
deny:
  - { id: huge, capability: payment.execute, amount_gte: 100000 }
require_approval:
  - { id: pay, capability: payment.execute }
`

interface Place {
  readonly folder: string
  readonly config: string
  readonly run: (args: readonly string[], typed?: readonly string[]) => Promise<Captured>
  /** What the gate says to a payment. */
  readonly pay: (amount: unknown, session?: string) => Promise<Verdict>
}

/** A folder with a configuration, a policy, a log that has seen two payments, and approvers who have keys. */
async function newPlace(approvers: readonly (keyof typeof secrets)[] = []): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-grants-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const config = join(folder, 'capfence.mcp.json')
  writeFileSync(join(folder, 'policy.yaml'), policy)
  const text = {
    mcpServers: { bank: { command: 'node' } },
    policies: ['policy.yaml'],
    actor: 'ops-agent',
    environment: 'production',
    storage: 'sqlite:log.db',
    ...(approvers.length === 0 ? {} : { approvals: { approvers: 'approvers.json' } }),
  }
  writeFileSync(config, JSON.stringify(text))
  const run: Place['run'] = (args, typed = []) =>
    capfence([...args, '--config', config], { nowMs: Date.now(), secrets: typed })
  const pay: Place['pay'] = async (amount, session) => {
    const runtime = new ActionRuntime({
      policy: join(folder, 'policy.yaml'),
      storage: join(folder, 'log.db'),
      ...(approvers.length === 0 ? {} : { approvers: join(folder, 'approvers.json') }),
    })
    const verdict = await runtime.execute(
      ActionEvent.create({
        actor: 'ops-agent',
        resource: 'payment',
        action: 'execute',
        scope: 'eu',
        environment: 'production',
        server: 'bank',
        tool: 'pay',
        arguments: { amount, recipient: 'ACME\u202E' },
        ...(session === undefined ? {} : { session }),
      }),
    )
    await runtime.close()
    return verdict
  }
  for (const [at, name] of approvers.entries()) {
    const [by] = approvers
    const first = by === undefined || at === 0 ? [] : ['--by', by]
    const typed = at === 0 || by === undefined ? [] : [secrets[by]]
    // oxlint-disable-next-line no-await-in-loop -- each is signed by one before
    const added = await run(
      ['keys', 'approver', 'add', name, ...first],
      [...typed, secrets[name], secrets[name]],
    )
    expect(added.code).toBe(0)
  }
  await pay(1500, 's1')
  await pay(200_000, 's1')
  return { folder, config, run, pay }
}

const plain = (text: string): string =>
  text
    .replaceAll(/(apr|grt)_[0-9A-Z]{26}/g, '$1_ID')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')

const small = [
  'grants',
  'create',
  '--capability',
  'payment.execute',
  '--when',
  '{"args": {"/amount": {"lte": 2000}}}',
]

describe('capfence grants create', () => {
  test('shows what is signed and what it would have meant, and the gate lets such calls pass', async () => {
    const { run, pay } = await newPlace()
    const made = await run([...small, '--uses', '2', '--for', '8h', '--reason', 'payroll'])
    expect(made.code).toBe(0)
    expect(plain(made.out)).toBe('grt_ID given by anyone: up to 2 calls until TIME\n')
    expect(plain(made.err)).toBe(`grt_ID  payment.execute
  actor     ops-agent
  where     production
  when      {"args":{"/amount":{"lte":2000}}}
  calls     2 at most
  until     TIME, 8h in all
  reason    payroll
  of the newest 2 calls it fits 1 (1 that needed a person)
    3  payment.execute.eu  require_approval  {"amount":1500,"recipient":"ACME\\u202e"}
`)
    expect(await pay(1500)).toMatchObject({ decision: 'allow', reasonCode: 'granted' })
    expect((await pay(2001)).decision).toBe('require_approval')
    expect((await pay('2000.00000000000000001')).decision).toBe('require_approval')
    expect((await pay(200_000)).decision).toBe('deny')
    expect((await pay(2000)).decision).toBe('allow')
    expect((await pay(2)).decision).toBe('require_approval')
  })

  test('one that is like a call that waits covers its capability in its session only', async () => {
    const { run, pay, folder } = await newPlace()
    const reader = SQLiteLog.open(join(folder, 'log.db'))
    const [request] = await reader.approvalRequests()
    await reader.close()
    const like = ['grants', 'create', '--like', request?.id ?? '', '--same-session', '--same-tool']
    const made = await run([...like, '--uses', '5', '--json'])
    expect(JSON.parse(made.out)).toMatchObject({
      schemaVersion: 1,
      type: 'grant',
      capability: 'payment.execute.eu',
      actor: 'ops-agent',
      environment: 'production',
      server: 'bank',
      tool: 'pay',
      session: 's1',
      uses: 5,
      issuers: ['anyone'],
      presence: 'any',
      breakGlass: false,
      when: '{}',
    })
    expect((await pay(7, 's2')).decision).toBe('require_approval')
    expect((await pay(7, 's1')).decision).toBe('allow')
  })

  test.each<[string, readonly string[], string]>([
    ['no resource', ['--capability', '*.execute'], 'has to name a resource'],
    ['no capability', [], 'say for what the grant is: `--capability`'],
    [
      'too long a time',
      ['--capability', 'payment', '--for', '8d'],
      'takes from one minute to 168 hours',
    ],
    [
      'too long an emergency',
      ['--capability', 'payment', '--for', '9h', '--break-glass', '--reason', 'x'],
      'to 8 hours',
    ],
    [
      'an emergency without a reason',
      ['--capability', 'payment', '--break-glass'],
      'has to say why',
    ],
    ['no time', ['--capability', 'payment', '--for', 'soon'], 'takes from one minute'],
    ['too many uses', ['--capability', 'payment', '--uses', '1001'], 'from 1 to 1000'],
    ['conditions that are no JSON', ['--capability', 'payment', '--when', '{a'], 'is not JSON'],
    [
      'conditions that are no object',
      ['--capability', 'payment', '--when', '[]'],
      'takes a JSON object',
    ],
    [
      'a condition twice',
      ['--capability', 'payment', '--when', '{"args":{},"args":{}}'],
      'is not JSON',
    ],
    [
      'an unknown condition',
      ['--capability', 'payment', '--when', '{"argz":{}}'],
      'cannot hold `argz`',
    ],
    [
      'an unknown matcher',
      ['--capability', 'payment', '--when', '{"args":{"/a":{"lessthan":1}}}'],
      'lessthan',
    ],
    [
      'a limit',
      ['--capability', 'payment', '--when', '{"limit":{"max":1,"window":"1h"}}'],
      'cannot hold `limit`',
    ],
    [
      'the clock',
      ['--capability', 'payment', '--when', '{"time":{"days":["mon"],"zone":"UTC"}}'],
      'only a policy can',
    ],
    [
      'an actor in the conditions',
      ['--capability', 'payment', '--when', '{"actor":"*"}'],
      'cannot hold `actor`',
    ],
    ['a session of no call', ['--capability', 'payment', '--same-session'], '--like apr_'],
    [
      'an approver who is none',
      ['--capability', 'payment', '--as', 'carol'],
      'no approver is called `carol`',
    ],
    ['a request that is none', ['--like', 'apr_x'], 'apr_x'],
  ])('refuses %s', async (_, flags, why) => {
    const { run, pay } = await newPlace()
    const { code, out, err } = await run(['grants', 'create', ...flags])
    expect({ code: code > 0, out }).toEqual({ code: true, out: '' })
    expect(err).toContain(why)
    expect((await pay(1500)).decision).toBe('require_approval')
  })
})

describe('B12: with a list of approvers', () => {
  test('the passphrase signs it, and without it nothing is recorded', async () => {
    const { run, pay } = await newPlace(['alice'])
    const wrong = await run(small, ['not the passphrase'])
    expect(wrong).toMatchObject({ code: 2, out: '' })
    expect((await pay(1500)).decision).toBe('require_approval')
    const made = await run(small, [secrets.alice])
    expect(plain(made.out)).toBe('grt_ID given by alice: one call until TIME\n')
    expect((await pay(1500)).decision).toBe('allow')
  })

  test('two sign one grant, each with a passphrase, before it can be recorded', async () => {
    const { run, pay, folder } = await newPlace(['alice', 'bob'])
    const file = join(folder, 'payroll.grant')
    const both = [...small, '--as', 'alice', '--with', 'bob']
    expect(await run(both, [secrets.alice])).toMatchObject({ code: 2, out: '' })
    const half = await run([...both, '--out', file], [secrets.alice])
    expect(plain(half.out)).toContain('1 more must sign it with `capfence grants sign')
    expect(await run(['grants', 'import', file])).toMatchObject({ code: 1, out: '' })
    expect((await run(['grants', 'verify', file])).out).toContain('does not count')
    expect((await run(['grants', 'sign', file, '--as', 'bob'], [secrets.alice])).code).toBe(2)
    expect((await run(['grants', 'sign', file, '--as', 'bob'], [secrets.bob])).code).toBe(0)
    const verified = await run(['grants', 'verify', file])
    expect(verified.code).toBe(0)
    expect(verified.out).toContain('is signed by alice, bob')
    expect((await pay(1500)).decision).toBe('require_approval')
    expect((await run(['grants', 'import', file])).out).toContain('given by alice, bob')
    expect((await pay(1500)).decision).toBe('allow')
    const again = await run(['grants', 'import', file])
    expect(again).toMatchObject({ code: 1, out: '' })
    expect(again.err).toContain('a grant is recorded once')
  })

  test('a grant of one installation is worthless in another, though the keys are the same', async () => {
    const one = await newPlace(['alice'])
    const file = join(one.folder, 'payroll.grant')
    await one.run([...small, '--out', file], [secrets.alice])
    const other = await newPlace(['alice'])
    writeFileSync(
      join(other.folder, 'approvers.json'),
      readFileSync(join(one.folder, 'approvers.json')),
    )
    expect((await other.run(['grants', 'verify', file])).code).toBe(0)
    const taken = await other.run(['grants', 'import', file])
    expect(taken).toMatchObject({ code: 1, out: '' })
    expect(taken.err).toContain('it is a grant of another log')
  })

  test('a file that was changed is refused everywhere', async () => {
    const { run, folder } = await newPlace(['alice'])
    const file = join(folder, 'payroll.grant')
    await run([...small, '--out', file], [secrets.alice])
    const envelope = parseEnvelope(readFileSync(file, 'utf8').trim())
    const payload = Buffer.from(
      Buffer.from(envelope.payload).toString().replace('"lte":2000', '"lte":9000'),
    )
    writeFileSync(file, printEnvelope({ ...envelope, payload }))
    const verified = await run(['grants', 'verify', file, '--json'])
    expect(verified.code).toBe(1)
    expect(JSON.parse(verified.out)).toMatchObject({
      ok: false,
      complaint: 'a signature of it is wrong',
    })
    expect(await run(['grants', 'import', file])).toMatchObject({ code: 1, out: '' })
    writeFileSync(file, printEnvelope({ ...envelope, signatures: [] }))
    expect(await run(['grants', 'import', file])).toMatchObject({ code: 3, out: '' })
  })
})

describe('capfence grants', () => {
  test('list, show and revoke say where a grant stands', async () => {
    const { run, pay } = await newPlace()
    const none = await run(['grants', 'list'])
    expect(none).toMatchObject({ code: 0, out: '' })
    expect(none.err).toContain('no grant is in force')
    const made = await run([
      ...small,
      '--uses',
      '3',
      '--break-glass',
      '--reason',
      'incident 7',
      '--json',
    ])
    const { id } = JSON.parse(made.out) as { readonly id: string }
    await pay(1500)
    expect(plain((await run(['grants', 'list'])).out)).toBe(`grt_ID  payment.execute  emergency
  ops-agent in production, {"args":{"/amount":{"lte":2000}}}
  1 of 3 used, until TIME, by anyone
  reason incident 7
  in force
`)
    const shownText = (await run(['grants', 'show', id])).out
    expect(shownText).toContain('emergency yes: marked in the record of every call')
    expect(shownText).toContain('used      1 times')
    const revoked = await run(['grants', 'revoke', id, '--reason', 'over'])
    expect(plain(revoked.out)).toBe('grt_ID revoked by anyone: it covers no call any more\n')
    expect((await pay(1500)).decision).toBe('require_approval')
    expect((await run(['grants', 'list'])).out).toBe('')
    const [line] = (await run(['grants', 'list', '--all', '--json'])).out.split('\n')
    expect(JSON.parse(line ?? '')).toMatchObject({
      type: 'grant',
      id,
      used: 1,
      inForce: false,
      complaint: 'it was revoked',
      breakGlass: true,
    })
    expect((await run(['grants', 'revoke', id])).code).toBe(1)
    expect((await run(['grants', 'show', 'grt_x'])).code).toBe(1)
    const logged = await run(['logs', '--decision', 'allow', '--json'])
    expect(logged.out).toContain(`"grant":"${id}"`)
  })

  test('who was taken off the list is not named as an issuer any more', async () => {
    const { run } = await newPlace(['alice', 'bob'])
    await run([...small, '--as', 'bob'], [secrets.bob])
    await run(['keys', 'approver', 'remove', 'bob', '--by', 'alice'], [secrets.alice])
    expect((await run(['grants', 'list'])).out).toBe('')
    const all = await run(['grants', 'list', '--all'])
    expect(all.out).toContain('covers nothing: somebody has signed it who may not approve')
  })
})
