import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { LogReport } from '../../src/audit/log-report.ts'
import type { VerifyOptions } from '../../src/audit/log-verifier.ts'
import type { LogPin } from '../../src/audit/pin.ts'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { verifyLog } from '../../src/storage/verify-log.ts'
import { WriterChild } from './children.ts'
import { decisionOn, newCall, outcomeOf, sealedArguments, storing } from './drafts.ts'
import { commitOne, openLog, software } from './log-files.ts'
import { olderLog } from './older-log.ts'
import { newSQLitePlace } from './sqlite-subject.ts'

async function verify(path: string, options: VerifyOptions): Promise<LogReport> {
  return (await verifyLog(path, options)).report
}

/** The keys that the log has named first, taken while it is known to be honest. */
async function pinOf(path: string): Promise<LogPin> {
  const { report, state } = await verifyLog(path, { trustLog: true })
  expect(report).toMatchObject({ verdict: 'ok', reason: null })
  if (state === undefined) throw new Error('it has no keys')
  return state.keys.pin
}

async function expectOk(path: string, options: VerifyOptions): Promise<LogReport> {
  const report = await verify(path, options)
  expect(report).toMatchObject({ verdict: 'ok', reason: null })
  return report
}

/** A call with arguments that are kept, and how it ended. */
async function commitCall(
  store: SQLiteEngine,
  args: Readonly<Record<string, string>>,
): Promise<void> {
  const call = newCall()
  const sealed = sealedArguments(args)
  const seq = await store.commit(
    ({ nextSeq }) => ({
      records: [decisionOn(call, { args: sealed })],
      disclosures: sealed.disclosures,
      result: nextSeq,
    }),
    'process',
  )
  await store.commit(storing(outcomeOf(call, seq)), 'process')
}

describe('an honest log verifies', () => {
  test('with two writers, text in many scripts, rotations, and a thousandth record', async () => {
    const { path } = newSQLitePlace()
    const [one, two] = [openLog(path), openLog(path)]
    const pin = await pinOf(path)
    for (let index = 0; index < 30; index += 1) {
      await commitCall(index % 2 === 0 ? one : two, { path: `/srv/ünï-${String(index)}-日本-😀` })
      if (index % 10 === 9) await (index === 9 ? one : two).rotateKeys()
    }
    await expectOk(path, { pin })
    await Promise.all(
      Array.from({ length: 1000 }, (_, index) => commitOne(index % 3 === 0 ? one : two)),
    )
    const open = await expectOk(path, { pin })
    expect(open).toMatchObject({ epoch: 4, pinned: true, orphans: [] })
    expect(open.size).toBeGreaterThan(1000)
    await one.close()
    await expectOk(path, { pin })
    await two.close()
    const closed = await expectOk(path, { pin, strict: true })
    expect(closed.lastGood?.size).toBe(closed.size)
  })

  test('with a clock that was set back, which is said', async () => {
    const { path } = newSQLitePlace()
    let nowMs = Date.parse('2026-05-06T07:08:09.000Z')
    const clock = { nowMs: () => nowMs, elapsedMs: () => performance.now() }
    const store = SQLiteEngine.open({ path, software, clock })
    await commitOne(store)
    nowMs -= 3_600_000
    await commitOne(store)
    await store.close()
    expect(await expectOk(path, { pin: await pinOf(path) })).toMatchObject({ clockSteps: [3] })
  })

  test('while a gate writes, each time as it was at one moment', async () => {
    const { path } = newSQLitePlace()
    const store = openLog(path)
    const pin = await pinOf(path)
    const stop = new AbortController()
    const written = (async () => {
      while (!stop.signal.aborted) {
        await commitCall(store, { path: 'x'.repeat(300) })
        await delay(0)
      }
    })()
    let before = 0
    for (let round = 0; round < 12; round += 1) {
      const { size } = await expectOk(path, { pin })
      expect(size).toBeGreaterThanOrEqual(before)
      before = size
      await delay(5)
    }
    stop.abort()
    await written
    await store.close()
    expect((await expectOk(path, { pin })).size).toBeGreaterThan(before)
  })

  test('after kill -9 at any moment, before anybody has opened it again', async () => {
    const place = newSQLitePlace()
    await openLog(place.path).close()
    const pin = await pinOf(place.path)
    for (let round = 0; round < 5; round += 1) {
      const child = new WriterChild(place, {
        kind: round % 2 === 0 ? 'calls' : 'rotations',
        count: 100_000,
        callers: 4,
        forwarded: true,
        durability: 'process',
      })
      await child.until((fact) => fact.call !== undefined || fact.epoch !== undefined)
      await delay(round * 17)
      await child.kill()
      const files = (): readonly string[] =>
        ['', '-wal'].map((end) => readFileSync(place.path + end, 'base64'))
      const before = files()
      await expectOk(place.path, { pin })
      expect(files()).toEqual(before)
    }
    expect(readdirSync(place.folder).some((name) => name.includes('journal'))).toBe(false)
  })

  test('that was made by a version which did not sign, and is strict about what that proves', async () => {
    const { path } = olderLog(3)
    expect(await verify(path, { trustLog: true })).toMatchObject({
      verdict: 'cannot_verify',
      reason: 'nothing in the log is signed',
    })
    const store = openLog(path)
    await commitOne(store)
    await store.close()
    const pin = await pinOf(path)
    expect(await expectOk(path, { pin })).toMatchObject({ signedFrom: 4 })
    expect(await verify(path, { pin, strict: true })).toMatchObject({ verdict: 'incomplete' })
  })
})
