import { CapFenceError } from '../errors.ts'
import {
  isSignedBy,
  parseNote,
  signNote,
  type Note,
  type NoteSigner,
  type VerifierKey,
} from './note.ts'

/** How long a log was and what it held then (c2sp.org/tlog-checkpoint). */
export interface Checkpoint {
  readonly origin: string
  /** Records. */
  readonly size: number
  /** Root of the Merkle tree over them, 64 lower-case hex digits. */
  readonly root: string
}

/** A checkpoint whose signatures have been looked at. */
export interface OpenedCheckpoint extends Checkpoint {
  readonly note: Note
}

/** The signed note of a checkpoint, without extension lines. */
export function signCheckpoint(checkpoint: Checkpoint, signers: readonly NoteSigner[]): string {
  return signNote(printCheckpoint(checkpoint), signers)
}

/**
 * The text that is signed.
 *
 * @internal Exported for tests only.
 */
export function printCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root, 'hex').toString('base64')}\n`
}

/**
 * Reads the text of a checkpoint, and accepts only what `printCheckpoint` writes: extension lines are refused.
 *
 * @throws CapFenceError `NOTE_INVALID` for anything else
 */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin, digits, base64, ...rest] = text.split('\n')
  const size = Number(digits)
  const root = Buffer.from(base64 ?? '', 'base64').toString('hex')
  const checkpoint = { origin: origin ?? '', size, root }
  if (
    rest.length !== 1 ||
    checkpoint.origin === '' ||
    !/^[0-9a-f]{64}$/.test(root) ||
    !Number.isSafeInteger(size) ||
    size < 0 ||
    printCheckpoint(checkpoint) !== text
  ) {
    throw invalid('three lines: origin, size, and root in base64')
  }
  return checkpoint
}

/**
 * Reads a signed checkpoint of a log and requires a signature of every key.
 *
 * @throws CapFenceError `NOTE_INVALID` when it is not spelled right, is another log's or lacks one of the signatures
 */
export function openCheckpoint(
  signed: string,
  origin: string,
  keys: readonly VerifierKey[],
): OpenedCheckpoint {
  const note = parseNote(signed)
  const checkpoint = parseCheckpoint(note.text)
  if (checkpoint.origin !== origin) throw invalid(`it is of \`${checkpoint.origin}\``)
  const missing = keys.find((key) => !isSignedBy(note, key))
  if (missing !== undefined) throw invalid(`it has no valid signature of \`${missing.name}\``)
  return { ...checkpoint, note }
}

function invalid(what: string): CapFenceError {
  return new CapFenceError('NOTE_INVALID', `not a checkpoint of this log: ${what}`)
}
