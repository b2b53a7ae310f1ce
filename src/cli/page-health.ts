import { statSync } from 'node:fs'
import type { RecordType, StoredRecord } from '../audit/record.ts'
import type { LogReader } from '../runtime/store.ts'
import { pageLine } from './page-line.ts'

/** Where a log stands, without reading all of it, as one JSON text; without a path it is in a database elsewhere. */
export async function pageHealth(reader: LogReader, path: string | undefined): Promise<string> {
  const size = await reader.size()
  const [first] = await reader.records(0, 1)
  const [last] = size === 0 ? [] : await reader.records(size - 1, 1)
  const orphans = await reader.orphans()
  return pageLine('health', {
    path: path ?? null,
    bytes: path === undefined ? null : statSync(path).size,
    log: first?.log ?? null,
    size,
    firstAt: first?.ts ?? null,
    lastAt: last?.ts ?? null,
    head: last?.leaf ?? null,
    inFlight: orphans.filter(({ state }) => state === 'in_flight').length,
    lost: orphans.filter(({ state }) => state !== 'in_flight').length,
    anchor: await newest(reader, 'anchor'),
    gate: await newest(reader, 'proc.start'),
    stop: await newest(reader, 'proc.stop'),
    heartbeat: await newest(reader, 'heartbeat'),
  })
}

/** The newest record of a kind as it is shown; null when there is none among those a bounded look finds. */
async function newest(reader: LogReader, type: RecordType): Promise<object | null> {
  const { records } = await reader.find({ types: [type], order: 'newest', count: 1 })
  const [record] = records
  return record === undefined ? null : shownRecord(record)
}

function shownRecord({ seq, ts, data }: StoredRecord): object {
  return { seq, at: ts, data }
}
