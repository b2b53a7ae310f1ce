import {
  isUnsound,
  type ReadRecord,
  type ReadRow,
  type RowWithDisclosures,
} from '../audit/read-row.ts'

/** Rows in one piece of memory, which can be handed from thread to thread without being copied. */
export interface PackedRows {
  readonly seqs: Float64Array
  /** Of leaf, body and disclosures of each row, bytes. */
  readonly lengths: Uint32Array
  /** The same, one after the other. */
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Copies rows into one piece. */
export function packRows(rows: readonly RowWithDisclosures[]): PackedRows {
  const lengths = new Uint32Array(rows.length * 3)
  let total = 0
  for (const [index, { leaf, body, disclosures }] of rows.entries()) {
    const own = [leaf.length, body.length, Buffer.byteLength(disclosures, 'utf8')]
    lengths.set(own, index * 3)
    total += own.reduce((sum, length) => sum + length, 0)
  }
  const memory = new ArrayBuffer(total)
  const bytes = Buffer.from(memory)
  let at = 0
  for (const { leaf, body, disclosures } of rows) {
    bytes.set(leaf, at)
    bytes.set(body, at + leaf.length)
    at += leaf.length + body.length
    at += bytes.write(disclosures, at, 'utf8')
  }
  return { seqs: Float64Array.from(rows, ({ seq }) => seq), lengths, bytes: new Uint8Array(memory) }
}

/** The rows again; they lie in the packed memory. */
export function unpackRows({ seqs, lengths, bytes }: PackedRows): readonly RowWithDisclosures[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const take = (index: number): readonly [start: number, end: number] => {
    const start = at
    at += lengths[index] ?? 0
    return [start, at]
  }
  return Array.from(seqs, (seq, index) => {
    const leaf = bytes.subarray(...take(index * 3))
    const body = bytes.subarray(...take(index * 3 + 1))
    return { seq, leaf, body, disclosures: text.toString('utf8', ...take(index * 3 + 2)) }
  })
}

/** What was read, without the names of its members: they would be written for each. */
export type PackedRead =
  | readonly [seq: number, reason: string]
  | readonly [
      seq: number,
      type: ReadRecord['type'],
      log: string,
      prev: string,
      ts: string,
      w: string,
      wn: number,
      leaf: string,
      said: ReadRecord['said'],
      missing: readonly string[],
    ]

/** What was read of a row, to be handed to another thread. */
export function packRead(read: ReadRow): PackedRead {
  if (isUnsound(read)) return [read.seq, read.reason]
  const { seq, type, log, prev, ts, w, wn, leaf, said, missing } = read
  return [seq, type, log, prev, ts, w, wn, leaf, said, missing]
}

/** The same again. */
export function unpackRead(packed: PackedRead): ReadRow {
  if (packed.length === 2) return { seq: packed[0], reason: packed[1] }
  const [seq, type, log, prev, ts, w, wn, leaf, said, missing] = packed
  return { seq, type, log, prev, ts, w, wn, leaf, said, missing }
}
