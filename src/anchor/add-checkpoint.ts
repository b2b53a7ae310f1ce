import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'

/** What a log asks of a witness (c2sp.org/tlog-witness, "add-checkpoint"). */
export interface AddCheckpoint {
  /** Records that the witness is thought to have seen; 0 for none. */
  readonly oldSize: number
  /** From `oldSize` to the checkpoint, 64 lower-case hex digits each. */
  readonly proof: readonly string[]
  /** The signed checkpoint, as it was signed. */
  readonly note: string
}

/** The path behind a witness's URL, and the type of an answer that is a size. */
export const addCheckpointPath = '/add-checkpoint'
/** The media type of a 409 answer: the body is the size that the witness has seen. */
export const sizeType = 'text/x.tlog.size'

/** The body of a request. */
export function printAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): string {
  const lines = proof.map((hash) => `${Buffer.from(hash, 'hex').toString('base64')}\n`)
  return `old ${oldSize}\n${lines.join('')}\n${note}`
}

/**
 * Reads the body of a request; the note in it is not looked at.
 *
 * @throws CapFenceError `NOTE_INVALID` for everything that `printAddCheckpoint` would write differently
 */
export function parseAddCheckpoint(body: string): AddCheckpoint {
  const end = body.indexOf('\n\n')
  const [first = '', ...lines] = body.slice(0, Math.max(end, 0)).split('\n')
  const oldSize = /^old (?<size>0|[1-9]\d{0,15})$/.exec(first)?.groups?.['size']
  if (oldSize === undefined || !Number.isSafeInteger(Number(oldSize))) {
    throw invalid('the first line must be `old SIZE`, and an empty line must end the proof')
  }
  if (lines.length > limits.maxConsistencyHashes) {
    throw invalid(`a proof has at most ${limits.maxConsistencyHashes} lines`)
  }
  return { oldSize: Number(oldSize), proof: lines.map(parseHash), note: body.slice(end + 2) }
}

/**
 * Reads the body of a 409 answer.
 *
 * @throws CapFenceError `NOTE_INVALID` when it is no size
 */
export function parseSize(body: string): number {
  const size = /^(?<size>0|[1-9]\d{0,15})\n$/.exec(body)?.groups?.['size']
  if (size === undefined || !Number.isSafeInteger(Number(size))) {
    throw invalid('the answer must be a size and a newline')
  }
  return Number(size)
}

function parseHash(line: string): string {
  const bytes = Buffer.from(line, 'base64')
  if (bytes.length !== 32 || bytes.toString('base64') !== line) {
    throw invalid('a line of the proof must be 32 bytes in base64')
  }
  return bytes.toString('hex')
}

function invalid(what: string): CapFenceError {
  return new CapFenceError('NOTE_INVALID', `not an add-checkpoint message: ${what}`)
}
