import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
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

/** How long a card is there before its buttons work, milliseconds: nobody means what moved under the pointer. */
const restMs = 600

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

type Act = (work: () => Promise<unknown>) => void

const terms = [
  ['once', 'Once'],
  ['10', '10 minutes'],
  ['60', '1 hour'],
  ['session', 'This session'],
] as const
type Term = (typeof terms)[number][0]

function Buttons({
  approval,
  act,
}: {
  readonly approval: Approval
  readonly act: Act
}): JSX.Element {
  const [term, setTerm] = useState<Term>('once')
  const isReady = useRested()
  const path = `/api/approvals/${approval.id}`
  // Who does not see everything says yes to this one call at most.
  const isWhole = approval.argumentsHidden.length === 0 && approval.argumentsWithheld === 0
  const options = isWhole
    ? terms.filter(([one]) => one !== 'session' || approval.session !== null)
    : terms.slice(0, 1)
  const approve = (): void => act(() => post(path, { verdict: 'approve', ...bodyOf(term) }))
  const deny = (): void => act(() => post(path, { verdict: 'deny' }))
  return (
    <footer>
      {approval.terms.presence === 'any' ? (
        <>
          <Choice label="for how long" options={options} value={term} onChange={setTerm} />
          <p class="note">
            {isWhole
              ? rememberedText(term, approval)
              : 'Part of it is not shown, so it can be approved for this one call only.'}
          </p>
          <div class="buttons">
            <button type="button" class="approve" disabled={!isReady} onClick={approve}>
              Approve
            </button>
            <button type="button" class="deny" disabled={!isReady} onClick={deny}>
              Deny
            </button>
          </div>
        </>
      ) : (
        <>
          <p class="note">
            Its rule asks for an approver’s {approval.terms.presence}. In a terminal:
          </p>
          <pre tabIndex={0} aria-label="command to approve">
            capfence approvals approve {approval.id}
          </pre>
          <div class="buttons">
            <button type="button" class="deny" disabled={!isReady} onClick={deny}>
              Deny
            </button>
          </div>
        </>
      )}
    </footer>
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

function bodyOf(term: Term): object {
  if (term === 'once') return {}
  return term === 'session' ? { session: true } : { minutes: Number(term) }
}

/** What will be remembered, and what else of late it would have let pass. */
function rememberedText(term: Term, { covered, actor }: Approval): string {
  const others =
    covered.of === 0
      ? ''
      : ` Of its last ${String(covered.of)} calls of this tool, ${String(covered.same)} were exactly this one.`
  if (term === 'once') return `The same call by ${actor} passes once.`
  const howLong = term === 'session' ? 'for the rest of this session' : `for ${term} minutes`
  return `This tool with exactly these arguments, by ${actor}, passes ${howLong}.${others}`
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

function useRested(): boolean {
  const [isReady, setReady] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setReady(true), restMs)
    return () => clearTimeout(timer)
  }, [])
  return isReady
}
