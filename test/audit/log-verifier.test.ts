import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LogVerifier } from '../../src/audit/log-verifier.ts'
import type { VerifyOptions } from '../../src/audit/log-verifier.ts'
import { honestLog, keyAdd, kept, never, plain, secret } from './honest-log.ts'
import { callId, logOfTests } from './samples.ts'
import { disclosureOf, feed, SignedLog, verifyStored, type StoredLog } from './signed-log.ts'

const base = honestLog()
const pin = base.pin
const pinned: VerifyOptions = { pin }

/** A changed copy of the honest log. */
function changed(change: (log: StoredLog) => void): StoredLog {
  const log = base.stored()
  change(log)
  return log
}

describe('an honest log', () => {
  test('verifies against its pin, to the end', () => {
    const report = verifyStored(base.stored(), { ...pinned, anchors: [] })
    expect(report).toMatchObject({
      verdict: 'ok',
      reason: null,
      bad: null,
      size: 1205,
      read: 1205,
      log: logOfTests,
      pinned: true,
      signedFrom: 0,
      epoch: 2,
      checkpoints: 3,
      redacted: 1,
      orphans: [{ call: callId(602), seq: 602 }],
      lastGood: { size: 1205 },
    })
  })

  test('is unauthenticated without a pin, unless it may be believed', () => {
    expect(verifyStored(base.stored())).toMatchObject({
      verdict: 'cannot_verify',
      reason: 'unauthenticated: without a pinned key it may be any log',
      size: 1205,
    })
    expect(verifyStored(base.stored(), { trustLog: true })).toMatchObject({ verdict: 'ok' })
  })

  test('is incomplete with a call whose end is not known, where that is asked', () => {
    expect(verifyStored(base.stored(), { ...pinned, strict: true })).toMatchObject({
      verdict: 'incomplete',
      reason: 'the end of 1 call is not known',
    })
  })

  test('may end with a rotation, its head signed by two or by three', () => {
    const log = new SignedLog().open().append(plain(1))
    const before = log.epochKey
    log.rotate()
    const two = log.stored()
    expect(verifyStored(two, { pin: log.pin }).verdict).toBe('ok')
    const head = two.head && { ...two.head, note: log.note([log.stable, before, log.epochKey]) }
    expect(verifyStored({ ...two, head }, { pin: log.pin }).verdict).toBe('ok')
  })

  test('may have been unsigned once, which is said', () => {
    const log = new SignedLog()
    log.open({ vkey: null, epoch_vkey: null }).append(plain(1))
    log.append(keyAdd(log))
    while (log.size < 20) log.append(plain(log.size))
    expect(verifyStored(log.stored(), { pin: log.pin })).toMatchObject({
      verdict: 'ok',
      signedFrom: 3,
      unknown: ['records before 3 were signed only afterwards'],
    })
  })

  test('without any key is verified but proves nothing', () => {
    const { head, ...rest } = new SignedLog().open({ vkey: null, epoch_vkey: null }).stored()
    const unsigned = { ...rest, head: head && { ...head, note: null } }
    expect(verifyStored(unsigned, { trustLog: true })).toMatchObject({
      verdict: 'cannot_verify',
      reason: 'nothing in the log is signed',
      signedFrom: null,
    })
    expect(verifyStored({ ...rest, head }, { trustLog: true })).toMatchObject({
      verdict: 'tampered',
      reason: 'the head is signed, but the log names no keys',
    })
  })

  test('that is empty proves nothing', () => {
    const log: StoredLog = {
      rows: [],
      checkpoints: [],
      head: { origin: logOfTests, size: 0, root: emptyRoot, frontier: '', note: null },
    }
    expect(verifyStored(log, pinned)).toMatchObject({
      verdict: 'cannot_verify',
      reason: 'the log is empty',
    })
  })
})

const emptyRoot = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/** What was done to the log, and what is said of it. */
const attacks: Readonly<
  Record<string, readonly [log: () => StoredLog, reason: RegExp, lastGood: number | null]>
