import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { capfence } from './capture.ts'

const folder = mkdtempSync(join(tmpdir(), 'capfence-policy-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const file = (name: string, text: string | Uint8Array): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const good = file(
  'good.yaml',
  `version: 1
deny:
  - id: no-rm-rf
    capability: filesystem.delete.workspace
    contains: 'rm -rf'
    message: not by an agent
require_approval:
  - capability: payment.execute
    amount_gt: 1000
allow:
  - id: small
    capability: payment.execute
    amount_lte: 1000
  - {id: read, capability: filesystem.read, path_prefix: /srv/data}
`,
)
const bad = file(
  'bad.yaml',
  `version: 1
alow:
  - capability: a.b
deny:
  - capability: a.b
    contian: x
`,
)
const other = file('other.yaml', 'version: 1\ndeny:\n  - {id: small, capability: a.b}\n')
const config = file(
  'capfence.mcp.json',
  JSON.stringify({
    environment: 'production',
    actor: 'ops-agent',
    policies: ['good.yaml'],
    mcpServers: {
      pay: {
        command: 'x',
        capfence: { tools: { transfer: { capability: 'payment.execute', risk: 'high' } } },
      },
      'fs/1': { command: 'x', capfence: { resource: 'filesystem.workspace' } },
    },
  }),
)

describe('policy check', () => {
  test('names the rules of a good policy', async () => {
    expect(await capfence(['policy', 'check', good])).toEqual({
      code: 0,
      out: `${good}: 4 rules (1 deny, 1 require_approval, 2 allow)\n`,
      err: '',
    })
  })

  test('B25: says everything that is wrong, each with its place, and exits with 1', async () => {
    const { code, out, err } = await capfence(['policy', 'check', good, bad])
    expect({ code, err }).toEqual({ code: 1, err: '' })
    expect(out).toBe(`${bad}:2:1: unknown key \`alow\` in a policy [policy-key]
capfence: hint: did you mean \`allow\`?
${bad}:6:5: unknown key \`contian\` in a rule [policy-key]
capfence: hint: did you mean \`contains\`?
${good}: 4 rules (1 deny, 1 require_approval, 2 allow)
`)
  })

  test('warns of what is hardly meant, which is a fault only with --strict', async () => {
    const lax = join(folder, 'lax.yaml')
    writeFileSync(lax, 'allow:\n  - "*"\n')
    const warned = `${lax}:2:5: warning: rule \`allow[0]\` allows every capability, also those of servers that are added later [policy-lint]
capfence: hint: name the resources that may be used, one rule each
${lax}: 1 rule (0 deny, 0 require_approval, 1 allow)
`
    expect(await capfence(['policy', 'check', lax])).toEqual({ code: 0, out: warned, err: '' })
    expect(await capfence(['policy', 'check', '--strict', lax])).toEqual({
      code: 1,
      out: warned,
      err: '',
    })
    expect((await capfence(['policy', 'check', '--strict', good])).code).toBe(0)
    const { out } = await capfence(['policy', 'check', '--json', lax])
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      problems: [],
      warnings: [{ line: 2, column: 5, code: 'policy-lint' }],
    })
  })

  test('warns, of the policies of a configuration, of rules that ask for what no call of a gate has', async () => {
    const roles = file('roles.yaml', 'deny:\n  - {id: guests, capability: a, role: guest}\n')
    const roleConfig = file(
      'roles.mcp.json',
      JSON.stringify({
        environment: 'x',
        policies: ['roles.yaml'],
        mcpServers: { a: { command: 'x' } },
      }),
    )
    const { code, out } = await capfence(['policy', 'check', '--strict', '--config', roleConfig])
    expect(code).toBe(1)
    expect(out).toContain(
      'roles.yaml:2:5: warning: rule `guests` can only be indeterminate, and applies unless another condition is false: no call has a `role` behind `capfence run` [policy-lint]\n',
    )
    // Who calls the library may say it.
    expect((await capfence(['policy', 'check', '--strict', roles])).code).toBe(0)
  })

  test('is a line of JSON for each file', async () => {
    const { code, out } = await capfence(['policy', 'check', '--json', good, bad])
    expect(code).toBe(1)
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      {
        schemaVersion: 1,
        type: 'check',
        file: good,
        ok: true,
        rules: 4,
        problems: [],
        warnings: [],
      },
      {
        schemaVersion: 1,
        type: 'check',
        file: bad,
        ok: false,
        problems: [
          {
            file: bad,
            line: 2,
            column: 1,
            message: 'unknown key `alow` in a policy',
            code: 'policy-key',
            hint: 'did you mean `allow`?',
          },
          {
            file: bad,
            line: 6,
            column: 5,
            message: 'unknown key `contian` in a rule',
            code: 'policy-key',
            hint: 'did you mean `contains`?',
          },
        ],
        warnings: [],
      },
    ])
  })

  test('files that are named are checked one by one, those of a configuration together', async () => {
    expect((await capfence(['policy', 'check', good, other])).code).toBe(0)
    const both = file(
      'both.json',
      JSON.stringify({
        environment: 'x',
        policies: ['good.yaml', 'other.yaml'],
        mcpServers: { a: { command: 'x' } },
      }),
    )
    const { code, out } = await capfence(['policy', 'check', '--config', both])
    expect(code).toBe(1)
    expect(out).toContain('the id `small`')
  })

  test('a file that cannot be read is not an answer', async () => {
    const { code, out, err } = await capfence(['policy', 'check', join(folder, 'none.yaml')])
    expect({ code, out }).toEqual({ code: 3, out: '' })
    expect(err).toContain(`cannot read the policy ${join(folder, 'none.yaml')}`)
  })

  test('nor is one that is not text', async () => {
    const binary = file('binary.yaml', Uint8Array.of(0xff, 0xfe, 0x00))
    const { code, err } = await capfence(['policy', 'check', binary])
    expect(code).toBe(3)
    expect(err).toContain('the file is not UTF-8 text')
  })
})

