import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { wallClock, zoneNames } from '../../src/policy/zone.ts'
import { clockAlone } from '../../src/policy/state.ts'
import { call, policy, problems } from './support.ts'

/** What a guard and a grant with this window make of a call at some times; a `t`, `f` or `i` for each. */
function values(window: string, times: readonly string[]): readonly string[] {
  const rule = `{capability: x, time: ${window}}`
  const loaded = policy(`deny: [${rule}]\nallow: [${rule}]`)
  return times.map((time) => {
    const [guard, grant] = loaded.explain(call(), clockAlone(Date.parse(time)))
    return `${guard?.value[0]}${grant?.value[0]}`
  })
}

const office = '{zone: Europe/Berlin, days: [mon-fri], between: ["09:00", "17:00"]}'
const night = '{zone: Europe/Berlin, days: [fri], between: ["22:00", "06:00"]}'
const gap = '{zone: Europe/Berlin, between: ["02:00", "03:00"]}'

describe('time: hours of days, as a clock on the wall shows them', () => {
  test.each<[name: string, window: string, time: string, inside: boolean]>([
    // 2026-11-25 is a Wednesday; Berlin is one hour ahead in winter and two in summer.
    ['a minute before it opens', office, '2026-11-25T07:59:59.999Z', false],
    ['when it opens', office, '2026-11-25T08:00:00Z', true],
    ['the last moment', office, '2026-11-25T15:59:59.999Z', true],
    ['when it closes', office, '2026-11-25T16:00:00Z', false],
    ['in summer an hour earlier in UTC', office, '2026-07-01T07:00:00Z', true],
    ['in summer, closed in UTC', office, '2026-07-01T15:00:00Z', false],
    ['on Saturday', office, '2026-11-28T10:00:00Z', false],
    ['on Friday evening', night, '2026-11-27T21:00:00Z', true],
    ['after midnight it is still the window of Friday', night, '2026-11-28T04:59:59Z', true],
    ['when the night ends', night, '2026-11-28T05:00:00Z', false],
    ['Saturday evening is no Friday', night, '2026-11-28T21:00:00Z', false],
    ['early on Friday is the night of Thursday', night, '2026-11-27T04:00:00Z', false],
    ['an hour that is left out in March', gap, '2026-03-29T01:00:00Z', false],
    ['just before that hour', gap, '2026-03-29T00:59:59Z', false],
    ['an hour that comes twice in October, first', gap, '2026-10-25T00:30:00Z', true],
    ['an hour that comes twice in October, again', gap, '2026-10-25T01:30:00Z', true],
    ['days alone, first moment', '{zone: Asia/Tokyo, days: sat}', '2026-11-27T15:00:00Z', true],
    ['days alone, before', '{zone: Asia/Tokyo, days: sat}', '2026-11-27T14:59:59Z', false],
    ['days that wrap', '{zone: UTC, days: [fri-mon]}', '2026-11-29T12:00:00Z', true],
    ['days that wrap, outside', '{zone: UTC, days: [fri-mon]}', '2026-11-26T12:00:00Z', false],
    ['up to midnight', '{zone: UTC, between: ["20:00", "24:00"]}', '2026-11-25T23:59:59Z', true],
    [
      'midnight as the end',
      '{zone: UTC, between: ["20:00", "00:00"]}',
      '2026-11-26T00:00:00Z',
      false,
    ],
    ['from midnight', '{zone: UTC, between: ["00:00", "06:00"]}', '2026-11-26T00:00:00Z', true],
    [
      'a zone of quarters',
      '{zone: Asia/Kathmandu, between: ["12:00", "12:01"]}',
      '2026-11-25T06:15:00Z',
      true,
    ],
    ['one of several windows', `[${office}, ${night}]`, '2026-11-27T22:00:00Z', true],
    ['none of several windows', `[${office}, ${night}]`, '2026-11-29T22:00:00Z', false],
  ])('%s', (_, window, time, inside) => {
    expect(values(window, [time])).toEqual([inside ? 'tt' : 'ff'])
  })

  test('without a clock, and for what is no time, guards apply and grants do not', () => {
    const loaded = policy(
      `deny: [{capability: x.d, time: ${office}}]\nallow: [{capability: x, time: ${office}}]`,
    )
    for (const state of [
      undefined,
      clockAlone(Number.NaN),
      clockAlone(9e15),
      clockAlone(-Infinity),
    ]) {
      expect(loaded.decide(call({ capability: 'x.d.z' }), state)).toMatchObject({
        decision: 'deny',
        reason: 'indeterminate',
      })
      expect(loaded.decide(call(), state)).toMatchObject({ decision: 'deny', reason: 'default' })
    }
  })

  test('inside not and any', () => {
    const closed = `deny: [{capability: x, not: {time: ${office}}}]\nallow: [{capability: x, any: [{time: ${office}}, {amount_lt: 5}]}]`
    const at = (time: string): string =>
      policy(closed).decide(call(), clockAlone(Date.parse(time))).decision
    expect(at('2026-11-25T12:00:00Z')).toBe('allow')
    expect(at('2026-11-25T22:00:00Z')).toBe('deny')
    expect(policy(closed).decide(call()).reason).toBe('indeterminate')
  })

  test('a policy says for which calls it needs the clock', () => {
    const loaded = policy(
      `deny: [{capability: a.b, any: [{not: {time: ${office}}}]}]\nallow: [{capability: c}, {capability: "*.e"}]`,
    )
    const asks = (capability: string): boolean => loaded.asksState(call({ capability }))
    expect([asks('a.b.z'), asks('A.B.z'), asks('a.e.z'), asks('c.d.z')]).toEqual([
      ...[true, true, false, false],
    ])
    expect(policy('allow: [{capability: a}]').asksState(call({ capability: 'a.b.c' }))).toBe(false)
  })
})

describe('a clock on the wall', () => {
  test('agrees with the offset that the runtime prints, in every zone, at any time', () => {
    const zones = zoneNames()
    expect(zones.length).toBeGreaterThan(300)
    const time = fc.integer({ min: Date.UTC(1975, 0), max: Date.UTC(2040, 0) })
    fc.assert(
      fc.property(fc.constantFrom(...zones), time, (timeZone, nowMs) => {
        const text = new Date(nowMs).toLocaleString('sv-SE', {
          timeZone,
          timeZoneName: 'longOffset',
        })
        const [, sign = '+', hours = '0', minutes = '0'] =
          /(?:GMT)([+−-])(\d\d):(\d\d)/.exec(text) ?? []
        const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '+' ? 1 : -1)
        const local = new Date(nowMs + offset * 60_000)
        expect(wallClock(timeZone)?.(nowMs)).toEqual({
          day: (local.getUTCDay() + 6) % 7,
          minute: local.getUTCHours() * 60 + local.getUTCMinutes(),
        })
      }),
    )
  })

  test.each(['+02:00', 'GMT+25', '', ' UTC', 'Europe/Berln', '../UTC', 'UTC\0', 'Europe/Berlin '])(
    '%j is no zone',
    (zone) => {
      expect(wallClock(zone)).toBeUndefined()
    },
  )
})

test('a zone is a name that the runtime knows, and a hint names the nearest one', () => {
  expect(problems('allow: [{capability: x, time: {zone: Europe/Berlin, days: mon}}]')).toEqual([])
  expect(problems('allow: [{capability: x, time: {zone: UTC, days: [mon, mon-fri]}}]')).toEqual([])
})
