import { CapFenceError } from '../errors.ts'
import { printVerifierKey } from './note.ts'
import type { LogPin } from './pin.ts'
import type { StoredRow } from './record.ts'

/** What an export in JSON Lines says about itself, in its first line. */
export interface ExportHeader {
  readonly pin: LogPin
  /** The signed checkpoint of all records that follow. */
  readonly head: string
  /** Whether each record has the values with it that it has digests of. */
  readonly hasDisclosures: boolean
}

/** The first line of an export in JSON Lines. */
export function headerLine({ pin, head, hasDisclosures }: ExportHeader): string {
  return line({
    format: 'capfence-log-export/1',
    pin: [printVerifierKey(pin.stable), printVerifierKey(pin.genesis)],
    head,
    disclosures: hasDisclosures,
  })
}

/**
 * The line of one record.
 *
 * @param disclosures undefined in an export without them
 * @throws CapFenceError `AUDIT_CORRUPT` when the stored bytes are no text
 */
export function recordLine(
  { seq, leaf, body }: StoredRow,
  disclosures: readonly string[] | undefined,
): string {
  const bytes = Buffer.from(body)
  const text = bytes.toString('utf8')
  if (!Buffer.from(text, 'utf8').equals(bytes)) {
    throw new CapFenceError('AUDIT_CORRUPT', `record ${seq} is not UTF-8`)
  }
  const record = { seq, leaf: Buffer.from(leaf).toString('hex'), body: text }
  return line(disclosures === undefined ? record : { ...record, disclosures })
}

/** The line of a checkpoint that the log keeps; it stands behind the last record that it covers. */
export function checkpointLine(note: string): string {
  return line({ checkpoint: note })
}

/** A line of `checkpoints.jsonl` in an export in tiles. */
export function sizedCheckpointLine(size: number, note: string): string {
  return line({ size, note })
}

/** A line of a file of disclosures in an export in tiles. */
export function disclosuresLine(seq: number, disclosures: readonly string[]): string {
  return line({ seq, disclosures })
}

function line(value: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(value)}\n`
}
