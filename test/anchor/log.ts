import { printAddCheckpoint } from '../../src/anchor/add-checkpoint.ts'
import { signCheckpoint } from '../../src/audit/checkpoint.ts'
import { consistencyRanges, RangeRoots } from '../../src/audit/merkle-proof.ts'
import { noteSigner, verifierOf, type NoteSigner } from '../../src/audit/note.ts'
import { appendLeaf, emptyTree, rootOf } from '../../src/audit/tree.ts'
import { signingKey } from '../../src/crypto/ed25519.ts'
import { sha256Hex } from '../../src/crypto/sha256.ts'

export const origin = 'capfence.local/01JD0000000000000000000000'

/** A log without a database: leaves, and checkpoints of any size of it. */
export class SampleLog {
  readonly #leaves: readonly string[]
  readonly signer: NoteSigner

  constructor(size: number, options: { origin?: string; seed?: number; from?: number } = {}) {
    const { origin: name = origin, seed = 1, from = Infinity } = options
    this.signer = noteSigner(name, signingKey(new Uint8Array(32).fill(seed)))
    // A log with `from` is a fork: other records from there on.
    this.#leaves = Array.from({ length: size }, (_, at) =>
      sha256Hex(`${at >= from ? 'x' : ''}${at}`),
    )
  }

  get key() {
    return verifierOf(this.signer)
  }

  root(size: number): string {
    return rootOf(this.#leaves.slice(0, size).reduce(appendLeaf, emptyTree))
  }

  note(size: number): string {
    const checkpoint = { origin: this.signer.name, size, root: this.root(size) }
    return signCheckpoint(checkpoint, [this.signer])
  }

  proof(from: number, to: number): readonly string[] {
    if (from === 0 || from === to) return []
    const roots = new RangeRoots(consistencyRanges(from, to))
    for (const leaf of this.#leaves.slice(0, to)) roots.push(leaf)
    return roots.roots()
  }

  request(oldSize: number, size: number): string {
    return printAddCheckpoint({ oldSize, proof: this.proof(oldSize, size), note: this.note(size) })
  }
}
