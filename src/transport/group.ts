import { descendantsOf, runningProcesses, type ProcessEntry } from './processes.ts'

/**
 * The steps in which a server is ended, milliseconds: after the end of its input, after SIGTERM, after SIGKILL, and for
 * the last of its output.
 *
 * Clients end the gate itself two seconds after they closed its input, so together they stay below that (PROTOCOL 7).
 */
export const stopTimes = { graceMs: 800, termMs: 700, killMs: 200, outputMs: 100 } as const

/** The processes that end together with a server. */
export interface ProcessGroup {
  /** Remembers who belongs to it, as far as that can be seen only while the first process runs. */
  look(): void
  /** True when there is nobody left whom a signal would reach. */
  empty(): boolean
  /** Asks every process to end, where the system has a way to ask. */
  terminate(): void
  /** Ends every process. */
  kill(): void
}

/**
 * The process group of a server on POSIX, whose number is the pid of its first process.
 *
 * On Linux also descendants that went into a group of their own, as browsers do, if they still descend from the group
 * when it is ended. Who has left both the group and the family is a daemon, and not ours to end.
 */
export function posixGroup(pid: number, list: ProcessList = runningProcesses): ProcessGroup {
  return new PosixGroup(pid, list)
}

/** Ends a group: asks, waits up to `termMs`, kills. Resolves when the group is empty, or cannot be emptied. */
export async function endGroup(group: ProcessGroup, termMs: number): Promise<void> {
  group.look()
  if (group.empty()) return
  group.terminate()
  if (await becomesTrue(() => group.empty(), termMs)) return
  group.look()
  group.kill()
  await becomesTrue(() => group.empty(), stopTimes.killMs)
}

/** Looks at once and then less and less often; resolves to true when the condition holds, to false when time is up. */
export async function becomesTrue(condition: () => boolean, withinMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs
  return new Promise((resolve) => {
    const look = (pauseMs: number): void => {
      if (condition()) return resolve(true)
      const leftMs = deadlineMs - performance.now()
      if (leftMs <= 0) return resolve(false)
      setTimeout(look, Math.min(pauseMs, leftMs), Math.min(pauseMs * 2, 50))
    }
    look(2)
  })
}

type ProcessList = typeof runningProcesses

class PosixGroup implements ProcessGroup {
  readonly #pid: number
  readonly #list: ProcessList
  /** Descendants in other groups, by pid; with the time of their start, since a pid may be somebody else's tomorrow. */
  readonly #strays = new Map<number, string>()

  constructor(pid: number, list: ProcessList) {
    this.#pid = pid
    this.#list = list
  }

  look(): void {
    const running = this.#list() ?? []
    const members = new Set(running.filter((entry) => this.#has(entry)).map(({ pid }) => pid))
    for (const entry of descendantsOf(members, running)) {
      if (entry.group !== this.#pid) this.#strays.set(entry.pid, entry.startedAt)
    }
  }

  empty(): boolean {
    const reachable = signal(-this.#pid, 0)
    if (!reachable && this.#strays.size === 0) return true
    // The dead count as members until somebody collects them, which in a container may be never.
    const running = this.#list()
    return running === undefined ? !reachable : !running.some((entry) => this.#has(entry))
  }

  terminate(): void {
    this.#signalAll('SIGTERM')
    // A stopped process would not act on SIGTERM before it goes on.
    this.#signalAll('SIGCONT')
  }

  kill(): void {
    this.#signalAll('SIGKILL')
  }

  #signalAll(name: NodeJS.Signals): void {
    signal(-this.#pid, name)
    if (this.#strays.size === 0) return
    for (const entry of this.#list() ?? []) {
      if (this.#isStray(entry)) signal(entry.pid, name)
    }
  }

  #has(entry: ProcessEntry): boolean {
    return entry.group === this.#pid || this.#isStray(entry)
  }

  #isStray(entry: ProcessEntry): boolean {
    return this.#strays.get(entry.pid) === entry.startedAt
  }
}

/** @returns false when there was nobody to signal, or nobody we may signal: nothing is left that we could end */
function signal(target: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(target, name)
  } catch {
    return false
  }
}
