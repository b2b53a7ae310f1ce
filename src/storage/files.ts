import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** The little that storage needs of the file system besides SQLite; given as an option, so that tests can fail it. */
export interface Files {
  /** Device and inode behind a path; undefined when nothing is there. */
  identity(path: string): string | undefined
  exists(path: string): boolean
  /** The path without links; it must exist. */
  realPath(path: string): string
  /** Makes the folder and those above it, for this user alone; what exists stays as it is. */
  makeFolder(path: string): void
  /** Makes the file with these bytes, for this user alone; false when it exists. */
  create(path: string, bytes: Uint8Array): boolean
  /** Makes the names in a folder survive a power cut. */
  syncFolder(path: string): void
  read(path: string): Uint8Array
  remove(path: string): void
  /** Free space for this user where the path is, bytes. */
  freeBytes(path: string): number
}

/** The file system of the machine. */
export const nodeFiles: Files = {
  identity(path) {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
    return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`
  },
  exists: existsSync,
  realPath: (path) => realpathSync(path),
  makeFolder(path) {
    if (existsSync(path)) return
    // Not `recursive`: where a folder cannot be made in one that exists, as below /proc, Node tries for ever.
    nodeFiles.makeFolder(dirname(path))
    try {
      mkdirSync(path, { mode: 0o700 })
    } catch (error) {
      // Another process may have made it in the meantime.
      if (!existsSync(path)) throw error
    }
  },
  create(path, bytes) {
    let file: number
    try {
      file = openSync(path, 'wx', 0o600)
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
      throw error
    }
    try {
      // A umask can only take away; an owner without write access would lock itself out.
      fchmodSync(file, 0o600)
      writeSync(file, bytes)
    } finally {
      closeSync(file)
    }
    return true
  },
  syncFolder(path) {
    let folder: number | undefined
    try {
      folder = openSync(path, 'r')
      fsyncSync(folder)
    } catch {
      // Where folders cannot be opened, as on Windows, the file system sees to it.
    } finally {
      if (folder !== undefined) closeSync(folder)
    }
  },
  read: (path) => readFileSync(path),
  remove(path) {
    rmSync(path, { force: true })
  },
  freeBytes(path) {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize
  },
}
