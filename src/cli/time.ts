import { CapFenceError } from '../errors.ts'

const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}
const duration = /^(\d{1,9})([smhdw])$/
/** RFC 3339 with the zone, or a date alone, which is midnight UTC. */
const instant =
  /^\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2}))?$/

/**
 * A point in time as people write it: `10m` ago, or `2026-11-25T14:00:00Z`.
 *
 * @throws CapFenceError `USAGE`
 */
export function parseTime(text: string, nowMs: number): number {
  const [, count, unit] = duration.exec(text) ?? []
  const perUnit = unit === undefined ? undefined : unitMs[unit]
  if (count !== undefined && perUnit !== undefined) return nowMs - Number(count) * perUnit
  const ms = instant.test(text) ? Date.parse(text.replace(' ', 'T').toUpperCase()) : Number.NaN
  // Date.parse takes 31 February for 3 March; what it prints tells.
  if (!Number.isNaN(ms) && dayExists(text)) return ms
  throw new CapFenceError('USAGE', `\`${text}\` is no point in time`, {
    hint: 'write `10m`, `2h` or `3d` for so long ago, or `2026-11-25T14:00:00Z`',
  })
}

function dayExists(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number)
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
}

/** How long something took or takes, in its largest unit: `45s`, `12m`, `3h`, `2d`. */
export function shortDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}
