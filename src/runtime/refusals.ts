import { discloseBytes } from '../audit/disclosure.ts'
import { refusalRecord } from '../audit/drafts.ts'
import { limits } from '../limits.ts'
import type { Draws } from './parts.ts'
import type { Store } from './store.ts'

/** A message that was refused before it was a call. */
export interface RefusedMessage {
  /** A code, such as `duplicate_key`. */
  readonly reason: string
  readonly bytes: Uint8Array
  readonly client: string | null
  readonly session: string
  readonly server: string | null
}

/** What a refusal log needs. */
export interface RefusalParts {
  readonly store: Pick<Store, 'commit'>
  readonly draws: Pick<Draws, 'bytes'>
  /** Milliseconds, never going back. */
  readonly now: () => number
  readonly onFailure: (error: unknown) => void
}

/**
 * Keeps a record of refused messages, at most `limits.maxRefusalRecordsPerSecond`; the others are counted, and the
 * count stands in the next record, so that a flood of bad messages cannot fill the disk and leaves a trace all the same.
 */
export class RefusalLog {
  readonly #parts: RefusalParts
  #secondSince = -Infinity
  #inSecond = 0
  #omitted = 0

  constructor(parts: RefusalParts) {
    this.#parts = parts
  }

  /** Records the refusal, or counts it; never throws, for a refusal has no side effect to hold back. */
  note(message: RefusedMessage): void {
    if (!this.#hasRoom()) {
      this.#omitted += 1
      return
    }
    this.#write(message)
  }

  #write({ reason, bytes, client, session, server }: RefusedMessage): void {
    const omitted = this.#omitted
    this.#omitted = 0
    // Only a salted digest of the message is kept: whoever has the message can prove that it is the one.
    const sealed = discloseBytes('message', bytes, this.#parts.draws.bytes, 'digest-only')
    const record = refusalRecord({
      reason,
      client,
      session,
      server,
      size: bytes.length,
      message: sealed.digests,
      omitted,
    })
    const effects = { records: [record], disclosures: sealed.disclosures, result: undefined }
    this.#parts.store
      .commit(() => effects, 'lazy')
      .catch((error: unknown) => {
        this.#omitted += omitted + 1
        this.#parts.onFailure(error)
      })
  }

  #hasRoom(): boolean {
    const now = this.#parts.now()
    if (now - this.#secondSince >= 1000) {
      this.#secondSince = now
      this.#inSecond = 0
    }
    this.#inSecond += 1
    return this.#inSecond <= limits.maxRefusalRecordsPerSecond
  }
}
