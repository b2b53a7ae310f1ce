import { randomBytes } from 'node:crypto'

/** Where unpredictable bytes come from; given as an argument, so that a test can know them. */
export type RandomSource = (byteCount: number) => Uint8Array

const poolBytes = 4096
let pool: Uint8Array = new Uint8Array(0)
let used = 0

/**
 * The operating system's generator, asked in blocks: a salt per argument costs no system call each.
 *
 * No byte is handed out twice; the returned array is the caller's own.
 */
export const systemRandom: RandomSource = (byteCount) => {
  if (byteCount > poolBytes) return new Uint8Array(randomBytes(byteCount))
  if (used + byteCount > pool.length) {
    // A copy, because a slice of a Buffer would be a view of it.
    pool = new Uint8Array(randomBytes(poolBytes))
    used = 0
  }
  const bytes = pool.slice(used, used + byteCount)
  used += byteCount
  return bytes
}
