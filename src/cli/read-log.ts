import type { StoredRecord } from '../audit/record.ts'
import type { LogQuery, LogReader } from '../runtime/store.ts'
import { shownArguments } from './log-arguments.ts'
import type { LogEntry, OutcomeEntry } from './log-entry.ts'
import { outcomeEntry } from './log-entry.ts'
import { fieldOf, numberOrNull, textOf } from './record-fields.ts'

/** Which entries to read: a query without the things that walking needs. */
export type LogFilter = Omit<LogQuery, 'order' | 'from' | 'count'>

/** How many records are held at a time, however long the log is. */
const pageRecords = 500

/** Walks the log from `from` to its end, oldest first, a page at a time. */
export async function* walk(
  reader: LogReader,
  filter: LogFilter,
  from: number,
): AsyncGenerator<readonly StoredRecord[], void, undefined> {
  let next: number | null = from
  while (next !== null) {
    // Each page begins where the one before it ended.
    // oxlint-disable-next-line no-await-in-loop -- the next page begins where this one ends
    const page = await reader.find({ ...filter, order: 'oldest', from: next, count: pageRecords })
    if (page.records.length > 0) yield page.records
    ;({ next } = page)
  }
}

/**
 * Where the newest `count` records that match begin; the end of the log when `count` is 0.
 *
 * It only remembers one number, so that a large count needs no memory.
 */
export async function startOfNewest(
  reader: LogReader,
  filter: LogFilter,
  count: number,
): Promise<number> {
  if (count === 0) return reader.size()
  let left = count
  let from: number | undefined
  for (;;) {
    const query = { ...filter, order: 'newest', count: Math.min(left, pageRecords) } as const
    // Each page begins where the one before it ended.
    // oxlint-disable-next-line no-await-in-loop -- the next page begins where this one ends
    const page = await reader.find(from === undefined ? query : { ...query, from })
    left -= page.records.length
    const last = page.records.at(-1)
    if (left === 0 && last !== undefined) return last.seq
    if (page.next === null) return 0
    from = page.next
  }
}

/** Completes records with what stands elsewhere: arguments, and how the call ended. */
export async function entriesOf(
  reader: LogReader,
  records: readonly StoredRecord[],
): Promise<readonly LogEntry[]> {
  const near = await outcomesNear(reader, records)
  return Promise.all(
    records.map(async (record): Promise<LogEntry> => {
      if (record.type === 'refusal') return { kind: 'refusal', record }
      if (record.type !== 'decision') return { kind: 'change', record }
      return {
        kind: 'decision',
        record,
        arguments: shownArguments(record, await reader.disclosures(record.seq)),
        outcome: near.get(record.seq) ?? (await outcomeOf(reader, record)),
      }
    }),
  )
}

/**
 * Most calls end soon after they were decided, so that their outcomes stand among the next records: one question finds
 * them, where asking for each call by its id would read every decision twice.
 */
async function outcomesNear(
  reader: LogReader,
  records: readonly StoredRecord[],
): Promise<ReadonlyMap<number, OutcomeEntry>> {
  const first = records[0]?.seq ?? 0
  const last = records.at(-1)?.seq ?? 0
  if (last - first > 4 * records.length) return new Map()
  const count = records.length + 50
  const page = await reader.find({ types: ['outcome'], order: 'oldest', from: first, count })
  return new Map(
    page.records.map((record) => [
      numberOrNull(record.data, 'decision_seq') ?? -1,
      outcomeEntry(record),
    ]),
  )
}

/** How a decided call ended; undefined when it did not go to its server, or has not ended. */
export async function outcomeOf(
  reader: LogReader,
  { data }: StoredRecord,
): Promise<OutcomeEntry | undefined> {
  if (fieldOf(data, 'forwarded') !== true) return undefined
  const records = await reader.call(textOf(data, 'call'))
  const outcome = records.find(({ type }) => type === 'outcome')
  return outcome && outcomeEntry(outcome)
}
