import { CapFenceError } from '../errors.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import { withSnapshotOf } from './open-storage.ts'
import { storageOf, type PlaceFlags } from './places.ts'
import { counted, jsonLine, shown } from './shown.ts'
import { parseTime } from './time.ts'
import { VerifyProgress } from './verify-progress.ts'

/** What `capfence audit export` takes, as it was typed. */
export interface ExportFlags extends PlaceFlags {
  readonly tiles?: string | undefined
  readonly jsonl?: string | undefined
  readonly trace?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
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
  const { tiles, jsonl, trace, withDisclosures: hasDisclosures = false } = flags
  const [to, ...others] = [tiles, jsonl, trace].filter((one) => one !== undefined)
  if (to === undefined || others.length > 0) {
    throw new CapFenceError(
      'USAGE',
      'an export is written to `--tiles DIR`, to `--jsonl FILE` or to `--trace FILE`',
    )
  }
  if (trace !== undefined) return exportAsTrace(trace, flags, io)
  if (flags.since !== undefined || flags.until !== undefined) {
    throw new CapFenceError('USAGE', '`--since` and `--until` go with `--trace` only', {
      hint: 'what others verify is the whole log',
    })
  }
  const progress = new VerifyProgress(io)
  const options = {
    to,
    hasDisclosures,
    onProgress: (done: number, size: number): void => progress.note(done, size),
  }
  const exported = await withSnapshotOf(storageOf(flags), async (snapshot) => {
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

async function exportAsTrace(to: string, flags: ExportFlags, io: Io): Promise<ExitCode> {
  const { exportTrace } = await import('./export-trace.ts')
  const progress = new VerifyProgress(io)
  const options = {
    to,
    hasDisclosures: flags.withDisclosures ?? false,
    onProgress: (done: number, size: number): void => progress.note(done, size),
  }
  const nowMs = io.nowMs()
  const range = {
    sinceMs: flags.since === undefined ? undefined : parseTime(flags.since, nowMs),
    untilMs: flags.until === undefined ? undefined : parseTime(flags.until, nowMs),
  }
  const exported = await withSnapshotOf(storageOf(flags), async (snapshot) =>
    exportTrace(snapshot, options, range),
  )
  await progress.end()
  const { log, calls, policies, isComplete } = exported
  const told = `${counted(calls, 'call')} of ${log}, ${policies === 1 ? '1 policy' : `${policies} policies`}`
  const part = isComplete ? '' : '; what limits and labels stood at before is not known'
  await io.out.write(
    flags.json === true
      ? jsonLine({
          schemaVersion,
          type: 'audit-trace',
          log,
          to,
          calls,
          policies,
          complete: isComplete,
        })
      : `${shown(to)}: ${told}${part}\n`,
  )
  return exitCodes.yes
}
