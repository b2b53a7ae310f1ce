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

/** Waits in the foreground; only for opening, before anybody can be waiting for an answer. */
export function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
