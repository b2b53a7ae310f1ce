import { EnvelopeFinder } from './envelope-finder.ts'
import type { ServerRefusal } from './inspect-server.ts'

/** How many times over its limit a message may be before nobody waits for its end. */
const maxOverrun = 16

/**
 * Finds out whom a message over the limit was for, while its bytes are dropped.
 *
 * A message that does not end within sixteen times the limit is told as one that says nothing of itself, so that nobody waits
 * for a line without an end.
 */
export class OversizeMessage {
  readonly #onRefused: (refusal: ServerRefusal) => void
  #limitBytes = 0
  #seenBytes = 0
  #finder: EnvelopeFinder | undefined

  constructor(onRefused: (refusal: ServerRefusal) => void) {
    this.#onRefused = onRefused
  }

  /** A message is over `limitBytes`. */
  begin(limitBytes: number): void {
    this.#limitBytes = limitBytes
    this.#seenBytes = 0
    this.#finder = new EnvelopeFinder()
  }

  /** @param piece undefined at the end */
  take(piece: Uint8Array | undefined): void {
    if (this.#finder === undefined) return
    if (piece === undefined) return this.#tell(this.#finder)
    this.#seenBytes += piece.length
    if (this.#seenBytes > maxOverrun * this.#limitBytes) return this.#tell(new EnvelopeFinder())
    this.#finder.push(piece)
  }

  #tell(finder: EnvelopeFinder): void {
    this.#finder = undefined
    const found = finder.end()
    this.#onRefused({
      // What has no member at all may be an answer that was cut off.
      kind: found.kind === 'none' ? 'answer' : found.kind,
      idText: found.idText,
      reason: 'too_large',
      message: `a message over the limit of ${String(this.#limitBytes)} bytes`,
    })
  }
}
