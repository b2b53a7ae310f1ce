import { Decimal } from '../json/decimal.ts'
import { difference } from '../json/decimal-sum.ts'
import type { LimitTerms } from '../policy/limit.ts'
import { usageOf } from '../policy/usage.ts'
import type { LogReader, PotLevel } from '../runtime/store.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import { readConfig, withLog } from './places.ts'
import type { OpenLog, PlaceFlags } from './places.ts'
import { loadPolicyFiles } from './policy-files.ts'
import { complaint } from './report-error.ts'
import { jsonLine, shown } from './shown.ts'
import { Table } from './table.ts'
import type { Cell } from './table.ts'
import { shortDuration } from './time.ts'

/** What `capfence budgets` takes, as it was typed. */
export interface BudgetsFlags extends PlaceFlags {
  readonly json?: boolean | undefined
}

/**
 * `capfence budgets`: prints how much of each limit and budget is used; it reads only.
 *
 * What the policy of the configuration limits is shown, used or not, and whatever else the log has charges of.
 */
export async function budgets(flags: BudgetsFlags, io: Io, open: OpenLog): Promise<ExitCode> {
  // The log alone knows what was charged, but not how much there may be.
  const isPolicyKnown = flags.storage === undefined || flags.config !== undefined
  const config = isPolicyKnown ? await readConfig(flags.config, io) : undefined
  const terms = config === undefined ? [] : loadPolicyFiles(config.policies, config.folder).limits
  return withLog(flags, open, async (reader) => {
    const levels = await levelsOf(reader, terms, io.nowMs())
    if (flags.json === true) {
      await io.out.write(levels.map((level) => jsonLine(dataOf(level))).join(''))
    } else {
      await new Table(columns, io.out).print(levels.map((level) => cellsOf(level, io.nowMs())))
    }
    if (levels.length === 0) {
      await io.err.write(complaint(io, 'the policy limits nothing, and nothing was charged'))
    }
    return exitCodes.yes
  })
}

/** What is used of a limit, for one of what it is kept apart for. */
interface Level {
  readonly name: string
  /** Such as `actor=ops-agent`. */
  readonly per: readonly string[]
  /** Undefined when the charges of the log cannot be read. */
  readonly used: Decimal | undefined
  /** Undefined when the policy has no such limit. */
  readonly terms: LimitTerms | undefined
  /** When the oldest charge will count no longer. */
  readonly freesAtMs: number | undefined
}

async function levelsOf(
  reader: LogReader,
  terms: readonly LimitTerms[],
  nowMs: number,
): Promise<readonly Level[]> {
  const pots = (await reader.pots(nowMs)).map((pot) => ({ ...pot, ...partsOf(pot.pot) }))
  const known = new Set(terms.map(({ identity }) => identity))
  const limited = terms.flatMap((one) => {
    const own = pots.filter(({ identity }) => identity === one.identity)
    return own.length === 0
      ? [{ name: one.name, per: [], used: zero, terms: one, freesAtMs: undefined }]
      : own.map((pot) => levelOf(pot, one, nowMs))
  })
  const others = pots.filter(({ identity }) => !known.has(identity))
  return [...limited, ...others.map((pot) => levelOf(pot, undefined, nowMs))]
}

const zero = new Decimal('0')

interface Pot extends PotLevel {
  readonly identity: string
  readonly per: readonly string[]
}

function levelOf(pot: Pot, terms: LimitTerms | undefined, nowMs: number): Level {
  const since = terms === undefined ? -Infinity : nowMs - terms.windowMs
  const charges = pot.charges.filter(({ atMs }) => atMs > since)
  const [oldest] = charges
  const windowMs = terms?.windowMs
  const freesAtMs = oldest && (windowMs === undefined ? oldest.expiresAtMs : oldest.atMs + windowMs)
  const name = terms?.name ?? pot.identity
  return { name, per: pot.per, used: usageOf(charges)?.used, terms, freesAtMs }
}

/** The name of a pot is JSON of the gate's own: what it is of, and then names and values that it is kept apart for. */
function partsOf(pot: string): Pick<Pot, 'identity' | 'per'> {
  const parts: unknown = JSON.parse(pot)
  const [identity, ...per] = Array.isArray(parts) ? parts.map((part: unknown) => part) : []
  return {
    identity: String(identity),
    per: per.map((pair) => (Array.isArray(pair) ? pair.map(String).join('=') : String(pair))),
  }
}

const columns = [
  { title: 'LIMIT', min: 5, max: 32 },
  { title: 'FOR', min: 3, max: 40 },
  { title: 'USED', min: 4, max: 24 },
  { title: 'OF', min: 2, max: 24 },
  { title: 'LEFT', min: 4, max: 24 },
  { title: 'WITHIN', min: 6, max: 8 },
  { title: 'NEXT ROOM', min: 9, max: 12 },
]

function cellsOf(level: Level, nowMs: number): readonly Cell[] {
  const { name, per, used, terms, freesAtMs } = level
  const left = leftOf(level)
  const isFull = left !== undefined && left.compare(zero) === 0
  return [
    { text: shown(name), style: 'bold' },
    { text: per.length === 0 ? 'all' : shown(per.join(', ')) },
    { text: used?.canonical ?? 'unknown' },
    { text: terms === undefined ? 'no limit' : terms.max.canonical },
    { text: left?.canonical ?? '', style: isFull ? 'red' : undefined },
    { text: terms === undefined ? '' : shortDuration(terms.windowMs) },
    { text: freesAtMs === undefined ? '' : `in ${shortDuration(freesAtMs - nowMs)}` },
  ]
}

function leftOf({ used, terms }: Level): Decimal | undefined {
  if (used === undefined || terms === undefined) return undefined
  return used.compare(terms.max) >= 0 ? zero : difference(terms.max, used)
}

function dataOf(level: Level): Readonly<Record<string, unknown>> {
  const { name, per, used, terms, freesAtMs } = level
  return {
    schemaVersion,
    type: 'budget',
    name,
    per,
    counts: terms === undefined ? null : terms.sum === undefined ? 'calls' : 'sum',
    used: used?.canonical ?? null,
    limit: terms?.max.canonical ?? null,
    left: leftOf(level)?.canonical ?? null,
    windowSeconds: terms === undefined ? null : terms.windowMs / 1000,
    freesAt: freesAtMs === undefined ? null : new Date(freesAtMs).toISOString(),
  }
}
