import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyId, parseEnvelope, printEnvelope } from '../../src/approval/envelope.ts'
import { openGrant, signGrant, type Grant } from '../../src/approval/grant.ts'
import { covers, readyGrant, type RecordedGrant } from '../../src/approval/grant-authority.ts'
import { compileGrant } from '../../src/approval/grant-rule.ts'
import { signingKey, verifyingKey, type SigningKey } from '../../src/crypto/ed25519.ts'
import { ActionEvent } from '../../src/event/action-event.ts'
import { when } from '../runtime/a-grant.ts'

const keyOf = (seed: number): SigningKey => signingKey(new Uint8Array(32).fill(seed))
const [alice, bob, mallory] = [keyOf(1), keyOf(2), keyOf(8)]
const approverOf = (name: string, key: SigningKey) => ({
  name,
  key: verifyingKey(key.publicKey),
  keyId: keyId(key.publicKey),
  passkeys: [],
})
const authority = {
  approvers: [approverOf('alice', alice), approverOf('bob', bob)],
  answerKey: undefined,
}
const log = 'capfence.local/01JD8Q5V7Z0000000000000000'
const atMs = 1_800_000_000_000

const base: Grant = {
  id: 'grt_01JD8Q5V7Z0000000000000000',
  log,
  nonce: '0'.repeat(32),
  issuers: [keyId(alice.publicKey)],
  capability: 'payment.execute.*',
  actor: 'ops-*',
  environment: 'production',
  server: null,
  tool: null,
  session: null,
  definitionHash: null,
  policyHash: null,
  when: {},
  issuedAtMs: atMs,
  notBeforeMs: atMs,
  expiresAtMs: atMs + 1000,
  uses: 1,
  breakGlass: false,
  reason: '',
}

describe('the text of a grant', () => {
  test('is read as it was written, and every digit of it counts', () => {
    const conditions = when(
      '{"args":{"/a":{"lte":1000.00000000000000001},"/b":{"eq":9007199254740993}}}',
    )
    const text = signGrant({ ...base, when: conditions }, [alice])
    const { grant, envelope } = openGrant(text)
    expect(grant).toEqual({ ...base, when: conditions })
    const payload = Buffer.from(envelope.payload).toString()
    expect(payload).toContain('"lte":1000.00000000000000001')
    expect(payload).toContain('"eq":9007199254740993')
  })

  const faults: readonly [string, Partial<Grant>, string][] = [
    ['an id of another kind', { id: 'apr_01JD8Q5V7Z0000000000000000' }, 'its id is none'],
    ['no nonce', { nonce: '' }, 'its nonce is none'],
    ['a hash that is none', { policyHash: 'x' }, 'a hash in it is none'],
    ['no environment', { environment: '' }, 'names no actor or no environment'],
    ['no uses', { uses: 0 }, 'it covers 1 to 1000 calls'],
    ['too many uses', { uses: 1001 }, 'it covers 1 to 1000 calls'],
    ['half a use', { uses: 1.5 }, 'whole numbers'],
    ['an end before its beginning', { expiresAtMs: atMs }, 'it ends before it begins'],
    ['a beginning before it was issued', { notBeforeMs: atMs - 1 }, 'it ends before it begins'],
    ['eight days', { expiresAtMs: atMs + 691_200_000 }, 'it may hold for 168 hours at most'],
    [
      'an emergency of nine hours',
      { breakGlass: true, reason: 'x', expiresAtMs: atMs + 32_400_000 },
      'it may hold for 8 hours',
    ],
    ['an emergency without a reason', { breakGlass: true, reason: ' ' }, 'has to say why'],
    ['a novel', { reason: 'x'.repeat(1001) }, 'longer than 1000 characters'],
  ]
  test.each(faults)('is refused with %s', (_, changes, why) => {
    expect(() => signGrant({ ...base, ...changes }, [alice])).toThrow(why)
  })

  test.each([
    ['of other letters', ' ', ''],
    ['with a member more', '{"actor"', '{"a":1,"actor"'],
    ['with a member twice', '{"actor"', '{"actor":"*","actor"'],
    ['with another spelling of a number', '"uses":1', '"uses":1.0'],
    ['with another order', '"break_glass":false,', ''],
  ])('is refused when somebody signs one %s', (_, from, to) => {
    const payload = Buffer.from(openGrant(signGrant(base, [alice])).envelope.payload)
      .toString()
      .replace(from, to)
    const text = from === ' ' ? `${payload} ` : payload
    const envelope = parseEnvelope(signGrant(base, [alice]))
    expect(() => openGrant(printEnvelope({ ...envelope, payload: Buffer.from(text) }))).toThrow(
      'not a grant',
    )
  })

  test.each(['*', '*.execute', '.execute', '', 'pay ment'])(
    'is refused when its capability is `%s`',
    (capability) => {
      expect(() => compileGrant({ ...base, capability })).toThrow('not a grant')
    },
  )
})

/** Mostly the first, so that what differs from it differs in little. */
function mostly<T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> {
  const rare = others.map((other) => ({ weight: 1, arbitrary: fc.constant(other) }))
  return fc.oneof({ weight: 5 * others.length, arbitrary: fc.constant(usual) }, ...rare)
}

