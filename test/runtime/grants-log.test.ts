import { copyFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { afterEach, describe, expect, test } from 'vitest'
import type { Grant } from '../../src/approval/grant.ts'
import { limits } from '../../src/limits.ts'
import { recordGrant } from '../../src/runtime/grants.ts'
import { give, outcome, revoke } from './a-grant.ts'
import { ApprovalPlace } from './approvals.ts'

const places: ApprovalPlace[] = []
afterEach(() => Promise.all(places.splice(0).map((place) => place.remove())))

function newPlace(): ApprovalPlace {
  const place = new ApprovalPlace()
  places.push(place)
  return place
}

describe('time', () => {
  test('a grant is over at the very millisecond', async () => {
    const place = newPlace()
    const { grant } = await give(place)
    place.nowMs = grant.expiresAtMs - 1001
    expect(await outcome(place)).toBe('granted')
    place.nowMs = grant.expiresAtMs - 1000
    expect(await outcome(place)).toBe('rule')
  })

  test('it begins when it says, and not before it was recorded', async () => {
    const place = newPlace()
    const { grant } = await give(place, { notBeforeMs: place.nowMs + 60_000 })
    expect(await outcome(place)).toBe('rule')
    place.nowMs = grant.notBeforeMs
    expect(await outcome(place, { scope: 'us' })).toBe('granted')
    const other = newPlace()
    await give(other)
    other.nowMs -= 60_000
    expect(await outcome(other)).toBe('rule')
  })

  test.each(['as it is', 'opened again', 'with another grant'])(
    'one that was over stays so when the clock is set back, in a log %s',
    async (how) => {
      const place = newPlace()
      const { grant } = await give(place)
      const before = place.nowMs
      place.nowMs = grant.expiresAtMs
      expect(await outcome(place)).toBe('rule')
      place.nowMs = before
      const steps: Readonly<Record<string, () => Promise<unknown>>> = {
        'opened again': () => place.reopen(),
        'with another grant': () => give(place, { capability: 'other.*' }),
      }
      await steps[how]?.()
      expect(await outcome(place)).toBe('rule')
      await place.reopen()
      expect(await outcome(place)).toBe('rule')
    },
  )

  test('a clock that was ahead once does not stand in the way of grants that are given later', async () => {
    const place = newPlace()
    const before = place.nowMs
    place.nowMs += 10 * limits.maxStandingGrantMs
    await place.call()
    place.nowMs = before
    await give(place)
    expect(await outcome(place)).toBe('granted')
  })
})

const refused = { code: 'GRANT_REFUSED' }

describe('what is refused where it should be recorded', () => {
  test.each<[string, Partial<Grant>, RegExp]>([
    ['of another log', { log: 'capfence.local/01JD0000000000000000000000' }, /another log/],
    ['that is over', { issuedAtMs: 1, notBeforeMs: 1, expiresAtMs: 2 }, /its time is up/],
  ])('a grant %s', async (_, changes, why) => {
    const place = newPlace()
    await place.call()
    await expect(give(place, changes)).rejects.toMatchObject({
      ...refused,
      message: expect.stringMatching(why) as unknown,
    })
  })

  test('one that was issued in the future', async () => {
    const place = newPlace()
    await place.call()
    const at = place.nowMs + 60_000
    await expect(give(place, { issuedAtMs: at, notBeforeMs: at })).rejects.toMatchObject(refused)
  })

  test('B37: the same grant again, also when it was used up or revoked', async () => {
    const place = newPlace()
    const { grant, envelope } = await give(place, { uses: 1 })
    const again = (): Promise<unknown> => recordGrant(place.store, envelope, place.authority)
    await expect(again()).rejects.toMatchObject(refused)
    await place.call()
    await expect(again()).rejects.toMatchObject(refused)
    await revoke(place, grant.id)
    await expect(again()).rejects.toMatchObject(refused)
    place.tamper('DELETE FROM grants')
    await expect(again()).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' })
    await place.reopen()
    await expect(again()).rejects.toMatchObject(refused)
  })

  test('more than so many at the same time', async () => {
    const place = newPlace()
    await place.call()
    for (let at = 0; at < limits.maxActiveGrants; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await give(place, { capability: 'other.*' })
    }
    await expect(give(place)).rejects.toMatchObject(refused)
    place.nowMs += 3_600_000
    await give(place)
    expect(await outcome(place)).toBe('granted')
  }, 60_000)
})

describe('B37: rows are not authority', () => {
  test.each([
    [`a use that was set back`, `UPDATE grants SET used = 0`],
    [`an end that was taken away`, `UPDATE grants SET ended = ''`],
    [`a later end`, `UPDATE grants SET expires_ms = expires_ms + 1`],
    [`a row that is gone`, `DELETE FROM grants`],
    [`a seal that is gone`, `UPDATE head SET grants = NULL`],
    [`a seal of nothing`, `UPDATE head SET grants = zeroblob(72)`],
    [
      `a grant more`,
      `INSERT INTO grants SELECT 'grt_01JD8Q5V7Z0000000000000000', created_seq, created_ms, expires_ms, 0, '', envelope FROM grants LIMIT 1`,
    ],
  ])('%s is found, denies, and is made good from the log', async (_, sql) => {
    const place = newPlace()
    const { grant } = await give(place, { uses: 1 })
    await place.call()
    const other = await give(place, { capability: 'payment.execute.us' })
    await revoke(place, other.grant.id)
    place.tamper(sql)
    const verdict = await place.call()
    expect(verdict).toMatchObject({ authorized: false, reasonCode: 'audit_unavailable' })
    await place.reopen()
    expect(await outcome(place)).toBe('rule')
    expect(await outcome(place, { scope: 'us' })).toBe('rule')
    const { records } = await place.store.find({
      order: 'oldest',
      types: ['state.rebuild'],
      count: 9,
    })
    expect(records.map(({ data }) => data)).toEqual([{ charges: 0, grants: 2, labels: 0 }])
    const known = await place.store.grants()
    expect(known.map(({ id, useCount, ended }) => [id, useCount, ended])).toEqual([
      [grant.id, 1, undefined],
      [other.grant.id, 0, 'revoked'],
    ])
  })

  test('a time that was set back in the head is found, too', async () => {
    const place = newPlace()
    const { grant } = await give(place)
    const early = readSeal(place.path)
    const before = place.nowMs
    place.nowMs = grant.expiresAtMs
    await place.call()
    place.nowMs = before
    await place.reopen(() => place.tamper('UPDATE head SET grants = ?', early))
    expect(await outcome(place)).toBe('rule')
  })

  test('what was rebuilt goes on counting', async () => {
    const place = newPlace()
    await give(place, { uses: 3 })
    await place.call()
    await place.reopen(() => place.tamper('DELETE FROM grants'))
    expect(await outcome(place)).toBe('granted')
    expect(await outcome(place)).toBe('granted')
    expect(await outcome(place)).toBe('rule')
    await place.reopen()
    expect(await outcome(place)).toBe('rule')
  })

  test('a database that was rolled back to before its last use is refused', async () => {
    const place = newPlace()
    await give(place, { uses: 1 })
    const copy = `${place.path}.copy`
    await place.reopen(() => copyFileSync(place.path, copy))
    expect(await outcome(place)).toBe('granted')
    await place.store.close()
    copyFileSync(copy, place.path)
    await expect(place.reopen()).rejects.toMatchObject({ code: 'AUDIT_CORRUPT' })
  })
})

function readSeal(path: string): Buffer {
  const db = new Database(path)
  try {
    return db.prepare<[], Buffer>('SELECT grants FROM head').pluck().get() ?? Buffer.alloc(0)
  } finally {
    db.close()
  }
}
