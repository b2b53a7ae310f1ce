import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { CapFenceError } from '../errors.ts'

/** The largest file of a client that is read, bytes. */
const maxFileBytes = 16_777_216

/** A file's text, with the byte order mark that may stand before it. */
interface FileText {
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
 * Replaces a file: whoever reads it sees the old text or the new one, and a crash leaves one of the two. Only while locked.
 *
 * A link stays one, and what it leads to is replaced. The mode stays.
 *
 * @param expected what the file must hold at that moment
 * @throws CapFenceError `CLIENT_FILE` when it holds something else by now, or cannot be written
 */
export function replaceFile(path: string, text: string, expected: Buffer): void {
  try {
    const real = realpathSync(path)
    const fresh = join(dirname(real), `.${basename(real)}.capfence-new`)
    try {
      // One may lie there since a crash.
      rmSync(fresh, { force: true })
      writeFileSync(fresh, text, { flag: 'wx', mode: 0o600, flush: true })
      chmodSync(fresh, statSync(real).mode & 0o7777)
      if (!readFileSync(real).equals(expected))
        throw unreadable(path, 'somebody else has changed it at this moment')
      renameSync(fresh, real)
    } finally {
      rmSync(fresh, { force: true })
    }
  } catch (error) {
    if (error instanceof CapFenceError) throw error
    throw unreadable(path, messageOf(error), error)
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

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function unreadable(path: string, why: string, cause?: unknown): CapFenceError {
  return new CapFenceError('CLIENT_FILE', `\`${path}\`: ${why}`, { cause })
}
