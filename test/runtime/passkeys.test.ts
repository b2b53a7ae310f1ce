import { afterEach, describe, expect, test } from 'vitest'
import { answerWith, unsignedAnswer, type Answer } from '../../src/approval/answer.ts'
import { signedBytes } from '../../src/approval/envelope.ts'
import type { AcceptedAnswer } from '../../src/approval/give-answer.ts'
import type { ApprovalTerms } from '../../src/policy/rule.ts'
import { recordAnswer } from '../../src/runtime/answers.ts'
import { TestAuthenticator, type Said } from '../approval/a-passkey.ts'
import { alice, approver, ApprovalPlace, bob } from './approvals.ts'

const places: ApprovalPlace[] = []
afterEach(() => Promise.all(places.splice(0).map((place) => place.remove())))

const authenticator = new TestAuthenticator()
const aliceWithPasskey = { ...approver('alice', alice), passkeys: [authenticator.passkey] }
const refused = { code: 'APPROVAL_REFUSED' }

function newPlace(terms: ApprovalTerms = { presence: 'passkey' }): ApprovalPlace {
  const place = new ApprovalPlace(terms)
  place.authority = {
    ...place.authority,
    approvers: [aliceWithPasskey, approver('bob', bob)],
  }
  places.push(place)
  return place
}

async function envelope(
  place: ApprovalPlace,
  id: string,
  changes: Partial<Answer> = {},
  by: Partial<Said> = {},
): Promise<string> {
  const { keyId } = authenticator.passkey
  const said = { ...(await place.said(id, 'passkey')), key: keyId, ...changes }
  const { payloadType, payload } = unsignedAnswer(said)
  return answerWith(payload, keyId, authenticator.sign(signedBytes(payloadType, payload), by))
}

async function answer(
  place: ApprovalPlace,
  id: string,
  changes: Partial<Answer> = {},
  by: Partial<Said> = {},
): Promise<AcceptedAnswer> {
  const text = await envelope(place, id, changes, by)
  place.nowMs += 1000
  return recordAnswer(place.store, { approval: id, envelope: text }, place.authority)
}

describe('B12: an approval by passkey', () => {
  test('lets the call pass once, and the third time it is a question again', async () => {
    const place = newPlace()
    expect(await answer(place, await place.ask())).toMatchObject({ approver: 'alice' })
    expect(await place.call()).toMatchObject({ decision: 'allow', reason: 'approved by alice' })
    expect((await place.call()).decision).toBe('require_approval')
  })

  test('is enough where a key is asked for', async () => {
    const place = newPlace({ presence: 'key' })
    await answer(place, await place.ask())
    expect((await place.call()).authorized).toBe(true)
  })

  test('and one by key are of one approver, not of two', async () => {
    const place = newPlace({ quorum: 2 })
    const id = await place.ask()
    await place.answer(id, alice)
    await expect(answer(place, id)).rejects.toMatchObject(refused)
    await place.force(id, await envelope(place, id))
    expect((await place.call()).authorized).toBe(false)
    await place.answer(id, bob)
    expect((await place.call()).authorized).toBe(true)
  })

  test.each<[string, Partial<Answer>, Partial<Said>]>([
    ['of another request', { approval: 'apr_01JD8Q5V7Z0000000000000000' }, {}],
    ['of another call', { binding: 'f'.repeat(64) }, {}],
    ['of another log', { log: 'another' }, {}],
    ['of another nonce', { nonce: '0'.repeat(32) }, {}],
    ['that says less than it is', { presence: 'key' }, {}],
    ['whose key is another', { key: approver('bob', bob).keyId }, {}],
    ['that was asked for by another page', {}, { origin: 'http://localhost:3000' }],
    ['without a person', {}, { flags: 0x01 }],
    ['for longer than a working day', { expiresAtMs: Number.MAX_SAFE_INTEGER }, {}],
    ['for no call', { uses: 0 }, {}],
  ])('%s is not taken, and approves nothing when it is put into the log', async (_, said, by) => {
    const place = newPlace()
    const id = await place.ask()
    await expect(answer(place, id, said, by)).rejects.toMatchObject(refused)
    await place.force(id, await envelope(place, id, said, by))
    expect((await place.call()).authorized).toBe(false)
  })

  test('B14: signed for one call is none for another', async () => {
    const place = newPlace()
    const [first, second] = [await place.ask(), await place.ask({ arguments: { amount: 1501 } })]
    const stolen = await envelope(place, first)
    const given = recordAnswer(place.store, { approval: second, envelope: stolen }, place.authority)
    await expect(given).rejects.toMatchObject(refused)
    await place.force(second, stolen)
    expect((await place.call({ arguments: { amount: 1501 } })).authorized).toBe(false)
  })

  test('B28: counts no more once the passkey was taken away', async () => {
    const place = newPlace()
    await answer(place, await place.ask())
    place.authority = { ...place.authority, approvers: [approver('alice', alice)] }
    expect((await place.call()).authorized).toBe(false)
  })
})
