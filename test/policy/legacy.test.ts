import { describe, expect, test } from 'vitest'
import { decide, policy } from './support.ts'

describe('policies of the original CapFence load', () => {
  const text = `
version: 1
policy_name: shell-side-effects
description: Starter authorization policy for shell side effects.
enforcement_mode: enforce
approval_timeout_seconds: 300
rules:
  - {id: r1, action: block, capability: shell.exec, contains: "rm -rf", description: never}
  - {action: deny, capability: shell.exec, contains: mkfs}
  - {action: require_approval, capability: pay, amount_gt: 10}
  - {action: warn, capability: mail}
  - {action: allow, capability: pay}
  - {action: deny, contains: secret}
`

  test.each([
    ['shell.exec.x', '{"c":"rm -rf /"}', 'deny'],
    ['shell.exec.x', '{"c":"mkfs"}', 'deny'],
    ['shell.exec.x', '{"c":"ls"}', 'deny'],
    ['pay.x.y', '{"amount":11}', 'require_approval'],
    ['pay.x.y', '{"amount":10}', 'allow'],
    ['mail.send.x', '{}', 'allow'],
    ['mail.send.x', '{"text":"a secret"}', 'deny'],
    ['other.x.y', '{}', 'deny'],
  ])('%s %s is decided: %s', (capability, given, decision) => {
    expect(decide(text, { capability, arguments: given })).toBe(decision)
  })

  test('a rule without an id has its place in `rules`, and the time-out of the file', () => {
    const { rules } = policy(text)
    expect(rules.map(({ id }) => id)).toEqual([
      ...['r1', 'rules[1]', 'rules[2]', 'rules[3]', 'rules[4]', 'rules[5]'],
    ])
    expect(rules[2]).toMatchObject({
      approval: { timeoutSeconds: 300 },
      effect: 'require_approval',
    })
    expect(rules[5]).toMatchObject({ capability: '*', effect: 'deny' })
  })

  test('the order of `rules` and lists does not matter', () => {
    const rules = 'rules: [{action: allow, capability: x}, {action: block, capability: x}]\n'
    expect(decide(rules, {})).toBe('deny')
    expect(decide(`${rules}allow: [x]\n`, {})).toBe('deny')
  })
})

describe('what has another effect than it had is noted', () => {
  const notes = (text: string): readonly string[] =>
    policy(text).notes.map(({ position, code, message }) => {
      return `${position.line}:${position.column} ${message} [${code}]`
    })

  test.each([
    [
      'allow: []\nrisk_levels: {low: {action: warn}, high: {action: deny}, medium: {action: allow}}',
      [
        '2:29 `action: warn` has no effect: a risk level can only make an answer stricter [policy-note]',
        '2:75 `action: allow` has no effect: a risk level can only make an answer stricter [policy-note]',
      ],
    ],
    [
      'allow: []\nenforcement_mode: monitor',
      ['2:1 `enforcement_mode: monitor` has no effect: the policy is enforced [policy-note]'],
    ],
    ['allow: []\nenforcement_mode: enforce', []],
    [
      'rules: [{action: block, threshold: 5}]',
      ['1:25 `threshold` is not read: the rule applies whatever the amount [policy-note]'],
    ],
  ])('%j', (text, expected) => {
    expect(notes(text)).toEqual(expected)
  })

  test('a threshold that is not read leaves a guard that applies to more', () => {
    expect(decide('rules: [{action: block, threshold: 5}]\nallow: ["*"]', {})).toBe('deny')
  })

  test.each([
    ['allow: [x] # \u202e', '1:14 the invisible character U+202E'],
    ['allow:\n  - {capability: x, contains: "a\u200bb"}', '2:33 the invisible character U+200B'],
    [
      'allow:\n  - {capability: x, contains: "a\u{e0061}b"}',
      '2:33 the invisible character U+E0061',
    ],
    ['allow: [x]\n# \ufeffno', '2:3 the invisible character U+FEFF'],
  ])('B30: an invisible character is noted: %j', (text, says) => {
    expect(notes(text)).toEqual([expect.stringContaining(says)])
    expect(policy(text).notes[0]?.code).toBe('policy-hidden')
  })

  test.each([
    'allow: [{capability: x, contains: "a\\u200bb"}]',
    '\ufeffallow: [x]',
    'allow: [{capability: x, contains: "👩‍👩‍👧"}]',
  ])('what is written as an escape, begins a file or joins letters is not: %j', (text) => {
    expect(notes(text)).toEqual([])
  })

  test('a line is noted once', () => {
    expect(notes('allow: [x] # \u202e \u202e\n# \u202e')).toHaveLength(2)
  })
})
