import { resolve } from 'node:path'
import { limits } from '../limits.ts'
import { systemClock } from './clock.ts'
import { openForReading } from './database-file.ts'
import { nodeFiles } from './files.ts'
import { LogSnapshot } from './log-snapshot.ts'

/**
 * Hands one state of the log in a file to `use`, reading only, and closes it whatever happens.
 *
 * @throws CapFenceError `AUDIT_UNAVAILABLE` when there is no log, or it is another program's or a newer version's
 */
export async function withSnapshot<T>(
  path: string,
  use: (snapshot: LogSnapshot) => Promise<T>,
): Promise<T> {
  const file = openForReading(resolve(path), {
    files: nodeFiles,
    clock: systemClock,
    maxLockWaitMs: limits.maxLockWaitMs,
  })
  try {
    return await use(LogSnapshot.of(file))
  } finally {
    file.db.close()
  }
}
