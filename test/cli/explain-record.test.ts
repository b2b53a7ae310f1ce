import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { TestLog, withLog } from './a-log.ts'
import type { TestLogOptions } from './a-log.ts'
import { capfence } from './capture.ts'
import type { Captured } from './capture.ts'

const folder = mkdtempSync(join(tmpdir(), 'capfence-explain-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const ofRecord = (log: TestLog, seq: number, ...args: readonly string[]): Promise<Captured> =>
  capfence(['policy', 'explain', '--storage', log.path, '--seq', String(seq), ...args])

/** The first call of a log is decided at 3. */
const first = 3

interface Rule {
  readonly id: string
  readonly value: string
  readonly applies: boolean | null
  readonly predicates: readonly { readonly predicate: string; readonly value: string }[]
}

interface Data {
  readonly decision: string | null
  readonly recorded: Readonly<Record<string, unknown>>
  readonly rules: readonly Rule[]
  readonly today: Readonly<Record<string, unknown>> | null
}

async function dataOf(log: TestLog, ...args: readonly string[]): Promise<Data> {
  return JSON.parse((await ofRecord(log, first, '--json', ...args)).out) as Data
}

/** What became of one call with these arguments, asked about with `--json`. */
async function explained(
  args: Readonly<Record<string, unknown>>,
  options: TestLogOptions & { readonly tool?: string; readonly today?: string } = {},
): Promise<Data> {
  const { tool = 'execute_payment', today, ...rest } = options
  return withLog(
    (log) => log.call({ tool, arguments: args }).then(() => undefined),
    (log) => dataOf(log, ...(today === undefined ? [] : [today])),
    rest,
  )
}

describe('why a call was decided as it was', () => {
  test('is said by the policy of that time, rule by rule', async () => {
    const write = async (log: TestLog): Promise<void> => {
      await log.call({ tool: 'execute_payment', arguments: { amount: 5000 }, actor: 'billing' })
    }
    await withLog(write, async (log) => {
      expect(await ofRecord(log, first)).toEqual({
        code: 1,
        err: '',
        out: `record 3, 2026-11-25T13:00:01.000Z: require_approval by \`large-payment\`, not forwarded
  arguments {"amount":5000}

require_approval  payment.execute.high_value
  rule \`large-payment\` (policies/ops.yaml:13) asks for approval
  message: payments over 1000 need a person
  once the person responsible has approved it, repeat the same call unchanged; rule \`large-payment\` (policies/ops.yaml:13) does not apply to an amount of at most 1000
  actor billing, environment development, risk medium

rules whose capability fits:
  require_approval large-payment  policies/ops.yaml:13:5  applies (true)
    true           amount_gt: 1000
  allow small-payment  policies/ops.yaml:20:5  does not apply (false)
    true           amount_gte: 0
    false          amount_lte: 1000

today's policy was not asked
`,
      })
    })
  })

  test('is said for programs, with what was recorded', async () => {
    expect(await explained({ amount: '12.50' })).toMatchObject({
      schemaVersion: 1,
      type: 'explanation',
      decision: 'allow',
      deciding: ['small-payment'],
      recorded: {
        seq: first,
        decision: 'allow',
        reason: 'rule',
        deciding: ['small-payment'],
        forwarded: true,
        mode: 'enforce',
        argumentsKept: true,
        argumentsWithheld: 0,
        argumentsMissing: [],
      },
      today: null,
    })
  })

  test('and exits with 0 for what was allowed', async () => {
    const write = async (log: TestLog): Promise<void> => {
      await log.call({ tool: 'read_file', arguments: { path: 'a' } })
      await log.call({ tool: 'delete_path', arguments: { command: 'rm -rf /' } })
    }
    await withLog(write, async (log) => {
      expect((await ofRecord(log, first)).code).toBe(0)
      expect((await ofRecord(log, first + 1)).code).toBe(1)
    })
  })

  test('a number keeps its digits in the log, and so in what is said of it', async () => {
    const { decision } = await explained({ amount: 10n ** 30n + 1n })
    expect(decision).toBe('require_approval')
    expect((await explained({ amount: '1000.00000000000000001' })).decision).toBe(
      'require_approval',
    )
  })
})

describe('files that govern together', () => {
  const base = file('base.yaml', 'deny: [{id: base, capability: payment, amount_gt: 9}]\n')
  const top = file('top.yaml', 'extends: base.yaml\nallow: [{id: top, capability: payment}]\n')

  test('are all of them in the log, also those that others extend', async () => {
    const options = { policies: [top], folder }
    const denied = await explained({ amount: 10 }, options)
    expect(denied).toMatchObject({ decision: 'deny', deciding: ['base'] })
    expect(denied.rules.map(({ id }) => id)).toEqual(['base', 'top'])
    expect(await explained({ amount: 9 }, options)).toMatchObject({ decision: 'allow' })
    expect((await explained({ amount: 9 }, { policies: [base, top], folder })).rules).toHaveLength(
      2,
    )
  })

  test('a file that has changed since is not asked', async () => {
    const changing = file('changing.yaml', 'allow: [{id: old, capability: payment}]\n')
    const write = async (log: TestLog): Promise<void> => {
      await log.call({ tool: 'execute_payment', arguments: { amount: 1 } })
    }
    await withLog(
      write,
      async (log) => {
        file('changing.yaml', 'deny: [{id: new, capability: payment}]\n')
        expect(await dataOf(log)).toMatchObject({ decision: 'allow', deciding: ['old'] })
      },
      { policies: [changing], folder },
    )
  })
})

describe("today's policy", () => {
  const write = async (log: TestLog): Promise<void> => {
    await log.call({ tool: 'execute_payment', arguments: { amount: 10 } })
  }
  const policy = 'allow: [{id: any, capability: payment, amount_lte: 100}]\n'
  const then = file('then.yaml', policy)
  const governed = { policies: [then], folder }

  test('may be the same', async () => {
    await withLog(
      write,
      async (log) => {
        const same = file('same.yaml', policy)
        expect((await ofRecord(log, first, same)).out).toMatch(/\ntoday's policy is the same\n$/)
        expect((await dataOf(log, same)).today).toMatchObject({
          isSamePolicy: true,
          saysTheSame: true,
        })
      },
      governed,
    )
  })

  test('may be another that says the same, or something else', async () => {
    await withLog(
      write,
      async (log) => {
        const alike = file('alike.yaml', 'allow: [{id: all, capability: "*"}]\n')
        const strict = file('strict.yaml', 'deny: [{id: none, capability: payment}]\n')
        const [one, other] = [await ofRecord(log, first, alike), await ofRecord(log, first, strict)]
        expect(one.out).toContain(
          `\ntoday's policy is another, and says the same: allow; rule \`all\` (`,
        )
        expect(other.out).toContain(`\ntoday's policy is another, and says: deny; rule \`none\` (`)
        // What was decided then is what the exit code says.
        expect(other.code).toBe(0)
        expect((await dataOf(log, strict)).today).toMatchObject({
          isSamePolicy: false,
          saysTheSame: false,
          decision: 'deny',
          deciding: ['none'],
        })
      },
      governed,
    )
  })

  test('comes from the configuration, as the log does', async () => {
    await withLog(
      write,
      async (log) => {
        const config = file(
          'capfence.mcp.json',
          JSON.stringify({
            environment: 'x',
            policies: ['then.yaml'],
            storage: `sqlite:${log.path}`,
            mcpServers: { ops: { command: 'x' } },
          }),
        )
        const args = ['policy', 'explain', '--config', config, '--seq', String(first)]
        expect((await capfence(args)).out).toMatch(/\ntoday's policy is the same\n$/)
      },
      governed,
    )
  })

  test('that is broken is said, and is no reason not to say what it was', async () => {
    await withLog(
      write,
      async (log) => {
        const broken = file('broken.yaml', 'alow: []\n')
        const { code, out, err } = await ofRecord(log, first, broken)
        expect(code).toBe(0)
        expect(out).toContain('allow any')
        expect(out).toContain("today's policy was not asked")
        expect(err).toContain('unknown key `alow`')
      },
      governed,
    )
  })
})

describe('what the log does not keep is unknown', () => {
  const rules = file(
    'partial.yaml',
    `deny:
  - {id: text, capability: payment, contains: forbidden}
  - {id: aimed, capability: payment, args: {/to: {eq: thief}}}
  - {id: both, capability: payment, contains: forbidden, environment: lab}
  - {id: logic, capability: payment, not: {any: [{contains: fine}, {actor: other}]}, actor: nobody}
allow:
  - {id: nested, capability: payment, args: {/db/password: {eq: x}}}
  - {id: pay, capability: payment, args: {/amount: {lte: 10}}}
`,
  )
  const governed = { policies: [rules], folder }
  const valueOf = ({ rules: all }: Data, id: string): string | undefined =>
    all.find((rule) => rule.id === id)?.value

  test('all of it where only digests are kept', async () => {
    for (const disclosure of ['digest-only', 'none'] as const) {
      const data = await explained({ amount: 5, to: 'friend' }, { ...governed, disclosure })
      expect(data.decision).toBe(null)
      expect(data.recorded).toMatchObject({ decision: 'allow', argumentsKept: false })
      expect(['text', 'aimed', 'nested', 'pay'].map((id) => valueOf(data, id))).toEqual(
        Array.from({ length: 4 }, () => 'unknown'),
      )
      // The environment is known, and one predicate that is false is enough.
      expect(data.rules.find(({ id }) => id === 'both')).toMatchObject({
        value: 'false',
        applies: false,
        predicates: [{ value: 'unknown' }, { value: 'false' }],
      })
      expect(valueOf(data, 'logic')).toBe('false')
    }
  })

  test('of an argument that is withheld for its name, only what may look at it', async () => {
    const data = await explained({ amount: 5, to: 'friend', api_key: 'x' }, governed)
    expect(data.recorded).toMatchObject({ argumentsKept: false, argumentsWithheld: 1 })
    expect(['text', 'aimed', 'nested', 'both', 'pay'].map((id) => valueOf(data, id))).toEqual([
      'unknown',
      'false',
      'indeterminate',
      'false',
      'true',
    ])
    expect(data.decision).toBe(null)
  })

  test('of a value inside of an argument, what leads there', async () => {
    const args = { amount: 5, db: { password: 'x', host: 'h' }, to: 'friend' }
    const data = await explained(args, governed)
    expect(data.recorded).toMatchObject({
      argumentsWithheld: 0,
      argumentsMissing: ['/db/password'],
    })
    expect(['aimed', 'nested', 'pay'].map((id) => valueOf(data, id))).toEqual([
      'false',
      'unknown',
      'true',
    ])
  })

  test('of a value that was too long to be kept', async () => {
    const data = await explained({ amount: 5, to: 'a', note: 'x'.repeat(300_000) }, governed)
    expect(data.recorded['argumentsMissing']).toEqual(['/note'])
    expect(valueOf(data, 'text')).toBe('unknown')
    expect(valueOf(data, 'pay')).toBe('true')
  })

  test('but a rule that denies for certain denies', async () => {
    const data = await explained({ to: 'thief', token: 'x' }, governed)
    expect(data).toMatchObject({ decision: 'deny', deciding: ['aimed'] })
  })

  test('and what is allowed today is not guessed either', async () => {
    const write = async (log: TestLog): Promise<void> => {
      await log.call({ tool: 'execute_payment', arguments: { amount: 5, to: 'a', token: 'x' } })
    }
    await withLog(
      write,
      async (log) => {
        const today = file('today.yaml', 'deny: [{id: t, capability: payment, contains: x}]\n')
        const { out } = await ofRecord(log, first, today)
        expect(out).toContain('unknown  payment.execute.high_value\n  what the log does not keep')
        expect(out).toContain(
          '  of 1 of them the log keeps nothing but a digest, and not their names\n  what looks at them is unknown below\n',
        )
        expect(out).toContain('    unknown        contains: forbidden\n')
        expect(out).toContain('deny text')
        expect(out).toContain('may apply (unknown)')
        expect(out).toMatch(/\nwhat today's policy says depends on what the log does not keep\n$/)
        expect((await dataOf(log, today)).today).toMatchObject({ saysTheSame: null })
      },
      governed,
    )
  })

  test('B27: no value of a secret is shown, whether it is kept or not', async () => {
    const write = async (log: TestLog): Promise<void> => {
      const command = 'curl -H "Authorization: Bearer abcdefghijklmnop" https://x.example'
      await log.call({ tool: 'delete_path', arguments: { command, password: 'hunter2hunter2' } })
    }
    await withLog(write, async (log) => {
      for (const args of [[], ['--json']]) {
        const { out } = await ofRecord(log, first, ...args)
        expect(out).not.toMatch(/abcdefghijklmnop|hunter2/)
      }
    })
  })
})

describe('what is no decision', () => {
  const write = async (log: TestLog): Promise<void> => {
    await log.call({ tool: 'read_file', arguments: { path: 'a' }, outcome: 'ok' })
  }

  test('is wrong use, and says where the decision is', async () => {
    await withLog(write, async (log) => {
      const cases = [
        [0, 'record 0 is `log.open`, and no decision', 'the first column of'],
        [4, 'record 4 is `outcome`, and no decision', 'it belongs to the decision 3: `--seq 3`'],
        [99, 'the log has no record 99', 'the first column of'],
      ] as const
      for (const [seq, message, hint] of cases) {
        const { code, out, err } = await ofRecord(log, seq)
        expect({ code, out }).toEqual({ code: 2, out: '' })
        expect(err).toContain(`capfence: ${message}\ncapfence: hint: ${hint}`)
      }
    })
  })

  test.each([
    [['--seq', '-1'], '`--seq` is `-1`; expected the number of a record'],
    [['--seq', '1e3'], '`--seq` is `1e3`; expected'],
    [['--seq', '3', '--tool', 'x'], '`--seq` and `--tool` do not go together'],
    [['--seq', '3', '--event', 'x'], '`--seq` and `--event` do not go together'],
    [['--seq', '3', '--at', '1h'], '`--seq` and `--at` do not go together'],
  ])('%s', async (args, message) => {
    await withLog(write, async (log) => {
      const { code, out, err } = await capfence([
        ...['policy', 'explain', '--storage', log.path, ...args],
      ])
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toContain(`capfence: ${message}`)
    })
  })

  test('a log that is not there is not an answer', async () => {
    const { code, out } = await capfence([
      ...['policy', 'explain', '--storage', join(folder, 'none.db'), '--seq', '3'],
    ])
    expect({ code, out }).toEqual({ code: 3, out: '' })
  })
})
