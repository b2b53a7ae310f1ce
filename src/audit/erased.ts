import { limits } from '../limits.ts'
import type { ReadRecord } from './read-row.ts'

/** Disclosures that are not there, and the redactions that account for them. */
export class ErasedDisclosures {
  /** By record: digests whose disclosure is missing and that no redaction has named yet. */
  readonly #missing: Map<number, Set<string>>
  #count = 0
  #redacted: number

  constructor(missing: Iterable<readonly [number, readonly string[]]> = [], redacted = 0) {
    this.#missing = new Map(Array.from(missing, ([seq, digests]) => [seq, new Set(digests)]))
    for (const digests of this.#missing.values()) this.#count += digests.size
    this.#redacted = redacted
  }

  /** Disclosures that were erased and whose redaction stands in the log. */
  get redacted(): number {
    return this.#redacted
  }

  /** What is not accounted for, in the order of the log. */
  get missing(): readonly (readonly [seq: number, digests: readonly string[]])[] {
    return Array.from(this.#missing, ([seq, digests]) => [seq, [...digests]] as const)
  }

  /** What is wrong with a record, before it is accepted. */
  complaint({ type, said, missing }: ReadRecord): string | undefined {
    if (this.#count + missing.length > limits.maxMissingDisclosures) {
      return `more than ${limits.maxMissingDisclosures} disclosures are missing before this record`
    }
    if (type !== 'redact') return undefined
    const open = this.#missing.get(numberOf(said['seq']))
    const digests = digestsOf(said['digests'])
    if (new Set(digests).size < digests.length) return 'it redacts one disclosure twice'
    return digests.every((digest) => open?.has(digest) === true)
      ? undefined
      : 'it redacts a disclosure that is still there, or never was'
  }

  accept({ type, said, seq, missing }: ReadRecord): void {
    if (missing.length > 0) this.#missing.set(seq, new Set(missing))
    this.#count += missing.length
    if (type === 'redact') this.#redact(numberOf(said['seq']), digestsOf(said['digests']))
  }

  #redact(seq: number, digests: readonly string[]): void {
    const open = this.#missing.get(seq)
    for (const digest of digests) open?.delete(digest)
    if (open?.size === 0) this.#missing.delete(seq)
    this.#count -= digests.length
    this.#redacted += digests.length
  }
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : -1
}

function digestsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((digest) => typeof digest === 'string') : []
}
