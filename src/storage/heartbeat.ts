import { heartbeatRecord } from '../audit/log-drafts.ts'
import type { StoredRecord } from '../audit/record.ts'
import type { Store } from '../runtime/store.ts'
import type { Clock } from './clock.ts'

/** How often a writer looks whether a heartbeat is due, milliseconds. */
const everyMs = 600_000
/** How long a log is still before a heartbeat follows a heartbeat, milliseconds. */
const idleMs = 3_600_000

/** What a heartbeat needs of the log. */
type BeatingLog = Pick<Store, 'commit' | 'records' | 'size'>

/**
 * Leaves a record and a kept checkpoint every ten minutes in which something was recorded, and every hour in which nothing was.
 *
 * It keeps no process running.
 *
 * @returns how to end it
 */
export function startHeartbeat(log: BeatingLog, clock: Clock): () => void {
  const timer = setInterval(() => void beat(log, clock), everyMs)
  timer.unref()
  return () => clearInterval(timer)
}

async function beat(log: BeatingLog, clock: Clock): Promise<void> {
  try {
    const [newest] = await log.records((await log.size()) - 1, 1)
    if (!isDue(newest, clock.nowMs())) return
    // Synced, so that the high-water file follows also where calls are recorded without.
    const effects = { records: [heartbeatRecord()], keepsCheckpoint: true, result: undefined }
    await log.commit(() => effects, 'power')
  } catch {
    // Nobody waits for it. Where the log cannot be written, calls are refused, and the outage gets its own record.
  }
}

/** A clock that was set back says nothing about the time since. */
function isDue(newest: StoredRecord | undefined, nowMs: number): boolean {
  return newest?.type !== 'heartbeat' || Math.abs(nowMs - Date.parse(newest.ts)) >= idleMs
}
