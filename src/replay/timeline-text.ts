import { timeText } from './report-words.ts'
import type { ReplayReport } from './tally.ts'
import type { Amounts, Column } from './timeline.ts'

const maxColumns = 72
const blocks = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const

/**
 * The calls of a trace over its time, in letters: a row for what is let through, held and denied, before and now, and one
 * with a mark where both differ (`x`) or something could not be evaluated (`?`).
 */
export function timelineText(
  { timeline }: ReplayReport,
  names: { readonly before: string; readonly now: string },
): readonly string[] {
  const columns = fewer(timeline.columns)
  const most = Math.max(
    1,
    ...columns.flatMap(({ before, now }) => [...numbersOf(before), ...numbersOf(now)]),
  )
  const row = (side: 'before' | 'now', name: keyof Amounts): string =>
    columns.map((column) => block(column[side][name], most)).join('')
  const label = Math.max(...rows.map(({ length }) => length), names.before.length, names.now.length)
  const band = (side: 'before' | 'now'): readonly string[] => [
    names[side],
    ...rows.map((name) => `  ${name.padEnd(label)} ${row(side, name)}`),
  ]
  const first = timeText(columns[0]?.startMs ?? null)
  const last = timeText(columns.at(-1)?.startMs ?? null)
  return [
    ...band('before'),
    ...band('now'),
    `  ${''.padEnd(label)} ${columns.map(mark).join('')}`,
    ...(first === null || last === null ? [] : [`  ${''.padEnd(label)} ${first} to ${last}`]),
  ]
}

function numbersOf(amounts: Amounts): readonly number[] {
  return rows.map((name) => amounts[name])
}

const rows = ['allow', 'require_approval', 'deny'] as const

function block(count: number, most: number): string {
  if (count === 0) return blocks[0]
  return blocks[Math.max(1, Math.round((count / most) * 8))] ?? blocks[8]
}

function mark({ different, unknown }: Column): string {
  if (different > 0) return 'x'
  return unknown > 0 ? '?' : ' '
}

/** Neighbours are put together until a page is wide enough. */
function fewer(columns: readonly Column[]): readonly Column[] {
  const together = Math.ceil(columns.length / maxColumns)
  if (together <= 1) return columns
  return Array.from({ length: Math.ceil(columns.length / together) }, (_, at) => {
    const [first, ...others] = columns.slice(at * together, (at + 1) * together)
    return others.reduce(joined, first ?? none)
  })
}

const noAmounts: Amounts = { allow: 0, require_approval: 0, deny: 0, unknown: 0 }
const none: Column = { startMs: null, before: noAmounts, now: noAmounts, different: 0, unknown: 0 }

function joined(one: Column, other: Column): Column {
  return {
    startMs: one.startMs,
    before: added(one.before, other.before),
    now: added(one.now, other.now),
    different: one.different + other.different,
    unknown: one.unknown + other.unknown,
  }
}

function added(one: Amounts, other: Amounts): Amounts {
  return {
    allow: one.allow + other.allow,
    require_approval: one.require_approval + other.require_approval,
    deny: one.deny + other.deny,
    unknown: one.unknown + other.unknown,
  }
}
