import type { Truth } from './answer.ts'
import { anyOf, truthOf } from './truth.ts'
import { wallClock } from './zone.ts'
import type { WallClock } from './zone.ts'

/** Minutes of a day. */
export const dayMinutes = 1440

/** Hours of some days, as a clock on the wall of a place shows them. */
export interface TimeWindow {
  /** A name of the IANA database, such as `Europe/Berlin`. */
  readonly zone: string
  /** Days since Monday, on which the window opens; at least one. */
  readonly days: readonly number[]
  /** Minutes since midnight, 0 to 1439. */
  readonly from: number
  /** Up to here, excluded; 1 to 1440. Not after `from` means that the window closes on the next day. */
  readonly to: number
}

/**
 * Prepares to say whether a time is inside one of some windows; not known without a time.
 *
 * An hour that a change of the clocks leaves out is in no window, and one that it repeats is in both times.
 */
export function compileWindows(
  windows: readonly TimeWindow[],
): (nowMs: number | undefined) => Truth {
  const tests = windows.map((window) => ({ window, clock: wallClock(window.zone) }))
  return (nowMs) => {
    if (nowMs === undefined) return 'indeterminate'
    return anyOf(
      tests.map(({ window, clock }) => {
        const shown = clock?.(nowMs)
        return shown === undefined ? 'indeterminate' : truthOf(isInside(window, shown))
      }),
    )
  }
}

function isInside({ days, from, to }: TimeWindow, { day, minute }: WallClock): boolean {
  if (from < to) return days.includes(day) && from <= minute && minute < to
  // Past midnight the window is still that of the day before.
  return minute >= from ? days.includes(day) : minute < to && days.includes((day + 6) % 7)
}
