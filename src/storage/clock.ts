/** What time it is, and how much of it has passed. */
export interface Clock {
  /** Whole milliseconds since the epoch; may step back. */
  nowMs(): number
  /** Milliseconds from an arbitrary start; never steps back. */
  elapsedMs(): number
}

/** The clock of the machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  elapsedMs: () => performance.now(),
}

/**
 * Waits in the background for the time between two tries for a lock.
 *
 * @param jitter from 0 to below 1, so that writers that met once do not meet again
 */
export async function pause(jitter: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, pauseMs(jitter))
  })
}

/** The same in the foreground; only for opening, before anybody can be waiting for an answer. */
export function pauseSync(jitter: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs(jitter))
}

/** 0.3 to 1 ms: a transaction takes a tenth of that, and others want the lock too. */
function pauseMs(jitter: number): number {
  return 0.3 + 0.7 * jitter
}
