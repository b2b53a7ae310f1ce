import { readdirSync, readFileSync } from 'node:fs'

/** One running process of this machine. */
export interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  readonly group: number
  /** When it started, in ticks since boot: with the pid, the identity of a process, since pids are used again. */
  readonly startedAt: string
}

/**
 * Lists the processes of this machine that have not ended; the dead whom nobody collected are not among them.
 *
 * Linux only (proc(5)); elsewhere the list is undefined. It takes some milliseconds.
 */
export function runningProcesses(): readonly ProcessEntry[] | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? readEntry(name) : []))
  } catch {
    // /proc is not mounted, as in some sandboxes.
    return undefined
  }
}

/** The processes that descend from one of `ancestors`, without those themselves. */
export function descendantsOf(
  ancestors: ReadonlySet<number>,
  running: readonly ProcessEntry[],
): readonly ProcessEntry[] {
  const family = new Set(ancestors)
  const found: ProcessEntry[] = []
  for (let before = -1; before !== found.length;) {
    before = found.length
    for (const entry of running) {
      if (family.has(entry.pid) || !family.has(entry.parent)) continue
      family.add(entry.pid)
      found.push(entry)
    }
  }
  return found
}

function readEntry(name: string): readonly ProcessEntry[] {
  try {
    const text = readFileSync(`/proc/${name}/stat`, 'latin1')
    // The second field is the program's name in parentheses, and may itself contain spaces and parentheses.
    const [state, parent, group, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const startedAt = rest[16]
    if (state === 'Z' || state === 'X' || startedAt === undefined) return []
    return [{ pid: Number(name), parent: Number(parent), group: Number(group), startedAt }]
  } catch {
    // It ended between the listing and the reading.
    return []
  }
}
