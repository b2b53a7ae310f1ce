import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { sealedTrace } from '../../src/replay/trace-lines.ts'
import { cli } from '../support/dist.ts'
import { root } from '../support/root.ts'
import { policyBeside, stateful, statefulCalls, withTrace } from './a-trace.ts'
import { capfence } from './capture.ts'

const folder = mkdtempSync(join(tmpdir(), 'capfence-reports-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const fixture = (name: string): string => join(root, 'fixtures/traces', name)
const agents = fixture('agents.yaml')

interface Reports {
  readonly code: number
  readonly html: string
  readonly markdown: string
}

async function reportsOf(trace: string, ...flags: readonly string[]): Promise<Reports> {
  const [html, markdown] = [join(folder, 'report.html'), join(folder, 'report.md')]
  const files = ['--html', html, '--markdown', markdown]
  const { code, err } = await capfence(['replay', trace, ...files, ...flags])
  expect(err).toBe('')
  return { code, html: readFileSync(html, 'utf8'), markdown: readFileSync(markdown, 'utf8') }
}

describe('the traces of our own, in the shape of the original', () => {
  test.each([
    ['safe.jsonl', 0, 12, 0],
    ['financial.jsonl', 1, 16, 7],
    ['adversarial.jsonl', 1, 16, 12],
  ])('%s', async (name, code, calls, different) => {
    const { out, ...answered } = await capfence([
      'replay',
      fixture(name),
      '--policy',
      agents,
      '--json',
    ])
    expect(answered).toEqual({ code, err: '' })
    expect(JSON.parse(out)).toMatchObject({ counts: { calls, different, unknown: 0 } })
    expect(out).not.toContain('nobody can tell')
  })
})

describe('a page', () => {
  test('says in its first lines what came of it, and shows it over time', async () => {
    const { code, html } = await reportsOf(fixture('adversarial.jsonl'), '--policy', agents)
    expect(code).toBe(1)
    expect(html).toContain('<p class="outcome different">different: 12 decisions of 16</p>')
    expect(html.match(/<polygon class="different"/g)).toHaveLength(12)
    expect(html.match(/<rect class="deny"/g)).toHaveLength(13)
    expect(html).toContain('<th scope="row">allow</th><td class="number">3</td>')
    expect(html).toContain('deny by no-way-out (')
  })

  test('loads nothing, runs nothing and links nowhere', async () => {
    const { html } = await reportsOf(fixture('adversarial.jsonl'), '--policy', agents)
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`)
    const tags = Array.from(html.matchAll(/<([a-z][a-z0-9]*)/g), ([, tag]) => tag)
    const allowed =
      `html head meta title style body main h1 h2 p code table tr th td br figure figcaption span svg text
      tspan rect line polygon circle`.split(/\s+/)
    expect([...new Set(tags)].filter((tag) => !allowed.includes(tag ?? ''))).toEqual([])
    expect(html).not.toMatch(/\s(?:on[a-z]+|src|href|srcset|action)=/)
    expect(html).not.toMatch(/url\(|@import/)
  })

  test('B30: nothing that stands in a trace or a policy becomes markup', async () => {
    const nasty = '<script>alert(1)</script>"\'`|*_[x](javascript:x)![y](//z)&amp;\u202e<!--'
    const trace = join(folder, 'nasty.jsonl')
    const rule = { id: nasty, effect: 'allow', file: nasty, line: 1 }
    const call = {
      t: 'call',
      seq: 1,
      actor: nasty.replace('\u202e', ''),
      resource: 'shell',
      action: 'run',
      scope: 'x',
      arguments: { [nasty]: nasty },
      verdict: { decision: 'allow', reason: 'rule', rules: [rule] },
    }
    const header = {
      source: 'log',
      log: nasty,
      isComplete: true,
      policies: [],
      calls: 1,
      lines: 1,
    } as const
    writeFileSync(trace, sealedTrace(header, [`${JSON.stringify(call)}\n`]))
    const policy = join(folder, 'nasty.yaml')
    writeFileSync(policy, 'version: 1\ndeny:\n  - {id: none, capability: shell.run}\n')
    const { code, html, markdown } = await reportsOf(trace, '--policy', policy)
    expect(code).toBe(1)
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
    expect(html).not.toContain('<script')
    expect(html).not.toContain('<!--')
    for (const text of [html, markdown]) expect(text).not.toContain('\u202e')
    // Behind a backslash, or inside of code.
    const outside = markdown.replaceAll(/(`+)(?!`)[^]*?[^`]\1(?!`)/g, '').replaceAll(/\\./g, '')
    expect(outside.replaceAll('**', '')).not.toMatch(/[<>[\]*_]|:\/\//)
  })

  test('of what could not be evaluated says so first', async () => {
    const trace = join(folder, 'open.jsonl')
    const event = {
      actor: 'a',
      action: 'execute',
      resource: 'payment.x',
      payload: { amount: 5 },
      decision: 'pass',
    }
    writeFileSync(trace, `{"capfence_replay_version":"1.0"}\n${JSON.stringify(event)}\n`)
    const { code, html, markdown } = await reportsOf(trace, '--policy', agents)
    expect(code).toBe(3)
    for (const text of [html, markdown]) {
      expect(text).toContain('incomplete: 1 call could not be evaluated, which is no pass')
      expect(text).toContain('rules look at the time, and the trace has no clock')
      expect(text).toContain('carries no checksum')
    }
    expect(html).toContain('<circle class="open"')
  })

  test('that cannot be written is wrong usage', async () => {
    const page = join(folder, 'gone', 'report.html')
    const { code, out, err } = await capfence([
      ...['replay', fixture('safe.jsonl'), '--policy', agents, '--html', page],
    ])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain('cannot write the report')
  })
})

test('two runs, two time zones, the same bytes; over midnight, under a rule about hours', () =>
  withTrace(
    statefulCalls,
    async (trace, log) => {
      const other = policyBeside(log, stateful.replace('amount_gt: 1000', 'amount_gt: 100'))
      const run = (zone: string, name: string): readonly string[] => {
        const files = ['html', 'md', 'json'].map((kind) => join(log.folder, `${name}.${kind}`))
        const [html = '', markdown = ''] = files
        const args = ['replay', trace, '--policy', other, '--html', html, '--markdown', markdown]
        const env = { ...process.env, TZ: zone, LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' }
        const answers = [[], ['--json']].map((more) => {
          const { stdout, stderr } = spawnSync(process.execPath, [cli, ...args, ...more], {
            encoding: 'utf8',
            env,
          })
          expect(stderr).toBe('')
          return stdout
        })
        return [...answers, readFileSync(html, 'utf8'), readFileSync(markdown, 'utf8')]
      }
      const first = run('UTC', 'one')
      expect(first[0]).toContain('2026-11-26T00:00')
      expect(first[1]).toContain('"different":')
      expect(run('Pacific/Kiritimati', 'two')).toEqual(first)
      expect(run('America/St_Johns', 'three')).toEqual(first)
    },
    { policy: stateful },
  ))

describe('policy diff --trace', () => {
  const older = join(folder, 'older.yaml')
  writeFileSync(older, readFileSync(agents, 'utf8').replace('amount_gt: 1000', 'amount_gt: 500'))

  test('groups what changes by rule and capability, with examples', async () => {
    const args = ['policy', 'diff', older, agents, '--trace', fixture('financial.jsonl')]
    const { code, out, err } = await capfence(args)
    expect({ code, err }).toEqual({ code: 1, err: '' })
    expect(out.replaceAll(folder, '.').replaceAll(`${root}/`, '')).toBe(
      `fixtures/traces/financial.jsonl: 16 calls of a trace of the original CapFence, 2026-11-24T08:15:00.000Z to 2026-11-25T08:46:00.000Z
  verdicts of ./older.yaml against those of fixtures/traces/agents.yaml

  same                              13
  different                          3
  could not be evaluated             0

2 calls of payment.execute.supplier
  before  require_approval by large-payment (older.yaml:16)
  now     allow by pay (fixtures/traces/agents.yaml:40)
    line 4  payment.execute.supplier {"amount":1000,"currency":"EUR","recipient":"Nordwind"} by billing-agent
    line 7  payment.execute.supplier {"amount":640,"currency":"EUR","recipient":"Südlicht GmbH"} by billing-agent

1 call of payment.execute.supplier
  before  allow by pay (older.yaml:40)
  now     deny by pay (fixtures/traces/agents.yaml:40), a limit has no room
    line 9  payment.execute.supplier {"amount":310.5,"currency":"EUR","recipient":"Paper & Co"} by billing-agent

different: 3 decisions of 16
`,
    )
  })

  test('is the same for the same policy, whatever was recorded', async () => {
    const args = ['policy', 'diff', agents, agents, '--trace', fixture('adversarial.jsonl')]
    const { code, out } = await capfence([...args, '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      type: 'policy-diff-trace',
      outcome: 'same',
      counts: { calls: 16, same: 16 },
      groups: [],
    })
  })

  test.each(['--html', '--markdown', '--server', '--config'])(
    '%s without a trace is wrong usage',
    async (flag) => {
      const { code, out, err } = await capfence(['policy', 'diff', older, agents, flag, 'x'])
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toContain(`\`${flag}\` goes with \`--trace\` only`)
    },
  )
})

describe('a log of MCP messages', () => {
  const log = join(folder, 'mcp.jsonl')
  const call = (id: number, name: string, args: object): string =>
    `${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } })}\n`
  writeFileSync(
    log,
    call(1, 'execute_payment', { amount: 10 }) +
      call(2, 'execute_payment', { amount: 10_000 }) +
      call(3, 'format_disk', {}),
  )
  const config = join(root, 'capfence.mcp.json')
  const ops = join(root, 'policies/ops.yaml')

  test('has nothing to compare with: what the policy says is counted', async () => {
    const args = ['replay', log, '--policy', ops, '--config', config, '--server', 'ops']
    const { code, out } = await capfence([...args, '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      counts: { calls: 3, unrecorded: 3, same: 0 },
      unrecorded: { allow: 1, require_approval: 1, deny: 1 },
    })
  })

  test.each<[string, readonly string[], string]>([
    ['nobody says whose it is', [], 'this is a log of MCP messages'],
    ['nobody says where it acts', ['--server', 'ops'], '`--environment` is missing'],
    ['nobody says for which server', ['--environment', 'x'], 'are about a log of MCP messages'],
    ['the server is not in the configuration', ['--config', config, '--server', 'opps'], 'ops'],
  ])('is refused when %s', async (_, flags, said) => {
    const { code, out, err } = await capfence(['replay', log, '--policy', ops, ...flags])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(said)
  })

  test('is refused without a policy, because none has decided', async () => {
    const { code, err } = await capfence(['replay', log, '--config', config, '--server', 'ops'])
    expect(code).toBe(2)
    expect(err).toContain('the trace does not say which policy decided')
  })
})
