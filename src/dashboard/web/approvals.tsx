import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { type Act, Buttons } from './answering.tsx'
import { get, post, Problem } from './api.ts'
import { type Live, useAsked, useNews, useNow } from './live.ts'
import { Answer, Arguments, Choice, Complaint, Facts } from './parts.tsx'
import type { Approval } from './shapes.ts'
import { leftText, timeText } from './text.ts'

/** Calls that wait for a person. */
export function Approvals({ live }: { readonly live: Live }): JSX.Element {
  const [which, setWhich] = useState<'waiting' | 'all'>('waiting')
  const path = which === 'all' ? '/api/approvals?all=1' : '/api/approvals'
  const asked = useAsked(() => get<readonly Approval[]>(path), path)
  const nowMs = useNow()
  useNews(live, (news) => news.approvals && asked.again(), 0)
  return (
    <>
      <div class="title">
        <h1>Approvals</h1>
        <Choice
          label="which questions"
          options={
            [
              ['waiting', 'Waiting'],
              ['all', 'All'],
            ] as const
          }
          value={which}
          onChange={setWhich}
        />
      </div>
      <Answer asked={asked}>
        {(approvals) =>
          approvals.length === 0 ? (
            <p class="quiet">{which === 'all' ? 'no call ever waited' : 'no call waits'}</p>
          ) : (
            <ol class="cards">
              {(which === 'all' ? approvals.toReversed() : approvals).map((approval) => (
                <li key={approval.id}>
                  <Card approval={approval} nowMs={nowMs} onDone={asked.again} />
                </li>
              ))}
            </ol>
          )
        }
      </Answer>
    </>
  )
}

function Card({
  approval,
  nowMs,
  onDone,
}: {
  readonly approval: Approval
  readonly nowMs: number
  readonly onDone: () => void
}): JSX.Element {
  const [open, setOpen] = useState<Approval>()
  const [problem, setProblem] = useState<Problem>()
  const shown = open ?? approval
  const isWaiting = approval.state === 'pending' && Date.parse(approval.expiresAt) > nowMs
  const state = approval.state === 'pending' && !isWaiting ? 'expired' : approval.state
  const tool =
    approval.tool === null ? approval.capability : `${approval.server ?? '?'}.${approval.tool}`
  const act = (work: () => Promise<unknown>): void => {
    setProblem(undefined)
    work().then(onDone, (error: unknown) =>
      setProblem(error instanceof Problem ? error : new Problem(0, String(error))),
    )
  }
  const show = (): void =>
    act(async () => setOpen(await get<Approval>(`/api/approvals/${approval.id}?secrets=1`)))
  return (
    <article class={`card ${state}`} aria-labelledby={approval.id}>
      <header>
        <h2 id={approval.id}>{tool}</h2>
        <span class="state">
          {isWaiting ? `${leftText(approval.expiresAt, nowMs)} left` : state}
        </span>
      </header>
      {approval.message === null ? null : <p class="message">{approval.message}</p>}
      <Facts
        rows={[
          ['capability', approval.capability],
          ['asked by', approval.actor],
          ['client', approval.client],
          ['where', approval.environment],
          ['risk', approval.risk ?? 'not stated'],
          ['rule', approval.ruleText.join(', ')],
          ['asked at', timeText(approval.requestedAt)],
          ['needs', needsText(approval)],
          ['id', approval.id],
        ]}
      />
      <Arguments
        text={shown.argumentsText}
        hidden={shown.argumentsHidden}
        withheld={shown.argumentsWithheld}
        onShow={open === undefined ? show : undefined}
      />
      {problem === undefined ? null : <Complaint problem={problem} />}
      {isWaiting ? <Buttons approval={shown} act={act} /> : null}
      {state === 'approved' ? <Revoke id={approval.id} act={act} /> : null}
    </article>
  )
}

function Revoke({ id, act }: { readonly id: string; readonly act: Act }): JSX.Element {
  return (
    <footer class="buttons">
      <button
        type="button"
        class="deny"
        onClick={() => act(() => post(`/api/approvals/${id}`, { verdict: 'revoke' }))}
      >
        Revoke
      </button>
    </footer>
  )
}

function needsText({ terms: { presence, quorum, uses }, given }: Approval): string {
  const who = {
    any: 'anybody’s answer',
    key: 'an approver’s key',
    passkey: 'an approver’s passkey',
  }[presence]
  const many = quorum === 1 ? '' : `, ${String(quorum)} different approvers`
  const often = uses === null || uses === 1 ? '' : `, lets ${String(uses)} calls pass`
  return `${who}${many}${often}${given.length === 0 ? '' : `; so far ${given.join(', ')}`}`
}
