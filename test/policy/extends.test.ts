import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { loadPolicy } from '../../src/policy/load.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { PolicyError, policyProblemLine } from '../../src/policy/problem.ts'
import { call } from './support.ts'

/** Loads `p.yaml` of a folder. */
function load(files: Readonly<Record<string, string>>, ...names: readonly string[]): Policy {
  const source = (path: string): { readonly path: string; readonly text: string } | undefined => {
    const text = files[path]
    return text === undefined ? undefined : { path, text }
  }
  const sources = (names.length === 0 ? ['p.yaml'] : names).map((name) => {
    const read = source(name)
    if (read === undefined) throw new Error(`no file ${name}`)
    return read
  })
  return loadPolicy(sources, (name) => source(name) ?? { fault: 'does not exist' })
}

function complaints(files: Readonly<Record<string, string>>): readonly string[] {
  try {
    load(files)
    return []
  } catch (error) {
    if (error instanceof PolicyError) return error.problems.map(policyProblemLine)
    throw error
  }
}

describe('extends: a union in which the stricter wins', () => {
  test('a file has its own rules and those it extends, each with the file it stands in', () => {
    const policy = load({
      'p.yaml': 'extends: base.yaml\nallow: [db]',
      'base.yaml': '# base\ndeny:\n  - db.drop',
    })
    expect(
      policy.rules.map(({ id, position }) => `${id} ${position.file}:${position.line}`),
    ).toEqual(['deny[0] base.yaml:3', 'allow[0] p.yaml:2'])
    expect(policy.decide(call({ capability: 'db.drop.x' })).decision).toBe('deny')
    expect(policy.decide(call({ capability: 'db.read.x' })).decision).toBe('allow')
  })

  test.each([
    ['deny', 'warn', 'deny'],
    ['warn', 'deny', 'deny'],
    ['require_approval', 'deny', 'deny'],
    ['allow', 'require_approval', 'require_approval'],
    ['warn', 'allow', 'allow'],
  ])('a risk level of %s in a base and %s in the file is %s', (base, own, expected) => {
    const risks = (action: string): string => `risk_levels: {critical: {action: ${action}}}\n`
    const policy = load({
      'p.yaml': `extends: base.yaml\nallow: ["*"]\n${risks(own)}`,
      'base.yaml': risks(base),
    })
    expect(policy.decide(call({ risk: 'critical' })).decision).toBe(expected)
  })

  test('a file that two others extend counts once', () => {
    const policy = load({
      'p.yaml': 'extends: [a.yaml, b.yaml, base.yaml]',
      'a.yaml': 'extends: base.yaml',
      'b.yaml': 'extends: base.yaml\nallow: [x]',
      'base.yaml': 'deny: [{id: no, capability: y}]',
    })
    expect(policy.rules.map(({ id }) => id)).toEqual(['no', 'allow[0]'])
  })

  test('a file that is named and extended counts once', () => {
    const files = { 'p.yaml': 'extends: q.yaml', 'q.yaml': 'deny: [{id: no, capability: y}]' }
    expect(load(files, 'q.yaml', 'p.yaml').ruleCount).toBe(1)
    expect(load(files, 'p.yaml', 'q.yaml').ruleCount).toBe(1)
  })

  test('an id is taken by a rule of any file', () => {
    expect(
      complaints({
        'p.yaml': 'extends: base.yaml\nallow: [{id: a, capability: x}]',
        'base.yaml': 'deny: [{id: a, capability: x}]',
      }),
    ).toEqual(['p.yaml:2:9: the id `a` is taken by the rule at base.yaml:1 [policy-id]'])
  })

  test('the time-out of approvals is that of the file in which the rule stands', () => {
    const policy = load({
      'p.yaml':
        'extends: base.yaml\napproval_timeout_seconds: 60\nrequire_approval: [x, {capability: y, approval: {timeout_seconds: 5, uses: 2}}]\nallow: [z]',
      'base.yaml': 'require_approval: [b]',
    })
    expect(policy.rules.map(({ approval }) => approval)).toEqual([
      undefined,
      { timeoutSeconds: 60 },
      { timeoutSeconds: 5, uses: 2 },
      undefined,
    ])
  })
})

describe('extends: what cannot be taken is refused, and nothing is loaded in part', () => {
  test.each([
    ['itself', { 'p.yaml': 'extends: p.yaml' }, '`p.yaml` extends `p.yaml`'],
    [
      'a file that extends it',
      { 'p.yaml': 'extends: a.yaml', 'a.yaml': 'extends: [b.yaml]', 'b.yaml': 'extends: p.yaml' },
      '`p.yaml` extends `a.yaml` extends `b.yaml` extends `p.yaml`',
    ],
    [
      'a circle it is not part of',
      { 'p.yaml': 'extends: a.yaml', 'a.yaml': 'extends: b.yaml', 'b.yaml': 'extends: a.yaml' },
      '`a.yaml` extends `b.yaml` extends `a.yaml`',
    ],
  ])('%s', (_, files, circle) => {
    expect(complaints(files as Readonly<Record<string, string>>)).toEqual([
      expect.stringMatching(/:1:1[01]: .* leads in a circle: /),
    ])
    expect(complaints(files as Readonly<Record<string, string>>)[0]).toContain(circle)
  })

  test('a file that does not exist, at the place that names it', () => {
    expect(complaints({ 'p.yaml': 'allow: [x]\nextends:\n  - a.yaml\n  - b.yaml' })).toEqual([
      'p.yaml:3:5: `extends: a.yaml` does not exist [policy-extends]',
      'p.yaml:4:5: `extends: b.yaml` does not exist [policy-extends]',
    ])
  })

  test('what is wrong in a base is said with its name', () => {
    expect(complaints({ 'p.yaml': 'extends: base.yaml', 'base.yaml': 'alow: []' })).toEqual([
      'base.yaml:1:1: unknown key `alow` in a policy [policy-key]',
    ])
  })

  test('a base that is empty is no base', () => {
    expect(complaints({ 'p.yaml': 'extends: base.yaml\nallow: []', 'base.yaml': '' })).toEqual([
      'base.yaml:1:1: the file holds no policy [policy-empty]',
    ])
  })

  test.each([limits.maxPolicyFiles, limits.maxPolicyFiles + 1])('%i files', (count) => {
    const files = Object.fromEntries(
      Array.from({ length: count - 1 }, (_, at) => [`${at}.yaml`, 'allow: [x]']),
    )
    const lines = complaints({ ...files, 'p.yaml': `extends: [${Object.keys(files).join(', ')}]` })
    expect(lines).toHaveLength(count > limits.maxPolicyFiles ? 1 : 0)
  })
})