/** A call, and what is signed, as small as they can be to differ in everything. */
const pattern = mostly('*', 'a', 'b')
const maybe = mostly<string | null>(null, 'a', 'b')
const amounts = ['1000.00000000000000001', '9007199254740992', '9007199254740993'] as const
const amount = fc.constantFrom('1000', ...amounts)
const text = fc.record({
  action: pattern,
  scope: pattern,
  actor: pattern,
  environment: mostly('a', 'b'),
  server: maybe,
  session: maybe,
  lte: fc.option(amount, { nil: undefined }),
  isBreakGlass: fc.boolean(),
  uses: fc.integer({ min: 1, max: 2 }),
  begins: mostly(0, 10),
  signer: mostly(alice, bob, mallory),
  touched: mostly('nothing', 'the text', 'the signature', 'the log'),
})
const asked = fc.record({
  action: fc.constantFrom('a', 'b'),
  scope: fc.constantFrom('a', 'b'),
  actor: fc.constantFrom('a', 'b'),
  environment: mostly<string | undefined>('a', 'b', undefined),
  server: fc.constantFrom('a', 'b', undefined),
  session: fc.constantFrom('a', 'b', undefined),
  amount,
  isNow: mostly(10, 0, 9, 999, 1000),
  used: mostly(0, 1, 2),
  ended: mostly<RecordedGrant['ended']>(undefined, 'revoked', 'expired'),
})
type Text = typeof text extends fc.Arbitrary<infer T> ? T : never
type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never

/** What was said and what is asked, compared field by field and without any of the code that is tested. */
function isCovered(said: Text, call: Asked): boolean {
  const fits = (one: string, other: string): boolean => one === '*' || one === other
  const exactly = (one: string | null, other: string | undefined): boolean =>
    one === null || one === other
  const digits = (number: string): bigint => {
    const [whole = '', part = ''] = number.split('.')
    return BigInt(whole + part.padEnd(20, '0'))
  }
  return (
    said.signer !== mallory &&
    said.touched === 'nothing' &&
    fits(said.action, call.action) &&
    fits(said.scope, call.scope) &&
    fits(said.actor, call.actor) &&
    said.environment === call.environment &&
    exactly(said.server, call.server) &&
    exactly(said.session, call.session) &&
    (said.lte === undefined || digits(call.amount) <= digits(said.lte)) &&
    call.used < said.uses &&
    call.isNow >= said.begins &&
    call.isNow < 1000 &&
    call.ended === undefined
  )
}

function recordedOf(said: Text, call: Asked): RecordedGrant {
  const grant: Grant = {
    ...base,
    log: said.touched === 'the log' ? 'capfence.local/01JD0000000000000000000000' : log,
    issuers: [keyId(said.signer.publicKey)],
    capability: `payment.${said.action}.${said.scope}`,
    actor: said.actor,
    environment: said.environment,
    server: said.server,
    session: said.session,
    when: said.lte === undefined ? {} : when(`{"args":{"/amount":{"lte":${said.lte}}}}`),
    notBeforeMs: atMs + said.begins,
    uses: said.uses,
    breakGlass: said.isBreakGlass,
    reason: 'because',
  }
  const good = signGrant(grant, [said.signer])
  return {
    id: grant.id,
    log,
    isRecorded: true,
    createdSeq: 1,
    createdAtMs: atMs,
    expiresAtMs: grant.expiresAtMs,
    useCount: call.used,
    ended: call.ended,
    envelope: touched(good, said.touched),
    latestMs: atMs,
  }
}

function touched(good: string, what: Text['touched']): string {
  const envelope = parseEnvelope(good)
  if (what === 'the text') {
    const changed = Buffer.from(envelope.payload).toString().replace('because', 'becauze')
    return printEnvelope({ ...envelope, payload: Buffer.from(changed) })
  }
  if (what !== 'the signature') return good
  const signatures = envelope.signatures.map(({ keyid, sig }) => {
    const other = Uint8Array.from(sig)
    other[7] = (other[7] ?? 0) ^ 1
    return { keyid, sig: other }
  })
  return printEnvelope({ ...envelope, signatures })
}

test('the law of grants: one covers a call exactly if a text that counts says so', () => {
  let covered = 0
  fc.assert(
    fc.property(text, asked, (said, call) => {
      const recorded = recordedOf(said, call)
      const event = ActionEvent.create({
        actor: call.actor,
        resource: 'payment',
        action: call.action,
        scope: call.scope,
        arguments: { amount: call.amount },
        ...(call.environment === undefined ? {} : { environment: call.environment }),
        ...(call.server === undefined ? {} : { server: call.server }),
        ...(call.session === undefined ? {} : { session: call.session }),
      })
      const found = covers(recorded, readyGrant(recorded.envelope), {
        call: { event, definitionHash: null, policyHash: 'a'.repeat(64) },
        nowMs: atMs + call.isNow,
        terms: { presence: 'key', quorum: 1, uses: null },
        authority,
      })
      expect(found !== undefined).toBe(isCovered(said, call))
      covered += found === undefined ? 0 : 1
    }),
    { seed: 20_261_128, numRuns: 1500 },
  )
  // A law about nothing would hold too.
  expect(covered).toBeGreaterThan(50)
})