> = {
  'the head row is gone': [
    () => changed((log) => (log.head = undefined)),
    /^the head of the log is missing$/,
    1000,
  ],
  'the tail is gone': [
    () => changed((log) => log.rows.splice(1100)),
    /^the head counts 1205 records, there are 1100$/,
    1000,
  ],
  'a record behind the head': [
    () => changed((log) => (log.head = log.head && { ...log.head, size: 1204 })),
    /^the head counts 1204 records/,
    1000,
  ],
  'the head is of another tree': [
    () => changed((log) => (log.head = log.head && { ...log.head, root: emptyRoot })),
    /^the head is of other records; something in records 1000 to 1204 was changed$/,
    1000,
  ],
  'the head has lost its frontier': [
    () => changed((log) => (log.head = log.head && { ...log.head, frontier: '' })),
    /^the head has lost its tree$/,
    1000,
  ],
  'the head is unsigned': [
    () => changed((log) => (log.head = log.head && { ...log.head, note: null })),
    /^the head is not signed$/,
    1000,
  ],
  'the head is signed for an earlier size': [
    () =>
      changed((log) => {
        const note = log.checkpoints.at(-1)?.note ?? ''
        log.head = log.head && { ...log.head, note }
      }),
    /^the signed head is of other records/,
    1000,
  ],
  'another origin stands in the database': [
    () => changed((log) => (log.head = log.head && { ...log.head, origin: 'capfence.local/x' })),
    /^another origin stands beside the records$/,
    1000,
  ],
  'a periodic checkpoint is gone': [
    () => changed((log) => (log.checkpoints = log.checkpoints.filter(({ size }) => size !== 1000))),
    /^the checkpoint of 1000 records is missing$/,
    604,
  ],
  'the checkpoint of the rotation is gone': [
    () => changed((log) => (log.checkpoints = log.checkpoints.filter(({ size }) => size !== 604))),
    /^the checkpoint of 604 records, with which an epoch ends, is missing$/,
    600,
  ],
  'a checkpoint of a size that the log does not have': [
    () => changed((log) => log.checkpoints.push({ size: 9000, note: 'x' })),
    /^the checkpoint of 9000 records: the log has 1205/,
    1000,
  ],
  'a checkpoint under another size': [
    () =>
      changed((log) => {
        const { note = '' } = log.checkpoints.find(({ size }) => size === 600) ?? {}
        log.checkpoints.push({ size: 500, note })
      }),
    /^the checkpoint of 500 records: it is signed for 600; something in records 0 to 499/,
    null,
  ],
  'everything forged anew under the old signatures': [
    () => ({ ...base.stored(), rows: honestLog({ at: 40 }).stored().rows }),
    /^the checkpoint of 600 records: it was signed over other records; something in records 0 to 599 was changed$/,
    null,
  ],
  'a disclosure changed': [
    () => changed((log) => replaceDisclosures(log, `${disclosureOf('note', 'other').encoded}~`)),
    /^record 3: a disclosure that none of its digests stands for$/,
    null,
  ],
  'a disclosure erased silently': [
    () => changed((log) => replaceDisclosures(log, '')),
    /^record 3: a disclosure of it is missing, and no record says that it was erased$/,
    1205,
  ],
  'a redacted disclosure put back': [
    () => changed((log) => replaceDisclosures(log, `${secret.encoded}~${kept.encoded}~`)),
    /^record 30: it redacts a disclosure that is still there, or never was$/,
    null,
  ],
  'a disclosure twice': [
    () => changed((log) => replaceDisclosures(log, `${kept.encoded}~${kept.encoded}~`)),
    /^record 3: a disclosure that none/,
    null,
  ],
  'disclosures cut off': [
    () => changed((log) => replaceDisclosures(log, kept.encoded)),
    /^record 3: its disclosures are cut off$/,
    null,
  ],
}

function replaceDisclosures(log: StoredLog, disclosures: string): void {
  log.rows[3] = { ...(log.rows[3] ?? never()), disclosures }
}

describe('a log that was changed', () => {
  test.each(Object.entries(attacks))('%s', (_name, [log, reason, lastGood]) => {
    const report = verifyStored(log(), pinned)
    expect(report.verdict).toBe('tampered')
    expect(report.reason).toMatch(reason)
    expect(report.lastGood?.size ?? null).toBe(lastGood)
  })

  test('no single change of a stored byte passes', () => {
    const sizes = base.stored()
    const place = fc.record({
      what: fc.constantFrom('body', 'leaf', 'note', 'head', 'root'),
      at: fc.nat(1_000_000),
      bit: fc.integer({ min: 0, max: 6 }),
    })
    fc.assert(
      fc.property(place, ({ what, at, bit }) => {
        const log = { ...sizes, rows: [...sizes.rows], checkpoints: [...sizes.checkpoints] }
        flip(log, what, at, 1 << bit)
        expect(verifyStored(log, pinned).verdict).toBe('tampered')
      }),
      { seed: 7, numRuns: 40 },
    )
  })
})

function flip(log: StoredLog, what: string, at: number, mask: number): void {
  const text = (value: string): string => {
    const bytes = Buffer.from(value)
    const place = at % bytes.length
    bytes[place] = (bytes[place] ?? 0) ^ mask
    return bytes.toString('latin1') === value ? never() : bytes.toString()
  }
  const bytesOf = (value: Uint8Array): Uint8Array => {
    const bytes = Buffer.from(value)
    const place = at % bytes.length
    bytes[place] = (bytes[place] ?? 0) ^ mask
    return bytes
  }
  const seq = at % log.rows.length
  const row = log.rows[seq] ?? never()
  const head = log.head ?? never()
  if (what === 'body') log.rows[seq] = { ...row, body: bytesOf(row.body) }
  if (what === 'leaf') log.rows[seq] = { ...row, leaf: bytesOf(row.leaf) }
  if (what === 'head') log.head = { ...head, note: text(head.note ?? never()) }
  if (what === 'root') log.head = { ...head, root: text(head.root) }
  if (what === 'note') {
    const index = at % log.checkpoints.length
    const checkpoint = log.checkpoints[index] ?? never()
    log.checkpoints[index] = { ...checkpoint, note: text(checkpoint.note) }
  }
}

describe('going on from an earlier verification', () => {
  test('gives the same report as from the start, and reads only what is new', () => {
    const whole = base.stored()
    for (const size of [600, 604, 1000]) {
      const first = new LogVerifier(pinned)
      const { head: _end, ...rest } = whole
      const early = {
        ...rest,
        rows: whole.rows.slice(0, size),
        checkpoints: whole.checkpoints.filter((one) => one.size <= size),
      }
      feed(first, { ...early, head: undefined })
      const state = first.state()
      const later = feed(new LogVerifier(pinned, state), whole)
      const { clockSteps: _steps, read, ...report } = later
      expect(verifyStored(whole, pinned)).toMatchObject(report)
      expect(read).toBe(1205 - size)
    }
  })
})
