import { parseCheckpoint, type Checkpoint } from '../audit/checkpoint.ts'
import { cosign, type Cosigner } from '../audit/cosignature.ts'
import { verifyConsistency } from '../audit/merkle-proof.ts'
import {
  isSignedBy,
  parseNote,
  printSignature,
  type Note,
  type VerifierKey,
} from '../audit/note.ts'
import { emptyTree, rootOf } from '../audit/tree.ts'
import { CapFenceError } from '../errors.ts'
import { parseAddCheckpoint, sizeType, type AddCheckpoint } from './add-checkpoint.ts'
import type { SeenCheckpoint, WitnessState } from './witness-state.ts'

/** What a witness answers, as HTTP has it. */
export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422 | 503
  readonly type: string
  readonly body: string
}

/** Two checkpoints of one size that a log signed, and that differ: it has been forked, and this proves it. */
export interface Fork {
  readonly origin: string
  readonly size: number
  /** The one that was cosigned, as its log signed it. */
  readonly cosigned: string
  /** The other one, as its log signed it. */
  readonly refused: string
}

/** What a witness is made of. */
export interface WitnessParts {
  readonly cosigner: Cosigner
  /** The keys of the logs that it knows; a key's name is its log's origin, and a log may have several. */
  readonly logs: readonly VerifierKey[]
  readonly state: WitnessState
  readonly nowSeconds: () => number
  readonly onFork: (fork: Fork) => void
  /** Told why nothing could be cosigned, when that is the witness's own fault. */
  readonly onFailure: (error: CapFenceError) => void
}

/**
 * Cosigns checkpoints of logs, each only if the log has done nothing but grow since the last one.
 *
 * `addCheckpoint` looks, remembers and signs without waiting for anything: of two requests that build on the same size,
 * one is first, and the other is told so.
 */
export class Witness {
  readonly #parts: WitnessParts

  constructor(parts: WitnessParts) {
    this.#parts = parts
  }

  /** Answers one request; the order of the checks is that of c2sp.org/tlog-witness. */
  addCheckpoint(body: string): WitnessAnswer {
    try {
      return this.#answer(body)
    } catch (error) {
      if (!(error instanceof CapFenceError)) throw error
      if (error.code === 'NOTE_INVALID') return refusal(400, error.message)
      this.#parts.onFailure(error)
      return refusal(503, 'the witness cannot remember what it signs, so it signs nothing')
    }
  }

  #answer(body: string): WitnessAnswer {
    const request = parseAddCheckpoint(body)
    const note = parseNote(request.note)
    const checkpoint = parseCheckpoint(note.text)
    const keys = this.#parts.logs.filter(({ name }) => name === checkpoint.origin)
    if (keys.length === 0) return refusal(404, 'this witness does not know the log')
    const signed = signedPart(note, keys)
    if (signed === undefined) return refusal(403, 'no signature of a key of this log')
    if (request.oldSize > checkpoint.size) {
      return refusal(400, 'the old size is larger than the checkpoint')
    }
    const refused = this.#refuse(request, { ...checkpoint, note: signed })
    return refused ?? this.#cosign({ ...checkpoint, note: signed }, note.text)
  }

  /** @returns undefined when the checkpoint continues what was cosigned */
  #refuse({ oldSize, proof }: AddCheckpoint, next: SeenCheckpoint): WitnessAnswer | undefined {
    const seen = this.#parts.state.of(next.origin)
    const { size, root }: Pick<Checkpoint, 'size' | 'root'> = seen ?? emptyCheckpoint
    if (seen !== undefined && next.size === size && next.root !== root) this.#reportFork(seen, next)
    if (oldSize !== size) return conflict(size)
    if (next.size === size && next.root !== root) return conflict(size)
    if (growsFrom(seen, next, proof)) return undefined
    return refusal(422, 'the proof does not show that the log has only grown')
  }

  #cosign(checkpoint: SeenCheckpoint, text: string): WitnessAnswer {
    const { state, cosigner, nowSeconds } = this.#parts
    // Of a smaller tree nothing may ever be said for a later time: a clock that was set back is waited for.
    const timeSeconds = Math.max(nowSeconds(), state.timeSeconds)
    state.remember(checkpoint, timeSeconds)
    return { status: 200, type: plain, body: cosign(text, cosigner, timeSeconds) }
  }

  #reportFork(seen: SeenCheckpoint, next: SeenCheckpoint): void {
    const { origin, size } = seen
    this.#parts.onFork({ origin, size, cosigned: seen.note, refused: next.note })
  }
}

const plain = 'text/plain; charset=utf-8'
const emptyCheckpoint = { size: 0, root: rootOf(emptyTree) }

/** The note with one signature of each of these keys, and no others: a state that strangers cannot fill. */
function signedPart(note: Note, keys: readonly VerifierKey[]): string | undefined {
  const lines = keys
    .filter((key) => isSignedBy(note, key))
    .map((key) => note.signatures.find(({ name, id }) => name === key.name && id === key.id))
    .filter((signature) => signature !== undefined)
    .map(printSignature)
  return lines.length === 0 ? undefined : `${note.text}\n${lines.join('')}`
}

function growsFrom(
  seen: Checkpoint | undefined,
  next: Checkpoint,
  proof: readonly string[],
): boolean {
  // Everything grows from nothing, and that needs no proof.
  if (seen === undefined || seen.size === 0) return proof.length === 0
  return verifyConsistency({
    fromSize: seen.size,
    fromRoot: seen.root,
    toSize: next.size,
    toRoot: next.root,
    proof,
  })
}

function conflict(size: number): WitnessAnswer {
  return { status: 409, type: sizeType, body: `${size}\n` }
}

function refusal(status: 400 | 403 | 404 | 422 | 503, text: string): WitnessAnswer {
  return { status, type: plain, body: `${text}\n` }
}
