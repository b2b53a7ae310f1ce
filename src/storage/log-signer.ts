import { openCheckpoint, signCheckpoint } from '../audit/checkpoint.ts'
import type { Checkpoint, OpenedCheckpoint } from '../audit/checkpoint.ts'
import type { FirstKeys } from '../audit/log-drafts.ts'
import { noteSigner, printVerifierKey, verifierOf } from '../audit/note.ts'
import type { NoteSigner } from '../audit/note.ts'
import { epochKeyName } from '../audit/pin.ts'
import type { NamedKey } from '../crypto/key-file.ts'
import type { KeyFiles } from '../crypto/key-folder.ts'
import type { RandomSource } from '../crypto/random.ts'
import { CapFenceError } from '../errors.ts'
import type { EpochRows } from './epoch-rows.ts'
import { corrupt } from './failure.ts'

/** What a log's keys belong to. */
export interface SignerContext {
  readonly origin: string
  readonly files: KeyFiles
  readonly epochs: EpochRows
}

const stableFile = 'log.key'
/** The stable key of a log that has not been committed yet. */
const pendingFile = 'log.key.new'

const epochFile = (epoch: number): string => `epoch-${epoch}.key`

/** The private keys of one log in one writer: signs its heads, and knows the heads that others signed with the same keys. */
export class LogSigner {
  readonly #context: SignerContext
  readonly #stable: NoteSigner
  #epoch: number
  #epochSigner: NoteSigner

  private constructor(
    context: SignerContext,
    stable: NoteSigner,
    epoch: { readonly number: number; readonly signer: NoteSigner },
  ) {
    this.#context = context
    this.#stable = stable
    this.#epoch = epoch.number
    this.#epochSigner = epoch.signer
  }

  /**
   * Makes the keys of a log that has none, inside the transaction that first names them.
   *
   * They are on disk when this returns; `published` gives them their final name after COMMIT. So a crash in between leaves
   * nothing that a later log could be confused with.
   *
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when the place holds the keys of another log, which must not be lost
   */
  static make(context: SignerContext, random: RandomSource): LogSigner {
    const { files, origin } = context
    if (files.list().includes(stableFile)) throw keysOfAnother(files.pathOf(stableFile))
    const stable = files.make(pendingFile, origin, random(32))
    const epoch = files.make(epochFile(1), epochKeyName(origin, 1), random(32))
    return new LogSigner(context, signerOf(stable), { number: 1, signer: signerOf(epoch) })
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

  /** Gives the keys of a new log their final name; after COMMIT. */
  published(): void {
    publish(this.#context.files)
  }

  /** The public keys, as the log's first records name them; only in the first epoch. */
  firstKeys(): FirstKeys {
    return {
      vkey: printVerifierKey(verifierOf(this.#stable)),
      epochVkey: printVerifierKey(verifierOf(this.#epochSigner)),
    }
  }

  /** The signed note of a head. */
  sign({ size, root }: Omit<Checkpoint, 'origin'>): string {
    const { origin } = this.#context
    return signCheckpoint({ origin, size, root }, [this.#stable, this.#epochSigner])
  }

  /**
   * Accepts the head that another writer left.
   *
   * @throws CapFenceError `AUDIT_CORRUPT` unless it is this log's, of this size and root, and signed by both keys;
   *   `AUDIT_UNAVAILABLE` when a new epoch has begun whose key cannot be used
   */
  accept(note: string, head: Omit<Checkpoint, 'origin'>): void {
    // The same keys sign the same text with the same bytes, and signing takes less time than verifying.
    if (note === this.sign(head)) return
    this.#follow()
    const signed = this.#opened(note)
    if (signed.size !== head.size || signed.root !== head.root) {
      throw corrupt(`its signed head counts ${signed.size} records, its tree ${head.size}`)
    }
  }

  #opened(note: string): OpenedCheckpoint {
    const { origin } = this.#context
    try {
      return openCheckpoint(note, origin, [verifierOf(this.#stable), verifierOf(this.#epochSigner)])
    } catch (error) {
      if (!(error instanceof CapFenceError)) throw error
      throw corrupt(`its head is ${error.message}`, error)
    }
  }

  /** Another writer may have begun a new epoch. */
  #follow(): void {
    if (this.#context.epochs.current().epoch === this.#epoch) return
    const { number, signer } = loadEpoch(this.#context)
    this.#epoch = number
    this.#epochSigner = signer
  }
}

function publish(files: KeyFiles): void {
  if (files.list().includes(pendingFile)) files.rename(pendingFile, stableFile)
}

function loadEpoch({ files, origin, epochs }: SignerContext): {
  readonly number: number
  readonly signer: NoteSigner
} {
  const { epoch, vkey } = epochs.current()
  const name = epochKeyName(origin, epoch)
  return { number: epoch, signer: loadKey(files, epochFile(epoch), { name, vkey }) }
}

function loadKey(
  files: KeyFiles,
  file: string,
  named: { readonly name: string; readonly vkey: string },
): NoteSigner {
  const key = files.read(file)
  const signer = signerOf(key)
  if (key.name === named.name && printVerifierKey(verifierOf(signer)) === named.vkey) return signer
  throw new CapFenceError(
    'AUDIT_UNAVAILABLE',
    `the key file \`${files.pathOf(file)}\` holds a key of \`${key.name}\`, not the one that the log names as \`${named.name}\``,
    { hint: 'put the key files of this log back, or name their folder under `audit.keys`' },
  )
}

function signerOf({ name, key }: NamedKey): NoteSigner {
  return noteSigner(name, key)
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
