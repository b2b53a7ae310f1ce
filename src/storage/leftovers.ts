import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import type Database from 'better-sqlite3'
import { inMemory, retrying } from './database-file.ts'
import type { DatabaseFile, OpenContext } from './database-file.ts'
import { isBusy } from './failure.ts'

/** What it took to be rid of erased texts. */
export interface Sweep {
  /** Whether the whole database was written anew, which SQLite does with its writers waiting. */
  readonly isCompacted: boolean
  /** Paths of files that still hold some of the text. */
  readonly left: readonly string[]
}

/**
 * Takes erased disclosures out of the write-ahead log, and out of pages that SQLite has moved them from.
 *
 * @param encoded as they were stored; their first 32 characters are enough
 */
export function sweepDatabase(
  { db, path }: DatabaseFile,
  context: OpenContext,
  encoded: readonly string[],
): Sweep {
  if (path === inMemory || encoded.length === 0) return { isCompacted: false, left: [] }
  const files = [path, `${path}-wal`]
  const leftovers = (): readonly string[] => files.filter((file) => holdsAny(file, encoded))
  emptyWriteAheadLog(db, context)
  if (!holdsAny(path, encoded)) return { isCompacted: false, left: leftovers() }
  // Its temporary file holds what is there, not what was erased; in memory it could be too large.
  db.pragma('temp_store = FILE')
  const isCompacted = whenFree(context, () => db.exec('VACUUM'))
  db.pragma('temp_store = MEMORY')
  emptyWriteAheadLog(db, context)
  return { isCompacted, left: leftovers() }
}

function emptyWriteAheadLog(db: Database.Database, context: OpenContext): void {
  const { clock, maxLockWaitMs } = context
  const endMs = clock.elapsedMs() + maxLockWaitMs
  // A reader that is at work keeps it from being emptied, and is soon done.
  while (isFirstColumnOne(db.pragma('wal_checkpoint(TRUNCATE)', { simple: true }))) {
    if (clock.elapsedMs() >= endMs) return
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
  }
}

function isFirstColumnOne(busy: unknown): boolean {
  return busy === 1
}

/** Whether it could be done within the time for the lock. */
function whenFree(context: OpenContext, step: () => void): boolean {
  try {
    retrying(context, step)
    return true
  } catch (error) {
    if (isBusy(error)) return false
    throw error
  }
}

/** Every disclosure begins with a quoted salt of 128 bits: so many characters of it tell it from all others. */
const tellingLength = 32
/** What `["` gives in base64url, as far as it does not depend on the salt behind it. */
const opening = 'Wy'
const chunkBytes = 1_048_576

/** Whether a file holds the beginning of any of these disclosures; false when there is no such file. */
function holdsAny(path: string, encoded: readonly string[]): boolean {
  if (!existsSync(path)) return false
  const sought = new Set(encoded.map((one) => one.slice(0, tellingLength)))
  const file = openSync(path, 'r')
  try {
    const chunk = Buffer.alloc(chunkBytes)
    let kept = 0
    for (;;) {
      const end = kept + readSync(file, chunk, kept, chunkBytes - kept, null)
      if (end === kept) return false
      const text = chunk.toString('latin1', 0, end)
      for (let at = text.indexOf(opening); at !== -1; at = text.indexOf(opening, at + 1)) {
        if (sought.has(text.slice(at, at + tellingLength))) return true
      }
      // What may begin at the end of one chunk is looked at again with the next.
      kept = Math.min(end, tellingLength - 1)
      chunk.copy(chunk, 0, end - kept, end)
    }
  } finally {
    closeSync(file)
  }
}
