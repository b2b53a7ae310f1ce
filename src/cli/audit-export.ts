import { CapFenceError } from '../errors.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import { storageOf, type PlaceFlags } from './places.ts'
import { counted, jsonLine, shown } from './shown.ts'
import { VerifyProgress } from './verify-progress.ts'

/** What `capfence audit export` takes, as it was typed. */
export interface ExportFlags extends PlaceFlags {
  readonly tiles?: string | undefined
  readonly jsonl?: string | undefined
  readonly withDisclosures?: boolean | undefined
  readonly json?: boolean | undefined
}

/** What was exported. */
export interface Exported {
  readonly log: string
  /** Records. */
  readonly size: number
  readonly root: string
  /** Files that were written. */
  readonly files: number
}

/** `capfence audit export`: writes the whole log in a form that others can verify. */
export async function auditExport(flags: ExportFlags, io: Io): Promise<ExitCode> {
  const { tiles, jsonl, withDisclosures: hasDisclosures = false } = flags
  const to = tiles ?? jsonl
  if (to === undefined || (tiles !== undefined && jsonl !== undefined)) {
    throw new CapFenceError('USAGE', 'an export is written to `--tiles DIR` or to `--jsonl FILE`')
  }
  const { withSnapshot } = await import('../storage/read-snapshot.ts')
  const progress = new VerifyProgress(io)
  const options = {
    to,
    hasDisclosures,
    onProgress: (done: number, size: number): void => progress.note(done, size),
  }
  const exported = await withSnapshot(storageOf(flags).path, async (snapshot) => {
    if (tiles === undefined) {
      const { exportLines } = await import('./export-lines.ts')
      return exportLines(snapshot, options)
    }
    const { exportTiles } = await import('./export-tiles.ts')
    return exportTiles(snapshot, options)
  })
  await progress.end()
  const { log, size, root, files } = exported
  await io.out.write(
    flags.json === true
      ? jsonLine({ schemaVersion, type: 'audit-export', log, size, root, to, files })
      : `${shown(to)}: ${counted(size, 'record')} of ${log}, ${counted(files, 'file')} written\n`,
  )
  return exitCodes.yes
}
