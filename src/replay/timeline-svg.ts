import type { Amounts, Column } from './timeline.ts'
import type { ReplayReport } from './tally.ts'
import { timeText } from './report-words.ts'

const width = 960
const bandHeight = 90
const middle = bandHeight + 34
const height = middle + bandHeight + 76
const gap = 12

/** From the axis outwards. */
const stack: readonly (keyof Amounts)[] = ['allow', 'require_approval', 'deny', 'unknown']

/**
 * The calls of a trace over its time, as a picture: what was decided stands above the axis, what is decided now hangs
 * below, and between them a mark where both differ or something could not be evaluated.
 *
 * @param names of both sides, safe to stand in HTML
 */
export function timelineSvg(
  { timeline, counts }: ReplayReport,
  names: { readonly before: string; readonly now: string },
): string {
  const { columns } = timeline
  const most = Math.max(1, ...columns.map(({ before }) => sum(before)))
  const step = width / Math.max(1, columns.length)
  const bars = columns.flatMap((column, at) => [
    ...barsOf(column.before, { at: at * step, step, most, isDown: false }),
    ...barsOf(column.now, { at: at * step, step, most, isDown: true }),
    ...marksOf(column, (at + 0.5) * step),
  ])
  const described = `${counts.calls} calls, ${counts.different} different, ${counts.unknown} not evaluated`
  return [
    `<svg class="timeline" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="timeline-title">`,
    `<title id="timeline-title">${described}</title>`,
    `<text x="0" y="12">${names.before}</text>`,
    ...bars,
    `<line class="axis" x1="0" y1="${middle - gap}" x2="${width}" y2="${middle - gap}"/>`,
    `<line class="axis" x1="0" y1="${middle + gap}" x2="${width}" y2="${middle + gap}"/>`,
    `<text x="0" y="${middle + gap + bandHeight + 18}">${names.now}</text>`,
    ...ticksOf(columns, step),
    '</svg>',
  ].join('\n')
}

interface Place {
  readonly at: number
  readonly step: number
  /** Calls of the fullest column. */
  readonly most: number
  readonly isDown: boolean
}

function barsOf(amounts: Amounts, { at, step, most, isDown }: Place): readonly string[] {
  const bars: string[] = []
  const barWidth = Math.max(step * 0.85, 0.5)
  let from = 0
  for (const name of stack) {
    if (amounts[name] === 0) continue
    const size = (amounts[name] / most) * bandHeight
    const y = isDown ? middle + gap + from : middle - gap - from - size
    bars.push(
      `<rect class="${name}" x="${rounded(at)}" y="${rounded(y)}" width="${rounded(barWidth)}" height="${rounded(size)}"/>`,
    )
    from += size
  }
  return bars
}

/** Told apart by their form too: a filled diamond, and a ring. */
function marksOf({ different, unknown }: Column, x: number): readonly string[] {
  const marks: string[] = []
  if (different > 0) {
    const points = [
      [x, middle - 6],
      [x + 5, middle],
      [x, middle + 6],
      [x - 5, middle],
    ]
    const path = points.map(([px = 0, py = 0]) => `${rounded(px)},${rounded(py)}`).join(' ')
    marks.push(`<polygon class="different" points="${path}"/>`)
  }
  if (unknown > 0) marks.push(`<circle class="open" cx="${rounded(x)}" cy="${middle}" r="3.5"/>`)
  return marks
}

const ticks = 5

function ticksOf(columns: readonly Column[], step: number): readonly string[] {
  const last = columns.length - 1
  const places = new Set(
    Array.from({ length: ticks }, (_, index) => Math.round((last * index) / (ticks - 1))),
  )
  return [...places].flatMap((at) => {
    const time = timeText(columns[at]?.startMs ?? null)
    if (time === null) return []
    const x = at * step
    const anchor = x > width * 0.85 ? 'end' : x < width * 0.15 ? 'start' : 'middle'
    const place = anchor === 'end' ? x + step : anchor === 'start' ? x : x + step / 2
    const attributes = `x="${rounded(place)}" y="${height - 22}" text-anchor="${anchor}"`
    return [
      `<text class="tick" ${attributes}>${time.slice(0, 10)}<tspan x="${rounded(place)}" dy="16">${time.slice(11, 19)}Z</tspan></text>`,
    ]
  })
}

function sum({ allow, require_approval, deny, unknown }: Amounts): number {
  return allow + require_approval + deny + unknown
}

/** The same digits on every machine. */
function rounded(number: number): string {
  return String(Math.round(number * 100) / 100)
}
