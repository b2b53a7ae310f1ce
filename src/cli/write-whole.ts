import { closeSync, openSync, renameSync, rmSync } from 'node:fs'
import { CapFenceError } from '../errors.ts'

/**
 * Writes a file beside its place and puts it there when it is whole: readers see all of it or what was there before.
 *
 * @param write is handed the open file
 * @throws CapFenceError `USAGE` when it cannot be written; what `write` throws as one is passed on
 */
export function writeWhole<Result>(to: string, write: (file: number) => Result): Result {
  const fresh = `${to}.new`
  try {
    const file = openSync(fresh, 'w')
    let result: Result
    try {
      result = write(file)
    } finally {
      closeSync(file)
    }
    renameSync(fresh, to)
    return result
  } catch (error) {
    rmSync(fresh, { force: true })
    if (error instanceof CapFenceError) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new CapFenceError('USAGE', `\`${to}\` cannot be written: ${message}`, { cause: error })
  }
}
