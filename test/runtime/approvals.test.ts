import { afterEach, describe, expect, test } from 'vitest'
import type { Answer } from '../../src/approval/answer.ts'
import { verifyingKey } from '../../src/crypto/ed25519.ts'
import type { EventFields } from '../../src/event/create.ts'
import { Decimal } from '../../src/json/decimal.ts'
import type { ApprovalTerms } from '../../src/policy/rule.ts'
import { recordAnswer } from '../../src/runtime/answers.ts'
import type { CallOptions } from '../../src/runtime/prepare.ts'
import { alice, approver, ApprovalPlace, asking, beside, bob, keyOf, mallory } from './approvals.ts'

const places: ApprovalPlace[] = []
afterEach(() => Promise.all(places.splice(0).map((place) => place.remove())))

function newPlace(terms?: ApprovalTerms): ApprovalPlace {
  const place = new ApprovalPlace(terms)
  places.push(place)
  return place
}

const refused = { code: 'APPROVAL_REFUSED' }
const types = async ({ store }: ApprovalPlace, from: number): Promise<readonly string[]> =>
  (await store.records(from, 100)).map(({ type }) => type)

describe('an approved call', () => {
  test('passes once, and the third time it is a question again', async () => {
    const place = newPlace({ presence: 'key' })
    const id = await place.ask()
    expect(await place.ask()).toBe(id)
    const size = await place.store.size()
    await place.answer(id, alice)
    const passed = await place.call()
    expect(passed).toMatchObject({
      decision: 'allow',
      authorized: true,
      reasonCode: 'approved',
      reason: 'approved by alice',
      approvalId: id,
    })
    expect(await types(place, size)).toEqual(['approval.grant', 'decision', 'approval.use'])
    const [grant, decision, use] = await place.store.records(size, 3)
    expect(decision?.data).toMatchObject({
      decision: 'allow',
      forwarded: true,
      reason: 'approved',
      approval: id,
    })
    expect(use?.data).toEqual({
      approval: id,
      approvers: ['alice'],
      call: passed.callId,
      decision_seq: decision?.seq,
      grants: [grant?.seq],
      uses_left: 0,
    })
    const again = await place.ask()
    expect(again).not.toBe(id)
    expect((await place.store.approvalRequests()).map(({ state }) => state)).toEqual([
      'used',
      'pending',
    ])
    expect(place.failures).toEqual([])
  })

  test('passes as often as the policy says, however the answer is worded', async () => {
    const place = newPlace({ uses: 3 })
    const id = await place.ask()
    await expect(place.answer(id, beside, { uses: 4 })).rejects.toMatchObject(refused)
    await place.answer(id, beside, { uses: 3 })
    for (let index = 0; index < 3; index += 1) {
      expect((await place.call()).decision).toBe('allow')
    }
    expect((await place.call()).decision).toBe('require_approval')
  })

  test('B35: nothing happens when it is approved, only when it is made again', async () => {
    const place = newPlace()
    const id = await place.ask()
    const size = await place.store.size()
    await place.answer(id, beside)
    expect(await types(place, size)).toEqual(['approval.grant'])
    expect(await place.store.orphans()).toEqual([])
  })

  test('may be made in one session only, where the approver said so', async () => {
    const place = newPlace()
    const id = await place.ask()
    const { nowMs } = place
    await place.answer(id, beside, { session: 's1', uses: 100, expiresAtMs: nowMs + 3_600_000 })
    expect((await place.call({ session: 's2' })).decision).toBe('require_approval')
    expect((await place.call({ session: undefined })).decision).toBe('require_approval')
    expect((await place.call()).decision).toBe('allow')
    expect((await place.call()).decision).toBe('allow')
    place.nowMs += 1_000_000
    expect((await place.call()).decision).toBe('allow')
    place.nowMs += 3_600_000
    expect((await place.call()).decision).toBe('require_approval')
  })

  test('B38: an approval is spent for every gate, and a new process does not bring it back', async () => {
    const place = newPlace()
    await place.answer(await place.ask(), beside)
    expect((await place.call()).decision).toBe('allow')
    await place.reopen()
    expect((await place.call()).decision).toBe('require_approval')
  })
})

