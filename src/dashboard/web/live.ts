import { useEffect, useRef, useState } from 'preact/hooks'
import { Problem } from './api.ts'
import type { Entry, Outcome } from './shapes.ts'

/** How a call ended that was shown already. */
export interface EndedCall extends Outcome {
  readonly decisionSeq: number
}

/** What came. */
export interface News {
  readonly entries: readonly Entry[]
  readonly outcomes: readonly EndedCall[]
  readonly approvals: boolean
  readonly grants: boolean
  readonly size: number
}

/** Whether the page hears what happens. */
export type LiveState = 'connecting' | 'live' | 'lost'

/** Hears what happens, and goes on where it was when the connection was lost. */
export class Live {
  readonly #listeners = new Set<(news: News) => void>()
  readonly #stateListeners = new Set<(state: LiveState) => void>()
  #source: EventSource | undefined
  state: LiveState = 'connecting'

  start(): void {
    const source = new EventSource('/api/events')
    this.#source = source
    source.addEventListener('open', () => this.#become('live'))
    source.addEventListener('error', () => this.#become('lost'))
    source.addEventListener('news', ({ data }: MessageEvent<string>) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- page and program are one version of one package
      const news = JSON.parse(data) as News
      for (const listener of this.#listeners) listener(news)
    })
    // Another log has taken the place of the one that is shown.
    source.addEventListener('anew', () => location.reload())
  }

  stop(): void {
    this.#source?.close()
  }

  onNews(listener: (news: News) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Tells the listener what is, and then what becomes: it may have changed since it was looked at. */
  onState(listener: (state: LiveState) => void): () => void {
    this.#stateListeners.add(listener)
    listener(this.state)
    return () => this.#stateListeners.delete(listener)
  }

  #become(state: LiveState): void {
    this.state = state
    for (const listener of this.#stateListeners) listener(state)
  }
}

/** What was asked for, why it is not there, and how to ask again. */
export interface Asked<T> {
  readonly value: T | undefined
  readonly problem: Problem | undefined
  readonly again: () => void
}

/** Asks for something now and whenever `key` is another; the last answer stays until the next one is there. */
export function useAsked<T>(ask: () => Promise<T>, key: string): Asked<T> {
  const [value, setValue] = useState<T>()
  const [problem, setProblem] = useState<Problem>()
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    let isStale = false
    const answer = async (): Promise<void> => {
      try {
        const found = await ask()
        if (isStale) return
        setValue(found)
        setProblem(undefined)
      } catch (error) {
        if (!isStale) setProblem(problemOf(error))
      }
    }
    void answer()
    return () => {
      isStale = true
    }
  }, [key, turn])
  return { value, problem, again: () => setTurn((count) => count + 1) }
}

/** Calls `act` when something happens, at most once in `everyMs`; what happens meanwhile is one call at the end. */
export function useNews(live: Live, act: (news: News) => void, everyMs: number): void {
  const latest = useRef(act)
  latest.current = act
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let last: News | undefined
    const off = live.onNews((news) => {
      if (everyMs === 0) {
        latest.current(news)
        return
      }
      const approvals = last?.approvals === true || news.approvals
      const grants = last?.grants === true || news.grants
      last = { ...news, approvals, grants }
      timer ??= setTimeout(() => {
        timer = undefined
        const told = last
        last = undefined
        if (told !== undefined) latest.current(told)
      }, everyMs)
    })
    return () => {
      off()
      clearTimeout(timer)
    }
  }, [live, everyMs])
}

/** The time, anew every second while something counts down. */
export function useNow(): number {
  const [nowMs, setNowMs] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return nowMs
}

function problemOf(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem(0, String(error))
}
