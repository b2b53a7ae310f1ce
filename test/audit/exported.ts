import {
  checkpointLine,
  disclosuresLine,
  headerLine,
  recordLine,
  sizedCheckpointLine,
} from '../../src/audit/export-lines.ts'
import { printPin, type LogPin } from '../../src/audit/pin.ts'
import { disclosuresPath, TileBuilder, tileWidth } from '../../src/audit/tiles.ts'
import type { StoredLog } from './signed-log.ts'

/** A log in JSON Lines, whatever it holds. */
export function linesOf(log: StoredLog, pin: LogPin, hasDisclosures: boolean): string {
  const notes = new Map(log.checkpoints.map(({ size, note }) => [size, note]))
  const parts = [headerLine({ pin, head: log.head?.note ?? '', hasDisclosures })]
  for (const [index, row] of log.rows.entries()) {
    parts.push(recordLine(row, hasDisclosures ? shownOf(row.disclosures) : undefined))
    const note = notes.get(index + 1)
    if (note !== undefined) parts.push(checkpointLine(note))
  }
  return parts.join('')
}

/** A log in tiles, by path. */
export function tilesOf(log: StoredLog, pin: LogPin, hasDisclosures: boolean): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  const put = (path: string, bytes: Uint8Array | string): void => {
    files.set(path, Buffer.from(bytes))
  }
  const builder = new TileBuilder()
  // Numbered as they stand: whoever takes a row away would do so too.
  for (const [seq, row] of log.rows.entries()) {
    for (const { path, bytes } of builder.push({ ...row, seq })) put(path, bytes)
  }
  for (const { path, bytes } of builder.partialFiles()) put(path, bytes)
  put('checkpoint', log.head?.note ?? '')
  put('keys.txt', printPin(pin))
  const notes = log.checkpoints.map(({ size, note }) => sizedCheckpointLine(size, note))
  put('checkpoints.jsonl', notes.join(''))
  if (!hasDisclosures) return files
  for (let first = 0; first < log.rows.length; first += tileWidth) {
    const rows = log.rows.slice(first, first + tileWidth)
    const shown = rows.filter(({ disclosures }) => disclosures !== '')
    const text = shown.map((row) => disclosuresLine(row.seq, shownOf(row.disclosures))).join('')
    put(disclosuresPath(first / tileWidth), text)
  }
  return files
}

/** Disclosures as they are stored, each followed by `~`. */
export function shownOf(stored: string): readonly string[] {
  return stored.split('~').filter((one) => one !== '')
}
