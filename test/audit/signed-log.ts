import { canonicalJson } from '../../src/audit/canonical.ts'
import { signCheckpoint } from '../../src/audit/checkpoint.ts'
import { encodeRecord, noLeaf } from '../../src/audit/codec.ts'
import { LogVerifier } from '../../src/audit/log-verifier.ts'
import type { StoredCheckpoint, StoredHead, VerifyOptions } from '../../src/audit/log-verifier.ts'
import type { LogReport } from '../../src/audit/log-report.ts'
import { noteSigner, printVerifierKey, verifierOf, type NoteSigner } from '../../src/audit/note.ts'
import { pinOf, type LogPin } from '../../src/audit/pin.ts'
import { readRow, type RowWithDisclosures } from '../../src/audit/read-row.ts'
import type { RecordData, RecordDraft, RecordPlace } from '../../src/audit/record.ts'
import { appendLeaf, emptyTree, rootOf, type TreeHead } from '../../src/audit/tree.ts'
import { signingKey } from '../../src/crypto/ed25519.ts'
import { sha256Base64url } from '../../src/crypto/sha256.ts'
import { logOfTests, writerOfTests } from './samples.ts'

/** A log as it is stored, to be verified, or changed first. */
export interface StoredLog {
  rows: RowWithDisclosures[]
  checkpoints: StoredCheckpoint[]
  head: StoredHead | undefined
}

/** The keys of a log in a test: always the same ones for the same name. */
export function signerOf(name: string): NoteSigner {
  const seed = Buffer.alloc(32)
  Buffer.from(name).copy(seed, 0, Math.max(0, name.length - 32))
  return noteSigner(name, signingKey(seed))
}

/** Writes a signed log in memory, as the format says and as simply as it can be done. */
export class SignedLog {
  readonly origin: string
  readonly rows: RowWithDisclosures[] = []
  readonly checkpoints: StoredCheckpoint[] = []
  readonly stable: NoteSigner
  epoch = 1
  epochKey: NoteSigner
  #tree: TreeHead = emptyTree
  #prev = noLeaf
  readonly #counts = new Map<string, number>()

  readonly #signer: (name: string) => NoteSigner

  constructor(origin: string = logOfTests, signer: (name: string) => NoteSigner = signerOf) {
    this.origin = origin
    this.#signer = signer
    this.stable = signer(origin)
    this.epochKey = signer(`${origin}/epoch-1`)
  }

  get size(): number {
    return this.rows.length
  }

  get pin(): LogPin {
    const genesis = signerOf(`${this.origin}/epoch-1`)
    return pinOf(verifierOf(signerOf(this.origin)), verifierOf(genesis))
  }

  /** `log.open` with the keys, and the start of the first writer. */
  open(changes: RecordData = {}): this {
    this.append({
      type: 'log.open',
      data: {
        continues: null,
        epoch_vkey: printVerifierKey(verifierOf(this.epochKey)),
        format: 'capfence-log/1',
        software: 'capfence/test',
        vkey: printVerifierKey(verifierOf(this.stable)),
        ...changes,
      },
    })
    return this.append({ type: 'proc.start', data: { pid: 1, software: 'capfence/test' } })
  }

  /** @param disclosures as texts; those that `draft` lists */
  append(
    draft: RecordDraft,
    { disclosures = [], ...at }: Partial<RecordPlace> & { disclosures?: readonly string[] } = {},
  ): this {
    const seq = this.rows.length
    const w = at.w ?? writerOfTests
    const wn = this.#counts.get(w) ?? 0
    this.#counts.set(w, wn + 1)
    const ts = new Date(1_700_000_000_000 + seq * 1000).toISOString()
    const place = { log: this.origin, seq, prev: this.#prev, ts, w, wn, ...at }
    const { body, leaf } = encodeRecord(draft, place)
    const encoded = disclosures.map((one) => `${one}~`).join('')
    this.rows.push({ seq, body, leaf: Buffer.from(leaf, 'hex'), disclosures: encoded })
    this.#prev = leaf
    this.#tree = appendLeaf(this.#tree, leaf)
    if (this.size % 1000 === 0) this.keep()
    return this
  }

  /** Keeps a checkpoint of the current size. */
  keep(signers: readonly NoteSigner[] = [this.stable, this.epochKey]): this {
    this.checkpoints.push({ size: this.size, note: this.note(signers) })
    return this
  }

  rotate(reason: 'daily' | 'operator' = 'operator'): this {
    const next = this.#signer(`${this.origin}/epoch-${String(this.epoch + 1)}`)
    this.append({
      type: 'key.rotate',
      data: {
        epoch: this.epoch + 1,
        next: printVerifierKey(verifierOf(next)),
        previous: printVerifierKey(verifierOf(this.epochKey)),
        reason,
      },
    })
    this.keep([this.stable, this.epochKey, next])
    this.epoch += 1
    this.epochKey = next
    return this
  }

  note(signers: readonly NoteSigner[] = [this.stable, this.epochKey]): string {
    const { origin, size } = this
    return signCheckpoint({ origin, size, root: rootOf(this.#tree) }, signers)
  }

  stored(): StoredLog {
    return {
      rows: [...this.rows],
      checkpoints: [...this.checkpoints],
      head: {
        origin: this.origin,
        size: this.size,
        root: rootOf(this.#tree),
        frontier: this.#tree.frontier.join(''),
        note: this.note(),
      },
    }
  }
}

/** A text that can be disclosed, and its digest. */
export function disclosureOf(name: string, value: string): { encoded: string; digest: string } {
  const json = canonicalJson(['c2FsdHNhbHRzYWx0c2FsdA', name, value])
  const encoded = Buffer.from(json).toString('base64url')
  return { encoded, digest: sha256Base64url(encoded) }
}

/** Verifies a stored log, checkpoints where they belong. */
export function verifyStored(log: StoredLog, options: VerifyOptions = {}): LogReport {
  const verifier = new LogVerifier(options)
  return feed(verifier, log)
}

export function feed(verifier: LogVerifier, { rows, checkpoints, head }: StoredLog): LogReport {
  const from = verifier.size
  const waiting = checkpoints.filter(({ size }) => size > from).toSorted((a, b) => a.size - b.size)
  const keep = (size: number): boolean => {
    while (waiting[0] !== undefined && waiting[0].size <= size) {
      const [checkpoint] = waiting.splice(0, 1)
      if (checkpoint === undefined || !verifier.checkpoint(checkpoint)) return false
    }
    return true
  }
  for (const row of rows.slice(from)) {
    if (!keep(verifier.size) || !verifier.push(readRow(row))) break
  }
  keep(Number.POSITIVE_INFINITY)
  return verifier.finish(head)
}
