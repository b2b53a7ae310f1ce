import { afterEach, describe, expect, test } from 'vitest'
import { parseEnvelope, printEnvelope } from '../../src/approval/envelope.ts'
import { addSignature, openGrant, signGrant } from '../../src/approval/grant.ts'
import type { Grant } from '../../src/approval/grant.ts'
import { grantCreateRecord } from '../../src/audit/grant-drafts.ts'
import type { EventFields } from '../../src/event/create.ts'
import type { ApprovalTerms } from '../../src/policy/rule.ts'
import { recordGrant } from '../../src/runtime/grants.ts'
import type { CallOptions } from '../../src/runtime/prepare.ts'
import { give, grantOf, outcome, revoke, when } from './a-grant.ts'
import { alice, approver, ApprovalPlace, asking, beside, bob, mallory } from './approvals.ts'

const places: ApprovalPlace[] = []
afterEach(() => Promise.all(places.splice(0).map((place) => place.remove())))

function newPlace(terms?: ApprovalTerms): ApprovalPlace {
  const place = new ApprovalPlace(terms)
  places.push(place)
  return place
}

describe('a grant', () => {
  test('lets calls pass that need a person, and each of them is recorded with it', async () => {
    const place = newPlace()
    await place.runtime.start()
    const { grant } = await give(place, { uses: 2 })
    const from = await place.store.size()
    const first = await place.call()
    expect(first).toMatchObject({
      decision: 'allow',
      reasonCode: 'granted',
      reason: 'allowed by a grant of alice',
      grantId: grant.id,
    })
    expect(await outcome(place, { arguments: { amount: 7 }, scope: 'us' })).toBe('granted')
    expect(await outcome(place)).toBe('rule')
    const records = await place.store.records(from, 10)
    expect(records.map(({ type }) => type)).toEqual([
      'decision',
      'grant.use',
      'decision',
      'grant.use',
      'decision',
      'approval.request',
    ])
    expect(records[0]?.data).toMatchObject({ grant: grant.id, reason: 'granted', approval: null })
    expect(records[1]?.data).toMatchObject({
      grant: grant.id,
      uses_left: 1,
      issuers: ['alice'],
      decision_seq: from,
      break_glass: false,
    })
    expect(records[3]?.data).toMatchObject({ uses_left: 0 })
  })

  test('for an emergency is marked as that in every record, and in the verdict', async () => {
    const place = newPlace()
    await place.runtime.start()
    await give(place, { breakGlass: true, reason: 'incident 4711' })
    const from = await place.store.size()
    expect(await place.call()).toMatchObject({
      reasonCode: 'break_glass',
      reason: 'allowed by a grant for an emergency of alice',
    })
    const [decision, use] = await place.store.records(from, 2)
    expect(decision?.data).toMatchObject({ reason: 'break_glass' })
    expect(use?.data).toMatchObject({ break_glass: true })
    const [created] = await place.store.records(from - 1, 1)
    expect(created?.data).toMatchObject({ break_glass: true, reason: 'incident 4711' })
  })

  test('never outvotes a rule that denies', async () => {
    const place = newPlace()
    await give(place)
    const denied = { decision: 'deny', reason: 'rule', rules: [] } as const
    await place.reload({ ...asking({}, 'd'), decide: () => denied })
    expect((await place.call()).decision).toBe('deny')
  })

  test('does not outvote a person who has denied exactly this call', async () => {
    const place = newPlace()
    const id = await place.ask()
    await place.answer(id, beside, { verdict: 'deny', uses: 0 })
    await give(place)
    expect(await outcome(place)).toBe('approval_denied')
    expect(await outcome(place, { scope: 'us' })).toBe('granted')
  })
})

/** A change of the grant, and a call that it must not let pass though the grant of these tests would. */
const elsewhere: readonly [
  name: string,
  changes: Partial<Grant>,
  call?: Partial<EventFields>,
  options?: CallOptions,
][] = [
  ['another capability', { capability: 'payment.refund.*' }],
  ['a capability of other letters', { capability: 'Payment.execute.*' }],
  ['another scope', { capability: 'payment.execute.us' }],
  ['another actor', { actor: 'dev-*' }],
  ['another environment', { environment: 'staging' }],
  ['no environment', {}, { environment: undefined, scope: 'eu' }],
  ['another server', { server: 'other' }],
  ['another tool', { tool: 'refund' }],
  ['another session', { session: 's2' }],
  ['no session', { session: 's1' }, { session: undefined }],
  ['a changed tool', { definitionHash: 'd'.repeat(64) }, {}, { definitionHash: 'e'.repeat(64) }],
  ['a tool that was never listed', { definitionHash: 'd'.repeat(64) }],
  ['a changed policy', { policyHash: 'f'.repeat(64) }],
  ['an argument', { when: when('{"args":{"/amount":{"lt":1500}}}') }],
  ['an argument that is missing', { when: when('{"args":{"/memo":{"exists":true}}}') }],
  ['an argument of another kind', { when: when('{"args":{"/recipient":{"lte":5}}}') }],
]

describe('B13: a grant covers nothing of', () => {
  test.each(elsewhere)('%s', async (...[, changes, call, options]) => {
    const place = newPlace()
    await give(place, changes)
    expect((await place.call(call, options)).authorized).toBe(false)
    expect(
      await place.store.find({ order: 'oldest', types: ['grant.use'], count: 9 }),
    ).toMatchObject({ records: [] })
  })

  test.each([
    ['1000', 1000, '1000.00000000000000001'],
    ['9007199254740992', 9007199254740992n, 9007199254740993n],
  ])('a number beside %s', async (bound, inside, outside) => {
    const place = newPlace()
    await give(place, { when: when(`{"args":{"/amount":{"lte":${bound}}}}`) })
    expect(await outcome(place, { arguments: { amount: inside } })).toBe('granted')
    expect((await place.call({ arguments: { amount: outside } })).authorized).toBe(false)
  })

  test('a number whose digits a double would lose in the grant', async () => {
    const place = newPlace()
    await give(place, { when: when('{"args":{"/amount":{"lte":1000.00000000000000001}}}') })
    expect(await outcome(place, { arguments: { amount: '1000.00000000000000001' } })).toBe(
      'granted',
    )
    expect((await place.call({ arguments: { amount: '1000.00000000000000002' } })).authorized).toBe(
      false,
    )
  })
})

