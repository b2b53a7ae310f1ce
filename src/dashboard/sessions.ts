import { sha256Hex } from '../crypto/sha256.ts'

/** How long a code can be exchanged, milliseconds: the time it takes to open a browser. */
const codeMs = 120_000
/** How long a browser stays signed in, milliseconds: a working day. */
const sessionMs = 43_200_000
/** Wrong codes after which the real one is worth nothing any more, count. */
const maxWrongCodes = 5
/** Browsers that are signed in at once, count; the oldest is signed out. */
const maxSessions = 8

/** What a browser has once its code was taken. */
export interface NewSession {
  /** The cookie. */
  readonly token: string
  /** What each request that changes something has to name, because a cookie is sent by itself. */
  readonly csrf: string
}

/** What sessions need of the outside. */
export interface SessionParts {
  readonly random: (count: number) => Uint8Array
  readonly nowMs: () => number
}

interface Session {
  readonly digest: string
  readonly csrf: string
  readonly endsAtMs: number
}

interface Code {
  readonly digest: string
  readonly endsAtMs: number
  wrong: number
}

/**
 * Who may use the page: whoever brings a code that was made a moment ago, once.
 *
 * Only digests are kept, and only digests are compared, so that the time it takes tells nothing.
 */
export class PageSessions {
  readonly #parts: SessionParts
  readonly #sessions: Session[] = []
  #code: Code | undefined

  constructor(parts: SessionParts) {
    this.#parts = parts
  }

  /** A code for one browser; one that was made before and not exchanged is worth nothing any more. */
  newCode(): string {
    const code = this.#draw()
    this.#code = { digest: digestOf(code), endsAtMs: this.#parts.nowMs() + codeMs, wrong: 0 }
    return code
  }

  /** Exchanges a code; undefined when it is wrong, used or too old. */
  exchange(code: string): NewSession | undefined {
    const open = this.#code
    if (open === undefined || this.#parts.nowMs() >= open.endsAtMs) return undefined
    if (digestOf(code) !== open.digest) {
      open.wrong += 1
      if (open.wrong >= maxWrongCodes) this.#code = undefined
      return undefined
    }
    this.#code = undefined
    return this.#begin()
  }

  /** What a signed-in browser has to name when it changes something; undefined for any other token. */
  csrfOf(token: string | undefined): string | undefined {
    if (token === undefined) return undefined
    const digest = digestOf(token)
    const nowMs = this.#parts.nowMs()
    return this.#sessions.find((one) => one.digest === digest && nowMs < one.endsAtMs)?.csrf
  }

  /** Whether a request of this token names what it has to. */
  isNamed(token: string | undefined, csrf: string | undefined): boolean {
    const own = this.csrfOf(token)
    return own !== undefined && csrf !== undefined && digestOf(own) === digestOf(csrf)
  }

  /** Signs a browser out. */
  end(token: string): void {
    const digest = digestOf(token)
    const at = this.#sessions.findIndex((one) => one.digest === digest)
    if (at >= 0) this.#sessions.splice(at, 1)
  }

  #begin(): NewSession {
    const token = this.#draw()
    const csrf = this.#draw()
    const endsAtMs = this.#parts.nowMs() + sessionMs
    this.#sessions.push({ digest: digestOf(token), csrf, endsAtMs })
    if (this.#sessions.length > maxSessions) this.#sessions.shift()
    return { token, csrf }
  }

  /** 256 bits, which nobody guesses. */
  #draw(): string {
    return Buffer.from(this.#parts.random(32)).toString('base64url')
  }
}

function digestOf(secret: string): string {
  return sha256Hex(secret)
}
