/** What a clock on the wall of a place shows. */
export interface WallClock {
  /** Days since Monday, 0 to 6. */
  readonly day: number
  /** Minutes since midnight, 0 to 1439. */
  readonly minute: number
}

/**
 * Makes the clock of a time zone, by its name in the IANA database.
 *
 * The clock gives nothing for what is no time. What it shows is as old as the time zones of the runtime.
 *
 * @returns undefined when there is no such zone
 */
export function wallClock(zone: string): Clock | undefined {
  const known = clocks.get(zone)
  if (known !== undefined) return known
  const clock = newClock(zone)
  if (clock !== undefined) clocks.set(zone, clock)
  return clock
}

type Clock = (nowMs: number) => WallClock | undefined

/** A clock takes longer to make than a rule to load, and all rules of a zone can share one. */
const clocks: Map<string, Clock> = new Map()

function newClock(zone: string): Clock | undefined {
  const format = formatOf(zone)
  if (format === undefined) return undefined
  // Formatting is dear, and many calls are made within a minute; zones change by whole minutes.
  let kept: { readonly epochMinute: number; readonly shown: WallClock | undefined } | undefined
  return (nowMs) => {
    const epochMinute = Math.floor(nowMs / minuteMs)
    if (kept?.epochMinute !== epochMinute) {
      kept = { epochMinute, shown: shownBy(format, epochMinute * minuteMs) }
    }
    return kept.shown
  }
}

/** Names of zones, for a hint to whoever has misspelt one. */
export function zoneNames(): readonly string[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone')]
}

const minuteMs = 60_000

/** A name, and not an offset such as `+02:00`, which no summer moves. */
const zoneName = /^[A-Za-z]{2,}(?:[/_+-][A-Za-z0-9]+)*$/

function formatOf(timeZone: string): Intl.DateTimeFormat | undefined {
  if (!zoneName.test(timeZone)) return undefined
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    })
  } catch {
    // The only thing that can be wrong with it is that there is no such zone.
    return undefined
  }
}

const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

function shownBy(format: Intl.DateTimeFormat, ms: number): WallClock | undefined {
  // The greatest time that a date can have: ECMA-262, section 21.4.1.1.
  if (!(Math.abs(ms) <= 8.64e15)) return undefined
  const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, value]))
  const day = days.indexOf(parts.get('weekday') ?? '')
  const minute = Number(parts.get('hour')) * 60 + Number(parts.get('minute'))
  return day === -1 || !Number.isInteger(minute) ? undefined : { day, minute }
}
