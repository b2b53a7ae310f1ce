import type { HighWaterFile } from '../anchor/high-water.ts'
import type { Checkpoint } from '../audit/checkpoint.ts'
import { CapFenceError } from '../errors.ts'
import { pauseSync } from './clock.ts'
import type { StorageFailure } from './failure.ts'
import type { LogSigner } from './log-signer.ts'

/** Readings of a file in which others write. */
const maxTries = 5

/** Why a log does not continue what was known of it. */
export interface LogBreak {
  readonly what: string
  /** The head that was known; null when it cannot be known any more. */
  readonly lost: Pick<Checkpoint, 'size' | 'root'> | null
}

/** A person's word that a break is known and accepted. */
export interface Recovery {
  readonly by: string
  readonly reason: string
}

/**
 * Compares a log with its high-water file: it must not be shorter than it was, nor be another of the same length.
 *
 * A file that is missing or was changed says nothing, and so the log is not known to be whole.
 *
 * @returns undefined when nothing speaks against the log
 */
export function breakSince(
  file: HighWaterFile,
  head: Pick<Checkpoint, 'size' | 'root'>,
  signer: LogSigner,
): LogBreak | undefined {
  const [note, known] = readHead(file, signer)
  if (note === undefined) return { what: `its high-water file ${file.path} is missing`, lost: null }
  if (known === undefined) {
    return { what: `its high-water file ${file.path} holds no signed head of this log`, lost: null }
  }
  const lost = { size: known.size, root: known.root }
  if (known.size > head.size) {
    const what = `it holds ${head.size} records, and ${known.size} were written (${file.path})`
    return { what, lost }
  }
  if (known.size < head.size || known.root === head.root) return undefined
  return { what: `its ${head.size} records are not those that were written (${file.path})`, lost }
}

/** The error of a log that was rolled back, or may have been. */
export function rolledBack({ what }: LogBreak): CapFenceError {
  return new CapFenceError('AUDIT_CORRUPT', `the audit log was rolled back: ${what}`, {
    hint: 'put the newest copy of the log back; if it is lost, `capfence audit recover` records that and goes on',
  })
}

/** Raises the mark of a log with each head that survives a power cut, and remembers when that failed. */
export class HighWaterMark {
  readonly #file: HighWaterFile | undefined
  /** What could not be written. */
  #owed: string | undefined

  /** @param file undefined for a log that leaves nothing behind */
  constructor(file: HighWaterFile | undefined) {
    this.#file = file
  }

  /** Writes a head; a failure is not the commit's, which stands, but that of the next one. */
  raise(note: string): void {
    this.#owed = note
    this.complaint()
  }

  /** Whether a head is still owed; tries again. */
  complaint(): StorageFailure | undefined {
    if (this.#owed === undefined) return undefined
    try {
      this.#file?.raise(this.#owed)
      this.#owed = undefined
      return undefined
    } catch (cause) {
      // The next try opens the file anew.
      this.close()
      const what = cause instanceof Error ? cause.message : String(cause)
      return { reason: 'high_water', what: `the high-water file: ${what}`, cause }
    }
  }

  close(): void {
    try {
      this.#file?.close()
    } catch {
      // Nothing is owed to a file that cannot even be closed.
    }
  }
}

/** Another writer may be writing in the file at this moment: what makes no sense is read again. */
function readHead(
  file: HighWaterFile,
  signer: LogSigner,
): readonly [note: string | undefined, known: Checkpoint | undefined] {
  for (let tries = 1; ; tries += 1) {
    const note = file.read()
    const known = note === undefined ? undefined : opened(note, signer)
    if (known !== undefined || note === undefined || tries === maxTries) return [note, known]
    pauseSync(Math.random())
  }
}

function opened(note: string, signer: LogSigner): Checkpoint | undefined {
  try {
    return signer.openStable(note)
  } catch (error) {
    if (error instanceof CapFenceError) return undefined
    throw error
  }
}
