import { readRow, type ReadRow, type RowWithDisclosures } from '../audit/read-row.ts'

/** Reads rows, here or in other threads. */
export interface RowReader {
  /** How many chunks may be under way at a time. */
  readonly depth: number
  /** The rows in their order. */
  read(rows: readonly RowWithDisclosures[]): Promise<readonly ReadRow[]>
  close(): Promise<void>
}

/** Reads rows in this thread. */
export const readerHere: RowReader = {
  depth: 1,
  read: async (rows) => rows.map(readRow),
  close: async () => {},
}

/** What is handed over at a time: at most so many rows, and so many bytes. */
const maxChunk = { rows: 1000, bytes: 1_048_576 }

/**
 * Reads all rows, a chunk after the other, several at a time where the reader can.
 *
 * Between two chunks the process may do other things.
 */
export async function* readInOrder(
  rows: Iterable<RowWithDisclosures>,
  reader: RowReader,
): AsyncGenerator<readonly ReadRow[], void, undefined> {
  const underWay: Promise<readonly ReadRow[]>[] = []
  try {
    for (const chunk of chunksOf(rows)) {
      underWay.push(reader.read(chunk))
      if (underWay.length < reader.depth) continue
      // oxlint-disable-next-line no-await-in-loop -- in the order of the log
      yield await next(underWay)
    }
    // oxlint-disable-next-line no-await-in-loop -- in the order of the log
    while (underWay.length > 0) yield await next(underWay)
  } finally {
    // Nobody asks for these any more.
    await Promise.allSettled(underWay)
  }
}

async function next(underWay: Promise<readonly ReadRow[]>[]): Promise<readonly ReadRow[]> {
  return (await underWay.shift()) ?? []
}

function* chunksOf(
  rows: Iterable<RowWithDisclosures>,
): Generator<readonly RowWithDisclosures[], void, undefined> {
  let chunk: RowWithDisclosures[] = []
  let bytes = 0
  for (const row of rows) {
    chunk.push(row)
    bytes += row.body.length + row.disclosures.length
    if (chunk.length < maxChunk.rows && bytes < maxChunk.bytes) continue
    yield chunk
    chunk = []
    bytes = 0
  }
  if (chunk.length > 0) yield chunk
}
