import { printable } from '../event/printable.ts'
import { limits } from '../limits.ts'
import { wrongType } from './read-value.ts'
import type { Source } from './read-value.ts'
import type { YamlEntry } from './yaml.ts'

const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

const wanted = 'a time such as `30s`, `15m`, `1h` or `7d`'

/** A time from a second to 31 days in milliseconds, or undefined after saying what is wrong. */
export function readDuration(source: Source, entry: YamlEntry): number | undefined {
  const { value } = entry
  if (value.kind !== 'text') {
    const hint = value.kind === 'number' ? 'write the unit: `30s`, `15m`, `1h`, `7d`' : undefined
    source.report.add(wrongType(entry, wanted, value, hint))
    return undefined
  }
  const [, count, unit = ''] = /^([1-9][0-9]{0,8})([smhd])$/.exec(value.value) ?? []
  const ms = Number(count) * (unitMs[unit] ?? Number.NaN)
  if (ms <= limits.maxWindowMs) return ms
  source.report.add({
    offset: value.start,
    code: 'policy-value',
    message: `\`${entry.key}\` is \`${printable(value.value)}\`; expected ${wanted}, at most \`31d\``,
  })
  return undefined
}