describe('B13: an approval is for one call and no other', () => {
  const tool = 'd'.repeat(64)
  test.each<[string, Partial<EventFields>, CallOptions?]>([
    ['another amount', { arguments: { amount: 1501, recipient: 'ACME' } }],
    [
      'an amount that a double would round to it',
      { arguments: { amount: new Decimal('1500.00000000000000001'), recipient: 'ACME' } },
    ],
    ['the amount as text', { arguments: { amount: '1500', recipient: 'ACME' } }],
    ['an argument more', { arguments: { amount: 1500, recipient: 'ACME', memo: '' } }],
    ['an argument less', { arguments: { amount: 1500 } }],
    ['another recipient', { arguments: { amount: 1500, recipient: 'ACME\u200B' } }],
    ['another actor', { actor: 'intern' }],
    ['another environment', { environment: 'development' }],
    ['no environment', { environment: undefined }],
    ['another server', { server: 'bank2' }],
    ['another tool', { tool: 'pay2' }],
    ['another resource', { resource: 'payments' }],
    ['another action', { action: 'executes' }],
    ['another scope', { scope: 'us' }],
    ['a changed tool definition', {}, { definitionHash: 'e'.repeat(64) }],
    ['a tool definition that nobody has seen', {}, { definitionHash: null }],
  ])('%s is not authorised', async (_, changes, options = { definitionHash: tool }) => {
    const place = newPlace({ presence: 'key' })
    const id = await place.ask({}, { definitionHash: tool })
    await place.answer(id, alice)
    const other = await place.call(changes, options)
    expect(other).toMatchObject({ authorized: false, decision: 'require_approval' })
    expect(other.decision === 'require_approval' && other.approvalId).not.toBe(id)
    // It is still there for the call that was approved, whatever the order of its arguments.
    const same = { arguments: { recipient: 'ACME', amount: new Decimal('1500.0') } }
    expect((await place.call(same, { definitionHash: tool })).decision).toBe('allow')
  })

  test('2^53+1 is another call than 2^53', async () => {
    const place = newPlace()
    const id = await place.ask({ arguments: { amount: 2n ** 53n } })
    await place.answer(id, beside)
    const next = { arguments: { amount: 2n ** 53n + 1n } }
    expect((await place.call(next)).decision).toBe('require_approval')
    expect((await place.call({ arguments: { amount: 2n ** 53n } })).decision).toBe('allow')
  })

  test('a changed policy is not authorised, not even one that asks the same', async () => {
    const place = newPlace()
    await place.answer(await place.ask(), beside)
    await place.reload(asking({}, 'b'))
    expect((await place.call()).decision).toBe('require_approval')
  })

  test('what the policy denies stays denied, whoever approved it', async () => {
    const place = newPlace()
    await place.answer(await place.ask(), beside)
    const deny = { decision: 'deny', reason: 'default', rules: [] } as const
    await place.reload({ ...asking(), decide: () => deny })
    expect((await place.call()).decision).toBe('deny')
  })
})

describe('an answer is refused', () => {
  test.each<[string, Partial<Answer>]>([
    ['for another log', { log: 'capfence.local/01JD0000000000000000000000' }],
    ['for another request', { approval: 'apr_01JD0000000000000000000000' }],
    ['for another call', { binding: 'f'.repeat(64) }],
    ['with another nonce', { nonce: '0'.repeat(32) }],
    ['with a presence that its key does not stand for', { presence: 'passkey' }],
    ['with less presence than its key stands for', { presence: 'any' }],
    ['that is over already', { expiresAtMs: 1 }],
    ['that holds for longer than a working day', { expiresAtMs: 1_900_000_000_000 }],
    ['that covers no call', { uses: 0 }],
    ['that covers too many', { uses: 1001 }],
  ])('%s', async (_, changes) => {
    const place = newPlace({ presence: 'key' })
    const id = await place.ask()
    await expect(place.answer(id, alice, changes)).rejects.toMatchObject(refused)
    // Nor does it count if somebody puts it into the log by other ways.
    await place.force(id, await place.envelope(id, alice, changes))
    expect((await place.call()).authorized).toBe(false)
  })

  test('whose signature was stripped, replaced or made by nobody', async () => {
    const place = newPlace({ presence: 'key' })
    const id = await place.ask()
    const good = await place.envelope(id, alice)
    const others = [
      good.replace(/"signatures":\[.*\]/, '"signatures":[]'),
      good.replace(/"sig":"[^"]*"/, `"sig":"${Buffer.alloc(64).toString('base64')}"`),
      await place.envelope(id, mallory, { presence: 'key' }),
      '',
    ]
    for (const envelope of others) {
      const given = recordAnswer(place.store, { approval: id, envelope }, place.authority)
      await expect(given).rejects.toMatchObject(refused)
      await place.force(id, envelope)
      expect((await place.call()).authorized).toBe(false)
    }
    await place.answer(id, bob)
    expect((await place.call()).authorized).toBe(true)
  })

  test('when the request is used, denied, revoked, over or nobody’s', async () => {
    const place = newPlace({ uses: 2 })
    await expect(
      recordAnswer(place.store, { approval: 'apr_x', envelope: '' }, place.authority),
    ).rejects.toMatchObject({ code: 'APPROVAL_NOT_FOUND' })
    const used = await place.ask({ scope: 'a' })
    await place.answer(used, beside, { uses: 2 })
    await place.call({ scope: 'a' })
    await expect(place.answer(used, alice)).rejects.toMatchObject(refused)
    const denied = await place.ask({ scope: 'b' })
    await place.answer(denied, beside, { verdict: 'deny' })
    await expect(place.answer(denied, alice)).rejects.toMatchObject(refused)
    const over = await place.ask({ scope: 'c' })
    place.nowMs += 900_000
    await expect(
      place.answer(over, alice, { expiresAtMs: place.nowMs + 1000 }),
    ).rejects.toMatchObject(refused)
  })
})

