import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import { openCheckpoint, type OpenedCheckpoint } from './checkpoint.ts'
import { decodeRecord, leafHash } from './codec.ts'
import { verifyInclusion } from './merkle-proof.ts'
import { isSignedBy } from './note.ts'
import { epochOf, type LogPin } from './pin.ts'
import type { StoredRecord } from './record.ts'

/** A proof that a record is in a log (c2sp.org/tlog-proof), complete in one file; nothing of it is verified yet. */
export interface ProofFile {
  /** The record's stored bytes, which travel in the `extra` line; undefined in a proof without that line. */
  readonly record: Uint8Array | undefined
  /** The record's seq. */
  readonly index: number
  /** 64 lower-case hex digits each, from the record's sibling up. */
  readonly hashes: readonly string[]
  /** The signed checkpoint of the log that has it, verbatim. */
  readonly checkpoint: string
}

/** What a proof proves. */
export interface ProvenRecord {
  readonly record: StoredRecord
  readonly checkpoint: OpenedCheckpoint
  /**
   * Whether the first epoch's key signed the checkpoint too. The keys of later epochs follow from the log, not from
   * the pin, so that a proof of a later epoch rests on the log's own key alone.
   */
  readonly isEpochVerified: boolean
}

const firstLine = 'c2sp.org/tlog-proof@v1'
/** A tree of 2^53 leaves is so high. */
const maxHashes = 53

/** The text of a proof. */
export function printProof({ record, index, hashes, checkpoint }: ProofFile): string {
  const extra = record === undefined ? '' : `extra ${Buffer.from(record).toString('base64')}\n`
  const lines = hashes.map((hash) => `${Buffer.from(hash, 'hex').toString('base64')}\n`)
  return `${firstLine}\n${extra}index ${index}\n${lines.join('')}\n${checkpoint}`
}

/**
 * Takes a proof apart, and accepts only what `printProof` writes; the checkpoint is not looked at.
 *
 * @throws CapFenceError `PROOF_INVALID` for anything else
 */
export function parseProof(text: string): ProofFile {
  if (text.length > limits.maxProofCharacters) {
    throw invalid(`longer than ${limits.maxProofCharacters} characters`)
  }
  const end = text.indexOf('\n\n')
  if (end < 0) throw invalid('the proof and its checkpoint are not apart')
  const lines = text.slice(0, end).split('\n')
  const extra = lines[1]?.startsWith('extra ') === true ? lines[1].slice(6) : undefined
  const [index = '', ...hashes] = lines.slice(extra === undefined ? 1 : 2)
  if (hashes.length > maxHashes) throw invalid(`more than ${maxHashes} hashes`)
  const proof: ProofFile = {
    record: extra === undefined ? undefined : Buffer.from(extra, 'base64'),
    index: Number(/^index (\d+)$/.exec(index)?.[1]),
    hashes: hashes.map((hash) => Buffer.from(hash, 'base64').toString('hex')),
    checkpoint: text.slice(end + 2),
  }
  // One spelling only: what is printed again must be what was read, and each hash must be one.
  if (!Number.isSafeInteger(proof.index)) throw invalid('the line `index` does not follow')
  if (!proof.hashes.every((hash) => hash.length === 64)) throw invalid('a hash has 32 bytes')
  if (printProof(proof) !== text) throw invalid('not spelled as c2sp.org/tlog-proof has it')
  return proof
}

/**
 * Verifies a proof against what is known of the log.
 *
 * @throws CapFenceError `PROOF_INVALID` when it does not prove its record; the message says what is wrong
 */
export function checkProof(proof: ProofFile, pin: LogPin): ProvenRecord {
  const { record: body, index, hashes } = proof
  if (body === undefined) throw invalid('it holds no record')
  const checkpoint = refusing(() => openCheckpoint(proof.checkpoint, pin.stable.name, [pin.stable]))
  const { size, root } = checkpoint
  if (!verifyInclusion({ index, size, leaf: leafHash(body), proof: hashes, root })) {
    throw invalid(`record ${index} is not in the log of ${size} that was signed`)
  }
  const record = refusing(() => decodeRecord(body))
  if (record.seq !== index || record.log !== checkpoint.origin) {
    throw invalid(`the record calls itself ${record.seq} of ${record.log}`)
  }
  return { record, checkpoint, isEpochVerified: isOfFirstEpoch(checkpoint, pin) }
}

/** A checkpoint without a signature of an epoch is none that the log made. */
function isOfFirstEpoch({ note, origin }: OpenedCheckpoint, { genesis }: LogPin): boolean {
  const epochs = note.signatures.flatMap(({ name }) => epochOf(origin, name) ?? [])
  if (epochs.length === 0) throw invalid('no epoch of the log signed its checkpoint')
  if (!epochs.includes(1)) return false
  if (isSignedBy(note, genesis)) return true
  throw invalid('its checkpoint has no valid signature of the first epoch')
}

function refusing<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof CapFenceError) throw invalid(error.message, error)
    throw error
  }
}

function invalid(what: string, cause?: unknown): CapFenceError {
  return new CapFenceError('PROOF_INVALID', `not a proof: ${what}`, { cause })
}
