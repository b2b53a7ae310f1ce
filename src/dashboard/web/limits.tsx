import type { JSX } from 'preact'
import { get } from './api.ts'
import { type Live, useAsked, useNews } from './live.ts'
import { Answer } from './parts.tsx'
import type { Budget } from './shapes.ts'
import { durationText, timeText } from './text.ts'

/** How much of each limit is used. */
export function Limits({ live }: { readonly live: Live }): JSX.Element {
  const asked = useAsked(() => get<readonly Budget[]>('/api/budgets'), '')
  useNews(live, asked.again, 2000)
  return (
    <>
      <h1>Limits</h1>
      <Answer asked={asked}>
        {(budgets) =>
          budgets.length === 0 ? (
            <p class="quiet">the policy limits nothing, and nothing was charged</p>
          ) : (
            <ul class="cards">
              {budgets.map((budget) => (
                <li key={`${budget.name} ${budget.per.join(' ')}`}>
                  <Pot budget={budget} />
                </li>
              ))}
            </ul>
          )
        }
      </Answer>
    </>
  )
}

function Pot({ budget }: { readonly budget: Budget }): JSX.Element {
  const { name, per, used, limit, left, counts, windowSeconds, freesAt } = budget
  // For the bar alone; the digits beside it are exact.
  const share = used === null || limit === null ? 0 : Math.min(1, Number(used) / Number(limit) || 0)
  const kind = share >= 1 ? 'deny' : share >= 0.8 ? 'require_approval' : 'allow'
  const window = windowSeconds === null ? '' : ` within ${durationText(windowSeconds * 1000)}`
  return (
    <article class="card">
      <header>
        <h2>{name}</h2>
        <span class="state">{left === null ? '' : `${left} left`}</span>
      </header>
      <p class="quiet">{per.length === 0 ? 'for all together' : `for ${per.join(', ')}`}</p>
      <svg
        class="level"
        viewBox="0 0 100 4"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${String(Math.round(share * 100))} % used`}
      >
        <rect class="empty" width="100" height="4" />
        <rect class={kind} width={share * 100} height="4" />
      </svg>
      <p>
        {used ?? 'unknown'} of {limit ?? 'no limit'} {counts === 'calls' ? 'calls' : ''}
        {window}
      </p>
      {freesAt === null ? null : <p class="quiet">more room at {timeText(freesAt)}</p>}
    </article>
  )
}
