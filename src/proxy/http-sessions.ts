import { limits } from '../limits.ts'

/** What all sessions of the HTTP front have, whatever their clients speak. */
export interface LiveSession {
  readonly id: string
  /** Requests that have no answer yet, count. */
  readonly open: number
  /** How long nothing was asked and nobody listened, milliseconds. */
  idleMs(nowMs: number): number
  /** Shows on every open answer that the connection is alive. */
  keepAlive(nowMs: number, silenceMs: number): void
  close(): Promise<void>
}

/** How many sessions there may be, and for how long. */
export interface HttpSessionBounds {
  readonly maxSessions: number
  /** Servers that run as processes for all sessions together, count. */
  readonly maxProcesses: number
  /** A session that nobody used for so long is ended, milliseconds. */
  readonly idleMs: number
}

/** A session and whom it is for. */
interface Entry {
  readonly session: LiveSession
  /** Who began it; nobody else is served under its id (THREATS B16). */
  readonly caller: string
  readonly path: string
  /** Servers that run as processes for it, count. */
  readonly processes: number
}

/** Where a new session belongs. */
export type NewEntry = Omit<Entry, 'session'>

/** How often the sessions are looked at, milliseconds. */
const lookEveryMs = 1000
/** A session that was used this recently does not make room for another, milliseconds. */
const graceMs = 60_000

/** The sessions of the HTTP front: who began them, how many there may be, and when they are over. */
export class HttpSessions {
  readonly #bounds: HttpSessionBounds
  readonly #log: (text: string) => void
  readonly #entries = new Map<string, Entry>()
  readonly #closing = new Set<Promise<void>>()
  readonly #timer: NodeJS.Timeout
  #processes = 0

  constructor(bounds: HttpSessionBounds, log: (text: string) => void) {
    this.#bounds = bounds
    this.#log = log
    this.#timer = setInterval(() => this.#look(performance.now()), lookEveryMs).unref()
  }

  /** The session of this id, if it was begun by this caller at this address. */
  find(id: string, caller: string, path: string): LiveSession | undefined {
    const entry = this.#entries.get(id)
    return entry?.caller === caller && entry.path === path ? entry.session : undefined
  }

  /** Whether there is room for one more; makes some by ending one that nobody used for a while. */
  hasRoom(processes: number): boolean {
    const nowMs = performance.now()
    while (!this.#fits(processes)) {
      const [oldest] = [...this.#entries]
        .filter(([, { session }]) => session.idleMs(nowMs) >= graceMs)
        .toSorted(([, a], [, b]) => b.session.idleMs(nowMs) - a.session.idleMs(nowMs))
      if (oldest === undefined) return false
      this.#log('a session that nobody used for a while ends, to make room for another')
      this.end(oldest[0])
    }
    return true
  }

  add(session: LiveSession, entry: NewEntry): void {
    this.#entries.set(session.id, { session, ...entry })
    this.#processes += entry.processes
  }

  /** Ends a session: nobody finds it any more, and its servers end. */
  end(id: string): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#entries.delete(id)
    const closing = entry.session.close().finally(() => {
      this.#processes -= entry.processes
      this.#closing.delete(closing)
    })
    this.#closing.add(closing)
  }

  /** Requests that wait for an answer, count. */
  get open(): number {
    return [...this.#entries.values()].reduce((sum, { session }) => sum + session.open, 0)
  }

  /** Ends all of them; resolves when their servers have ended. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    for (const id of [...this.#entries.keys()]) this.end(id)
    await Promise.all(this.#closing)
  }

  #fits(processes: number): boolean {
    const { maxSessions, maxProcesses } = this.#bounds
    return this.#entries.size < maxSessions && this.#processes + processes <= maxProcesses
  }

  #look(nowMs: number): void {
    for (const [id, { session }] of this.#entries) {
      session.keepAlive(nowMs, limits.keepAliveMs)
      if (session.idleMs(nowMs) < this.#bounds.idleMs) continue
      this.#log('a session that nobody used any more has ended')
      this.end(id)
    }
  }
}
