import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { CapFenceError } from '../errors.ts'

/** The largest file of a client that is read, bytes. */
const maxFileBytes = 16_777_216

/** A file's text, with the byte order mark that may stand before it. */
export interface FileText {
  readonly text: string
  readonly bytes: Buffer
}

/**
 * Reads a file as text of which every byte is known.
 *
 * @throws CapFenceError `CLIENT_FILE` when it is not UTF-8, too large, or cannot be read
 */
export function readText(path: string): FileText {
  try {
    const { size } = statSync(path)
    if (size > maxFileBytes) throw unreadable(path, `it has ${size} bytes`)
    const bytes = readFileSync(path)
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return { text, bytes }
  } catch (error) {
    if (error instanceof CapFenceError) throw error
    const why = error instanceof TypeError ? 'it is not UTF-8' : messageOf(error)
    throw unreadable(path, why, error)
  }
}

/**
 * Replaces a file, or makes it: whoever reads it sees the old text or the new one, and a crash leaves one of the two.
 *
 * A link stays one, and what it leads to is replaced. The mode stays.
 *
 * @param expected what the file must hold at that moment; undefined when there must be none
 * @throws CapFenceError `CLIENT_FILE` when it holds something else by now, or cannot be written
 */
export function replaceFile(path: string, text: string, expected: Buffer | undefined): void {
  const real = existsSync(path) ? realpathSync(path) : path
  const fresh = join(dirname(real), `.${process.pid}.capfence-new`)
  try {
    const mode = expected === undefined ? 0o600 : statSync(real).mode & 0o7777
    const file = openSync(fresh, 'wx', mode)
    try {
      fchmodSync(file, mode)
      writeSync(file, text)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    if (expected === undefined) linkSync(fresh, real)
    else if (readFileSync(real).equals(expected)) renameSync(fresh, real)
    else throw unreadable(path, 'somebody else has changed it at this moment')
    syncFolder(dirname(real))
  } catch (error) {
    if (error instanceof CapFenceError) throw error
    throw unreadable(path, messageOf(error), error)
  } finally {
    rmSync(fresh, { force: true })
  }
}

/**
 * Runs something while nobody else changes clients' files through CapFence.
 *
 * @param folder for files of CapFence's own; made for this user alone when there is none
 * @throws CapFenceError `CLIENT_FILE` while another process does
 */
export async function whileLocked<T>(folder: string, step: () => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const lock = join(folder, 'lock')
  take(lock)
  try {
    return await step()
  } finally {
    rmSync(lock, { force: true })
  }
}

function take(lock: string): void {
  for (let tries = 0; tries < 2; tries += 1) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx', mode: 0o600 })
      return
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw unreadable(lock, messageOf(error), error)
      const owner = Number(existsSync(lock) ? readFileSync(lock, 'utf8') : '')
      if (isRunning(owner)) break
      // It was killed in the middle: what it left is whole, and its lock is nobody's.
      rmSync(lock, { force: true })
    }
  }
  throw new CapFenceError('CLIENT_FILE', 'another `capfence` is changing clients at this moment', {
    hint: `wait for it; if there is none, remove \`${lock}\``,
  })
}

function isRunning(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return isCode(error, 'EPERM')
  }
}

function syncFolder(path: string): void {
  let folder: number | undefined
  try {
    folder = openSync(path, 'r')
    fsyncSync(folder)
  } catch {
    // Where folders cannot be opened, as on Windows, the file system sees to it.
  } finally {
    if (folder !== undefined) closeSync(folder)
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function unreadable(path: string, why: string, cause?: unknown): CapFenceError {
  return new CapFenceError('CLIENT_FILE', `\`${path}\`: ${why}`, { cause })
}
