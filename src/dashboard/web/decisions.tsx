import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { get, Problem } from './api.ts'
import { type EndedCall, type Live, useNews } from './live.ts'
import { Choice, Complaint, DecisionMark } from './parts.tsx'
import { ReceiptDialog } from './receipt.tsx'
import type { Change, Decision, Entries, Entry, Refusal } from './shapes.ts'
import { durationText, reasonText, timeText } from './text.ts'

const kinds = [
  ['', 'All'],
  ['allow', 'Allowed'],
  ['require_approval', 'Asked'],
  ['deny', 'Denied'],
  ['refused', 'Refused'],
] as const
type Kind = (typeof kinds)[number][0]

/** Entries that the page keeps, count: the oldest go, and can be asked for again. */
const maxKept = 1000

/** What was decided, newest first, as it happens. */
export function Decisions({ live }: { readonly live: Live }): JSX.Element {
  const [kind, setKind] = useState<Kind>('')
  const [search, setSearch] = useState('')
  const [chosen, setChosen] = useState<number>()
  const log = useEntries(live, kind, search)
  return (
    <>
      <div class="title">
        <h1>Decisions</h1>
        <Choice label="which decisions" options={kinds} value={kind} onChange={setKind} />
      </div>
      <label class="search">
        <span>Search tools, actors, rules, capabilities, clients, sessions and ids</span>
        <input
          type="search"
          value={search}
          maxLength={200}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
      </label>
      {log.problem === undefined ? null : <Complaint problem={log.problem} />}
      <ol class="entries" aria-label="decisions, newest first">
        {log.entries.map((entry) => (
          <Line key={entry.seq} entry={entry} onChoose={() => setChosen(entry.seq)} />
        ))}
      </ol>
      {log.entries.length === 0 && !log.isBusy ? <p class="quiet">nothing matches</p> : null}
      {log.next === null ? null : (
        <button type="button" class="plain" disabled={log.isBusy} onClick={log.more}>
          {log.isBusy ? 'reading …' : 'Older'}
        </button>
      )}
      {chosen === undefined ? null : (
        <ReceiptDialog which={String(chosen)} onClose={() => setChosen(undefined)} />
      )}
    </>
  )
}

interface ShownLog {
  readonly entries: readonly Entry[]
  readonly next: number | null
  readonly isBusy: boolean
  readonly problem: Problem | undefined
  readonly more: () => void
}

function useEntries(live: Live, kind: Kind, search: string): ShownLog {
  const [entries, setEntries] = useState<readonly Entry[]>([])
  const [next, setNext] = useState<number | null>(null)
  const [isBusy, setBusy] = useState(true)
  const [problem, setProblem] = useState<Problem>()
  const wanted = new URLSearchParams({
    ...(kind === '' ? {} : { decision: kind }),
    ...(search.trim() === '' ? {} : { search: search.trim() }),
  }).toString()
  const read = async (before: number | null, isStale: () => boolean): Promise<void> => {
    setBusy(true)
    try {
      const from = before === null ? '' : `&before=${String(before)}`
      const page = await get<Entries>(`/api/entries?${wanted}${from}`)
      if (isStale()) return
      setEntries((kept) => (before === null ? page.entries : [...kept, ...page.entries]))
      setNext(page.next)
      setProblem(undefined)
    } catch (error) {
      if (!isStale()) setProblem(error instanceof Problem ? error : new Problem(0, String(error)))
    }
    if (!isStale()) setBusy(false)
  }
  useEffect(() => {
    let stale = false
    // Nobody wants an answer for every letter.
    const timer = setTimeout(() => void read(null, () => stale), search === '' ? 0 : 250)
    return () => {
      stale = true
      clearTimeout(timer)
    }
  }, [wanted])
  useNews(
    live,
    (news) => {
      // What a filter lets through only the program knows.
      if (wanted !== '') void read(null, () => false)
      else setEntries((kept) => withNews(kept, news.entries, news.outcomes))
    },
    wanted === '' ? 0 : 1000,
  )
  return { entries, next, isBusy, problem, more: () => void read(next, () => false) }
}

function withNews(
  kept: readonly Entry[],
  fresh: readonly Entry[],
  outcomes: readonly EndedCall[],
): readonly Entry[] {
  const known = new Set(kept.map(({ seq }) => seq))
  const ended = new Map(outcomes.map((outcome) => [outcome.decisionSeq, outcome]))
  return [...fresh.filter(({ seq }) => !known.has(seq)).toReversed(), ...kept]
    .slice(0, maxKept)
    .map((entry) => {
      const outcome = ended.get(entry.seq)
      return outcome === undefined || entry.type !== 'decision' ? entry : { ...entry, outcome }
    })
}

function Line({
  entry,
  onChoose,
}: {
  readonly entry: Entry
  readonly onChoose: () => void
}): JSX.Element {
  return (
    <li>
      <button type="button" class="entry" onClick={onChoose}>
        <time dateTime={entry.time}>{timeText(entry.time)}</time>
        <Body entry={entry} />
      </button>
    </li>
  )
}

function Body({ entry }: { readonly entry: Entry }): JSX.Element {
  if (entry.type === 'decision') return <DecisionBody entry={entry} />
  if (entry.type === 'refusal') return <RefusalBody entry={entry} />
  return <ChangeBody entry={entry} />
}

function DecisionBody({ entry }: { readonly entry: Decision }): JSX.Element {
  const { outcome } = entry
  const tool = entry.tool === null ? entry.capability : `${entry.server ?? '?'}.${entry.tool}`
  const rules = entry.rules.map(({ id }) => id).join(', ')
  const waits = entry.forwarded ? 'running' : ''
  return (
    <>
      <DecisionMark
        decision={entry.decision}
        isObserved={entry.mode === 'observe' && entry.decision !== 'allow'}
      />
      <strong class="tool">{tool}</strong>
      <code class="short">{entry.argumentsText}</code>
      <span class="why">
        {entry.actor} · {rules === '' ? reasonText(entry.reason) : rules}
      </span>
      <span class="ended">
        {outcome === null
          ? waits
          : `${reasonText(outcome.status)} ${outcome.ms === null ? '' : durationText(outcome.ms)}`}
      </span>
    </>
  )
}

function RefusalBody({ entry }: { readonly entry: Refusal }): JSX.Element {
  return (
    <>
      <DecisionMark decision="refused" />
      <strong class="tool">a message of {entry.size} bytes</strong>
      <span class="why">
        {entry.client ?? 'unknown client'} · {reasonText(entry.reason)}
      </span>
    </>
  )
}

function ChangeBody({ entry }: { readonly entry: Change }): JSX.Element {
  const what = {
    'policy.load':
      entry.ok === false
        ? 'a policy could not be loaded'
        : `policy loaded, ${String(entry.rule_count ?? 0)} rules`,
    'config.change': 'the configuration changed',
    'tool.def': `tool ${reasonText(entry.change ?? '')}: ${entry.server ?? ''}.${entry.tool ?? ''}`,
  }[entry.type]
  return (
    <>
      <span class="mark neutral">
        <span aria-hidden="true">△</span> change
      </span>
      <span class="tool wide">
        {what} <span class="quiet">{entry.path ?? entry.error ?? ''}</span>
      </span>
    </>
  )
}