const hours = file(
  'hours.yaml',
  'allow: [{id: office, capability: a, time: {zone: UTC, between: ["09:00", "17:00"]}}]\n',
)
const early = file(
  'early.json',
  '{"actor":"a","resource":"a","action":"b","scope":"c","arguments":{}}',
)

test('policy explain says that it does not know what only a store knows', async () => {
  const limited = file(
    'limited.yaml',
    'allow: [{id: few, capability: a, limit: {max: 5, window: 1h}}]\n',
  )
  const { code, out } = await capfence(['policy', 'explain', limited, '--event', early])
  expect(code).toBe(1)
  expect(out).toContain('\n  state unknown: only the store of a gate knows')
  expect(out).toContain('indeterminate  limit: {max: 5, window: 1h}')
  const json = await capfence(['policy', 'explain', limited, '--event', early, '--json'])
  expect(JSON.parse(json.out)).toMatchObject({ stateUnknown: true })
  const plain = await capfence(['policy', 'explain', hours, '--event', early])
  expect(plain.out).not.toContain('unknown:')
})

describe('policy explain with a clock', () => {
  const at = (...args: readonly string[]): ReturnType<typeof capfence> =>
    capfence(['policy', 'explain', hours, '--event', early, ...args])

  test('decides for the time that is named, and says it', async () => {
    const open = await at('--at', '2026-11-25T09:00:00Z')
    expect(open.code).toBe(0)
    expect(open.out).toContain('\n  at 2026-11-25T09:00:00.000Z\n')
    const closed = await at('--at', '2026-11-25T17:00:00Z', '--json')
    expect(closed.code).toBe(1)
    expect(JSON.parse(closed.out)).toMatchObject({
      at: '2026-11-25T17:00:00.000Z',
      rules: [{ predicates: [{ value: 'false' }] }],
    })
  })

  test('decides for now when no time is named, and refuses what is none', async () => {
    expect((await at('--json')).out).toContain('"at":"')
    const { code, err } = await at('--at', 'tea time')
    expect(code).toBe(2)
    expect(err).toContain('`tea time` is no point in time')
  })
})

