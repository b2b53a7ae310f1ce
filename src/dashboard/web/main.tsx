import { type JSX, render } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { get, post, Problem, signIn } from './api.ts'
import { Approvals } from './approvals.tsx'
import { Decisions } from './decisions.tsx'
import { Grants } from './grants.tsx'
import { Limits } from './limits.tsx'
import { Live, type LiveState, useAsked, useNews } from './live.ts'
import { Log } from './log.tsx'
import { announce, canAnnounce } from './announce.ts'
import { Overview } from './overview.tsx'
import { Complaint } from './parts.tsx'
import { ProofCheck } from './proof.tsx'
import { Rules } from './rules.tsx'
import type { Approval } from './shapes.ts'

const views = [
  ['overview', 'Overview'],
  ['approvals', 'Approvals'],
  ['grants', 'Grants'],
  ['decisions', 'Decisions'],
  ['rules', 'Rules'],
  ['limits', 'Limits'],
  ['log', 'Log'],
  ['proof', 'Proof'],
] as const
type View = (typeof views)[number][0]

function App(): JSX.Element {
  const [problem, setProblem] = useState<Problem>()
  const [live, setLive] = useState<Live>()
  useEffect(() => {
    const started = new Live()
    const begin = async (): Promise<void> => {
      try {
        await signIn()
        started.start()
        setLive(started)
      } catch (error) {
        setProblem(error instanceof Problem ? error : new Problem(0, String(error)))
      }
    }
    void begin()
    return () => started.stop()
  }, [])
  if (problem !== undefined) return <Outside problem={problem} />
  return live === undefined ? <p class="quiet">signing in …</p> : <Page live={live} />
}

/** What somebody sees who may not look. */
function Outside({ problem }: { readonly problem: Problem }): JSX.Element {
  return (
    <main class="outside">
      <h1>CapFence</h1>
      <Complaint problem={problem} />
      <p>
        Run <code>capfence ui</code> in a terminal: it opens this page with a code that works once.
      </p>
    </main>
  )
}

function Page({ live }: { readonly live: Live }): JSX.Element {
  const view = useView()
  const waiting = useWaiting(live)
  const main = useRef<HTMLElement>(null)
  const isFirst = useRef(true)
  useEffect(() => {
    document.title = `${waiting === 0 ? '' : `(${String(waiting)}) `}${nameOf(view)} – CapFence`
  }, [view, waiting])
  useEffect(() => {
    // Who goes to another view by keyboard or with a screen reader is then there.
    if (!isFirst.current) main.current?.focus()
    isFirst.current = false
  }, [view])
  return (
    <>
      <header class="bar">
        <a class="skip" href={`#/${view}`} onClick={() => main.current?.focus()}>
          Skip to the content
        </a>
        <span class="brand">
          <img src="/icon.svg" alt="" width="24" height="24" /> CapFence
        </span>
        <nav aria-label="views">
          {views.map(([name, text]) => (
            <a key={name} href={`#/${name}`} aria-current={name === view ? 'page' : undefined}>
              {text}
              {name === 'approvals' && waiting > 0 ? (
                <span class="badge" aria-label={`${String(waiting)} waiting`}>
                  {waiting}
                </span>
              ) : null}
            </a>
          ))}
        </nav>
        <Ends live={live} />
      </header>
      <main ref={main} tabIndex={-1}>
        <Shown view={view} live={live} />
      </main>
    </>
  )
}

function Shown({ view, live }: { readonly view: View; readonly live: Live }): JSX.Element {
  switch (view) {
    case 'overview':
      return <Overview live={live} />
    case 'approvals':
      return <Approvals live={live} />
    case 'grants':
      return <Grants live={live} />
    case 'decisions':
      return <Decisions live={live} />
    case 'rules':
      return <Rules live={live} />
    case 'limits':
      return <Limits live={live} />
    case 'log':
      return <Log live={live} />
    case 'proof':
      return <ProofCheck />
  }
}

function Ends({ live }: { readonly live: Live }): JSX.Element {
  const [state, setState] = useState<LiveState>(live.state)
  const [mayNotify, setMayNotify] = useState(canAnnounce())
  useEffect(() => live.onState(setState), [live])
  const words = { connecting: 'connecting', live: 'live', lost: 'connection lost' }[state]
  const leave = (): void => void post('/api/sign-out', {}).finally(() => location.replace('/'))
  return (
    <div class="ends-bar">
      <span class={`live ${state}`} role="status">
        <span aria-hidden="true">●</span> {words}
      </span>
      {mayNotify === 'ask' ? (
        <button
          type="button"
          class="plain"
          onClick={() =>
            void Notification.requestPermission().then(() => setMayNotify(canAnnounce()))
          }
        >
          Notify me
        </button>
      ) : null}
      <button type="button" class="plain" onClick={leave}>
        Sign out
      </button>
    </div>
  )
}

/** How many calls wait; each new one is announced. */
function useWaiting(live: Live): number {
  const asked = useAsked(() => get<readonly Approval[]>('/api/approvals'), '')
  const known = useRef<ReadonlySet<string> | undefined>(undefined)
  useNews(live, (news) => news.approvals && asked.again(), 0)
  useEffect(() => {
    // A question lapses without any record of it at first.
    const timer = setInterval(asked.again, 30_000)
    return () => clearInterval(timer)
  }, [])
  useEffect(() => {
    if (asked.value === undefined) return
    const before = known.current
    known.current = new Set(asked.value.map(({ id }) => id))
    if (before === undefined) return
    for (const approval of asked.value) if (!before.has(approval.id)) announce(approval)
  }, [asked.value])
  return asked.value?.length ?? 0
}

function useView(): View {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const change = (): void => setHash(location.hash)
    addEventListener('hashchange', change)
    return () => removeEventListener('hashchange', change)
  }, [])
  const name = hash.replace('#/', '')
  return views.find(([one]) => one === name)?.[0] ?? 'overview'
}

function nameOf(view: View): string {
  return views.find(([name]) => name === view)?.[1] ?? ''
}

const root = document.getElementById('page')
if (root !== null) render(<App />, root)
