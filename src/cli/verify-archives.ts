import { isObject } from '../audit/fields.ts'
import type { LogAnchor } from '../audit/anchor-watch.ts'
import type { LogEnding } from '../audit/log-drafts.ts'
import type { LogReport } from '../audit/log-report.ts'
import type { VerifyOptions } from '../audit/log-verifier.ts'
import { parseVerifierKey } from '../audit/note.ts'
import { pinOf, type LogPin } from '../audit/pin.ts'
import type { StoredRecord } from '../audit/record.ts'
import { SQLiteLog } from '../storage/sqlite-log.ts'
import { verifyLog } from '../storage/verify-log.ts'

/** An archived log, and what came of its verification. */
export interface VerifiedArchive {
  readonly path: string
  readonly report: LogReport
}

/** Archived logs, one after the other, and what the log must be that goes on from the last. */
export interface VerifiedArchives {
  /** Up to the first that does not verify. */
  readonly archives: readonly VerifiedArchive[]
  /** Undefined when one of them does not verify. */
  readonly next: ExpectedLog | undefined
}

/** What an archived log says of the one that goes on from it. */
export interface ExpectedLog {
  /** Undefined when nothing was pinned. */
  readonly pin: LogPin | undefined
  readonly continues: LogEnding
}

/**
 * Verifies archived logs, oldest first: each must name the keys of the next, and each but the first the end of the one before.
 *
 * @param anchorsOf checkpoints that are known of a log in a file
 */
export async function verifyArchives(
  files: readonly string[],
  options: VerifyOptions,
  anchorsOf: (path: string) => readonly LogAnchor[],
): Promise<VerifiedArchives> {
  const archives: VerifiedArchive[] = []
  let expected: ExpectedLog | undefined
  for (const path of files) {
    const pin = expected === undefined ? options.pin : expected.pin
    // oxlint-disable-next-line no-await-in-loop -- the keys of each are known from the one before
    const { report } = await verifyLog(path, {
      ...options,
      pin,
      anchors: anchorsOf(path),
      threads: 2,
    })
    // oxlint-disable-next-line no-await-in-loop -- the same
    const { report: checked, next } = await asArchive(path, report, expected)
    archives.push({ path, report: checked })
    if (next === undefined) return { archives, next: undefined }
    expected = options.pin === undefined ? { ...next, pin: undefined } : next
  }
  return { archives, next: expected }
}

async function asArchive(
  path: string,
  report: LogReport,
  expected: ExpectedLog | undefined,
): Promise<{ readonly report: LogReport; readonly next: ExpectedLog | undefined }> {
  const checked = report.verdict === 'ok' ? await linked(path, report, expected) : report
  if (checked.verdict !== 'ok') return { report: checked, next: undefined }
  const next = await successorOf(path, checked)
  return next === undefined
    ? { report: failed(checked, 'it was not archived: it goes on by itself'), next }
    : { report: checked, next }
}

/** A report that also says whether a log goes on from the one before it. */
export async function linked(
  path: string,
  report: LogReport,
  expected: ExpectedLog | undefined,
): Promise<LogReport> {
  if (expected === undefined) return report
  const found = await continuesOf(path)
  const { log, root, size } = expected.continues
  if (found?.log === log && found.root === root && found.size === size) return report
  const said = found === undefined ? 'it goes on from no other' : `it goes on from ${found.log}`
  return failed(report, `${said}, not from the ${size} records of ${log}`)
}

/** The log that a log says it goes on from; undefined when there is none. */
export function continuesOf(path: string): Promise<LogEnding | undefined> {
  return reading(path, 0, (record) => {
    const { continues } = record?.data ?? {}
    if (!isObject(continues)) return undefined
    const { log, root, size } = continues
    return typeof log === 'string' && typeof root === 'string' && typeof size === 'number'
      ? { log, root, size }
      : undefined
  })
}

function successorOf(path: string, report: LogReport): Promise<ExpectedLog | undefined> {
  const { log, root, size } = report
  return reading(path, size - 1, (record) => {
    const { next } = record?.type === 'log.archive' ? record.data : {}
    if (!isObject(next) || log === null) return undefined
    const { vkey, epoch_vkey: epoch } = next
    if (typeof vkey !== 'string' || typeof epoch !== 'string') return undefined
    const pin = pinOf(parseVerifierKey(vkey), parseVerifierKey(epoch))
    return { pin, continues: { log, root, size } }
  })
}

async function reading<T>(
  path: string,
  seq: number,
  read: (record: StoredRecord | undefined) => T,
): Promise<T> {
  const log = SQLiteLog.open(path)
  try {
    const [record] = await log.records(seq, 1)
    return read(record)
  } finally {
    await log.close()
  }
}

function failed(report: LogReport, reason: string): LogReport {
  return { ...report, verdict: 'forked', reason }
}
