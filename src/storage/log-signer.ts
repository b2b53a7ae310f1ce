import { openCheckpoint, signCheckpoint } from '../audit/checkpoint.ts'
import type { Checkpoint, OpenedCheckpoint } from '../audit/checkpoint.ts'
import { keyRotateRecord } from '../audit/log-drafts.ts'
import type { FirstKeys, RotationReason } from '../audit/log-drafts.ts'
import { noteSigner, printVerifierKey, verifierOf } from '../audit/note.ts'
import type { NoteSigner } from '../audit/note.ts'
import { epochKeyName } from '../audit/pin.ts'
import type { RecordDraft } from '../audit/record.ts'
import type { NamedKey } from '../crypto/key-file.ts'
import type { KeyFiles } from '../crypto/key-folder.ts'
import type { RandomSource } from '../crypto/random.ts'
import { sha256Bytes } from '../crypto/sha256.ts'
import { CapFenceError } from '../errors.ts'
import type { EpochRows } from './epoch-rows.ts'
import { corrupt } from './failure.ts'

/** What a log's keys belong to. */
export interface SignerContext {
  readonly origin: string
  readonly files: KeyFiles
  readonly epochs: EpochRows
  readonly random: RandomSource
  /** How long an epoch lasts, milliseconds; 0 when only a person ends it. */
  readonly rotateMs: number
}

/** A head as it is signed. */
type Head = Omit<Checkpoint, 'origin'>

interface Epoch {
  readonly number: number
  readonly signer: NoteSigner
  readonly sinceMs: number
}

/** Not a note: those end in a newline. */
const stateKeyText = 'capfence.dev/state-seal/v1'
const grantKeyText = 'capfence.dev/grant-seal/v1'

const stableFile = 'log.key'
/** The stable key of a log that has not been committed yet. */
const pendingFile = 'log.key.new'

const epochFile = (epoch: number): string => `epoch-${epoch}.key`

/** The private keys of one log in one writer: signs its heads, and knows the heads that others signed with the same keys. */
export class LogSigner {
  readonly #context: SignerContext
  readonly #stable: NoteSigner
  #epoch: Epoch
  /** Named by a record of this transaction. */
  #next: Epoch | undefined
  /** Whether key files of earlier epochs may lie there. */
  #leavesKeys = true

  private constructor(context: SignerContext, stable: NoteSigner, epoch: Epoch) {
    this.#context = context
    this.#stable = stable
    this.#epoch = epoch
  }

  /**
   * Makes the keys of a log that has none, inside the transaction that first names them.
   *
   * They are on disk when this returns; after COMMIT `committed` gives them their final name. So a crash in between leaves
   * nothing that a later log could be confused with.
   *
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when the place holds the keys of another log, which must not be lost
   */
  static make(context: SignerContext, nowMs: number): LogSigner {
    const { files, origin, random } = context
    if (files.list().includes(stableFile)) throw keysOfAnother(files.pathOf(stableFile))
    const stable = files.make(pendingFile, origin, random(32))
    return new LogSigner(context, signerOf(stable), makeEpoch(context, 1, nowMs))
  }

  /**
   * Takes the keys that were made for a log before it was: its predecessor has named them.
   *
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when one is missing, is another's, or is open to others
   */
  static adopt(context: SignerContext, nowMs: number): LogSigner {
    const { files, origin } = context
    const file = files.list().includes(stableFile) ? stableFile : pendingFile
    const stable = ownKey(files, file, origin)
    const signer = ownKey(files, epochFile(1), epochKeyName(origin, 1))
    return new LogSigner(context, stable, { number: 1, signer, sinceMs: nowMs })
  }

  /**
   * Takes the keys that the log names from their files.
   *
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when one is missing, is another's, or is open to others
   */
  static load(context: SignerContext): LogSigner {
    const { epochs, files, origin } = context
    // The process that made the log may have ended before the last step.
    if (!files.list().includes(stableFile)) publish(files)
    const stable = loadKey(files, stableFile, { name: origin, vkey: epochs.stable() })
    return new LogSigner(context, stable, loadEpoch(context))
  }

