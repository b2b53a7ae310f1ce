import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { capfence } from './capture.ts'
import { TestLog, withLog } from './a-log.ts'

/** One call of every kind. */
async function everyKind(log: TestLog): Promise<void> {
  await log.call({ tool: 'read_file', arguments: { path: 'notes.txt' }, outcome: 'ok' })
  await log.call({ tool: 'delete_path', arguments: { command: 'rm -rf /var/lib' } })
  await log.call({ tool: 'execute_payment', arguments: { amount: 5000 }, actor: 'billing' })
  await log.call({ tool: 'execute_payment', arguments: { amount: 10 }, outcome: 'tool_error' })
  await log.refuse('duplicate_key')
  await log.call({ tool: 'unheard_of', arguments: {} })
  await log.call({ tool: 'read_file', arguments: { path: 'open.txt' } })
}

interface Line {
  readonly type: string
  readonly seq: number
  readonly decision: string
  readonly [name: string]: unknown
}

function parsed(out: string): readonly Line[] {
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
}

async function lines(log: TestLog, ...args: readonly string[]): Promise<readonly Line[]> {
  const { code, out } = await capfence(['logs', '--storage', log.path, '--json', ...args])
  expect(code).toBe(0)
  return parsed(out)
}

describe('the table', () => {
  test('shows every decision and every refused message, oldest first', async () => {
    await withLog(everyKind, async (log) => {
      expect(await capfence(['logs', '--storage', log.path])).toEqual({
        code: 0,
        err: '',
        out: `SEQ  TIME                  DECISION          TOOL                 ACTOR        WHY             OUTCOME          ARGUMENTS
3    2026-11-25 13:00:01Z  allow             ops.read_file        agent        read-workspace  ok 12ms          {"path":"notes.txt"}
5    2026-11-25 13:00:02Z  deny              ops.delete_path      agent        no-rm-rf        -                {"command":"rm -rf /var/lib"}
6    2026-11-25 13:00:03Z  require_approval  ops.execute_payment  billing      large-payment   -                {"amount":5000}
8    2026-11-25 13:00:04Z  allow             ops.execute_payment  agent        small-payment   tool_error 12ms  {"amount":10}
10   2026-11-25 13:00:05Z  refused           -                    claude-code  duplicate_key   -                a message of 13 bytes
11   2026-11-25 13:00:06Z  deny              ops.unheard_of       agent        default         -                {}
12   2026-11-25 13:00:07Z  allow             ops.read_file        agent        read-workspace  none yet         {"path":"open.txt"}
`,
      })
    })
  })

  test('is cut at the edge of a terminal, and not in a pipe', async () => {
    const write = async (log: TestLog): Promise<void> => {
      await log.call({ tool: 'read_file', arguments: { path: 'x'.repeat(300) } })
    }
    await withLog(write, async (log) => {
      const args = ['logs', '--storage', log.path]
      const { out } = await capfence(args, { columns: 120 })
      const widths = out
        .trimEnd()
        .split('\n')
        .map((line) => line.length)
      expect(Math.max(...widths)).toBe(120)
      expect((await capfence(args)).out).toContain(`{"path":"${'x'.repeat(300)}"}`)
    })
  })

  test('has colours only where the output has', async () => {
    await withLog(everyKind, async (log) => {
      const args = ['logs', '--storage', log.path, '--decision', 'deny']
      const plain = await capfence(args)
      const coloured = await capfence(args, { hasColour: true })
      expect(plain.out).not.toContain('\u001B')
      expect(coloured.out).toContain('\u001B[31mdeny\u001B[39m')
      // oxlint-disable-next-line no-control-regex -- colours are what is looked for
      expect(coloured.out.replaceAll(/\u001B\[\d+m/g, '')).toBe(plain.out)
    })
  })

  test('says where observe mode let a call pass', async () => {
    const write = async (log: TestLog): Promise<void> => {
      await log.call({ tool: 'delete_path', arguments: { command: 'rm -rf /' }, outcome: 'ok' })
    }
    await withLog(
      write,
      async (log) => {
        const { out } = await capfence(['logs', '--storage', log.path])
        expect(out).toContain('deny (observed)')
        expect(await lines(log)).toMatchObject([
          { decision: 'deny', mode: 'observe', forwarded: true, outcome: { status: 'ok' } },
        ])
      },
      { mode: 'observe' },
    )
  })
})

test('a line of JSON says everything about a call', async () => {
  await withLog(everyKind, async (log) => {
    const [first] = await lines(log, '--decision', 'deny')
    const { call, policyHash, rules, ...rest } = first ?? { type: '', seq: -1, decision: '' }
    expect(call).toMatch(/^00000000-0000-7000-8000-\d{12}$/)
    expect(policyHash).toMatch(/^[0-9a-f]{64}$/)
    expect(rules).toMatchObject([
      {
        id: 'no-rm-rf',
        effect: 'deny',
        file: 'policies/ops.yaml',
        value: 'true',
        predicates: [{ predicate: "contains: 'rm -rf'", value: 'true' }],
      },
    ])
    expect(rest).toEqual(lineOfADenial)
  })
})

const lineOfADenial = {
  schemaVersion: 1,
  type: 'decision',
  seq: 5,
  time: '2026-11-25T13:00:02.012Z',
  decision: 'deny',
  reason: 'rule',
  rulesOmitted: 0,
  mode: 'enforce',
  forwarded: false,
  server: 'ops',
  tool: 'delete_path',
  actor: 'agent',
  client: 'claude-code',
  session: null,
  role: null,
  tenant: null,
  capability: 'filesystem.delete.workspace',
  environment: 'development',
  risk: 'high',
  approval: null,
  grant: null,
  toolDefinitionHash: null,
  outcome: null,
  argumentsHidden: [],
  argumentsWithheld: 0,
  arguments: { command: 'rm -rf /var/lib' },
}

describe('filters', () => {
  const cases: readonly (readonly [args: string, ...seqs: number[]])[] = [
    ['', 3, 5, 6, 8, 10, 11, 12],
    ['--decision allow', 3, 8, 12],
    ['--decision deny', 5, 11],
    ['--decision require_approval', 6],
    ['--decision refused', 10],
    ['--server ops', 3, 5, 6, 8, 11, 12],
    ['--server other'],
    ['--tool read_file', 3, 12],
    ['--tool READ_FILE'],
    ['--actor billing', 6],
    ['--actor agent --decision deny', 5, 11],
    ['--since 2026-11-25T13:00:05Z', 10, 11, 12],
    ['--until 2026-11-25T13:00:05Z', 3, 5, 6, 8],
    ['--since 2026-11-25T14:00:03+01:00 --until 2026-11-25T13:00:05Z', 6, 8],
    ['--since 1h', 3, 5, 6, 8, 10, 11, 12],
    ['--since 59m'],
    ['--limit 2', 11, 12],
    ['--limit 1 --decision deny', 11],
    ['--limit 0'],
    ['--limit 1000', 3, 5, 6, 8, 10, 11, 12],
    ['--orphans', 12],
    ['--orphans --tool execute_payment'],
    ['--orphans --limit 0'],
  ]
  test('each shows what it asks for', async () => {
    await withLog(everyKind, async (log) => {
      for (const [args, ...seqs] of cases) {
        const found = await lines(log, ...args.split(' ').filter((word) => word !== ''))
        expect([args, ...found.map(({ seq }) => seq)]).toEqual([args, ...seqs])
      }
    })
  })

  test('nothing found is said on the side of complaints, and is no failure', async () => {
    await withLog(everyKind, async (log) => {
      expect(await capfence(['logs', '--storage', log.path, '--actor', 'nobody'])).toEqual({
        code: 0,
        out: '',
        err: 'capfence: nothing in the log matches\n',
      })
    })
  })

  const wrong: readonly (readonly [args: string, message: string])[] = [
    ['--since yesterday', '`yesterday` is no point in time'],
    ['--since 2026-02-30T00:00:00Z', '`2026-02-30T00:00:00Z` is no point in time'],
    ['--since 2026-11-25T14:00:00', '`2026-11-25T14:00:00` is no point in time'],
    ['--until -5m', '`-5m` is no point in time'],
    ['--limit many', '`--limit many` is no number of entries'],
    ['--limit -1', '`--limit -1` is no number of entries'],
    ['--orphans --follow', '`--orphans` and `--follow` do not go together'],
    ['--decision maybe', 'option `--decision <decision>` argument `maybe` is invalid'],
  ]
  test.each(wrong)('%s is wrong use', async (args, message) => {
    const { code, out, err } = await capfence(['logs', ...args.split(' ')])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(`capfence: ${message}`)
  })
})

test('B27: what looks like a secret is neither in the table nor in the JSON', async () => {
  const secrets = ['hunter2-a', 'ghp_aaaaaaaaaaaaaaaaaaaaaaaa', 'hunter2-b', 'hunter2-c']
  const write = async (log: TestLog): Promise<void> => {
    await log.call({
      tool: 'read_file',
      arguments: {
        password: secrets[0],
        note: `use ${secrets[1]} for it`,
        nested: { headers: [{ name: 'Authorization', value: secrets[2] }], plain: 'seen' },
        command: `curl -H 'Authorization: Bearer ${secrets[3]}xxxxx' https://x`,
      },
    })
  }
  await withLog(write, async (log) => {
    const table = await capfence(['logs', '--storage', log.path])
    const json = await capfence(['logs', '--storage', log.path, '--json'])
    for (const secret of secrets) {
      expect(table.out).not.toContain(secret)
      expect(json.out).not.toContain(secret)
    }
    expect(table.out).toContain(' and 1 argument withheld')
    expect(parsed(json.out)).toMatchObject([
      {
        argumentsHidden: ['/nested/headers/0/value', '/command', '/note'],
        argumentsWithheld: 1,
        arguments: {
          note: 'use [hidden] for it',
          nested: { headers: [{ name: 'Authorization', value: '[hidden]' }], plain: 'seen' },
          command: "curl -H 'Authorization: Bearer [hidden]' https://x",
        },
      },
    ])
  })
})

test('B30: nothing that an agent sent reaches the terminal as anything but visible text', async () => {
  const evil = '\u001B[2J\u001B]0;x\u0007\u009B31m\u202Etxt.exe\u200B\u{E0041}\uFE0F\r\n2 allow'
  const write = async (log: TestLog): Promise<void> => {
    await log.call({ tool: `evil ${evil}`, arguments: { [evil]: evil, path: evil } })
    await log.call({ tool: 'execute_payment', arguments: { amount: 5000, note: evil } })
  }
  await withLog(write, async (log) => {
    for (const args of ['logs', 'logs --json', 'approvals list --all']) {
      const { out } = await capfence([...args.split(' '), '--storage', log.path])
      expect(out).not.toBe('')
      expect(out.replaceAll('\n', '')).not.toMatch(
        /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u,
      )
      expect(out).toContain('202e')
    }
    // In JSON it still is what was sent, to the character.
    expect(await lines(log, '--decision', 'require_approval')).toMatchObject([
      { arguments: { note: evil } },
    ])
  })
})

test('B21: numbers are shown as they were written', async () => {
  const log = new TestLog()
  try {
    const { scanStrict, wanted } = await import('../../src/json/scan.ts')
    const text = '{"amount":1000.00000000000000001,"big":9007199254740993,"tiny":1e-400}'
    const { value } = scanStrict(Buffer.from(text), wanted({}))
    await log.call({ tool: 'execute_payment', arguments: value as Record<string, unknown> })
    const { out } = await capfence(['logs', '--storage', log.path, '--json'])
    expect(out).toContain(`"arguments":${text}}\n`)
  } finally {
    await log.end()
    log.remove()
  }
})

describe('following', () => {
  test('prints what comes, and how calls end that were open', async () => {
    const log = new TestLog()
    try {
      await log.call({ tool: 'read_file', arguments: { path: 'before' }, outcome: 'ok' })
      const open = await log.call({ tool: 'read_file', arguments: { path: 'open' } })
      const seen: string[] = []
      const written = (async () => {
        await until(() => seen.length > 0)
        await log.call({ tool: 'delete_path', arguments: { command: 'rm -rf /' } })
        if (open.authorized) await log.settle(open, 'timeout')
      })()
      const { code } = await capfence(
        ['logs', '--storage', log.path, '--json', '--follow', '--limit', '1'],
        {
          onAnswer: (text, stop) => {
            seen.push(text)
            const found = parsed(seen.join(''))
            if (found.some(({ type }) => type === 'outcome') && found.length >= 3) stop()
          },
        },
      )
      await written
      expect(code).toBe(0)
      const found = parsed(seen.join(''))
      expect(found.filter(({ type }) => type === 'decision')).toMatchObject([
        { arguments: { path: 'open' }, outcome: null },
        { arguments: { command: 'rm -rf /' }, decision: 'deny' },
      ])
      expect(found.filter(({ type }) => type === 'outcome')).toMatchObject([
        { decisionSeq: open.decisionSeq, call: open.callId, status: 'timeout', ms: 1012 },
      ])
    } finally {
      await log.end()
      log.remove()
    }
  })

  test('ends when the reader is gone', async () => {
    await withLog(everyKind, async (log) => {
      const { code, err } = await capfence(['logs', '--storage', log.path, '--follow'], {
        onAnswer: (_, stop) => stop(),
      })
      expect({ code, err }).toEqual({ code: 0, err: '' })
    })
  })
})

describe('a log that is not there', () => {
  test('is an error and not an empty table, and is not made', async () => {
    const missing = '/nonexistent/log.db'
    expect(await capfence(['logs', '--storage', missing])).toEqual({
      code: 3,
      out: '',
      err: `capfence: there is no log at \`${missing}\`
capfence: hint: the first \`capfence run\` makes it; name another one with \`--storage\` or \`--config\`
`,
    })
  })

  test('neither is a file that is something else', async () => {
    const { code, out, err } = await capfence(['logs', '--storage', 'package.json'])
    expect({ code, out }).toEqual({ code: 3, out: '' })
    expect(err).toContain('capfence: ')
  })
})

test('a log is only read: not a byte of it changes', async () => {
  await withLog(everyKind, async (log) => {
    const before = readFileSync(log.path)
    await lines(log)
    await capfence(['approvals', 'list', '--storage', log.path])
    expect(readFileSync(log.path).equals(before)).toBe(true)
  })
})

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}