describe('policy explain', () => {
  const explain = (...args: readonly string[]): ReturnType<typeof capfence> =>
    capfence(['policy', 'explain', '--config', config, ...args])

  test('names every rule that fits and what its predicates gave', async () => {
    const { code, out, err } = await explain(
      '--server',
      'pay',
      '--tool',
      'transfer',
      '--arguments',
      '{"amount": 1000.00000000000000001}',
    )
    expect({ code, err }).toEqual({ code: 1, err: '' })
    expect(out).toBe(`require_approval  payment.execute.production
  rule \`require_approval[0]\` (${good}:8) asks for approval
  once the person responsible has approved it, repeat the same call unchanged; rule \`require_approval[0]\` (${good}:8) does not apply to an amount of at most 1000
  actor ops-agent, environment production, risk high

rules whose capability fits:
  require_approval require_approval[0]  ${good}:8:5  applies (true)
    true           amount_gt: 1000
  allow small  ${good}:11:5  does not apply (false)
    false          amount_lte: 1000
`)
  })

  test('exits with 0 only for what would be allowed', async () => {
    const pay = ['--server', 'pay', '--tool', 'transfer', '--arguments']
    expect((await explain(...pay, '{"amount": 1000}')).code).toBe(0)
    expect((await explain(...pay, '{"amount": "1,000"}')).code).toBe(1)
    expect((await explain(...pay, '{}')).code).toBe(1)
    expect((await explain('--server', 'fs/1', '--tool', 'move')).code).toBe(1)
  })

  test('shows what could not be evaluated as what it is', async () => {
    const { out } = await explain(
      ...['--server', 'pay', '--tool', 'transfer', '--arguments', '{"amount": "1,000"}'],
    )
    expect(out).toContain('    indeterminate  amount_gt: 1000\n')
    expect(out).toContain('applies (indeterminate)')
  })

  test('is one JSON object, for programs', async () => {
    const { code, out } = await explain(
      ...['--json', '--server', 'pay', '--tool', 'transfer', '--arguments', '{"amount": 5}'],
    )
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      schemaVersion: 1,
      type: 'explanation',
      decision: 'allow',
      reason: 'rule',
      actor: 'ops-agent',
      capability: 'payment.execute.production',
      environment: 'production',
      risk: 'high',
      server: 'pay',
      tool: 'transfer',
      deciding: ['small'],
      rules: [
        { id: 'require_approval[0]', effect: 'require_approval', applies: false, value: 'false' },
        {
          id: 'small',
          effect: 'allow',
          file: good,
          line: 11,
          column: 5,
          applies: true,
          value: 'true',
          predicates: [{ predicate: 'amount_lte: 1000', value: 'true' }],
        },
      ],
    })
  })

  test('takes the arguments from a file, too', async () => {
    const args = file('arguments.json', '{"amount": 1000.00000000000000001}')
    const given = (text: string): ReturnType<typeof capfence> =>
      explain('--server', 'pay', '--tool', 'transfer', '--args', text)
    expect((await given(`@${args}`)).out).toContain('require_approval  payment.execute.production')
    const missing = await given('@none.json')
    expect(missing).toMatchObject({ code: 2, out: '' })
    expect(missing.err).toContain('cannot read the arguments `none.json`')
  })

  test('takes a whole event, with policies of its own and no configuration', async () => {
    const event = file(
      'event.json',
      JSON.stringify({
        actor: 'ops-agent',
        action: 'delete',
        resource: 'filesystem.workspace',
        environment: 'development',
        risk: 'critical',
        arguments: { command: 'rm -rf /var/lib/postgresql' },
      }),
    )
    const { code, out } = await capfence(['policy', 'explain', good, '--event', event])
    expect(code).toBe(1)
    expect(out).toContain('deny  filesystem.delete.workspace\n')
    expect(out).toContain(`rule \`no-rm-rf\` (${good}:3) denies it\n  message: not by an agent\n`)
  })

  const wrong: readonly (readonly [args: readonly string[], message: string, hint?: string])[] = [
    [[], 'which call is to be explained', 'write `--server NAME --tool NAME'],
    [['--server', 'pay'], 'which call is to be explained'],
    [
      ['--server', 'pya', '--tool', 'x'],
      `there is no server \`pya\` in ${config}`,
      'did you mean `pay`?',
    ],
    [['--server', 'pay', '--tool', 'x', '--arguments', '{"a":1,"a":2}'], '`--arguments`: '],
    [
      ['--server', 'pay', '--tool', 'x', '--arguments', '[]'],
      '`--arguments` must be a JSON object',
    ],
    [['--server', 'pay', '--tool', 'x', '--arguments', '{a}'], '`--arguments`: '],
    [['--event', 'x', '--tool', 'y'], '`--event` and `--tool` do not go together'],
    [['--event', '/nonexistent.json'], 'cannot read the event `/nonexistent.json`'],
    [
      ['--event', file('misspelt.json', '{"actor":"a","action":"b","ressource":"c"}')],
      'unknown field `ressource`',
      'did you mean `resource`?',
    ],
    [
      ['--event', file('payload.json', '{"actor":"a","action":"b","resource":"c","payload":{}}')],
      'unknown field `payload`',
      'the arguments of the tool go into `arguments`',
    ],
  ]
  for (const [args, message, hint = ''] of wrong) {
    test(`${args.join(' ')} is wrong use: ${message}`, async () => {
      const { code, out, err } = await explain(...args)
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toContain(`capfence: ${message}`)
      expect(err).toContain(hint)
    })
  }

  test('a broken policy gives no answer, and says why', async () => {
    const { code, out, err } = await explain('--server', 'pay', '--tool', 'x', bad)
    expect({ code, out }).toEqual({ code: 3, out: '' })
    expect(err).toBe(`capfence: ${bad}:2:1: unknown key \`alow\` in a policy [policy-key]
capfence: hint: did you mean \`allow\`?
capfence: ${bad}:6:5: unknown key \`contian\` in a rule [policy-key]
capfence: hint: did you mean \`contains\`?
`)
  })
})
