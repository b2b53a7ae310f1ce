import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { CapFenceError } from '../errors.ts'
import { signingKey } from './ed25519.ts'
import { makeKeyFile, readKeyFile } from './key-file.ts'
import type { NamedKey } from './key-file.ts'

/** Where a log's private keys are kept, each in a file; every method throws `AUDIT_UNAVAILABLE` when it cannot. */
export interface KeyFiles {
  /** For people. */
  pathOf(file: string): string
  /** File names, in no order. */
  list(): readonly string[]
  /** Whether a file is there; what it holds is not looked at. */
  has(file: string): boolean
  /** Refuses a file that is missing, is no key, or that others can read. */
  read(file: string): NamedKey
  /**
   * Makes a key in place of one that was there; it survives a power cut when this returns.
   *
   * @param seed 32 unpredictable bytes; erased when this returns
   */
  make(file: string, name: string, seed: Uint8Array): NamedKey
  /** Gives a file its final name; it does not matter if somebody else was faster. */
  rename(from: string, to: string): void
  /** Overwrites the file and removes it. What a disk or a snapshot keeps of it is out of reach. */
  erase(file: string): void
}

/** Keys that are gone with the process, for a log that is gone with it too. */
export class KeysInMemory implements KeyFiles {
  readonly #keys = new Map<string, NamedKey>()

  pathOf(file: string): string {
    return `${file} in memory`
  }

  list(): readonly string[] {
    return [...this.#keys.keys()]
  }

  has(file: string): boolean {
    return this.#keys.has(file)
  }

  read(file: string): NamedKey {
    const key = this.#keys.get(file)
    if (key === undefined) throw unusable(this.pathOf(file), 'is missing')
    return key
  }

  make(file: string, name: string, seed: Uint8Array): NamedKey {
    const key = { name, key: signingKey(seed) }
    seed.fill(0)
    this.#keys.set(file, key)
    return key
  }

  rename(from: string, to: string): void {
    const key = this.#keys.get(from)
    if (key === undefined) return
    this.#keys.delete(from)
    this.#keys.set(to, key)
  }

  erase(file: string): void {
    this.#keys.delete(file)
  }
}

/**
 * Keys in a folder that only this user can enter.
 *
 * Where a system has no such modes, as Windows, the folder's own access list has to do.
 */
export class KeyFolder implements KeyFiles {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  pathOf(file: string): string {
    return join(this.#folder, file)
  }

  list(): readonly string[] {
    return guarded(this.#folder, () => (existsSync(this.#folder) ? readdirSync(this.#folder) : []))
  }

  has(file: string): boolean {
    return existsSync(this.pathOf(file))
  }

  read(file: string): NamedKey {
    const path = this.pathOf(file)
    return guarded(path, () => {
      if (!existsSync(path)) throw unusable(path, 'is missing')
      this.#requirePrivate()
      return readKeyFile(path)
    })
  }

  make(file: string, name: string, seed: Uint8Array): NamedKey {
    const path = this.pathOf(file)
    return guarded(path, () => {
      if (!existsSync(this.#folder)) {
        mkdirSync(this.#folder, { mode: 0o700 })
        syncFolder(dirname(this.#folder))
      }
      this.#requirePrivate()
      if (existsSync(path)) eraseFile(path)
      const key = makeKeyFile(path, name, seed)
      syncFolder(this.#folder)
      return key
    })
  }

  rename(from: string, to: string): void {
    guarded(this.pathOf(to), () => {
      try {
        renameSync(this.pathOf(from), this.pathOf(to))
      } catch (error) {
        if (!existsSync(this.pathOf(to))) throw error
      }
      syncFolder(this.#folder)
    })
  }

  erase(file: string): void {
    const path = this.pathOf(file)
    guarded(path, () => {
      try {
        eraseFile(path)
      } catch (error) {
        // Another writer of the same log may have done it.
        if (existsSync(path)) throw error
      }
      syncFolder(this.#folder)
    })
  }

  /** Whoever can enter the folder as another user, or change what is in it, can put another key there. */
  #requirePrivate(): void {
    const stat = statSync(this.#folder)
    if (!stat.isDirectory()) throw unusable(this.#folder, 'is not in a folder')
    const user = process.geteuid?.()
    if (user === undefined) return
    if (stat.uid !== user) throw unusable(this.#folder, 'is in a folder of another user')
    if ((stat.mode & 0o077) === 0) return
    const what = `the folder of the log's keys, \`${this.#folder}\`, is open to other users`
    throw new CapFenceError('AUDIT_UNAVAILABLE', what, { hint: `\`chmod 700 ${this.#folder}\`` })
  }
}

function eraseFile(path: string): void {
  const file = openSync(path, 'r+')
  try {
    writeSync(file, Buffer.alloc(fstatSync(file).size), 0, undefined, 0)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  rmSync(path)
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

function guarded<T>(path: string, step: () => T): T {
  try {
    return step()
  } catch (error) {
    if (!(error instanceof CapFenceError)) {
      const what = error instanceof Error ? error.message : String(error)
      throw unusable(path, `cannot be used: ${what}`, error)
    }
    if (error.hint !== undefined) throw error
    const { code, message } = error
    throw new CapFenceError(code, message, { hint: ownKeys, cause: error })
  }
}

const ownKeys =
  'the log is continued only with its own keys: put them back, or name their folder under `audit.keys`'

function unusable(path: string, what: string, cause?: unknown): CapFenceError {
  return new CapFenceError('AUDIT_UNAVAILABLE', `the key file \`${path}\` ${what}`, {
    hint: ownKeys,
    cause,
  })
}
