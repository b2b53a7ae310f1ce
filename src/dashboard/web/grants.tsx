import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { get, post, Problem } from './api.ts'
import { type Live, useAsked, useNews, useNow } from './live.ts'
import { Answer, Arguments, Choice, Complaint, Facts } from './parts.tsx'
import type { ListedGrant } from './shapes.ts'
import { leftText, timeText } from './text.ts'

/** What was granted in advance, and how much of it is left. */
export function Grants({ live }: { readonly live: Live }): JSX.Element {
  const [which, setWhich] = useState<'force' | 'all'>('force')
  const asked = useAsked(() => get<readonly ListedGrant[]>('/api/grants'), '')
  const nowMs = useNow()
  useNews(live, (news) => news.grants && asked.again(), 0)
  return (
    <>
      <div class="title">
        <h1>Grants</h1>
        <Choice
          label="which grants"
          options={
            [
              ['force', 'In force'],
              ['all', 'All'],
            ] as const
          }
          value={which}
          onChange={setWhich}
        />
      </div>
      <p class="note">
        A grant lets calls pass that would need a person. It is given in a terminal:{' '}
        <code>capfence grants create</code>
      </p>
      <Answer asked={asked}>
        {(grants) => <Cards grants={grants} which={which} nowMs={nowMs} onDone={asked.again} />}
      </Answer>
    </>
  )
}

function Cards({
  grants,
  which,
  nowMs,
  onDone,
}: {
  readonly grants: readonly ListedGrant[]
  readonly which: 'force' | 'all'
  readonly nowMs: number
  readonly onDone: () => void
}): JSX.Element {
  const chosen = grants.filter((grant) => which === 'all' || whyNot(grant, nowMs) === undefined)
  if (chosen.length === 0) {
    return (
      <p class="quiet">{which === 'all' ? 'no grant was ever given' : 'no grant is in force'}</p>
    )
  }
  return (
    <ol class="cards">
      {chosen.toReversed().map((grant) => (
        <li key={grant.id}>
          <Card grant={grant} nowMs={nowMs} onDone={onDone} />
        </li>
      ))}
    </ol>
  )
}

/** Why a grant covers nothing; time goes on after the program was asked. */
function whyNot({ complaint, expiresAt }: ListedGrant, nowMs: number): string | undefined {
  return complaint ?? (Date.parse(expiresAt) <= nowMs ? 'its time is up' : undefined)
}

function Card({
  grant,
  nowMs,
  onDone,
}: {
  readonly grant: ListedGrant
  readonly nowMs: number
  readonly onDone: () => void
}): JSX.Element {
  const [problem, setProblem] = useState<Problem>()
  const why = whyNot(grant, nowMs)
  const revoke = async (): Promise<void> => {
    setProblem(undefined)
    try {
      await post(`/api/grants/${grant.id}/revoke`, {})
      onDone()
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, String(error)))
    }
  }
  return (
    <article
      class={`card ${why === undefined ? 'approved' : 'expired'}`}
      aria-labelledby={grant.id}
    >
      <header>
        <h2 id={grant.id}>{grant.capability}</h2>
        <span class="state">
          {why === undefined ? `${leftText(grant.expiresAt, nowMs)} left` : why}
        </span>
      </header>
      {grant.breakGlass ? <p class="message">for an emergency</p> : null}
      <Facts
        rows={[
          ['actor', grant.actor],
          ['where', grant.environment],
          ['server', grant.server],
          ['tool', grant.tool],
          ['session', grant.session],
          ['used', `${String(grant.used)} of ${String(grant.uses)}`],
          ['until', timeText(grant.expiresAt)],
          ['given by', grant.issuers.join(', ')],
          ['reason', grant.reason],
          ['id', grant.id],
        ]}
      />
      {grant.when === '{}' ? (
        <p class="quiet">whatever the arguments are</p>
      ) : (
        <Arguments text={grant.when} hidden={[]} withheld={0} />
      )}
      {problem === undefined ? null : <Complaint problem={problem} />}
      {why === undefined ? (
        <footer class="buttons">
          <button type="button" class="deny" onClick={() => void revoke()}>
            Revoke
          </button>
        </footer>
      ) : null}
    </article>
  )
}
