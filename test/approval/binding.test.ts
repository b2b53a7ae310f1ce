import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  argumentDigest,
  bindingDigest,
  callBinding,
  canonicalBinding,
} from '../../src/approval/call-binding.ts'
import type { CallBinding } from '../../src/approval/request.ts'
import { ActionEvent } from '../../src/event/action-event.ts'
import { toJsonObject } from '../../src/json/from-js.ts'
import { Decimal } from '../../src/json/decimal.ts'

const hash = 'a'.repeat(64)
const binding: CallBinding = {
  actor: 'ops-agent',
  server: 'bank',
  tool: 'pay',
  definitionHash: hash,
  argumentDigest: 'b'.repeat(64),
  capability: { resource: 'payment', action: 'execute', scope: 'high_value' },
  environment: 'production',
  policyHash: 'c'.repeat(64),
  session: 's1',
}
const key = new Uint8Array(32).fill(7)

describe('the digest of an exact call', () => {
  it('is SHA-256 over its domain and the RFC 8785 form of its fields', () => {
    expect(canonicalBinding(binding)).toBe(
      `{"actor":"ops-agent","argumentDigest":"${'b'.repeat(64)}","capability":{"action":"execute","resource":"payment","scope":"high_value"},"definitionHash":"${hash}","environment":"production","policyHash":"${'c'.repeat(64)}","server":"bank","session":"s1","tool":"pay"}`,
    )
    // By another program: printf 'capfence.dev/call-binding/v1\n%s' "$canonical" | openssl dgst -sha256
    expect(bindingDigest(binding)).toBe(
      '23d523e29a5c776a472a07d1ced8e964295bca3fd7c1eb083d9773e2a9b113ca',
    )
  })

  const changes: readonly (readonly [string, Partial<CallBinding>])[] = [
    ['another actor', { actor: 'ops-agent2' }],
    ['another server', { server: 'bank2' }],
    ['no server', { server: null }],
    ['a server called null', { server: 'null' }],
    ['another tool', { tool: 'refund' }],
    ['no tool', { tool: null }],
    ['a changed definition (B11)', { definitionHash: 'd'.repeat(64) }],
    ['no definition', { definitionHash: null }],
    ['other arguments', { argumentDigest: 'e'.repeat(64) }],
    ['another resource', { capability: { ...binding.capability, resource: 'refund' } }],
    ['another action', { capability: { ...binding.capability, action: 'plan' } }],
    ['another scope', { capability: { ...binding.capability, scope: 'low_value' } }],
    ['another environment', { environment: 'staging' }],
    ['no environment', { environment: null }],
    ['a changed policy', { policyHash: 'f'.repeat(64) }],
    ['another session', { session: 's2' }],
    ['no session', { session: null }],
    ['server and tool swapped', { server: 'pay', tool: 'bank' }],
    [
      'a border between two names moved',
      { capability: { resource: 'payment', action: 'execute.high_value', scope: '' } },
    ],
    ['a quote that pretends to end a field', { actor: 'ops-agent","argumentDigest":"x' }],
  ]
  it.each(changes)('is another one with %s (B13)', (_, change) => {
    expect(bindingDigest({ ...binding, ...change })).not.toBe(bindingDigest(binding))
  })

  it('is the same exactly for the same fields', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 3 })
    const maybe = fc.option(text)
    const any = fc.record({
      actor: text,
      server: maybe,
      tool: maybe,
      definitionHash: maybe,
      argumentDigest: text,
      capability: fc.record({ resource: text, action: text, scope: text }),
      environment: maybe,
      policyHash: text,
      session: maybe,
    })
    fc.assert(
      fc.property(any, any, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other)
        expect(bindingDigest(one) === bindingDigest(other)).toBe(same)
      }),
    )
  })

  it('names the event it was made from', () => {
    const event = ActionEvent.create({
      actor: 'ops-agent',
      action: 'execute',
      resource: 'payment.high_value',
      environment: 'production',
      server: 'bank',
      tool: 'pay',
      session: 's1',
    })
    const facts = {
      definitionHash: hash,
      argumentDigest: binding.argumentDigest,
      policyHash: binding.policyHash,
    }
    expect(callBinding(event, { ...facts, session: 's1' })).toEqual(binding)
    // The session of the event counts only where the approval is bound to it.
    expect(callBinding(event, { ...facts, session: null }).session).toBeNull()
  })
})

describe('the digest of arguments', () => {
  const digest = (value: unknown): string => argumentDigest(key, toJsonObject(value))

  it.each<[string, unknown, unknown]>([
    ['the order of members', { a: 1, b: 2 }, { b: 2, a: 1 }],
    ['the spelling of a number', { a: new Decimal('1000') }, { a: new Decimal('1e3') }],
    ['zeros behind the point', { a: new Decimal('1000.0') }, { a: 1000 }],
  ])('does not depend on %s', (_, one, other) => {
    expect(digest(one)).toBe(digest(other))
  })

  it.each<[string, unknown, unknown]>([
    ['a digit far behind the point', { a: 1000 }, { a: new Decimal('1000.00000000000000001') }],
    ['one in 2^53', { a: 2 ** 53 }, { a: 2n ** 53n + 1n }],
    ['a number and its text', { a: 1 }, { a: '1' }],
    ['an absent member and null', {}, { a: null }],
    ['the order of elements', { a: [1, 2] }, { a: [2, 1] }],
    ['letters that look the same', { a: 'é' }, { a: 'e\u0301' }],
    ['a list and its only element', { a: ['x'] }, { a: 'x' }],
    ['the place of a brace', { a: '{"b":1}' }, { a: { b: 1 } }],
    ['the case of a name', { Amount: 1 }, { amount: 1 }],
  ])('differs by %s (B13)', (_, one, other) => {
    expect(digest(one)).not.toBe(digest(other))
  })

  it('cannot be made without the key', () => {
    const args = toJsonObject({ pin: 1234 })
    expect(argumentDigest(new Uint8Array(32), args)).not.toBe(argumentDigest(key, args))
  })
})
