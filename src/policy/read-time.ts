import { printable } from '../event/printable.ts'
import type { TimeCondition } from './condition.ts'
import { nearestHint } from './problem.ts'
import { readText, readTexts, unknownKey, wrongType } from './read-value.ts'
import type { Source } from './read-value.ts'
import { dayMinutes } from './time-window.ts'
import type { TimeWindow } from './time-window.ts'
import type { YamlEntry, YamlNode } from './yaml.ts'
import { wallClock, zoneNames } from './zone.ts'

/** What a window of time holds. */
const timeKeys: readonly string[] = ['zone', 'days', 'between']

/** The days, from the one that is 0 in a `TimeWindow`. */
export const dayNames: readonly string[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

const wantedWindow = 'a mapping such as `{zone: Europe/Berlin, days: [mon-fri]}`, or a list of them'
const wantedHours = 'a list of two times such as `["09:00", "17:00"]`'

/** Reads `time`: one window or a list of them; undefined after saying everything that is wrong with it. */
export function readTime(source: Source, entry: YamlEntry): TimeCondition | undefined {
  const { value } = entry
  const nodes = value.kind === 'list' ? value.items : [value]
  if (nodes.length === 0) source.report.add(wrongType(entry, wantedWindow))
  const windows = nodes.flatMap((node) => readWindow(source, { ...entry, value: node }) ?? [])
  const isSound = nodes.length > 0 && windows.length === nodes.length
  return isSound ? { kind: 'time', windows } : undefined
}

function readWindow(source: Source, entry: YamlEntry): TimeWindow | undefined {
  if (entry.value.kind !== 'map' || entry.value.entries.length === 0) {
    source.report.add(wrongType(entry, wantedWindow))
    return undefined
  }
  const { entries } = entry.value
  const zone = entries.find(({ key }) => key === 'zone')
  const parts = entries.map((part) => readPart(source, part))
  if (zone === undefined || entries.length === 1) {
    source.report.add({
      offset: entry.value.start,
      code: 'policy-empty',
      message:
        zone === undefined ? '`time` has no `zone`' : '`time` has neither `days` nor `between`',
      hint:
        zone === undefined
          ? 'write `zone: Europe/Berlin`, or `zone: UTC`: the machine may stand anywhere'
          : 'write `days: [mon-fri]`, or `between: ["09:00", "17:00"]`',
    })
    return undefined
  }
  let window: TimeWindow | undefined = always
  for (const part of parts) {
    window = part === undefined || window === undefined ? undefined : { ...window, ...part }
  }
  return window
}

/** What the parts of a window narrow. */
const always: TimeWindow = { zone: 'UTC', days: [0, 1, 2, 3, 4, 5, 6], from: 0, to: dayMinutes }

function readPart(source: Source, entry: YamlEntry): Partial<TimeWindow> | undefined {
  switch (entry.key) {
    case 'zone':
      return readZone(source, entry)
    case 'days':
      return readDays(source, entry)
    case 'between':
      return readHours(source, entry)
    default:
      source.report.add(unknownKey(entry, '`time`', timeKeys))
      return undefined
  }
}

function readZone(source: Source, entry: YamlEntry): Pick<TimeWindow, 'zone'> | undefined {
  const zone = readText(source, entry, 'a time zone such as `Europe/Berlin`')
  if (zone === undefined) return undefined
  if (wallClock(zone) !== undefined) return { zone }
  source.report.add({
    offset: entry.value.start,
    code: 'policy-value',
    message: `\`zone: ${printable(zone)}\` is no time zone`,
    hint: nearestHint(zone, zoneNames()) ?? 'write a name such as `Europe/Berlin` or `UTC`',
  })
  return undefined
}

function readDays(source: Source, entry: YamlEntry): Pick<TimeWindow, 'days'> | undefined {
  const texts = readTexts(source, entry, 'days such as `[mon-fri]` or `[sat, sun]`')
  const read = texts?.map(({ value, node }) => {
    const days = daysOf(value)
    if (days === undefined) {
      source.report.add({
        offset: node.start,
        code: 'policy-value',
        message: `\`days: ${printable(value)}\` is no day of the week`,
        hint: `days are ${dayNames.join(', ')}, and \`mon-fri\` means all from one to the other`,
      })
    }
    return days
  })
  if (read === undefined || read.includes(undefined)) return undefined
  return { days: [...new Set(read.flatMap((days) => days ?? []))] }
}

/** `mon`, or `fri-mon` for all from Friday to Monday. */
function daysOf(text: string): readonly number[] | undefined {
  const [first = '', last = first, ...more] = text.split('-')
  const [from, to] = [dayNames.indexOf(first), dayNames.indexOf(last)]
  if (from === -1 || to === -1 || more.length > 0) return undefined
  return Array.from({ length: ((to - from + 7) % 7) + 1 }, (_, at) => (from + at) % 7)
}

function readHours(source: Source, entry: YamlEntry): Pick<TimeWindow, 'from' | 'to'> | undefined {
  const { value } = entry
  if (value.kind !== 'list' || value.items.length !== 2) {
    source.report.add(wrongType(entry, wantedHours))
    return undefined
  }
  const [from, to] = value.items.map((item) => readMinute(source, { ...entry, value: item }))
  if (from === undefined || to === undefined) return undefined
  // Midnight as an end is the one at the end of the day.
  const end = to === 0 ? dayMinutes : to
  if (from < dayMinutes && from !== end && (from > 0 || end < dayMinutes)) return { from, to: end }
  source.report.add({
    offset: value.start,
    code: 'policy-value',
    message: `\`between\` begins and ends at the same time, which is always or never`,
    hint: 'leave `between` out for the whole day',
  })
  return undefined
}

function readMinute(source: Source, entry: YamlEntry & { value: YamlNode }): number | undefined {
  const { value } = entry
  const [, hours, minutes] =
    value.kind === 'text' ? (/^(\d\d):([0-5]\d)$/.exec(value.value) ?? []) : []
  const minute = Number(hours) * 60 + Number(minutes)
  if (minute <= dayMinutes) return minute
  const isBare = value.kind === 'number'
  source.report.add(
    value.kind === 'text' || isBare
      ? {
          offset: value.start,
          code: 'policy-value',
          message: `\`between\` has \`${printable(isBare ? value.text : value.value)}\`; expected a time from \`"00:00"\` to \`"24:00"\``,
          hint: 'write two digits for the hour, two for the minute, and quotes',
        }
      : wrongType(entry, wantedHours),
  )
  return undefined
}
