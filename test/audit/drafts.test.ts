import { describe, expect, test } from 'vitest'
import { encodeRecord } from '../../src/audit/codec.ts'
import { discloseNothing } from '../../src/audit/disclosure.ts'
import { decisionRecord, outcomeRecord } from '../../src/audit/drafts.ts'
import { ruleData } from '../../src/audit/rule-data.ts'
import type { RuleFacts } from '../../src/audit/rule-data.ts'
import { canonicalJson } from '../../src/audit/canonical.ts'
import { ActionEvent } from '../../src/event/action-event.ts'
import { limits } from '../../src/limits.ts'
import { decision, drafts, eventOfTests, hexA, place } from './samples.ts'

const none = discloseNothing('args').digests

function rule(changes: Partial<RuleFacts> = {}): RuleFacts {
  return {
    id: 'r',
    effect: 'deny',
    position: { file: 'ops.yaml', line: 1, column: 2 },
    value: 'true',
    predicates: [{ predicate: 'contains: x', value: 'true' }],
    ...changes,
  }
}

describe('a decision record', () => {
  test('says who, what, where, why and under which policy, in these words', () => {
    expect(decision(1).data).toEqual({
      action: 'delete',
      actor: 'agent',
      approval: null,
      args: { _sd: [expect.any(String), expect.any(String)], mode: 'args', withheld: [1] },
      argument_roles: { amount: [], path: ['/path'] },
      call: '01930000-0000-7000-8000-000000000001',
      capability: 'filesystem.delete.workspace',
      client: 'claude-code',
      decision: 'allow',
      environment: 'production',
      forwarded: true,
      grant: null,
      mode: 'enforce',
      policy_hash: hexA,
      reason: 'rule',
      resource: 'filesystem',
      risk: 'high',
      role: null,
      rule: [
        {
          column: 5,
          effect: 'deny',
          file: 'policies/ops.yaml',
          id: 'no-rm-rf',
          line: 3,
          predicates: [{ predicate: 'contains: "rm -rf"', value: 'true' }],
          value: 'true',
        },
      ],
      rules_omitted: 0,
      scope: 'workspace',
      server: 'fs',
      session: 's1',
      tenant: null,
      tool: 'delete_file',
      tool_definition_hash: null,
    })
  })

  test('holds none of the arguments', () => {
    const event = ActionEvent.create({
      actor: 'a',
      resource: 'fs',
      action: 'read',
      scope: 'ws',
      arguments: { path: 'needle-in-the-value', 'needle-in-the-name': 'x' },
    })
    const record = decisionRecord({
      call: 'c',
      event,
      decision: 'deny',
      reason: 'default',
      rules: [],
      policyHash: hexA,
      toolDefinitionHash: null,
      grant: null,
      approval: null,
      args: none,
      forwarded: false,
      mode: 'enforce',
    })
    expect(Buffer.from(encodeRecord(record, place()).body).toString()).not.toContain('needle')
  })

  test('has null for what is unknown', () => {
    const event = ActionEvent.create({ actor: 'a', resource: 'fs', action: 'read', scope: 'ws' })
    const { data } = decisionRecord({
      call: 'c',
      event,
      decision: 'deny',
      reason: 'default',
      rules: [],
      policyHash: hexA,
      toolDefinitionHash: null,
      grant: null,
      approval: null,
      args: none,
      forwarded: false,
      mode: 'enforce',
    })
    for (const name of [
      'server',
      'tool',
      'session',
      'client',
      'environment',
      'risk',
      'role',
      'tenant',
    ]) {
      expect(data[name], name).toBeNull()
    }
    expect(Object.keys(data)).not.toContain('argument_roles')
  })
})

test('every builder lists its members in the order of RFC 8785, so that none is sorted', () => {
  const isSorted = (value: unknown): boolean => {
    if (Array.isArray(value)) return value.every(isSorted)
    if (typeof value !== 'object' || value === null) return true
    const names = Object.keys(value)
    return (
      names.every((name, index) => index === 0 || (names[index - 1] ?? '') < name) &&
      Object.values(value).every(isSorted)
    )
  }
  for (const [name, { data }] of Object.entries(drafts)) expect(isSorted(data), name).toBe(true)
})

test('an outcome has whole milliseconds, also when a clock stepped back', () => {
  const facts = { call: 'c', decisionSeq: 1, status: 'ok', bytes: null, result: none } as const
  expect(outcomeRecord({ ...facts, ms: 1.6 }).data['ms']).toBe(2)
  expect(outcomeRecord({ ...facts, ms: -5 }).data['ms']).toBe(0)
  expect(outcomeRecord({ ...facts, ms: null }).data['ms']).toBeNull()
})

describe('the rules in a decision record', () => {
  test('are all there when there is room', () => {
    const { rules, omitted } = ruleData([rule({ id: 'a' }), rule({ id: 'b' })])
    expect(rules).toHaveLength(2)
    expect(omitted).toBe(0)
  })

  test('stay within their bytes, and the rest is counted', () => {
    const { rules, omitted } = ruleData(
      Array.from({ length: 5000 }, (_, index) => rule({ id: `r${index}` })),
    )
    expect(rules.length + omitted).toBe(5000)
    expect(rules.length).toBeGreaterThan(50)
    expect(Buffer.byteLength(canonicalJson(rules))).toBeLessThanOrEqual(
      limits.maxRecordRuleBytes + rules.length + 1,
    )
  })

  test('lose their predicates before they are left out', () => {
    const predicates = Array.from({ length: 100 }, () => ({
      predicate: 'x'.repeat(400),
      value: 'true' as const,
    }))
    const { rules, omitted } = ruleData([rule({ predicates })])
    expect(omitted).toBe(0)
    expect(rules[0]).toMatchObject({ id: 'r', predicates: [] })
  })

  test('are cut where their texts are too long, and never inside a character', () => {
    const id = `${'x'.repeat(499)}\u{1f600}${'y'.repeat(100)}`
    const [first] = ruleData([rule({ id })]).rules
    expect(first).toMatchObject({ id: `${'x'.repeat(499)}…` })
  })

  test('hold no lone surrogates', () => {
    const [first] = ruleData([
      rule({ id: 'a\ud800b', position: { file: '\udc00', line: 1, column: 1 } }),
    ]).rules
    expect(first).toMatchObject({ id: 'a\ufffdb', file: '\ufffd' })
    expect(() => canonicalJson(first ?? null)).not.toThrow()
  })

  test('a decision of the worst policy and the longest names still fits', () => {
    const long = '日'.repeat(1000)
    const worst = rule({ id: long, position: { file: long, line: 1, column: 1 } })
    const event = ActionEvent.of({
      actor: long,
      capability: eventOfTests.capability,
      arguments: {},
      context: { server: long, tool: long, session: long, client: long },
    })
    const record = decisionRecord({
      call: 'c',
      event,
      decision: 'deny',
      reason: 'rule',
      rules: Array.from({ length: 300 }, () => worst),
      policyHash: hexA,
      toolDefinitionHash: hexA,
      grant: null,
      approval: null,
      args: none,
      forwarded: false,
      mode: 'enforce',
    })
    expect(encodeRecord(record, place()).body.length).toBeLessThanOrEqual(limits.maxRecordBytes)
  })
})