  /** The public keys, as the log's first records name them; only in the first epoch. */
  firstKeys(): FirstKeys {
    return { vkey: textOf(this.#stable), epochVkey: textOf(this.#epoch.signer) }
  }

  /** The number of the epoch that runs. */
  get epoch(): number {
    return this.#epoch.number
  }

  /**
   * A gate that still has the keys in memory would write on in a log that nobody can continue after it.
   *
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when a key that signs now is missing where it is kept
   */
  requireKeys(): void {
    const { files } = this.#context
    for (const file of [stableFile, epochFile(this.#epoch.number)]) {
      if (files.has(file) || (file === stableFile && files.has(pendingFile))) continue
      throw new CapFenceError(
        'AUDIT_UNAVAILABLE',
        `the key file \`${files.pathOf(file)}\` is gone`,
        {
          hint: 'put the key files of this log back: without them it cannot be continued',
        },
      )
    }
  }

  /** Whether the epoch has lasted for its time. A clock that was set back by as much says nothing about that: then too. */
  isOld(nowMs: number): boolean {
    const { rotateMs } = this.#context
    return rotateMs > 0 && Math.abs(nowMs - this.#epoch.sinceMs) >= rotateMs
  }

  /**
   * Makes the key of the next epoch, which signs from here on if this transaction is committed.
   *
   * The key is on disk when this returns. One that lies there already is of a rotation that was not committed.
   *
   * @param place of the record that names the key
   * @returns that record; no other may follow it in this transaction
   */
  rotate(
    reason: RotationReason,
    place: { readonly seq: number; readonly nowMs: number },
  ): RecordDraft {
    const next = makeEpoch(this.#context, this.#epoch.number + 1, place.nowMs)
    this.#context.epochs.add(next.number, place.seq)
    this.#next = next
    return keyRotateRecord({
      epoch: next.number,
      previous: textOf(this.#epoch.signer),
      next: textOf(next.signer),
      reason,
    })
  }

  /**
   * What the state beside the log is sealed with, 32 bytes: follows from the log's key, which signs no such text otherwise,
   * and says nothing about it.
   */
  stateKey(): Uint8Array {
    return sha256Bytes(this.#stable.key.sign(Buffer.from(stateKeyText, 'utf8')))
  }

  /** The same for grants. */
  grantKey(): Uint8Array {
    return sha256Bytes(this.#stable.key.sign(Buffer.from(grantKeyText, 'utf8')))
  }

  /** Of the log. */
  get origin(): string {
    return this.#context.origin
  }

  /** The signed note of a head. */
  sign({ size, root }: Head): string {
    const { origin } = this.#context
    const signers = [this.#stable, this.#epoch.signer]
    if (this.#next !== undefined) signers.push(this.#next.signer)
    return signCheckpoint({ origin, size, root }, signers)
  }

  /**
   * Accepts the head that another writer left.
   *
   * @throws CapFenceError `AUDIT_CORRUPT` unless it is this log's, of this size and root, and signed by both keys;
   *   `AUDIT_UNAVAILABLE` when a new epoch has begun whose key cannot be used
   */
  accept(note: string, head: Head): void {
    // The same keys sign the same text with the same bytes, and signing takes less time than verifying.
    if (note === this.sign(head)) return
    this.#follow()
    const signed = this.#opened(note)
    if (signed.size !== head.size || signed.root !== head.root) {
      throw corrupt(`its signed head counts ${signed.size} records, its tree ${head.size}`)
    }
  }

  /**
   * Reads a head that this log's stable key signed, at any time.
   *
   * @throws CapFenceError `NOTE_INVALID` for anything else
   */
  openStable(note: string): OpenedCheckpoint {
    return openCheckpoint(note, this.#context.origin, [verifierOf(this.#stable)])
  }

  /** The transaction was committed: a key that it named signs from now on, and the key before it is erased. */
  committed(): void {
    if (this.#next !== undefined) {
      this.#epoch = this.#next
      this.#next = undefined
      this.#leavesKeys = true
    }
    if (this.#leavesKeys) this.#tidy()
  }

  /** The transaction was rolled back: the key that it named signs nothing. */
  rolledBack(): void {
    this.#next = undefined
  }

  /** Key files of earlier epochs that could not be erased; each commit tries again. */
  keysLeft(): readonly string[] {
    const { files } = this.#context
    return earlierEpochs(files, this.#epoch.number).map((file) => files.pathOf(file))
  }

  #tidy(): void {
    const { files } = this.#context
    try {
      publish(files)
      for (const file of earlierEpochs(files, this.#epoch.number)) files.erase(file)
      this.#leavesKeys = false
    } catch {
      // What was committed stands: it must not look as if it did not. The next commit tries again, and so does each start.
    }
  }

  #opened(note: string): OpenedCheckpoint {
    const { origin } = this.#context
    try {
      const keys = [verifierOf(this.#stable), verifierOf(this.#epoch.signer)]
      return openCheckpoint(note, origin, keys)
    } catch (error) {
      if (!(error instanceof CapFenceError)) throw error
      throw corrupt(`its head is ${error.message}`, error)
    }
  }

  /** Another writer may have begun a new epoch. */
  #follow(): void {
    if (this.#context.epochs.current().epoch === this.#epoch.number) return
    this.#epoch = loadEpoch(this.#context)
    // Whoever began the epoch may have ended before it erased the key.
    this.#leavesKeys = true
  }
}

/** The files of the keys of a log in its first epoch. */
export const successorFiles: ReadonlySet<string> = new Set([stableFile, epochFile(1)])

/** Makes the keys of a log that is yet to be made, for its predecessor to name; see `LogSigner.adopt`. */
export function makeSuccessorKeys(
  files: KeyFiles,
  origin: string,
  random: RandomSource,
): FirstKeys {
  const stable = signerOf(files.make(pendingFile, origin, random(32)))
  const epoch = signerOf(files.make(epochFile(1), epochKeyName(origin, 1), random(32)))
  return { vkey: textOf(stable), epochVkey: textOf(epoch) }
}

function publish(files: KeyFiles): void {
  if (files.list().includes(pendingFile)) files.rename(pendingFile, stableFile)
}

function earlierEpochs(files: KeyFiles, epoch: number): readonly string[] {
  return files.list().filter((file) => {
    const [, number] = /^epoch-([1-9]\d{0,9})\.key$/.exec(file) ?? []
    return number !== undefined && Number(number) < epoch
  })
}

function makeEpoch(
  { files, origin, random }: SignerContext,
  number: number,
  sinceMs: number,
): Epoch {
  const key = files.make(epochFile(number), epochKeyName(origin, number), random(32))
  return { number, signer: signerOf(key), sinceMs }
}

function loadEpoch({ files, origin, epochs }: SignerContext): Epoch {
  const { epoch, vkey, sinceMs } = epochs.current()
  const name = epochKeyName(origin, epoch)
  const signer = loadKey(files, epochFile(epoch), { name, vkey })
  return { number: epoch, signer, sinceMs }
}

function loadKey(
  files: KeyFiles,
  file: string,
  named: { readonly name: string; readonly vkey: string },
): NoteSigner {
  const signer = ownKey(files, file, named.name)
  if (textOf(signer) === named.vkey) return signer
  throw anotherKey(files.pathOf(file), named.name, named.name)
}

function ownKey(files: KeyFiles, file: string, name: string): NoteSigner {
  const key = files.read(file)
  if (key.name !== name) throw anotherKey(files.pathOf(file), key.name, name)
  return signerOf(key)
}

function anotherKey(path: string, held: string, named: string): CapFenceError {
  return new CapFenceError(
    'AUDIT_UNAVAILABLE',
    `the key file \`${path}\` holds a key of \`${held}\`, not the one that the log names as \`${named}\``,
    { hint: 'put the key files of this log back, or name their folder under `audit.keys`' },
  )
}

function signerOf({ name, key }: NamedKey): NoteSigner {
  return noteSigner(name, key)
}

function textOf(signer: NoteSigner): string {
  return printVerifierKey(verifierOf(signer))
}

function keysOfAnother(path: string): CapFenceError {
  return new CapFenceError(
    'AUDIT_UNAVAILABLE',
    `the log is new or unsigned, and \`${path}\` is the key of another one`,
    {
      hint: 'put back the log that this key belongs to; if it is gone for good, move the folder of its keys away',
    },
  )
}
