import type { FileFinding, Spot } from './finding.ts'
import { Lines } from './finding.ts'
import { ruleOf } from './rules.ts'

/** A comment of a file, as its parser found it. */
export interface Remark {
  /** Offset of its first character. */
  readonly start: number
  readonly end: number
  readonly text: string
}

/** A remark that asks to ignore findings at its line, or at the next one when it stands alone. */
export interface Ignore {
  readonly ids: readonly string[]
  readonly reason: string
  /** The lines it is about, from 1. */
  readonly lines: ReadonlySet<number>
  readonly at: number
  readonly end: number
}

/** What a remark begins with that asks to ignore findings. */
export const ignoreWord = 'capfence-ignore'
const form = /capfence-ignore\s+(?<ids>CF\d{3}(?:\s*,\s*CF\d{3})*)\s*:\s*(?<reason>\S.*\S)/

/** The remarks of a file that ask to ignore findings, and what is wrong with those that do not count. */
export function ignoresIn(
  text: string,
  remarks: readonly Remark[],
): { readonly ignores: readonly Ignore[]; readonly spots: readonly Spot[] } {
  const lines = new Lines(text)
  const ignores: Ignore[] = []
  const spots: Spot[] = []
  for (const remark of remarks.filter((one) => one.text.includes(ignoreWord))) {
    const { start: at, end } = remark
    const found = form.exec(remark.text.replaceAll(/\s+/g, ' ').replace(/\*\/\s*$/, ''))?.groups
    const ids = (found?.['ids'] ?? '').split(',').map((id) => id.trim())
    const unknown = ids.find((id) => ruleOf(id) === undefined)
    if (found === undefined || unknown !== undefined) {
      const why =
        found === undefined
          ? 'it names no rule or gives no reason'
          : `there is no rule \`${unknown ?? ''}\``
      spots.push({
        rule: 'CF007',
        at,
        end,
        message: `this remark ignores nothing: ${why}`,
        subject: why,
      })
      continue
    }
    const { line } = lines.placeOf(at)
    const last = lines.placeOf(end).line
    const before = text.slice(0, at).split('\n').at(-1) ?? ''
    const standsAlone = before.trim() === ''
    const about = new Set(standsAlone ? [last + 1] : [line])
    ignores.push({ ids, reason: found['reason'] ?? '', lines: about, at, end })
  }
  return { ignores, spots }
}

/** The comments of a configuration file: lines that begin with `//` or `#`, and what follows a value after them. */
export function remarksInLines(text: string): readonly Remark[] {
  return Array.from(text.matchAll(/(?:\/\/|#)[ \t]*capfence-ignore[^\n]*/g), (found) => ({
    start: found.index,
    end: found.index + found[0].trimEnd().length,
    text: found[0].trimEnd(),
  }))
}

/** The findings with those ignored that a remark speaks of, and the remarks that spoke of none. */
export function withIgnores(
  findings: readonly FileFinding[],
  ignores: readonly Ignore[],
): { readonly findings: readonly FileFinding[]; readonly idle: readonly Spot[] } {
  const used = new Set<string>()
  const marked = findings.map((finding) => {
    const ignore = ignores.find(
      // A remark that does not count cannot be ignored by another one.
      ({ ids, lines }) =>
        finding.rule !== 'CF007' && ids.includes(finding.rule) && lines.has(finding.line),
    )
    if (ignore === undefined) return finding
    used.add(`${String(ignore.at)} ${finding.rule}`)
    return { ...finding, ignored: ignore.reason }
  })
  const idle = ignores.flatMap(({ ids, at, end }) =>
    ids
      .filter((id) => !used.has(`${String(at)} ${id}`))
      .map((id): Spot => ({
        rule: 'CF008',
        at,
        end,
        message: `nothing here is a ${id}`,
        subject: id,
      })),
  )
  return { findings: marked, idle }
}
