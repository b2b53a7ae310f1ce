import { describe, expect, test } from 'vitest'
import type { VerifyOptions } from '../../src/audit/log-verifier.ts'
import { honestLog, never } from './honest-log.ts'
import { SignedLog, verifyStored } from './signed-log.ts'

const base = honestLog()
const pinned: VerifyOptions = { pin: base.pin }

describe('anchors', () => {
  const { note: note600 } = base.checkpoints.find(({ size }) => size === 600) ?? never()

  test('of every earlier size hold', () => {
    const { head } = base.stored()
    const anchors = [
      { name: 'now', note: head?.note ?? '' },
      { name: 'then', note: note600 },
    ]
    expect(verifyStored(base.stored(), { ...pinned, anchors })).toMatchObject({
      verdict: 'ok',
      anchors: [
        { name: 'then', size: 600, state: 'holds' },
        { name: 'now', size: 1205, state: 'holds' },
      ],
    })
  })

  test('show that a log was rolled back to an earlier signed state', () => {
    const log = honestLog({ to: 700 })
    const anchors = [{ name: 'anchor', note: base.note() }]
    expect(verifyStored(log.stored(), pinned).verdict).toBe('ok')
    expect(verifyStored(log.stored(), { ...pinned, anchors })).toMatchObject({
      verdict: 'rolled_back',
      reason: '`anchor` has seen 1205 records, there are 700',
    })
  })

  test('show that a log was forked', () => {
    // What a thief of the current keys can do.
    const log = honestLog({ from: 700, to: 1300 })
    const anchors = [{ name: 'anchor', note: base.note() }]
    expect(verifyStored(log.stored(), pinned).verdict).toBe('ok')
    expect(verifyStored(log.stored(), { ...pinned, anchors })).toMatchObject({
      verdict: 'forked',
      reason: '`anchor` has seen other records among the first 1205',
      anchors: [{ name: 'anchor', size: 1205, state: 'forked' }],
    })
  })

  test('that nobody of this log has signed prove nothing', () => {
    const log = new SignedLog('capfence.local/01JD3333333333333333333333').open()
    for (const note of ['', 'x', log.note(), log.note([log.stable]).replace(/333\n/, '000\n')]) {
      const anchors = [{ name: 'anchor', note }]
      expect(verifyStored(base.stored(), { ...pinned, anchors })).toMatchObject({
        verdict: 'cannot_verify',
        reason: '`anchor` is no checkpoint that this log has signed',
      })
    }
  })

  test('are not reached where a record before is bad', () => {
    const anchors = [{ name: 'anchor', note: base.note() }]
    const log = base.stored()
    log.rows.splice(40, 1)
    expect(verifyStored(log, { ...pinned, anchors })).toMatchObject({
      verdict: 'tampered',
      bad: { seq: 41 },
      anchors: [{ state: 'unreached' }],
    })
  })
})
