import { setTimeout as delay } from 'node:timers/promises'
import type { StoredRecord } from '../audit/record.ts'
import { CapFenceError } from '../errors.ts'
import type { DecisionFilter, LogReader } from '../runtime/store.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { changeColumns } from './log-changes.ts'
import type { LogEntry } from './log-entry.ts'
import { logColumns, logLine, logRow, outcomeLine, outcomeRow } from './log-lines.ts'
import type { OpenLog, PlaceFlags } from './places.ts'
import { withLog } from './places.ts'
import type { LogFilter } from './read-log.ts'
import { textOf } from './record-fields.ts'
import { entriesOf, outcomeOf, startOfNewest, walk } from './read-log.ts'
import { complaint } from './report-error.ts'
import { Table } from './table.ts'
import type { Column } from './table.ts'
import { parseTime } from './time.ts'

/** What `capfence logs` takes, as it was typed. */
export interface LogsFlags extends PlaceFlags {
  readonly json?: boolean | undefined
  readonly follow?: boolean | undefined
  readonly orphans?: boolean | undefined
  readonly changes?: boolean | undefined
  readonly decision?: string | undefined
  readonly server?: string | undefined
  readonly tool?: string | undefined
  readonly actor?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly limit?: string | undefined
}

const followEveryMs = 250
/** Calls without an outcome that are looked after while following; older ones are let go. */
const maxWatchedCalls = 1000

/** `capfence logs`: prints decisions and refused messages, or what changed, oldest first, as they are read. */
export function logs(flags: LogsFlags, io: Io, open: OpenLog): Promise<ExitCode> {
  const filter = filterOf(flags, io.nowMs())
  const limit = limitOf(flags.limit)
  if (flags.orphans === true && flags.follow === true) {
    throw new CapFenceError('USAGE', '`--orphans` and `--follow` do not go together')
  }
  for (const name of ['orphans', 'decision', 'actor'] as const) {
    if (flags.changes !== true || flags[name] === undefined) continue
    throw new CapFenceError('USAGE', `\`--changes\` and \`--${name}\` do not go together`)
  }
  return withLog(flags, open, async (reader) => {
    const printer = new Printer(reader, io, columnsOf(flags))
    if (flags.orphans === true) await printOrphans(reader, { filter, limit }, printer)
    else await printEntries(reader, { filter, limit, follow: flags.follow === true, io }, printer)
    if (!printer.hasPrinted && !io.stopped.aborted) {
      await io.err.write(complaint(io, 'nothing in the log matches'))
    }
    return exitCodes.yes
  })
}

function filterOf(flags: LogsFlags, nowMs: number): LogFilter {
  const { decision, server, tool, actor } = flags
  const fields: DecisionFilter = {
    ...(isEffect(decision) ? { decision } : {}),
    ...(server === undefined ? {} : { server }),
    ...(tool === undefined ? {} : { tool }),
    ...(actor === undefined ? {} : { actor }),
    ...(flags.since === undefined ? {} : { fromMs: parseTime(flags.since, nowMs) }),
    ...(flags.until === undefined ? {} : { toMs: parseTime(flags.until, nowMs) }),
  }
  if (flags.changes === true) {
    const onlyTools = server !== undefined || tool !== undefined
    return { ...fields, types: onlyTools ? ['tool.def'] : changeTypes }
  }
  if (decision === 'refused') return { ...fields, types: ['refusal'] }
  // A refused message has no tool and no actor; a filter on those asks for calls.
  const onlyCalls = isEffect(decision) || tool !== undefined || actor !== undefined
  return { ...fields, types: onlyCalls ? ['decision'] : ['decision', 'refusal'] }
}

/** What `--changes` shows. */
const changeTypes = ['policy.load', 'config.change', 'tool.def'] as const

function columnsOf(flags: LogsFlags): readonly Column[] | undefined {
  if (flags.json === true) return undefined
  return flags.changes === true ? changeColumns : logColumns
}

function isEffect(decision: string | undefined): decision is 'allow' | 'require_approval' | 'deny' {
  return decision === 'allow' || decision === 'require_approval' || decision === 'deny'
}

function limitOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new CapFenceError('USAGE', `\`--limit ${text}\` is no number of entries`, {
    hint: 'write `--limit 20` for the newest 20',
  })
}

interface EntriesRequest {
  readonly filter: LogFilter
  readonly limit: number | undefined
  readonly follow: boolean
  readonly io: Io
}