describe('B12: who may approve', () => {
  test('any: whatever can read the key beside the database', async () => {
    const place = newPlace()
    await place.answer(await place.ask(), beside)
    expect((await place.call()).decision).toBe('allow')
  })

  test('key: only a key on the list, and the key beside the database is none', async () => {
    const place = newPlace({ presence: 'key' })
    const id = await place.ask()
    await expect(place.answer(id, beside)).rejects.toMatchObject(refused)
    await expect(place.answer(id, mallory)).rejects.toMatchObject(refused)
    await place.force(id, await place.envelope(id, beside))
    await place.force(id, await place.envelope(id, mallory, { presence: 'key' }))
    expect((await place.call()).authorized).toBe(false)
    await place.answer(id, alice)
    expect((await place.call()).authorized).toBe(true)
  })

  test('passkey: no key is enough', async () => {
    const place = newPlace({ presence: 'passkey' })
    const id = await place.ask()
    await expect(place.answer(id, alice)).rejects.toMatchObject(refused)
    await place.force(id, await place.envelope(id, alice))
    expect((await place.call()).authorized).toBe(false)
  })

  test('a quorum is of different people, each with a key', async () => {
    const place = newPlace({ quorum: 2 })
    const id = await place.ask()
    await expect(place.answer(id, beside)).rejects.toMatchObject(refused)
    expect(await place.answer(id, alice)).toMatchObject({ isReached: false, approvals: 1 })
    expect((await place.call()).authorized).toBe(false)
    await expect(place.answer(id, alice)).rejects.toMatchObject(refused)
    await place.force(id, await place.envelope(id, alice, { uses: 2 }))
    expect((await place.call()).authorized).toBe(false)
    expect(await place.answer(id, bob)).toMatchObject({ isReached: true, approvals: 2 })
    expect(await place.call()).toMatchObject({ reason: 'approved by alice, bob' })
  })

  test('when nobody can say whose answers count, nobody’s do, and the operator hears of it', async () => {
    const place = newPlace()
    await place.answer(await place.ask(), beside)
    const { authority } = place
    Object.defineProperty(place, 'authority', {
      configurable: true,
      get: () => {
        throw new Error('the list is broken')
      },
    })
    expect((await place.call()).authorized).toBe(false)
    expect(place.failures.map(String)).toEqual(['Error: the list is broken'])
    Object.defineProperty(place, 'authority', { value: authority })
    expect((await place.call()).authorized).toBe(true)
  })
})

describe('B28: what is taken back counts no more, at once', () => {
  test('an approval that was revoked', async () => {
    const place = newPlace()
    const id = await place.ask()
    await place.answer(id, beside, { uses: 1 })
    await place.answer(id, alice, { verdict: 'revoke' })
    expect((await place.call()).authorized).toBe(false)
    await expect(place.answer(id, beside)).rejects.toMatchObject(refused)
  })

  test('a key that was taken off the list between the approval and the call', async () => {
    const place = newPlace({ presence: 'key' })
    const id = await place.ask()
    await place.answer(id, alice)
    place.authority = { ...place.authority, approvers: [approver('bob', bob)] }
    expect((await place.call()).authorized).toBe(false)
  })

  test('another key under the same name', async () => {
    const place = newPlace({ presence: 'key' })
    await place.answer(await place.ask(), alice)
    place.authority = { ...place.authority, approvers: [approver('alice', keyOf(5))] }
    expect((await place.call()).authorized).toBe(false)
  })

  test('a key beside the database that was made anew', async () => {
    const place = newPlace()
    await place.answer(await place.ask(), beside)
    const answerKey = verifyingKey(keyOf(6).publicKey)
    place.authority = { ...place.authority, answerKey }
    expect((await place.call()).authorized).toBe(false)
  })

  test('one of two whose approvals made the quorum', async () => {
    const place = newPlace({ quorum: 2 })
    const id = await place.ask()
    await place.answer(id, alice)
    await place.answer(id, bob)
    place.authority = { ...place.authority, approvers: [approver('bob', bob)] }
    expect((await place.call()).authorized).toBe(false)
  })
})

describe('a person’s no', () => {
  test('is told as what it is, and the call is not asked about again until it lapses', async () => {
    const place = newPlace({ presence: 'key' })
    const id = await place.ask()
    await place.answer(id, beside, { verdict: 'deny', uses: 0 })
    expect(await place.call()).toMatchObject({
      decision: 'deny',
      reasonCode: 'approval_denied',
      reason: 'anyone has denied this call',
      retryable: false,
      approvalId: id,
    })
    expect((await place.call({ scope: 'us' })).decision).toBe('require_approval')
    place.nowMs += 900_000
    expect(await place.ask()).not.toBe(id)
  })

  test('outweighs approvals that were given before', async () => {
    const place = newPlace({ quorum: 2 })
    const id = await place.ask()
    await place.answer(id, alice)
    await place.answer(id, bob, { verdict: 'deny', uses: 0 })
    expect((await place.call()).decision).toBe('deny')
  })
})
