import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ActionEvent } from '../../src/event/action-event.ts'
import { comparePolicies } from '../../src/policy/analysis/compare.ts'
import type { Effect } from '../../src/policy/answer.ts'
import { loadPolicy } from '../../src/policy/load.ts'
import type { Policy } from '../../src/policy/policy.ts'

const load = (text: string): Policy => loadPolicy([{ path: 'p.yaml', text }])
const capability = { actor: 'agent', resource: 'mail', action: 'send', scope: 'live' }

function decide(policy: Policy, args: Record<string, unknown>): Effect {
  return policy.decide(ActionEvent.create({ ...capability, arguments: args })).decision
}

const grant = load(`version: 1
allow:
  - { capability: mail.send, only_args: [/to, '/parts/*/name', /options] }
`)
const guard = load(`version: 1
require_approval:
  - { capability: mail.send, not: { only_args: [/to] } }
allow: [mail.send]
`)

describe('only_args', () => {
  test.each<[Effect, Record<string, unknown>]>([
    ['allow', {}],
    ['allow', { to: 'a' }],
    ['allow', { to: { any: ['thing', null] } }],
    ['allow', { to: 'a', options: { deep: { deeper: 1 } } }],
    ['allow', { parts: [{ name: 'x' }, { name: 'y' }] }],
    ['allow', { parts: [] }],
    ['allow', { parts: [{}] }],
    ['deny', { to: 'a', bcc: 'b' }],
    ['deny', { to: 'a', bcc: null }],
    ['deny', { to: 'a', bcc: [] }],
    ['deny', { TO: 'a' }],
    ['deny', { 'to\u200B': 'a' }],
    ['deny', { parts: 'x' }],
    ['deny', { parts: ['x'] }],
    ['deny', { parts: [{ name: 'x' }, { name: 'y', path: '/etc' }] }],
    ['deny', { __proto__: null, constructor: 'x' }],
  ])('of a grant: %s %j', (expected, args) => {
    expect(decide(grant, args)).toBe(expected)
  })

  test.each<[Effect, Record<string, unknown>]>([
    ['allow', { to: 'a' }],
    ['require_approval', { to: 'a', bcc: 'b' }],
    // A server that ignores the case of names takes it for `to`; another may not.
    ['require_approval', { To: 'a' }],
  ])('under `not` of a guard: %s %j', (expected, args) => {
    expect(decide(guard, args)).toBe(expected)
  })

  test('without pointers there are no arguments', () => {
    const none = load('version: 1\nallow: [{ capability: mail.send, only_args: [] }]\n')
    expect(decide(none, {})).toBe('allow')
    expect(decide(none, { a: null })).toBe('deny')
  })

  test.each([
    ['a name', 'only_args: [to]'],
    ['a pointer to everything', 'only_args: [""]'],
    ['no list', 'only_args: /to'],
    ['a number', 'only_args: [1]'],
  ])('%s is refused with its place', (_, line) => {
    expect(() => load(`version: 1\nallow: [{ capability: mail.send, ${line} }]\n`)).toThrow(
      /p\.yaml:2:\d+: .*only_args/,
    )
  })

  test('an argument more never makes a grant of it', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('to', 'options'), fc.jsonValue()),
        fc.string({ minLength: 1 }).filter((name) => !['to', 'options', 'parts'].includes(name)),
        fc.jsonValue(),
        (args, name, value) => {
          fc.pre(name !== '__proto__')
          expect(decide(grant, args as Record<string, unknown>)).toBe('allow')
          expect(decide(grant, { ...args, [name]: value })).toBe('deny')
        },
      ),
      { seed: 20_261_128 },
    )
  })

  test('a policy without it allows more, or that cannot be excluded', () => {
    const wide = load('version: 1\nallow: [mail.send]\n')
    expect(comparePolicies(grant, wide).allowed).not.toEqual([])
    expect(comparePolicies(grant, grant).allowed).toEqual([])
    expect(comparePolicies(wide, grant).allowed).toEqual([])
  })
})
