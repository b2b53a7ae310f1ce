import Database from 'better-sqlite3'
import { resolve } from 'node:path'
import { LogFeed } from '../audit/log-feed.ts'
import type { Finding, LogReport } from '../audit/log-report.ts'
import { LogVerifier, type VerifierState, type VerifyOptions } from '../audit/log-verifier.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import { systemClock } from './clock.ts'
import { openForReading } from './database-file.ts'
import { isNoDatabase, storageFailure } from './failure.ts'
import { nodeFiles } from './files.ts'
import { LogSnapshot } from './log-snapshot.ts'
import { readerHere, readInOrder } from './row-reader.ts'
import { rowThreads } from './row-workers.ts'

/** How a log in a file is verified. */
export interface VerifyLogOptions extends VerifyOptions {
  /** Where an earlier verification ended: only what came after it is read. */
  readonly from?: VerifierState | undefined
  /** Told now and then how many records have been verified, of how many. */
  readonly onProgress?: ((verified: number, size: number) => void) | undefined
  /** How many threads read the rows of a long log; this thread when absent. */
  readonly threads?: number | undefined
}

/** Records for which it is worth it to start threads. */
const longLog = 20_000

/** What came of it. */
export interface VerifiedLog {
  readonly report: LogReport
  /** For a later verification to go on from; undefined unless the log is as it must be. */
  readonly state: VerifierState | undefined
}

/**
 * Verifies the log in a database file: opens it for reading only, changes nothing, and sees one state of it.
 *
 * Never rejects for what the log or the world does: the report says it.
 */
export function verifyLog(path: string, options: VerifyLogOptions): Promise<VerifiedLog> {
  return verifyIn(() => openedFile(resolve(path)), options)
}

/** Verifies the log in the bytes of a database, which are in memory and no file's. */
export function verifyCopy(bytes: Buffer, options: VerifyLogOptions): Promise<VerifiedLog> {
  return verifyIn(() => new Database(bytes, { readonly: true }), options)
}

/** Verifies the log in a database that `open` opens and that is closed afterwards. */
export async function verifyIn(
  open: () => Database.Database | Promise<Database.Database>,
  options: VerifyLogOptions,
): Promise<VerifiedLog> {
  const verifier = new LogVerifier(options, options.from)
  let db: Database.Database | undefined
  try {
    db = await open()
    const report = await verifySnapshot(verifier, LogSnapshot.of({ db }), options)
    const isGood = report.verdict === 'ok' || report.verdict === 'incomplete'
    return { report, state: isGood ? verifier.state() : undefined }
  } catch (error) {
    return { report: verifier.abandon(findingOf(error)), state: undefined }
  } finally {
    db?.close()
  }
}

async function verifySnapshot(
  verifier: LogVerifier,
  snapshot: LogSnapshot,
  options: VerifyLogOptions,
): Promise<LogReport> {
  const head = snapshot.head()
  const strange = snapshot.schemaComplaint()
  if (strange !== undefined) return verifier.abandon({ verdict: 'tampered', reason: strange })
  const { from } = options
  const isOnward = from === undefined || verifier.standsOn(snapshot.leaf(verifier.size - 1))
  if (isOnward) await readAll(verifier, snapshot, { ...options, size: head?.size ?? 0 })
  const stray = snapshot.complaint(verifier.size)
  if (stray !== undefined) verifier.find({ verdict: 'tampered', reason: stray })
  return verifier.finish(head)
}

async function readAll(
  verifier: LogVerifier,
  snapshot: LogSnapshot,
  { threads = 0, onProgress, size }: VerifyLogOptions & { readonly size: number },
): Promise<void> {
  const isLong = threads > 0 && size - verifier.size >= longLog
  const reader = (isLong ? rowThreads(threads) : undefined) ?? readerHere
  const checkpoints = snapshot.checkpoints(verifier.size)
  try {
    const feed = new LogFeed(verifier, checkpoints)
    for await (const reads of readInOrder(snapshot.rows(verifier.size), reader)) {
      if (!reads.every((read) => feed.push(read))) return
      onProgress?.(verifier.size, size)
    }
    feed.end()
  } finally {
    // SQLite closes no connection of which a statement is still being read.
    checkpoints.return?.()
    await reader.close()
  }
}

function openedFile(path: string): Database.Database {
  const context = { files: nodeFiles, clock: systemClock, maxLockWaitMs: limits.maxLockWaitMs }
  return openForReading(path, context).db
}

/** What is damaged is not what was written; what cannot be read may be. */
function findingOf(error: unknown): Finding {
  if (error instanceof CapFenceError) {
    const isDamaged = error.code === 'AUDIT_CORRUPT' && !isNoDatabase(error)
    return { verdict: isDamaged ? 'tampered' : 'cannot_verify', reason: error.message }
  }
  const failure = storageFailure(error)
  if (failure === undefined) throw error
  const isDamaged = failure.reason === 'damaged' && !isNoDatabase(error)
  return {
    verdict: isDamaged ? 'tampered' : 'cannot_verify',
    reason: `the database cannot be read: ${failure.what}`,
  }
}
