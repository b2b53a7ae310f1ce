import { hmacSha256Hex } from '../crypto/sha256.ts'

/** Where each server's list goes on; a server that is absent has no more. */
export type ServerCursors = ReadonlyMap<string, string>

/**
 * Packs the cursors of several servers into one that only this process can have made.
 *
 * An empty cursor is a cursor (PROTOCOL: an empty string is valid).
 */
export class CursorSeal {
  readonly #key: Uint8Array

  /** @param key random, made at process start; a cursor does not outlive the process */
  constructor(key: Uint8Array) {
    this.#key = key
  }

  seal(cursors: ServerCursors): string {
    const text = Buffer.from(JSON.stringify([...cursors])).toString('base64url')
    return `${text}.${this.#mark(text)}`
  }

  /** The cursors, or undefined for a text that was not sealed here. */
  open(sealed: string): ServerCursors | undefined {
    const dot = sealed.indexOf('.')
    const text = sealed.slice(0, dot)
    if (dot < 0 || sealed.slice(dot + 1) !== this.#mark(text)) return undefined
    const entries: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (!Array.isArray(entries)) return undefined
    return new Map(entries.filter(isPair))
  }

  #mark(text: string): string {
    return hmacSha256Hex(this.#key, text)
  }
}

function isPair(entry: unknown): entry is readonly [string, string] {
  return Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'string'
}
