import { readFileSync, statSync } from 'node:fs'
import type { ConfigChangeFacts } from '../audit/drafts.ts'
import type { Config } from '../config/config.ts'
import { sha256Hex } from '../crypto/sha256.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import { parseLock } from '../mcp/lock-file.ts'
import type { Launch } from '../mcp/lock-file.ts'
import { PinnedDefinitions } from '../mcp/pins.ts'
import type { Pins, SeenDefinition } from '../mcp/pins.ts'
import { launchesOf } from './launches.ts'
import { shown } from './shown.ts'

/** What a running gate does with a lock that it finds changed. */
export interface LockParts {
  readonly record: (facts: ConfigChangeFacts) => Promise<void>
  readonly log: (text: string) => void
}

/**
 * The lock of a running gate, as it stands in the file.
 *
 * A file that comes, or is changed, counts at once. One that is broken or gone changes nothing: what was accepted
 * before is still what is accepted, and everything else is held.
 */
export class LiveLock implements Pins {
  readonly isEnforced: boolean
  readonly relistMs: number
  readonly #file: string
  readonly #launches: ReadonlyMap<string, Launch>
  readonly #listeners = new Set<() => void>()
  #pinned: PinnedDefinitions | undefined
  /** The digest of what was looked at last, or why it could not be read; undefined for no file. */
  #seen: string | undefined

  /**
   * @param only the one server that is started; all of them when undefined
   * @throws CapFenceError `LOCK_INVALID` when the lock cannot be used, `LOCK_MISMATCH` when it is of other servers than
   * these, or is missing where it is required: nothing may be started then
   */
  constructor(config: Config, only: string | undefined) {
    const { lock, mode, servers, file } = config
    this.#file = lock.file
    this.#launches = launchesOf(config)
    this.isEnforced = mode === 'enforce' || lock.inObserve === 'hold'
    this.relistMs = lock.relistMinutes * 60_000
    const bytes = readLockBytes(lock.file)
    this.#seen = bytes && sha256Hex(bytes)
    if (bytes !== undefined) this.#pinned = this.#read(bytes)
    else if (lock.required) throw missing(lock.file, file)
    for (const { name } of servers) if (only === undefined || only === name) this.#check(name)
  }

  get isActive(): boolean {
    return this.#pinned !== undefined
  }

  heldBecause(seen: SeenDefinition): string | undefined {
    return this.#pinned?.heldBecause(seen)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What stands in the log of the lock with which the gate started; undefined without one. */
  get startFacts(): ConfigChangeFacts | undefined {
    return this.#seen === undefined ? undefined : this.#facts(this.#seen, null)
  }

  /** Reads the file again, if it is another one by now. */
  async look({ record, log }: LockParts): Promise<void> {
    let sha256: string | undefined
    let error: string | null = null
    try {
      const bytes = readLockBytes(this.#file)
      sha256 = bytes && sha256Hex(bytes)
      if (sha256 === this.#seen) return
      this.#seen = sha256
      if (bytes === undefined) {
        error = 'LOCK_INVALID'
        log(`${this.#file} is gone; what was accepted with it stays what is accepted`)
      } else {
        this.#pinned = this.#read(bytes)
        log(`${this.#file} changed: what is accepted now counts at once`)
        for (const tell of this.#listeners) tell()
      }
    } catch (thrown) {
      if (!(thrown instanceof CapFenceError)) throw thrown
      if (sha256 === undefined && this.#seen === thrown.message) return
      this.#seen = sha256 ?? thrown.message
      error = thrown.code
      log(`${thrown.message}; what was accepted before stays what is accepted`)
    }
    try {
      await record(this.#facts(sha256 ?? null, error))
    } catch (thrown) {
      log(
        `the change was not recorded: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      )
    }
  }

  #read(bytes: Uint8Array): PinnedDefinitions {
    return new PinnedDefinitions(parseLock(bytes, this.#file), this.#launches)
  }

  #facts(sha256: string | null, error: string | null): ConfigChangeFacts {
    return { path: this.#file, sha256, changed: [], restart: [], error }
  }

  /** A server that nobody has accepted, or that is started in another way, is not started (THREATS B11). */
  #check(server: string): void {
    const because = this.#pinned?.serverHeldBecause(server)
    if (because === undefined || !this.isEnforced) return
    throw new CapFenceError(
      'LOCK_MISMATCH',
      `the server \`${shown(server)}\` is not started: ${because} (${this.#file})`,
      {
        hint: `look at it with \`capfence lock diff\`, accept it with \`capfence lock accept ${shown(server)}\``,
      },
    )
  }
}

/**
 * The bytes of a lock; undefined where there is none.
 *
 * @throws CapFenceError `LOCK_INVALID` when it cannot be read
 */
export function readLockBytes(file: string): Uint8Array | undefined {
  try {
    if (statSync(file).size > limits.maxLockBytes) {
      throw new CapFenceError(
        'LOCK_INVALID',
        `the lock \`${file}\` has more than ${limits.maxLockBytes} bytes`,
      )
    }
    return readFileSync(file)
  } catch (cause) {
    if (cause instanceof CapFenceError) throw cause
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new CapFenceError('LOCK_INVALID', `cannot read the lock \`${file}\`: ${why}`, { cause })
  }
}

function missing(lock: string, config: string): CapFenceError {
  return new CapFenceError(
    'LOCK_MISMATCH',
    `there is no lock \`${lock}\`, and ${config} requires it`,
    {
      hint: `\`capfence lock --config ${config}\` shows what the servers say, and writes it`,
    },
  )
}
