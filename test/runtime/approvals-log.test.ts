import Database from 'better-sqlite3'
import { copyFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import type { ApprovalTerms } from '../../src/policy/rule.ts'
import { recordAnswer } from '../../src/runtime/answers.ts'
import { alice, ApprovalPlace, beside } from './approvals.ts'

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

describe('time', () => {
  test('an approval is over at the very millisecond', async () => {
    const place = newPlace()
    const id = await place.ask()
    const { answer } = await place.answer(id, beside)
    place.nowMs = answer.expiresAtMs - 1000
    const late = await place.ask()
    expect(late).not.toBe(id)
    const other = newPlace()
    const given = await other.answer(await other.ask(), beside)
    other.nowMs = given.answer.expiresAtMs - 1001
    expect((await other.call()).authorized).toBe(true)
  })

  test.each<[string, (place: ApprovalPlace) => Promise<unknown>]>([
    ['a question, which notes what is over', (place) => place.call({ scope: 'us' })],
    ['any other record, which bears the time', ({ runtime }) => runtime.refuseReload('broken')],
  ])('an approval that was over stays so when the clock is set back after %s', async (_, then) => {
    const place = newPlace()
    const id = await place.ask()
    const { answer } = await place.answer(id, beside)
    const before = place.nowMs
    place.nowMs = answer.expiresAtMs
    await then(place)
    place.nowMs = before
    expect((await place.call()).authorized).toBe(false)
    await place.reopen()
    expect((await place.call()).authorized).toBe(false)
  })

  test('an approval is worth nothing before it was given', async () => {
    const place = newPlace()
    await place.answer(await place.ask(), beside)
    place.nowMs -= 60_000
    expect((await place.call()).authorized).toBe(false)
  })

  test('what nobody answered is noted as expired by the next question', async () => {
    const place = newPlace()
    const id = await place.ask()
    place.nowMs += 900_000
    const size = await place.store.size()
    await place.ask({ scope: 'us' })
    expect(await types(place, size)).toEqual(['decision', 'approval.request', 'approval.expire'])
    const [request] = await place.store.approvalRequests()
    expect(request).toMatchObject({ id, state: 'expired' })
  })
})

describe('B37: rows are not authority', () => {
  test('an approval that only the tables know of is none', async () => {
    const place = newPlace()
    const id = await place.ask()
    const envelope = await place.envelope(id, alice)
    place.tamper(`UPDATE approvals SET state = 'approved'`)
    place.tamper(
      `INSERT INTO approval_answers (approval, approver, verdict, seq, envelope) VALUES (?, 'alice', 'approve', 3, ?)`,
      id,
      Buffer.from(envelope),
    )
    expect((await place.call()).authorized).toBe(false)
  })

  test('a use whose rows were set back or deleted has happened', async () => {
    const place = newPlace()
    const id = await place.ask()
    await place.answer(id, beside)
    expect((await place.call()).authorized).toBe(true)
    place.tamper(`UPDATE approvals SET state = 'approved', used_seq = NULL`)
    expect((await place.call()).authorized).toBe(false)
    await place.reopen(() => place.tamper(`UPDATE approvals SET state = 'pending'`))
    expect((await place.call()).authorized).toBe(false)
    place.tamper('DELETE FROM approval_answers')
    expect((await place.call()).authorized).toBe(false)
  })

  test('a denial and a revocation whose rows were set back or deleted hold', async () => {
    const place = newPlace()
    const id = await place.ask()
    await place.answer(id, beside)
    await place.answer(id, alice, { verdict: 'revoke', uses: 0 })
    const denied = await place.ask({ scope: 'us' })
    await place.answer(denied, beside, { verdict: 'deny', uses: 0 })
    place.tamper(`UPDATE approvals SET state = 'approved'`)
    place.tamper(`DELETE FROM approval_answers WHERE verdict <> 'approve'`)
    expect((await place.call()).authorized).toBe(false)
    expect((await place.call({ scope: 'us' })).decision).toBe('deny')
  })

  test('a deleted request takes its approval with it', async () => {
    const place = newPlace()
    const id = await place.ask()
    await place.answer(id, beside)
    place.tamper('DELETE FROM approvals')
    expect((await place.call()).decision).toBe('require_approval')
    await expect(
      recordAnswer(place.store, { approval: id, envelope: '' }, place.authority),
    ).rejects.toMatchObject({ code: 'APPROVAL_NOT_FOUND' })
  })

  test('a request that was put in is nobody’s question, and holds no call up', async () => {
    const place = newPlace()
    const id = await place.ask()
    await place.answer(id, beside)
    await place.call()
    place.tamper(
      `INSERT INTO approvals (id, binding_digest, state, requested_ms, expires_ms, decision_seq, request)
       SELECT 'apr_01JDZZZZZZZZZZZZZZZZZZZZZZ', binding_digest, 'approved', requested_ms, expires_ms, decision_seq,
              replace(request, id, 'apr_01JDZZZZZZZZZZZZZZZZZZZZZZ') FROM approvals`,
    )
    const verdict = await place.call()
    expect(verdict.decision).toBe('require_approval')
    expect(verdict.decision === 'require_approval' && verdict.approvalId).not.toContain('ZZZZ')
    await expect(place.answer('apr_01JDZZZZZZZZZZZZZZZZZZZZZZ', beside)).rejects.toMatchObject(
      refused,
    )
  })

  test.each<[string, string]>([
    ['its expiry', `json_set(request, '$.expiresAtMs', 1900000000000)`],
    ['its nonce', `json_set(request, '$.nonce', '${'0'.repeat(32)}')`],
    ['its place', `json_set(request, '$.decisionSeq', 0)`],
    ['what it asks of the answer', `json_set(request, '$.terms.presence', 'any')`],
    ['its actor', `json_set(request, '$.binding.actor', 'mallory')`],
    ['its message', `json_set(request, '$.message', 'harmless')`],
  ])('a request of which %s was changed is not answered, and approves nothing', async (_, sql) => {
    const place = newPlace({ presence: 'key' })
    const id = await place.ask()
    const envelope = await place.envelope(id, alice)
    place.tamper(`UPDATE approvals SET request = ${sql}, expires_ms = 1900000000000`)
    const given = recordAnswer(place.store, { approval: id, envelope }, place.authority)
    await expect(given).rejects.toMatchObject(refused)
    await place.force(id, envelope)
    expect((await place.call()).authorized).toBe(false)
  })

  test('a question about a harmless call does not become the approval of another', async () => {
    const place = newPlace({ presence: 'key' })
    const harmless = await place.ask({ arguments: { amount: 1 } })
    await place.ask({ arguments: { amount: 999_999 } })
    // The row of the harmless question is given the call of the other one, before anybody signs.
    place.tamper(
      `UPDATE approvals SET (binding_digest, request) = (
         SELECT o.binding_digest, json_set(approvals.request, '$.bindingDigest', o.binding_digest,
                '$.binding', json(json_extract(o.request, '$.binding')))
         FROM approvals o WHERE o.id <> approvals.id)
       WHERE id = ?`,
      harmless,
    )
    await expect(place.answer(harmless, alice)).rejects.toMatchObject(refused)
    await place.force(harmless, await place.envelope(harmless, alice))
    expect((await place.call({ arguments: { amount: 999_999 } })).authorized).toBe(false)
  })

  test('a database that was rolled back under a running gate stops it', async () => {
    const place = newPlace()
    await place.answer(await place.ask(), beside)
    const copy = `${place.path}.copy`
    const db = new Database(place.path)
    db.exec(`VACUUM INTO '${copy}'`)
    db.close()
    expect((await place.call()).authorized).toBe(true)
    const before = new Database(place.path)
    before.exec(`ATTACH '${copy}' AS old`)
    for (const table of [
      'records',
      'head',
      'approvals',
      'approval_answers',
      'calls',
      'open_calls',
    ]) {
      before.exec(`DELETE FROM ${table}; INSERT INTO ${table} SELECT * FROM old.${table}`)
    }
    before.close()
    expect((await place.call()).authorized).toBe(false)
  })

  test('a database that was restored from before the use is not opened again', async () => {
    const place = newPlace()
    await place.answer(await place.ask(), beside)
    const copy = `${place.path}.copy`
    await place.reopen(() => copyFileSync(place.path, copy))
    expect((await place.call()).authorized).toBe(true)
    const restored = place.reopen(() => copyFileSync(copy, place.path))
    await expect(restored).rejects.toMatchObject({ code: 'AUDIT_CORRUPT' })
    expect((await place.call()).authorized).toBe(false)
  })
})
