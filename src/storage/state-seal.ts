import { timingSafeEqual } from 'node:crypto'
import { hmacSha256Hex } from '../crypto/sha256.ts'

/** What a row of a table under seal holds. */
export type SealedRow = readonly (string | number)[]

const sumBytes = 32

/**
 * Tells whether the tables that say what limits and labels stand at are as this log's writers left them (THREATS B37).
 *
 * The sum of the rows is the exclusive or of a keyed hash of each, so that a row that comes or goes costs one hash. Sum and
 * size of the log stand beside the head under a MAC: who has not the log's private key can take no row out, put none in, and
 * cannot bring back the rows of an earlier size.
 */
export class StateSeal {
  readonly #key: Uint8Array
  #sum: Buffer = Buffer.alloc(sumBytes)

  /** @param key 32 bytes that follow from the log's private key */
  constructor(key: Uint8Array) {
    this.#key = key
  }

  /** A row came, or the same row went. */
  toggle(row: SealedRow): void {
    const hash = Buffer.from(hmacSha256Hex(this.#key, JSON.stringify(row)), 'hex')
    for (let at = 0; at < sumBytes; at += 1) this.#sum[at] = (this.#sum[at] ?? 0) ^ (hash[at] ?? 0)
  }

  /** The sum of other rows. */
  sumOf(rows: Iterable<SealedRow>): Buffer {
    const other = new StateSeal(this.#key)
    for (const row of rows) other.toggle(row)
    return other.sum
  }

  /** The sum as it is, to go back to. */
  get sum(): Buffer {
    return Buffer.from(this.#sum)
  }

  set sum(sum: Buffer) {
    this.#sum = Buffer.from(sum)
  }

  /** What is kept beside a head of this size, 64 bytes: the sum and its MAC. */
  print(size: number): Buffer {
    return Buffer.concat([this.#sum, this.#mac(this.#sum, size)])
  }

  /**
   * Takes the sum that another writer left.
   *
   * @returns false when it is not this log's, or was left beside a head of another size
   */
  accept(seal: Buffer | null, size: number): boolean {
    if (seal?.length !== 2 * sumBytes) return false
    const sum = seal.subarray(0, sumBytes)
    if (!timingSafeEqual(seal.subarray(sumBytes), this.#mac(sum, size))) return false
    this.sum = sum
    return true
  }

  #mac(sum: Uint8Array, size: number): Buffer {
    return Buffer.from(
      hmacSha256Hex(this.#key, Buffer.concat([Buffer.from(`${size}:`), sum])),
      'hex',
    )
  }
}
