import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { capfence } from './capture.ts'
import type { Captured } from './capture.ts'

const folder = mkdtempSync(join(tmpdir(), 'capfence-policy-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0

/** Writes files into a folder of their own, and gives the path of each. */
function given(texts: Readonly<Record<string, string>>): (name: string) => string {
  files += 1
  const here = join(folder, String(files))
  for (const [name, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(here, name)), { recursive: true })
    writeFileSync(join(here, name), text)
  }
  return (name) => join(here, name)
}

const run = (...args: readonly string[]): Promise<Captured> => capfence(['policy', 'test', ...args])

interface Line {
  readonly type: string
  readonly name?: string
  readonly policy?: string
  readonly ok: boolean
}

function lines(out: string): readonly Line[] {
  return out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

const rules = `deny:
  - {id: no-rm-rf, capability: shell.exec, contains: rm -rf, message: not by an agent}
allow:
  - {id: small, capability: payment.execute, amount_gte: 0, amount_lte: 1000}
  - {id: reads, capability: filesystem.read}
`
const good = `tests:
  - name: trees stay
    event: {capability: shell.exec.live, arguments: {command: rm -rf /}}
    expect: deny
    rule: no-rm-rf
`
const failing = `tests:
  - name: large payments pass
    event: {capability: payment.execute.live, arguments: {amount: 2000}}
    expect: allow
    rule: small
`

describe('policy test', () => {
  test('finds the tests beside a policy, and says what they left out', async () => {
    const path = given({ 'p.yaml': rules, 'p.test.yaml': good })
    expect(await run(path('p.yaml'))).toEqual({
      code: 0,
      out: `${path('p.yaml')}: 1 test passed; 1 of 3 rules decided in one\n`,
      err: '',
    })
    const { out } = await run(path('p.yaml'), '--coverage')
    expect(out.split('\n').slice(1, -1)).toEqual([
      `  untested: allow small  ${path('p.yaml')}:4:5`,
      `  untested: allow reads  ${path('p.yaml')}:5:5`,
    ])
  })

  test('finds the policy beside a file of tests, and the tests inside a policy', async () => {
    const path = given({ 'p.yml': rules, 'p.test.yml': good, 'q.yaml': rules + good })
    const { code, out } = await run(path('p.test.yml'), path('q.yaml'))
    expect(code).toBe(0)
    expect(out).toBe(
      `${path('p.yml')}: 1 test passed; 1 of 3 rules decided in one\n` +
        `${path('q.yaml')}: 1 test passed; 1 of 3 rules decided in one\n`,
    )
  })

  test('runs each test once, however its file is named', async () => {
    const path = given({ 'p.yaml': rules + good, 'p.test.yaml': good })
    symlinkSync(path('p.test.yaml'), path('q.test.yaml'))
    const all = [path('p.yaml'), path('p.test.yaml'), path('p.yaml'), path('p.test.yaml')]
    const { code, out } = await run(...all)
    expect(code).toBe(0)
    expect(out).toBe(`${path('p.yaml')}: 2 tests passed; 1 of 3 rules decided in one\n`)
  })

  test('a file of tests may name other policies, which then govern together', async () => {
    const path = given({
      'base.yaml': 'allow: [{id: pay, capability: payment}]\n',
      'tests/strict.yaml': 'deny: [{id: large, capability: payment, amount_gt: 5}]\n',
      'tests/all.test.yaml': `policy: [../base.yaml, strict.yaml]
tests:
  - {name: large, event: {capability: payment.a.b, arguments: {amount: 6}}, expect: deny, rule: large}
  - {name: small, event: {capability: payment.a.b, arguments: {amount: 5}}, expect: allow, rule: pay}
`,
    })
    const { code, out } = await run(path('tests/all.test.yaml'))
    expect(code).toBe(0)
    expect(out).toBe(
      `${path('base.yaml')}, ${path('tests/strict.yaml')}: 2 tests passed; 2 of 2 rules decided in one\n`,
    )
  })

  test('says of a failure what every rule made of the call, and exits with 1', async () => {
    const path = given({ 'p.yaml': rules, 'p.test.yaml': failing })
    const { code, out, err } = await run(path('p.yaml'))
    expect({ code, err }).toEqual({ code: 1, err: '' })
    expect(out)
      .toBe(`${path('p.test.yaml')}:2:5: \`large payments pass\`: expected \`allow\`, the policy says \`deny\`
  deny  payment.execute.live
    no rule allows \`payment.execute.live\` with these arguments
    rule \`small\` (${path('p.yaml')}:4) allows an amount of at most 1000
    actor agent, environment unknown, risk unknown

  rules whose capability fits:
    allow small  ${path('p.yaml')}:4:5  does not apply (false)
      true           amount_gte: 0
      false          amount_lte: 1000

${path('p.yaml')}: 1 of 1 test failed; 0 of 3 rules decided in one
`)
  })

  test('binds calls by the configuration that the tests name, else by the one of the command', async () => {
    const config = (scope: string): string =>
      JSON.stringify({
        environment: scope,
        actor: 'ops',
        policies: ['p.yaml'],
        mcpServers: {
          files: {
            command: 'x',
            capfence: { tools: { cat: { capability: `filesystem.read.${scope}` } } },
          },
        },
      })
    const call = 'call: {server: files, tool: cat}'
    const path = given({
      'p.yaml': 'allow: [{id: live, capability: filesystem.read.live, actor: ops}]\n',
      'p.test.yaml': `tests: [{name: a, ${call}, expect: allow, rule: live}]\n`,
      'own.test.yaml': `policy: p.yaml\nconfig: lab.json\ntests: [{name: a, ${call}, expect: deny}]\n`,
      'live.json': config('live'),
      'lab.json': config('lab'),
      'wrong.test.yaml':
        'policy: p.yaml\ntests: [{name: a, call: {server: file, tool: cat}, expect: deny}]\n',
    })
    expect((await run(path('p.test.yaml'), '--config', path('live.json'))).code).toBe(0)
    expect((await run(path('own.test.yaml'), '--config', path('live.json'))).code).toBe(0)
    expect((await run('--config', path('live.json'))).code).toBe(0)
    const unbound = await run(path('p.yaml'))
    expect(unbound.code).toBe(2)
    expect(unbound.err).toContain('a call needs an environment')
    const wrong = await run(path('wrong.test.yaml'), '--config', path('live.json'))
    expect(wrong).toMatchObject({ code: 2, out: '' })
    expect(wrong.err).toBe(
      `capfence: ${path('wrong.test.yaml')}:2:9: there is no server \`file\` in ${path('live.json')}\n` +
        'capfence: hint: did you mean `files`?\n',
    )
  })

  test('is a line of JSON for each test, and one for each policy', async () => {
    const path = given({
      'p.yaml': rules,
      'p.test.yaml': good + failing.replace('tests:\n', ''),
    })
    const { code, out } = await run('--json', path('p.yaml'))
    expect(code).toBe(1)
    expect(lines(out)).toMatchObject([
      {
        schemaVersion: 1,
        type: 'test',
        policy: path('p.yaml'),
        name: 'trees stay',
        file: path('p.test.yaml'),
        line: 2,
        column: 5,
        ok: true,
        failure: null,
        expected: { decision: 'deny', reason: null, rules: ['no-rm-rf'] },
        decision: 'deny',
        reason: 'rule',
        capability: 'shell.exec.live',
        deciding: ['no-rm-rf'],
        explanation: null,
      },
      {
        ok: false,
        failure: 'expected `allow`, the policy says `deny`',
        deciding: [],
        explanation: { decision: 'deny', reason: 'default', rules: [{ id: 'small' }] },
      },
      {
        type: 'tests',
        policy: path('p.yaml'),
        ok: false,
        tests: 2,
        failed: 1,
        rules: 3,
        untested: [
          { id: 'small', effect: 'allow', file: path('p.yaml'), line: 4, column: 5 },
          { id: 'reads' },
        ],
      },
    ])
  })
})

describe('the report for build servers', () => {
  const hostile = `<a href="x">&'\u2028]]>`
  const path = given({
    'p.yaml': rules,
    'p.test.yaml': `tests:
  - name: ${JSON.stringify(hostile)}
    event: {capability: shell.exec.live, actor: ${JSON.stringify('a<b>&"')}}
    expect: allow
  - {name: fine, event: {capability: filesystem.read.live}, expect: allow}
`,
  })

  test('says of each test what became of it, whatever its name is', async () => {
    const report = path('report.xml')
    const { code } = await run('--junit', report, path('p.yaml'))
    expect(code).toBe(1)
    const text = readFileSync(report, 'utf8')
    expect(text).toContain(
      '<testsuites name="capfence policy test" tests="2" failures="1" errors="0" skipped="0">',
    )
    expect(text).toContain(
      `name="&lt;a href=&quot;x&quot;&gt;&amp;&apos;\\u{2028}]]&gt;" classname="${path('p.yaml')}"`,
    )
    expect(text).toContain('message="expected `allow`, the policy says `deny`"')
    expect(text).toContain('actor a&lt;b&gt;&amp;&quot;,')
    expect(elementsOf(text)).toEqual([
      'testsuites',
      'testsuite',
      'testcase',
      'failure',
      '/failure',
      '/testcase',
      'testcase/',
      '/testsuite',
      '/testsuites',
    ])
  })

  test('is the same file for the same results', async () => {
    const [one, other] = [path('one.xml'), path('other.xml')]
    await run('--junit', one, path('p.yaml'))
    await capfence(['policy', 'test', '--junit', other, path('p.yaml')], { hasColour: true })
    expect(readFileSync(other, 'utf8')).toBe(readFileSync(one, 'utf8'))
  })

  test('a place where it cannot be written is wrong use', async () => {
    const { code, out, err } = await run('--junit', path('none/report.xml'), path('p.yaml'))
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain('cannot write `--junit`')
  })
})

/** The tags of a document in their order; throws where the text is no well-formed XML of elements and text. */
function elementsOf(xml: string): readonly string[] {
  const rest = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '')
  const text = String.raw`(?:[^<>&\p{Cc}]|\n|&(?:amp|lt|gt|quot|apos);)*`
  const tag = new RegExp(
    String.raw`^${text}<(/?[a-z]+)(?: [a-z]+="(?:[^<>&"\p{Cc}]|&(?:amp|lt|gt|quot|apos);)*")*(/?)>`,
    'u',
  )
  const elements: string[] = []
  const open: string[] = []
  let left = rest
  for (;;) {
    const found = tag.exec(left)
    if (found === null) break
    const [whole, name = '', end = ''] = found
    elements.push(name + end)
    if (name.startsWith('/')) expect(open.pop()).toBe(name.slice(1))
    else if (end === '') open.push(name)
    left = left.slice(whole.length)
  }
  expect({ left, open }).toEqual({ left: '\n', open: [] })
  return elements
}

describe('what cannot be run is said, all of it, and nothing is run', () => {
  test('B25: mistakes in tests and in policies, each with its place', async () => {
    const path = given({
      'a.yaml': `${rules}alow: []\n`,
      'a.test.yaml': good.replace('expect', 'expct'),
      'b.yaml': rules,
      'b.test.yaml': good.replace('no-rm-rf', 'no-rm-fr') + failing.replace('tests:\n', ''),
    })
    const { code, out, err } = await run(path('a.yaml'), path('b.yaml'), path('a.test.yaml'))
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err)
      .toBe(`capfence: ${path('a.test.yaml')}:2:5: the test \`trees stay\` has no \`expect\` [policy-empty]
capfence: hint: write \`expect: deny\`, \`expect: require_approval\` or \`expect: allow\`
capfence: ${path('a.test.yaml')}:4:5: unknown key \`expct\` in a test [policy-key]
capfence: hint: did you mean \`expect\`?
capfence: ${path('a.yaml')}:6:1: unknown key \`alow\` in a policy [policy-key]
capfence: hint: did you mean \`allow\`?
capfence: ${path('b.test.yaml')}:5:11: the policy has no rule \`no-rm-fr\` [policy-id]
capfence: hint: did you mean \`no-rm-rf\`?
`)
  })

  test('a state that is about nothing in the policy', async () => {
    const path = given({
      'p.yaml': `allow: [{id: mail, capability: mail, session: {not: [untrusted]}, limit: {max: 9, window: 1h}}]
labels: [{capability: web, adds: untrusted}]
`,
      'p.test.yaml': `tests:
  - {name: a, event: {capability: mail.a.b}, state: {labels: [untrustd], used: {mial: 5}}, expect: deny}
`,
    })
    const { code, out, err } = await run(path('p.yaml'))
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err)
      .toBe(`capfence: ${path('p.test.yaml')}:2:5: the policy has no limit \`mial\` [policy-id]
capfence: hint: did you mean \`mail\`?
capfence: ${path('p.test.yaml')}:2:5: the policy has no label \`untrustd\` [policy-id]
capfence: hint: did you mean \`untrusted\`?
`)
  })

  test('a state without a time is shown without one', async () => {
    const path = given({
      'p.yaml': 'allow: [{id: a, capability: a, limit: {max: 1, window: 1h}}]\n',
      'p.test.yaml':
        'tests: [{name: a, event: {capability: a.b.c}, state: {used: {a: 1}}, expect: allow}]\n',
    })
    const { code, out } = await run(path('p.yaml'))
    expect(code).toBe(1)
    expect(out).not.toContain('  at ')
    expect((await run(path('p.yaml'), '--json')).code).toBe(1)
  })

  test('a policy without tests: nothing passed', async () => {
    const path = given({ 'p.yaml': rules, 'q.yaml': rules, 'q.test.yaml': good })
    const { code, out, err } = await run(path('p.yaml'), path('q.yaml'))
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toBe(
      `capfence: there are no tests of ${path('p.yaml')}\n` +
        `capfence: hint: write them into ${path('p.test.yaml')}, or under \`tests:\` in the policy\n`,
    )
  })

  test('tests in the policy that are wrong are there', async () => {
    const path = given({ 'p.yaml': `${rules}tests: [{name: a, expect: deny}]\n` })
    const { code, err } = await run(path('p.yaml'))
    expect(code).toBe(2)
    expect(err).toContain('the test `a` has no `event` and no `call`')
    expect(err).not.toContain('there are no tests')
  })

  test('tests without a policy', async () => {
    const path = given({ 'p.test.yaml': good })
    const { code, err } = await run(path('p.test.yaml'))
    expect(code).toBe(2)
    expect(err).toContain(`there is no policy beside ${path('p.test.yaml')}`)
  })

  test('files that are not there, or no text', async () => {
    const path = given({ 'p.yaml': rules, 'p.test.yaml': `policy: none.yaml\n${good}` })
    for (const name of ['none.yaml', 'none.test.yaml', 'p.yaml']) {
      const { code, out, err } = await run(path(name))
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toContain(`cannot read the policy ${path(name.replace('p.yaml', 'none.yaml'))}`)
    }
    const missing = await run(path('p.test.yaml'), '--config', path('none.json'))
    expect(missing.code).toBe(2)
  })
})

test('policy check reads files of tests as what they are', async () => {
  const path = given({
    'p.yaml': rules,
    'p.test.yaml': good,
    'q.test.yaml': good.replace('deny', 'dney'),
  })
  const { code, out } = await capfence([
    ...['policy', 'check', path('p.yaml'), path('p.test.yaml'), path('q.test.yaml')],
  ])
  expect(code).toBe(1)
  expect(out)
    .toBe(`${path('q.test.yaml')}:4:13: \`expect\` is \`dney\`; expected one of \`deny\`, \`require_approval\`, \`allow\` [policy-value]
capfence: hint: did you mean \`deny\`?
${path('p.yaml')}: 3 rules (1 deny, 0 require_approval, 2 allow)
${path('p.test.yaml')}: 1 test
`)
})
