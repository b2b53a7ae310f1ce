import { closeSync, constants, fchmodSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { assert } from '../errors.ts'

/** The note and the room behind it, bytes: always as many, so that writing in place leaves nothing of an older note. */
const fileBytes = 1024

/**
 * The newest head of a log, kept outside of it: whoever puts back an older copy of the log is found out by it.
 *
 * The note stands at the start of the file as it is, and blanks fill the rest. Every method throws what the system does.
 */
export class HighWaterFile {
  /** Absolute. */
  readonly path: string
  /** Open for writing in place. */
  #file: number | undefined

  constructor(path: string) {
    this.path = path
  }

  /** The note that stands there; undefined when there is no file. It may be anything. */
  read(): string | undefined {
    let file: number
    try {
      // What stands behind the path may be a pipe, which must not hold up the gate.
      file = openSync(this.path, constants.O_RDONLY | constants.O_NONBLOCK)
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }
    try {
      const bytes = Buffer.alloc(fileBytes)
      const length = readSync(file, bytes, 0, fileBytes, 0)
      return `${bytes.toString('utf8', 0, length).trimEnd()}\n`
    } finally {
      closeSync(file)
    }
  }

  /** Makes the file, or replaces what is in it, for this user alone; it survives a power cut when this returns. */
  make(note: string): void {
    const file = openSync(this.path, 'w', 0o600)
    try {
      fchmodSync(file, 0o600)
      writeSync(file, padded(note))
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    syncFolder(dirname(this.path))
  }

  /**
   * Writes a newer note over the one that is there, and makes no file.
   *
   * Without a sync: what a power cut leaves is this note or an older one, and the log is never behind either of them.
   */
  raise(note: string): void {
    this.#file ??= openSync(this.path, 'r+')
    writeSync(this.#file, padded(note), 0, fileBytes, 0)
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }
}

function padded(note: string): Buffer {
  const bytes = Buffer.alloc(fileBytes, ' ')
  assert(Buffer.byteLength(note) < fileBytes, 'a head with three signatures has fewer bytes')
  bytes.write(note, 'utf8')
  return bytes
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
