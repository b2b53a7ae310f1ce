import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { CapFenceError } from '../errors.ts'
import { indented, lockText, parseLock } from '../mcp/lock-file.ts'
import type { Lock } from '../mcp/lock-file.ts'
import { shownJson } from './shown.ts'

/**
 * Writes a lock: whoever reads the file sees the old one or the new one, and a crash leaves one of the two.
 *
 * @param before what the file held when it was read; undefined for no file
 * @throws CapFenceError `LOCK_INVALID` when it holds something else by now, or cannot be written
 */
export function writeLock(file: string, lock: Lock, before: Uint8Array | undefined): void {
  const bytes = Buffer.from(indented(shownJson(lockText(lock))))
  // What could not be read again would lock everybody out.
  parseLock(bytes, file)
  const fresh = join(dirname(file), `.capfence-lock-${process.pid}`)
  try {
    const descriptor = openSync(fresh, 'wx', 0o644)
    try {
      writeFileSync(descriptor, bytes)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    if (!isStill(file, before)) {
      throw new CapFenceError(
        'LOCK_INVALID',
        `\`${file}\` was changed by somebody else meanwhile`,
        {
          hint: 'look again: `capfence lock diff`',
        },
      )
    }
    renameSync(fresh, file)
  } catch (cause) {
    if (cause instanceof CapFenceError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new CapFenceError('LOCK_INVALID', `cannot write \`${file}\`: ${why}`, { cause })
  } finally {
    rmSync(fresh, { force: true })
  }
}

function isStill(file: string, before: Uint8Array | undefined): boolean {
  if (before === undefined) return !existsSync(file)
  return existsSync(file) && readFileSync(file).equals(before)
}
