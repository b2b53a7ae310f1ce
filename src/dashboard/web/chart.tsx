import type { JSX } from 'preact'
import type { Column, Count, Spread } from './shapes.ts'
import { decisionWords, durationText, timeText } from './text.ts'

const kinds = ['allow', 'require_approval', 'deny', 'refused'] as const

const width = 960
const height = 180

/** Decisions over time, stacked; the numbers stand below it for who would rather read. */
export function DecisionChart({
  series,
  until,
}: {
  readonly series: readonly Column[]
  readonly until: string
}): JSX.Element {
  const totals = series.map((column) => kinds.reduce((sum, kind) => sum + column[kind], 0))
  const most = Math.max(1, ...totals)
  const step = width / series.length
  const busy = series.filter((_, index) => totals[index] !== 0)
  return (
    <figure class="chart">
      <svg
        viewBox={`0 0 ${String(width)} ${String(height)}`}
        role="img"
        preserveAspectRatio="none"
        aria-label={`decisions over time, at most ${String(most)} in one column`}
      >
        <line x1="0" x2={width} y1={height - 1} y2={height - 1} class="axis" />
        {series.map((column, index) => (
          <Stack
            key={column.at}
            column={column}
            x={index * step}
            step={step}
            scale={(height - 12) / most}
          />
        ))}
      </svg>
      <div class="ends" aria-hidden="true">
        <span>{timeText(series[0]?.at ?? until)}</span>
        <span>{most} at most</span>
        <span>{timeText(until)}</span>
      </div>
      <ul class="legend">
        {kinds.map((kind) => (
          <li key={kind}>
            <span class={`swatch ${kind}`} aria-hidden="true" />
            {decisionWords[kind]}
          </li>
        ))}
      </ul>
      <SeriesTable series={busy} />
    </figure>
  )
}

function SeriesTable({ series }: { readonly series: readonly Column[] }): JSX.Element {
  return (
    <details>
      <summary>As a table</summary>
      {series.length === 0 ? (
        <p class="quiet">nothing happened</p>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="decisions over time as a table">
          <table>
            <thead>
              <tr>
                <th scope="col">from</th>
                {kinds.map((kind) => (
                  <th scope="col" key={kind} class="number">
                    {decisionWords[kind]}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {series.map((column) => (
                <tr key={column.at}>
                  <th scope="row">{timeText(column.at)}</th>
                  {kinds.map((kind) => (
                    <td key={kind} class="number">
                      {column[kind]}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  )
}

function Stack({
  column,
  x,
  step,
  scale,
}: {
  readonly column: Column
  readonly x: number
  readonly step: number
  readonly scale: number
}): JSX.Element {
  let top = height - 1
  const bars = kinds.map((kind) => {
    const tall = column[kind] === 0 ? 0 : Math.max(2, column[kind] * scale)
    top -= tall
    return { kind, y: top, tall }
  })
  return (
    <g>
      {bars
        .filter(({ tall }) => tall > 0)
        .map(({ kind, y, tall }) => (
          <rect key={kind} class={kind} x={x + 1} y={y} width={step - 2} height={tall} />
        ))}
    </g>
  )
}

/** How long things took: where most of them are, and the columns they fall into. */
export function SpreadChart({
  title,
  spread,
  columnsMs,
}: {
  readonly title: string
  readonly spread: Spread
  readonly columnsMs: readonly number[]
}): JSX.Element {
  const most = Math.max(1, ...spread.histogram)
  const step = 240 / spread.histogram.length
  const words = `half within ${durationText(spread.p50)}, 95 % within ${durationText(spread.p95)}, 99 % within ${durationText(spread.p99)}`
  return (
    <figure class="spread">
      <figcaption>{title}</figcaption>
      {spread.count === 0 ? (
        <p class="quiet">none yet</p>
      ) : (
        <>
          <p class="big">{durationText(spread.p50)}</p>
          <svg
            viewBox="0 0 240 48"
            role="img"
            aria-label={`${title}: ${words}`}
            preserveAspectRatio="none"
          >
            {spread.histogram.map((count, index) => {
              const tall = count === 0 ? 0 : Math.max(2, (count / most) * 46)
              const end = columnsMs[index]
              return (
                <rect
                  key={end ?? 'more'}
                  x={index * step + 1}
                  y={48 - tall}
                  width={step - 2}
                  height={tall}
                >
                  <title>{`${end === undefined ? 'longer' : `up to ${durationText(end)}`}: ${String(count)}`}</title>
                </rect>
              )
            })}
          </svg>
          <p class="quiet">
            {words}; {spread.count} in all
          </p>
        </>
      )}
    </figure>
  )
}

/** Names with how often they were seen, as bars. */
export function Bars({
  counts,
  empty,
}: {
  readonly counts: readonly (Count & { readonly detail?: string; readonly kind?: string })[]
  readonly empty: string
}): JSX.Element {
  const most = Math.max(1, ...counts.map(({ count }) => count))
  if (counts.length === 0) return <p class="quiet">{empty}</p>
  return (
    <ol class="bars">
      {counts.map(({ name, count, detail, kind }) => (
        <li key={`${name} ${detail ?? ''}`}>
          <span class="name">
            {name}
            {detail === undefined ? null : <span class="hint">{detail}</span>}
          </span>
          <span class="count">{count}</span>
          <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
            <rect class={kind ?? 'neutral'} x="0" y="0" width={(count / most) * 100} height="4" />
          </svg>
        </li>
      ))}
    </ol>
  )
}
