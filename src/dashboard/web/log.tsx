import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { get, post, Problem } from './api.ts'
import { type Live, useAsked, useNews } from './live.ts'
import { Answer, Complaint, Facts } from './parts.tsx'
import type { Health, Mark, Verified } from './shapes.ts'
import { bytesText, timeText } from './text.ts'

/** Where the log stands, and whether it is whole. */
export function Log({ live }: { readonly live: Live }): JSX.Element {
  const asked = useAsked(() => get<Health>('/api/health'), '')
  useNews(live, asked.again, 2000)
  return (
    <>
      <h1>The log</h1>
      <Verify />
      <section class="panel" aria-labelledby="stands">
        <h2 id="stands">Where it stands</h2>
        <Answer asked={asked}>{(health) => <Facts rows={rowsOf(health)} />}</Answer>
      </section>
    </>
  )
}

function rowsOf(health: Health): readonly (readonly [string, string | null])[] {
  const { anchor, gate } = health
  return [
    ['records', health.size.toLocaleString()],
    ['newest', health.lastAt === null ? null : timeText(health.lastAt)],
    ['head', health.head],
    ['log', health.log],
    ['file', `${health.path}, ${bytesText(health.bytes)}`],
    ['since', health.firstAt === null ? null : timeText(health.firstAt)],
    ['last gate started', gate === null ? 'none' : timeText(gate.at)],
    ['calls running', String(health.inFlight)],
    ['calls whose end nobody knows', String(health.lost)],
    [
      'last anchor',
      anchor === null ? 'none: a copy of the head elsewhere shows a rollback' : anchorText(anchor),
    ],
  ]
}

function anchorText({ at, data }: Mark): string {
  const name = typeof data['name'] === 'string' ? data['name'] : 'anchor'
  return `${name}, ${timeText(at)}${data['ok'] === false ? ', failed' : ''}`
}

function Verify(): JSX.Element {
  const [isBusy, setBusy] = useState(false)
  const [found, setFound] = useState<Verified>()
  const [problem, setProblem] = useState<Problem>()
  const verify = async (): Promise<void> => {
    setBusy(true)
    setProblem(undefined)
    try {
      setFound(await post<Verified>('/api/verify', {}))
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, String(error)))
    }
    setBusy(false)
  }
  return (
    <section class="panel" aria-labelledby="whole">
      <h2 id="whole">Is it whole?</h2>
      <p>Reads every record, recomputes the tree and checks every signature.</p>
      <button type="button" class="approve" disabled={isBusy} onClick={() => void verify()}>
        {isBusy ? 'Verifying …' : 'Verify now'}
      </button>
      <div role="status">
        {problem === undefined ? null : <Complaint problem={problem} />}
        {found === undefined || isBusy ? null : <Verdict found={found} />}
      </div>
    </section>
  )
}

function Verdict({ found }: { readonly found: Verified }): JSX.Element {
  const isWhole = found.verdict === 'ok'
  return (
    <>
      <p class={`verdict ${isWhole ? 'allow' : 'deny'}`}>
        {isWhole
          ? `Yes: ${found.size.toLocaleString()} records verify.`
          : `${found.verdict.replaceAll('_', ' ')}: ${found.reason ?? ''}`}
      </p>
      <Facts
        rows={[
          ['kept checkpoints', String(found.checkpoints)],
          [
            'keys',
            found.pinned
              ? 'pinned'
              : 'those that the log names itself; start with --pin FILE to check against kept ones',
          ],
          ...found.anchors.map(({ name, state }) => [name, state.replaceAll('_', ' ')] as const),
        ]}
      />
    </>
  )
}
