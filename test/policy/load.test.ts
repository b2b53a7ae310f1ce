import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { refusedRuleKeys, ruleKeys } from '../../src/policy/language.ts'
import { loadPolicy } from '../../src/policy/load.ts'
import { PolicyError } from '../../src/policy/problem.ts'
import { projectFiles } from '../support/files.ts'
import { call, policy, problems, refusals } from './support.ts'

function hintsOf(text: string): readonly (string | undefined)[] {
  try {
    policy(text)
    return []
  } catch (error) {
    if (error instanceof PolicyError) return error.problems.map(({ hint }) => hint)
    throw error
  }
}

const refused = refusals('refused.txt')

const rule = (members: string): string => `deny:\n  - {capability: x, ${members}}\n`

describe('B25: what is refused, and how it is said', () => {
  test.each(refused)('%s', (_, text, expected) => {
    expect(problems(text)).toEqual(expected)
  })

  test.each([
    ...[
      'a..b',
      '.a',
      'a.',
      'a b',
      'a/b',
      'fs.réad',
      'fs.reаd',
      'ｆｓ',
      'fs:read',
      'fs.read\u200b',
      'a?',
      '[a]',
      'fs,pay',
    ],
    'a'.repeat(limits.maxSegmentCharacters + 1),
  ])('the capability %j is refused', (capability) => {
    expect(problems(`deny: [${JSON.stringify(capability)}]`)).toEqual([
      expect.stringMatching(/is no capability \[policy-capability\]$/),
    ])
  })

  test.each([
    '*',
    'a',
    'a.b',
    'a.b.c',
    'a.b.c.d.e',
    '*.b',
    'a*.*b.*c*',
    'A-b_9.*',
    'a.**',
    'x'.repeat(limits.maxSegmentCharacters),
  ])('the capability %j is taken', (capability) => {
    expect(problems(`deny: [${JSON.stringify(capability)}]`)).toEqual([])
  })

  test.each([
    ['approval: 5', 'a mapping such as'],
    ['approval: {}', 'a mapping such as'],
    ['approval: {timeout: 5}', 'unknown key `timeout` in `approval`'],
    ['approval: {timeout_seconds: 0}', 'a whole number from 1 to 2678400'],
    ['approval: {timeout_seconds: 2678401}', 'a whole number from 1 to 2678400'],
    ['approval: {timeout_seconds: 1.5}', 'a whole number from 1 to 2678400'],
    ['approval: {timeout_seconds: "60"}', 'a whole number from 1 to 2678400'],
    ['approval: {uses: 0}', 'a whole number from 1 to 1000'],
    ['approval: {uses: 1001}', 'a whole number from 1 to 1000'],
    ['approval: {presence: kye}', 'expected one of `any`, `key`, `passkey`'],
  ])('the terms %s are refused', (terms, says) => {
    expect(problems(`require_approval: [{capability: x, ${terms}}]`)).toEqual([
      expect.stringContaining(says),
    ])
  })

  test('every problem is named, in the order of the files and their lines', () => {
    const one = 'allow:\n  - {capability: "a b", contains: ""}\nalow: []\ndeny: 5\n'
    const lines = problems(one, 'deny: [{}]\n')
    expect(lines.map((line) => line.split(': ')[0])).toEqual([
      ...['p.yaml:2:18', 'p.yaml:2:35', 'p.yaml:3:1', 'p.yaml:4:7', 'p1.yaml:1:8'],
    ])
  })

  test('the error is the lines, with the first way out as its hint', () => {
    expect(() => policy('allow: []\nrequire_aproval: []\n')).toThrow(
      expect.objectContaining({
        code: 'POLICY_INVALID',
        message: 'p.yaml:2:1: unknown key `require_aproval` in a policy [policy-key]',
        hint: 'did you mean `require_approval`?',
      }),
    )
  })

  test('more problems than anybody reads are counted', () => {
    const text = `deny: [${'{}, '.repeat(limits.maxPolicyProblems + 7)}]`
    const lines = problems(text)
    expect(lines).toHaveLength(limits.maxPolicyProblems + 1)
    expect(lines.at(-1)).toMatch(/7 more problems from here on \[policy-limit\]$/)
  })
})