describe('what the rule asks of an approval holds for grants too', () => {
  test('B12: the key beside the database is not enough where a key is asked for', async () => {
    const place = newPlace({ presence: 'key' })
    await give(place, {}, [beside])
    expect(await outcome(place)).toBe('rule')
    await give(place)
    expect(await outcome(place)).toBe('granted')
  })

  test('a key is not enough where a passkey is asked for', async () => {
    const place = newPlace({ presence: 'passkey' })
    await give(place)
    expect(await outcome(place)).toBe('rule')
  })

  test('two approvers have to sign where two are asked for, and both count', async () => {
    const place = newPlace({ quorum: 2 })
    await give(place)
    expect(await outcome(place)).toBe('rule')
    await give(place, {}, [alice, bob])
    expect(await place.call()).toMatchObject({ reason: 'allowed by a grant of alice, bob' })
  })

  test('the least present of several counts', async () => {
    const place = newPlace({ presence: 'key' })
    await give(place, {}, [alice, beside])
    expect(await outcome(place)).toBe('rule')
  })

  test('a rule that lets an answer cover one call lets no grant cover more', async () => {
    const place = newPlace({ uses: 1 })
    await give(place)
    expect(await outcome(place)).toBe('rule')
    await give(place, { uses: 1 })
    expect(await outcome(place)).toBe('granted')
    expect(await outcome(place)).toBe('rule')
  })
})

describe('B28: at once', () => {
  test('a revoked grant covers nothing more', async () => {
    const place = newPlace()
    const { grant } = await give(place)
    expect(await outcome(place)).toBe('granted')
    await revoke(place, grant.id)
    expect(await outcome(place)).toBe('rule')
    await expect(revoke(place, grant.id)).rejects.toMatchObject({ code: 'GRANT_REFUSED' })
  })

  test('who is taken off the list has granted nothing', async () => {
    const place = newPlace({ quorum: 2 })
    await give(place, {}, [alice, bob])
    expect(await outcome(place)).toBe('granted')
    place.authority = { ...place.authority, approvers: [approver('alice', alice)] }
    expect(await outcome(place)).toBe('rule')
  })
})

const refused = { code: 'GRANT_REFUSED' }

/** Envelopes that somebody without the keys can make of a good one. */
const forged: Readonly<Record<string, (good: string, grant: Grant) => string>> = {
  'whose signature was stripped': (good) =>
    printEnvelope({ ...parseEnvelope(good), signatures: [] }),
  'of which one of two signatures is missing': (good) => {
    const envelope = parseEnvelope(good)
    return printEnvelope({ ...envelope, signatures: envelope.signatures.slice(1) })
  },
  'with a signature more': (good) => {
    const envelope = parseEnvelope(good)
    return printEnvelope({
      ...envelope,
      signatures: [...envelope.signatures, { keyid: 'f'.repeat(64), sig: Buffer.alloc(64) }],
    })
  },
  'with a signature twice': (good) => {
    const envelope = parseEnvelope(good)
    return printEnvelope({
      ...envelope,
      signatures: envelope.signatures.flatMap((one) => [one, one]),
    })
  },
  'of which the text was changed': (good) => {
    const envelope = parseEnvelope(good)
    const text = Buffer.from(envelope.payload).toString().replace('"uses":10', '"uses":99')
    return printEnvelope({ ...envelope, payload: Buffer.from(text) })
  },
  'that somebody else has signed': (_, grant) =>
    signGrant({ ...grant, issuers: openIssuers(mallory) }, [mallory]),
}

function openIssuers(key: typeof mallory): readonly string[] {
  return [approver('m', key).keyId]
}

describe('B12: nobody is authorised by a grant', () => {
  test.each(Object.entries(forged))('%s', async (_, forge) => {
    const place = newPlace()
    await place.call({ scope: 'first' })
    const grant = await grantOf(place, [alice, bob])
    const text = forge(signGrant(grant, [alice, bob]), grant)
    const given = recordGrant(place.store, text, place.authority)
    await expect(given).rejects.toMatchObject(refused)
    // Nor when it stands in the log itself, as if somebody had written there who does not ask.
    const facts = { breakGlass: false, expiresAtMs: grant.expiresAtMs, reason: '', uses: 10 }
    const record = grantCreateRecord({ ...facts, grant: grant.id, envelope: text, issuers: [] })
    await place.store.commit(() => ({ records: [record], result: undefined }), 'process')
    expect(await outcome(place)).toBe('rule')
  })

  test('the second of two signatures completes it, a third is refused', async () => {
    const place = newPlace({ quorum: 2 })
    await place.call({ scope: 'first' })
    const grant = await grantOf(place, [alice, bob])
    const half = signGrant(grant, [alice])
    await expect(recordGrant(place.store, half, place.authority)).rejects.toMatchObject(refused)
    const whole = addSignature(openGrant(half), bob)
    expect(() => addSignature(openGrant(whole), bob)).toThrow('has signed it already')
    expect(() => addSignature(openGrant(whole), mallory)).toThrow('none of its issuers')
    await recordGrant(place.store, whole, place.authority)
    expect(await outcome(place)).toBe('granted')
  })
})
