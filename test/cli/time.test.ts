import { describe, expect, test } from 'vitest'
import { parseTime, shortDuration } from '../../src/cli/time.ts'

const now = Date.parse('2026-11-25T14:00:00Z')

describe('a point in time', () => {
  const good: readonly (readonly [text: string, iso: string])[] = [
    ['30s', '2026-11-25T13:59:30.000Z'],
    ['10m', '2026-11-25T13:50:00.000Z'],
    ['2h', '2026-11-25T12:00:00.000Z'],
    ['3d', '2026-11-22T14:00:00.000Z'],
    ['1w', '2026-11-18T14:00:00.000Z'],
    ['0s', '2026-11-25T14:00:00.000Z'],
    ['2026-11-25T12:00:00Z', '2026-11-25T12:00:00.000Z'],
    ['2026-11-25t12:00:00z', '2026-11-25T12:00:00.000Z'],
    ['2026-11-25 12:00:00Z', '2026-11-25T12:00:00.000Z'],
    ['2026-11-25T12:00:00.123456Z', '2026-11-25T12:00:00.123Z'],
    ['2026-11-25T00:30:00+02:00', '2026-11-24T22:30:00.000Z'],
    ['2024-02-29T23:30:00-05:00', '2024-03-01T04:30:00.000Z'],
    ['2026-11-25', '2026-11-25T00:00:00.000Z'],
  ]
  test.each(good)('%s', (text, iso) => {
    expect(new Date(parseTime(text, now)).toISOString()).toBe(iso)
  })

  const bad: readonly string[] = [
    '',
    'now',
    '10',
    'm',
    '-1m',
    '1.5h',
    '10 m',
    '10M',
    '1y',
    '9999999999s',
    '2026-11-25T12:00:00',
    '2026-11-25T12:00Z',
    '2026-13-01T00:00:00Z',
    '2026-02-29',
    '2026-11-31T00:00:00Z',
    '2026-11-25T25:00:00Z',
    '2026-11-25T12:00:00Z ',
    '1764072000',
    'Wed, 25 Nov 2026 12:00:00 GMT',
  ]
  test.each(bad)('%s is none', (text) => {
    expect(() => parseTime(text, now)).toThrow(`\`${text}\` is no point in time`)
  })
})

test.each([
  [-5, '0s'],
  [999, '0s'],
  [59_999, '59s'],
  [60_000, '1m'],
  [3_599_999, '59m'],
  [3_600_000, '1h'],
  [86_399_999, '23h'],
  [86_400_000, '1d'],
  [1e10, '115d'],
] as const)('%i ms is %s', (ms, text) => {
  expect(shortDuration(ms)).toBe(text)
})