describe('B25: keys that this version knows and does not evaluate', () => {
  test.each([...refusedRuleKeys.keys()])(
    '%s of a rule is refused, with what to write instead',
    (key) => {
      const text = `allow:\n  - {capability: x, ${key}: 1}\n`
      expect(problems(text)).toEqual([
        expect.stringMatching(/^p\.yaml:2:21: `\w+` is .*\[policy-unsupported\]$/),
      ])
      expect(hintsOf(text)[0]).toMatch(/\w+ [`\w]/)
    },
  )

  test('no key is both taken and refused', () => {
    expect(ruleKeys.filter((key) => refusedRuleKeys.has(key))).toEqual([])
  })

  test.each([
    'contian',
    'amount_lt_',
    'path_prefx',
    'enviroment',
    'capabilty',
    'mesage',
    'user_rol',
  ])('the misspelt key %s gets the nearest known one', (key) => {
    const [hint] = hintsOf(`deny: [{capability: x, ${key}: y}]`)
    const meant = ruleKeys.find((known) => hint === `did you mean \`${known}\`?`)
    expect(meant?.slice(0, 3)).toBe(key.slice(0, 3))
  })
})

describe('what is taken', () => {
  test.each([
    ['an empty list', 'allow: []'],
    ['flow style', '{allow: [{capability: fs}]}'],
    ['JSON', '{"deny": [{"capability": "fs", "contains": "x"}], "allow": ["*"]}'],
    ['comments and a mark', '# a\n---\nallow: # b\n  - fs # c\n...\n'],
    ['a block text', 'deny:\n  - capability: fs\n    message: >-\n      two\n      lines\n'],
    ['a byte order mark', '\ufeffallow: [fs]'],
    ['carriage returns', 'allow:\r\n  - fs\r\n'],
    [
      'words that YAML 1.1 took for yes and no',
      'deny: [{capability: x, environment: [no, on, y]}]',
    ],
    ['numbers in other notations', 'deny: [{capability: x, amount_gt: -0.5e3}]'],
    ['risk levels alone', 'risk_levels: {critical: {action: deny}}'],
    ['a description', 'description: rules of the house\nallow: []'],
  ])('%s', (_, text) => {
    expect(problems(text)).toEqual([])
  })

  test('no file at all allows nothing', () => {
    const nothing = loadPolicy([])
    expect(nothing.ruleCount).toBe(0)
    expect(nothing.decide(call())).toEqual({ decision: 'deny', reason: 'default', rules: [] })
  })

  test('a threshold keeps every digit', () => {
    const exact = policy('allow: [{capability: x, amount_lt: 9007199254740993.1}]')
    expect(exact.rules[0]?.predicates).toEqual(['amount_lt: 9007199254740993.1'])
    expect(exact.decide(call({ arguments: '{"amount": 9007199254740992}' })).decision).toBe('allow')
    expect(exact.decide(call({ arguments: '{"amount": 9007199254740994}' })).decision).toBe('deny')
  })
})

describe('rules', () => {
  const text = `require_approval:
  - capability: pay.*
    id: big
    amount_gt: 1000
    contains: [a,
      "b"]
    approval: {timeout_seconds: 900, uses: 2, presence: key}
    message: a person decides
    description: from the finance team
deny: [fs.delete]
`

  test('carry all that was written, and where', () => {
    expect(policy(text).rules).toEqual([
      {
        id: 'big',
        effect: 'require_approval',
        capability: 'pay.*',
        position: { file: 'p.yaml', line: 2, column: 5 },
        predicates: ['amount_gt: 1000', 'contains: [a, "b"]'],
        message: 'a person decides',
        description: 'from the finance team',
        approval: { timeoutSeconds: 900, uses: 2, presence: 'key' },
      },
      {
        id: 'deny[0]',
        effect: 'deny',
        capability: 'fs.delete',
        position: { file: 'p.yaml', line: 10, column: 8 },
        predicates: [],
      },
    ])
    expect(policy(text, 'allow: [a, b]').ruleCount).toBe(4)
  })

  test('ids name one rule in all files; rules without one may share their place', () => {
    expect(problems(text, 'allow: [{id: big, capability: x}]\ndeny: [x]')).toEqual([
      'p1.yaml:1:9: the id `big` is taken by the rule at p.yaml:2 [policy-id]',
    ])
  })

  test('cannot be changed', () => {
    const loaded = policy(text)
    expect(Object.isFrozen(loaded.rules)).toBe(true)
    expect(loaded.rules.every((one) => Object.isFrozen(one))).toBe(true)
  })
})

describe('B32: bounds of a policy', () => {
  test('as many rules as are read, in one list and over files, and one more', () => {
    const half = `allow: [${'x, '.repeat(limits.maxRules / 2)}]`
    expect(problems(half, half)).toEqual([])
    expect(problems(half, half, 'deny: [y]')).toEqual([
      `p2.yaml:1:8: the policy has ${limits.maxRules + 1} rules; at most ${limits.maxRules} are read [policy-limit]`,
    ])
    expect(problems(`allow: [${'x, '.repeat(limits.maxRules + 1)}]`)).toEqual([
      expect.stringMatching(/\[policy-limit\]$/),
    ])
  })

  test('as many bytes as are read, and one more', () => {
    const start = 'allow: [] # '
    const most = `${start}${'é'.repeat((limits.maxPolicyBytes - start.length) / 2)}`
    expect(problems(most)).toEqual([])
    expect(problems(`${most}x`)).toEqual([
      `p.yaml:1:1: the file has ${limits.maxPolicyBytes + 1} bytes; at most ${limits.maxPolicyBytes} are read [policy-limit]`,
    ])
  })

  test('as long a needle as is looked for, and one more', () => {
    const most = 'x'.repeat(limits.maxNeedleCharacters)
    expect(problems(rule(`contains: ${most}`))).toEqual([])
    expect(problems(rule(`contains: ${most}x`))).toHaveLength(1)
  })

  test('as long a message as is shown, and one more', () => {
    const most = 'x'.repeat(limits.maxRuleMessageCharacters)
    expect(problems(rule(`message: ${most}`))).toEqual([])
    expect(problems(rule(`message: ${most}x`))).toHaveLength(1)
  })

  test('B30: a message holds nothing that moves a cursor', () => {
    expect(problems(rule('message: "a\\e[2Jb"'))).toEqual([
      'p.yaml:2:30: `message` holds a control character [policy-value]',
    ])
  })

  test('an alias cannot grow a small file', () => {
    const bomb = `a: &a [x]\n${Array.from({ length: 30 }, (_, at) => `b${at}: [*a, *a]`).join('\n')}\n`
    expect(problems(bomb)).toEqual(
      expect.arrayContaining([expect.stringMatching(/an alias is refused \[policy-yaml\]$/)]),
    )
  })
})

describe('the policies that are shipped', () => {
  const shipped = projectFiles('policies').filter(
    ({ path }) => path.endsWith('.yaml') && !path.endsWith('.test.yaml'),
  )

  test.each(shipped.map((file) => [file.path, file.text] as const))(
    '%s loads, and every rule has an id and a message',
    (path, text) => {
      const loaded = loadPolicy([{ path, text }])
      expect(loaded.ruleCount).toBeGreaterThan(0)
      for (const { id, message } of loaded.rules) {
        // The rules of a budget are called after it, with a number for each capability.
        expect(id).not.toMatch(/^(?:deny|require_approval|allow)\[/)
        expect(message).toMatch(/\w+ [`\w]/)
      }
    },
  )

  test('there are some', () => {
    expect(shipped.length).toBeGreaterThan(0)
    expect(readFileSync(new URL('../../policies/ops.yaml', import.meta.url), 'utf8')).toContain(
      'deny',
    )
  })
})
