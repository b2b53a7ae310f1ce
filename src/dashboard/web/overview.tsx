import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { get } from './api.ts'
import { Bars, DecisionChart, SpreadChart } from './chart.tsx'
import { type Live, useAsked, useNews } from './live.ts'
import { Answer, Choice } from './parts.tsx'
import type { Overview as OverviewFacts } from './shapes.ts'

const spans = [
  ['1', 'Hour'],
  ['24', 'Day'],
  ['168', 'Week'],
  ['744', 'Month'],
] as const

/** What happened over the last hours or days. */
export function Overview({ live }: { readonly live: Live }): JSX.Element {
  const [hours, setHours] = useState<(typeof spans)[number][0]>('24')
  const asked = useAsked(() => get<OverviewFacts>(`/api/overview?hours=${hours}`), hours)
  useNews(live, asked.again, 2000)
  return (
    <>
      <div class="title">
        <h1>Overview</h1>
        <Choice label="how far back" options={spans} value={hours} onChange={setHours} />
      </div>
      <Answer asked={asked}>{(facts) => <Facts facts={facts} />}</Answer>
    </>
  )
}

function Facts({ facts }: { readonly facts: OverviewFacts }): JSX.Element {
  const { total, latency } = facts
  return (
    <>
      {facts.isPartial ? (
        <p class="note">
          The log has more of this time than the newest 20,000 records that are counted here.
        </p>
      ) : null}
      <ul class="tiles">
        <Tile kind="allow" name="allowed" count={total.allow} />
        <Tile kind="require_approval" name="asked" count={total.require_approval} />
        <Tile kind="deny" name="denied" count={total.deny} />
        <Tile kind="refused" name="refused as messages" count={total.refused} />
        {total.observed === 0 ? null : (
          <Tile kind="neutral" name="only observed, not enforced" count={total.observed} />
        )}
      </ul>
      <section class="panel" aria-labelledby="over-time">
        <h2 id="over-time">Decisions over time</h2>
        <DecisionChart series={facts.series} until={facts.until} />
      </section>
      <section class="panel" aria-labelledby="times">
        <h2 id="times">Where the time went</h2>
        <div class="three">
          <SpreadChart
            title="At the server"
            spread={latency.upstream}
            columnsMs={latency.columnsMs}
          />
          <SpreadChart
            title="In the gate, at most"
            spread={latency.gate}
            columnsMs={latency.columnsMs}
          />
          <SpreadChart
            title="Waiting for a person"
            spread={latency.wait}
            columnsMs={latency.columnsMs}
          />
        </div>
      </section>
      <div class="two">
        <section class="panel" aria-labelledby="top-rules">
          <h2 id="top-rules">Rules that decided most</h2>
          <Bars
            counts={facts.rules.map((rule) => ({
              name: rule.id,
              detail: `${rule.file}:${String(rule.line)}`,
              kind: rule.effect,
              count: rule.count,
            }))}
            empty="no rule has decided anything"
          />
        </section>
        <section class="panel" aria-labelledby="top-tools">
          <h2 id="top-tools">Tools that were called most</h2>
          <Bars counts={facts.tools} empty="no tool was called" />
        </section>
      </div>
    </>
  )
}

function Tile({
  kind,
  name,
  count,
}: {
  readonly kind: string
  readonly name: string
  readonly count: number
}): JSX.Element {
  return (
    <li class={`tile ${kind}`}>
      <span class="big">{count}</span>
      <span>{name}</span>
    </li>
  )
}
