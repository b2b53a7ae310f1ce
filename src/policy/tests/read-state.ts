import { printable } from '../../event/printable.ts'
import { readText, unknownKey, wrongType } from '../read-value.ts'
import type { Source } from '../read-value.ts'
import { clockAlone } from '../state.ts'
import type { PolicyState } from '../state.ts'
import type { YamlEntry } from '../yaml.ts'

/**
 * What `state` of a case holds.
 *
 * @internal Exported for tests only.
 */
export const stateKeys: readonly string[] = ['now']

/** Reads `state`: what the clock shows when the call is made; undefined after saying everything that is wrong. */
export function readState(source: Source, entry: YamlEntry): PolicyState | undefined {
  const { value } = entry
  if (value.kind !== 'map' || value.entries.length === 0) {
    source.report.add(wrongType(entry, 'a mapping such as `{now: 2026-11-25T14:00:00Z}`'))
    return undefined
  }
  let nowMs: number | undefined
  for (const inner of value.entries) {
    if (inner.key === 'now') nowMs = readInstant(source, inner)
    else source.report.add(unknownKey(inner, '`state`', stateKeys))
  }
  return nowMs === undefined || value.entries.length > 1 ? undefined : clockAlone(nowMs)
}

/** RFC 3339 with the zone: a time without one is another time in every place. */
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/

function readInstant(source: Source, entry: YamlEntry): number | undefined {
  const wanted = 'a time such as `2026-11-25T14:00:00Z`'
  const text = readText(source, entry, wanted)
  if (text === undefined) return undefined
  const ms = instant.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(ms) && dayExists(text)) return ms
  source.report.add({
    offset: entry.value.start,
    code: 'policy-value',
    message: `\`${entry.key}\` is \`${printable(text)}\`; expected ${wanted}`,
    hint: 'the zone is `Z` for UTC, or `+01:00`',
  })
  return undefined
}

/** The language takes 31 February for 3 March. */
function dayExists(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number)
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
}