async function printEntries(
  reader: LogReader,
  { filter, limit, follow, io }: EntriesRequest,
  printer: Printer,
): Promise<void> {
  let next = limit === undefined ? 0 : await startOfNewest(reader, filter, limit)
  for (;;) {
    // What comes while this round reads belongs to the next one, unless it was printed already.
    // oxlint-disable-next-line no-await-in-loop -- one look at the log after the other
    const end = await reader.size()
    // oxlint-disable-next-line no-await-in-loop -- one look at the log after the other
    const last = await printFrom(reader, { filter, from: next, stopped: io.stopped }, printer)
    next = Math.max(end, last + 1)
    if (!follow || io.stopped.aborted) return
    // oxlint-disable-next-line no-await-in-loop -- one look at the log after the other
    await printer.printOutcomes()
    // oxlint-disable-next-line no-await-in-loop -- one look at the log after the other
    await pause(io.stopped)
  }
}

interface WalkRequest {
  readonly filter: LogFilter
  readonly from: number
  readonly stopped: AbortSignal
}

/** @returns the seq of the last record that was printed, or what is before `from` */
async function printFrom(
  reader: LogReader,
  { filter, from, stopped }: WalkRequest,
  printer: Printer,
): Promise<number> {
  let last = from - 1
  for await (const records of walk(reader, filter, from)) {
    await printer.print(records)
    last = records.at(-1)?.seq ?? last
    if (stopped.aborted) break
  }
  return last
}

async function pause(stopped: AbortSignal): Promise<void> {
  try {
    await delay(followEveryMs, undefined, { signal: stopped })
  } catch {
    // Being woken early is how following ends.
  }
}

interface OrphansRequest {
  readonly filter: LogFilter
  readonly limit: number | undefined
}

async function printOrphans(
  reader: LogReader,
  { filter, limit }: OrphansRequest,
  printer: Printer,
): Promise<void> {
  const orphans = (await reader.orphans()).filter((record) => matches(record, filter))
  await printer.print(
    limit === undefined ? orphans : orphans.slice(Math.max(0, orphans.length - limit)),
  )
}

function matches({ data, ts }: StoredRecord, filter: LogFilter): boolean {
  const ms = Date.parse(ts)
  const fields = ['decision', 'server', 'tool', 'actor'] as const
  return (
    fields.every((name) => filter[name] === undefined || data[name] === filter[name]) &&
    ms >= (filter.fromMs ?? -Infinity) &&
    ms < (filter.toMs ?? Infinity)
  )
}

/** Prints entries as rows or as lines, and remembers which calls have not ended. */
class Printer {
  readonly #reader: LogReader
  readonly #io: Io
  readonly #table: Table | undefined
  readonly #open = new Map<number, StoredRecord>()
  #hasPrinted = false

  /** @param columns undefined for JSON Lines */
  constructor(reader: LogReader, io: Io, columns: readonly Column[] | undefined) {
    this.#reader = reader
    this.#io = io
    this.#table = columns && new Table(columns, io.out)
  }

  get hasPrinted(): boolean {
    return this.#hasPrinted
  }

  async print(records: readonly StoredRecord[]): Promise<void> {
    const entries = await entriesOf(this.#reader, records)
    for (const entry of entries) this.#watch(entry)
    this.#hasPrinted ||= entries.length > 0
    if (this.#table !== undefined) await this.#table.print(entries.map(logRow))
    else await this.#io.out.write(entries.map(logLine).join(''))
  }

  /** Prints how calls ended that had not when they were printed. */
  async printOutcomes(): Promise<void> {
    const found = await Promise.all(
      Array.from(this.#open.values(), async (record) => ({
        record,
        outcome: await outcomeOf(this.#reader, record),
      })),
    )
    for (const { record, outcome } of found) {
      if (outcome === undefined) continue
      this.#open.delete(record.seq)
      const line =
        this.#table === undefined
          ? this.#io.out.write(outcomeLine(textOf(record.data, 'call'), record.seq, outcome))
          : this.#table.print([outcomeRow(record.seq, outcome)])
      // oxlint-disable-next-line no-await-in-loop -- in the order of the log
      await line
    }
  }

  #watch(entry: LogEntry): void {
    if (entry.kind !== 'decision' || entry.outcome !== undefined) return
    if (entry.record.data['forwarded'] !== true) return
    this.#open.set(entry.record.seq, entry.record)
    const [oldest] = this.#open.keys()
    if (this.#open.size > maxWatchedCalls && oldest !== undefined) this.#open.delete(oldest)
  }
}
