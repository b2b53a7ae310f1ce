import type { Config } from '../config/config.ts'
import type { Store } from '../runtime/store.ts'
import { anchoring, anchorLine, anchorsOf, type ReadyAnchor } from './anchoring.ts'

/** Anchors that are run from time to time. */
export interface RunningAnchors {
  /** Stops what is under way; resolves when nothing is any more. */
  close(): Promise<void>
}

/** What a schedule runs in. */
export interface ScheduleParts {
  readonly store: Store
  readonly log: (text: string) => void
  /** A minute, milliseconds; tests take a shorter one. */
  readonly minuteMs?: number
}

/** Starts what was read of a configuration. */
export type Schedule = (parts: ScheduleParts) => RunningAnchors

/** Records that are looked at to see whether something is new. */
const newRecords = 100

/**
 * Reads the anchors of a gate, which then run as often as the configuration says, one at a time, while there is news.
 *
 * Calls do not wait for it, and nothing of it stops them: what fails is said, recorded, and tried again.
 *
 * @throws CapFenceError `CONFIG_INVALID`
 */
export function anchorSchedule(config: Config): Schedule {
  const anchors = anchorsOf(config)
  return (parts) => runAnchors(config, anchors, parts)
}

function runAnchors(
  config: Config,
  anchors: readonly ReadyAnchor[],
  { store, log, minuteMs = 60_000 }: ScheduleParts,
): RunningAnchors {
  const stop = new AbortController()
  const runner = anchoring(config, store, {
    environment: process.env,
    nowMs: () => Date.now(),
    stopped: stop.signal,
  })
  let running = Promise.resolve()
  const timers = anchors.map((ready) => {
    let seen = 0
    const run = async (): Promise<void> => {
      if (stop.signal.aborted || !(await hasNews(store, seen))) return
      const result = await runner.run(ready.anchor)
      if (result.error === null) seen = result.size ?? seen
      else log(anchorLine(result))
    }
    const next = (): void => {
      running = running.then(run).catch((error: unknown) => log(`anchor: ${String(error)}`))
    }
    return setInterval(next, ready.config.everyMinutes * minuteMs).unref()
  })
  return {
    close: async () => {
      for (const timer of timers) clearInterval(timer)
      stop.abort()
      await running
    },
  }
}

/** Whether there is more behind a size than what anchors have left: gates that do nothing must not keep each other busy. */
async function hasNews(store: Store, size: number): Promise<boolean> {
  const records = await store.records(size, newRecords)
  return records.length === newRecords || records.some(({ type }) => type !== 'anchor')
}
