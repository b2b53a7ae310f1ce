import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { parseCheckpoint, type Checkpoint } from '../audit/checkpoint.ts'
import { parseNote } from '../audit/note.ts'
import { sha256Hex } from '../crypto/sha256.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'

/** What a witness has cosigned last of a log. */
export interface SeenCheckpoint extends Checkpoint {
  /** As its log signed it. */
  readonly note: string
}

/** The little that keeping a state needs of the file system; given as an option, so that tests can fail it. */
export interface StateFiles {
  exists(path: string): boolean
  /** Undefined when there is no such file. */
  read(path: string): string | undefined
  /** Makes a new file and makes its bytes durable; throws when it exists. */
  create(path: string, text: string): void
  rename(from: string, to: string): void
  remove(path: string): void
  /** Makes the names in the folder of a path survive a power cut. */
  syncFolder(path: string): void
}

const format = 'capfence-witness-state-v1'

/**
 * What a witness remembers: the newest checkpoint of each log that it has cosigned.
 *
 * A witness that forgets would cosign a fork. So a state is replaced only as a whole (a new file, synced, renamed over
 * the old one), and only if it is still what this process wrote last: a second witness on the same file is found out.
 */
export class WitnessState {
  readonly #path: string
  readonly #files: StateFiles
  readonly #witness: string
  #text: string
  #seen: ReadonlyMap<string, SeenCheckpoint>
  #timeSeconds: number
  #isForeign = false

  private constructor(path: string, files: StateFiles, content: Content) {
    this.#path = path
    this.#files = files
    this.#witness = content.witness
    this.#text = print(content)
    this.#seen = content.seen
    this.#timeSeconds = content.timeSeconds
  }

  /**
   * Makes the empty state of a new witness.
   *
   * @param witness the text of its key
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when it cannot be written, or is there already
   */
  static make(path: string, witness: string, files: StateFiles = nodeStateFiles): WitnessState {
    const state = new WitnessState(path, files, { witness, timeSeconds: 0, seen: new Map() })
    guarded(path, () => {
      files.create(path, state.#text)
      files.syncFolder(path)
    })
    return state
  }

  /**
   * Reads the state of a witness.
   *
   * @param witness the text of its key
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when it cannot be read, `AUDIT_CORRUPT` when it is damaged or of another
   *   witness
   */
  static open(path: string, witness: string, files: StateFiles = nodeStateFiles): WitnessState {
    const text = guarded(path, () => {
      // What a write that was cut off has left; the state itself is whole.
      files.remove(nextOf(path))
      return files.read(path)
    })
    if (text === undefined) throw unavailable(path, 'is missing', lostHint)
    const content = parse(text)
    if (content === undefined) throw corrupt(path, 'is damaged')
    if (content.witness !== witness)
      throw corrupt(path, `is of another witness, ${content.witness}`)
    return new WitnessState(path, files, content)
  }

  /** What was cosigned last of a log; undefined when nothing was. */
  of(origin: string): SeenCheckpoint | undefined {
    return this.#seen.get(origin)
  }

  /** When something was cosigned last, seconds since the epoch. */
  get timeSeconds(): number {
    return this.#timeSeconds
  }

  /**
   * Remembers a checkpoint instead of the one before it; durable when this returns.
   *
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when it could not be; then nothing may be cosigned
   */
  remember(checkpoint: SeenCheckpoint, timeSeconds: number): void {
    const seen = new Map(this.#seen).set(checkpoint.origin, checkpoint)
    const text = print({ witness: this.#witness, timeSeconds, seen })
    guarded(this.#path, () => {
      this.#replace(text)
      // From here on the file says so, and nothing older may be cosigned, even if the next step fails.
      this.#text = text
      this.#seen = seen
      this.#timeSeconds = timeSeconds
      this.#files.syncFolder(this.#path)
    })
  }

  #replace(text: string): void {
    if (this.#isForeign) throw this.#foreign()
    const next = nextOf(this.#path)
    // Whoever makes this file is the only one who may replace the state.
    this.#files.create(next, text)
    try {
      if (this.#files.read(this.#path) !== this.#text) throw this.#foreign()
      this.#files.rename(next, this.#path)
    } catch (error) {
      this.#files.remove(next)
      throw error
    }
    // Another process may have taken the file between for one that was cut off.
    if (this.#files.read(this.#path) !== text) throw this.#foreign()
  }

  #foreign(): CapFenceError {
    this.#isForeign = true
    return unavailable(
      this.#path,
      'was changed by somebody else',
      'one witness only may use it: stop the others, then start this one again',
    )
  }
}

const lostHint =
  'a witness that has lost its state would cosign a fork: put it back, or give up its key and make a new witness'

interface Content {
  readonly witness: string
  readonly timeSeconds: number
  readonly seen: ReadonlyMap<string, SeenCheckpoint>
}

/** Lines of text, the last of which is the hash of the others. */
function print({ witness, timeSeconds, seen }: Content): string {
  const notes = Array.from(
    seen.values(),
    ({ note }) => `${Buffer.from(note, 'utf8').toString('base64')}\n`,
  )
  const lines = `${format}\n${witness}\n${timeSeconds}\n${notes.join('')}`
  return `${lines}${sha256Hex(lines)}\n`
}

/** @returns undefined for everything that `print` would write differently */
function parse(text: string): Content | undefined {
  const [, witness = '', time, ...rest] = text.split('\n')
  try {
    const seen = new Map(
      rest.slice(0, -2).map((line) => {
        const note = Buffer.from(line, 'base64').toString('utf8')
        const checkpoint = parseCheckpoint(parseNote(note).text)
        return [checkpoint.origin, { ...checkpoint, note }] as const
      }),
    )
    const content = { witness, timeSeconds: Number(time), seen }
    return print(content) === text ? content : undefined
  } catch (error) {
    if (error instanceof CapFenceError) return undefined
    throw error
  }
}

/**
 * The file system of the machine.
 *
 * @internal exported for tests, which make it fail
 */
export const nodeStateFiles: StateFiles = {
  exists: existsSync,
  read(path) {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat === undefined) return undefined
    if (stat.size > limits.maxWitnessStateBytes) {
      throw new Error(`larger than ${limits.maxWitnessStateBytes} bytes`)
    }
    return readFileSync(path, 'utf8')
  },
  create(path, text) {
    const file = openSync(path, 'wx', 0o600)
    try {
      // Unlike `writeSync` it goes on until everything is written.
      writeFileSync(file, text)
      fsyncSync(file)
    } catch (error) {
      rmSync(path, { force: true })
      throw error
    } finally {
      closeSync(file)
    }
  },
  rename: renameSync,
  remove(path) {
    rmSync(path, { force: true })
  },
  syncFolder(path) {
    // Windows cannot open a folder; there the file system sees to it.
    if (process.platform === 'win32') return
    const folder = openSync(dirname(path), 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
  },
}

function nextOf(path: string): string {
  return `${path}.next`
}

function guarded<T>(path: string, step: () => T): T {
  try {
    return step()
  } catch (error) {
    if (error instanceof CapFenceError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw unavailable(path, `cannot be used: ${reason}`, undefined, error)
  }
}

function unavailable(path: string, what: string, hint?: string, cause?: unknown): CapFenceError {
  return new CapFenceError('AUDIT_UNAVAILABLE', `the state of the witness, \`${path}\`, ${what}`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
  })
}

function corrupt(path: string, what: string): CapFenceError {
  return new CapFenceError('AUDIT_CORRUPT', `the state of the witness, \`${path}\`, ${what}`, {
    hint: lostHint,
  })
}
