import { describe, expect, test } from 'vitest'
import { termsOf } from '../../src/approval/terms.ts'
import type { ApprovalTerms, PolicyRule, Presence } from '../../src/policy/rule.ts'

const rule = (approval?: ApprovalTerms): PolicyRule => ({
  id: 'r',
  effect: 'require_approval',
  capability: 'a.b.c',
  position: { file: 'p.yaml', line: 1, column: 1 },
  predicates: [],
  ...(approval === undefined ? {} : { approval }),
})

describe('of several rules the most that any of them asks holds', () => {
  test.each<[string, readonly (PolicyRule | undefined)[], Presence, object]>([
    ['no rule', [], 'key', { presence: 'key', quorum: 1, uses: null }],
    ['a rule that is not found', [undefined], 'key', { presence: 'key', quorum: 1, uses: null }],
    ['a rule that says nothing', [rule()], 'any', { presence: 'any', quorum: 1, uses: null }],
    [
      'a rule that asks for less than is usual',
      [rule({ presence: 'any' })],
      'key',
      { presence: 'any', quorum: 1, uses: null },
    ],
    [
      'one that asks for less beside one that says nothing',
      [rule({ presence: 'any' }), rule()],
      'key',
      { presence: 'key', quorum: 1, uses: null },
    ],
    [
      'different ones',
      [rule({ presence: 'key', uses: 5 }), rule({ presence: 'passkey', uses: 2, quorum: 3 })],
      'any',
      { presence: 'passkey', quorum: 3, uses: 2 },
    ],
    [
      'a quorum, which takes keys to tell people apart',
      [rule({ presence: 'any', quorum: 2 })],
      'any',
      { presence: 'key', quorum: 2, uses: null },
    ],
  ])('%s', (_, rules, usual, terms) => {
    expect(termsOf(rules, usual)).toEqual(terms)
    expect(termsOf(rules.toReversed(), usual)).toEqual(terms)
  })
})
