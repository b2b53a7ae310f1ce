/** The processes that end together with a server. */
export interface ProcessGroup {
  /** True when there is nobody left whom a signal would reach. */
  empty(): boolean
  /** Asks every process to end, where the system has a way to ask. */
  terminate(): void
  /** Ends every process. */
  kill(): void
}

/** The process group of a server on POSIX; its number is the pid of its first process. */
export function posixGroup(pid: number): ProcessGroup {
  return {
    empty: () => !signalGroup(pid, 0),
    terminate: () => {
      signalGroup(pid, 'SIGTERM')
      // A stopped process would not act on SIGTERM before it goes on.
      signalGroup(pid, 'SIGCONT')
    },
    kill: () => {
      signalGroup(pid, 'SIGKILL')
    },
  }
}

/** Ends a group: asks, waits up to `termMs`, kills. Resolves when the group is empty, or cannot be emptied. */
export async function endGroup(group: ProcessGroup, termMs: number): Promise<void> {
  if (group.empty()) return
  group.terminate()
  if (await becomesTrue(() => group.empty(), { withinMs: termMs, everyMs: 5 })) return
  group.kill()
  // In a container whose first process does not collect orphans, the dead stay members for ever.
  await becomesTrue(() => group.empty(), { withinMs: 300, everyMs: 5 })
}

/** Looks now and again; resolves to true when the condition holds, to false when time is up. */
export async function becomesTrue(
  condition: () => boolean,
  times: { readonly withinMs: number; readonly everyMs: number },
): Promise<boolean> {
  const deadlineMs = performance.now() + times.withinMs
  return new Promise((resolve) => {
    const look = (): void => {
      if (condition()) resolve(true)
      else if (performance.now() >= deadlineMs) resolve(false)
      else setTimeout(look, times.everyMs)
    }
    look()
  })
}

/** @returns false when there was nobody to signal, or nobody we may signal: nothing is left that we could end */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal)
  } catch {
    return false
  }
}
